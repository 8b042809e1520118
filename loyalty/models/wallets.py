"""What a member holds: a wallet, its lots, and which lot paid for what."""

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from loyalty.models.places import Store


class PointType(models.TextChoices):
    REDEEMABLE = "redeemable", _("redeemable")
    QUALIFYING = "qualifying", _("qualifying")


class Wallet(models.Model):
    """A member's holding of one point type. `holder` is a random id that members gives; the ledger knows no people.

    `balance`, `deficit`, `seq`, `head` and `idle_expires_at` are caches of the postings, moved in the same statement as
    them; `manage.py verify_ledger` recomputes each. The first posting's hash seals what the wallet is.
    """

    holder = models.UUIDField(_("holder"), editable=False)
    point_type = models.CharField(_("point type"), max_length=10, choices=PointType, default=PointType.REDEEMABLE)
    balance = models.BigIntegerField(_("balance"), default=0, db_default=0, editable=False)
    deficit = models.BigIntegerField(_("deficit"), default=0, db_default=0, editable=False)
    seq = models.BigIntegerField(_("postings"), default=0, db_default=0, editable=False)
    head = models.BinaryField(_("chain head"), default=b"", db_default=b"", editable=False)
    idle_expires_at = models.DateTimeField(_("expires if idle"), null=True, editable=False)
    opened_at = models.DateTimeField(_("opened"), db_default=Now(), editable=False)

    class Meta:
        verbose_name = _("wallet")
        verbose_name_plural = _("wallets")
        constraints = [
            models.UniqueConstraint(fields=["holder", "point_type"], name="wallet_per_holder_and_type"),
            models.CheckConstraint(condition=Q(balance__gte=0, deficit__gte=0, seq__gte=0), name="wallet_not_negative"),
        ]
        indexes = [models.Index(fields=["idle_expires_at"], condition=Q(idle_expires_at__isnull=False), name="wallet_idle")]

    def __str__(self) -> str:
        return f"{self.holder}"


class Lot(models.Model):
    """The points that one posting granted. All but `remaining` and `open` is fixed and hashed with that posting."""

    wallet = models.ForeignKey(Wallet, models.DO_NOTHING, db_constraint=False, db_index=False, verbose_name=_("wallet"))
    seq = models.BigIntegerField(_("opened by posting"))
    points = models.BigIntegerField(_("points"))
    remaining = models.BigIntegerField(_("remaining"))
    open = models.BooleanField(_("open"))
    available_at = models.DateTimeField(_("usable from"))
    expires_at = models.DateTimeField(_("expires"), null=True)
    earned_at = models.DateTimeField(_("earned"))
    store = models.ForeignKey(Store, models.DO_NOTHING, null=True, db_constraint=False, verbose_name=_("store"))
    rule_version = models.UUIDField(_("rule version"), null=True)

    class Meta:
        verbose_name = _("lot")
        verbose_name_plural = _("lots")
        constraints = [
            models.UniqueConstraint(fields=["wallet", "seq"], name="lot_per_posting"),
            models.CheckConstraint(
                condition=Q(points__gt=0, remaining__gte=0, remaining__lte=F("points"))
                & (Q(remaining=0, open=False) | Q(remaining__gt=0, open=True)),
                name="lot_remaining_in_range",
            ),
        ]
        indexes = [
            # `open`, not `remaining`, in the predicates: taking part of a lot stays an update without index work.
            models.Index(fields=["wallet", "expires_at", "earned_at", "seq"], condition=Q(open=True), name="lot_burn_order"),
            models.Index(fields=["expires_at"], condition=Q(open=True), name="lot_expiry"),
        ]

    def __str__(self) -> str:
        return f"{self.remaining} / {self.points}"


class LotUse(models.Model):
    """How many points a posting took from a lot; negative where it gave them back."""

    pk = models.CompositePrimaryKey("wallet_id", "seq", "lot_seq")
    wallet = models.ForeignKey(Wallet, models.DO_NOTHING, db_constraint=False, db_index=False)
    seq = models.BigIntegerField()
    lot_seq = models.BigIntegerField()
    points = models.BigIntegerField()

    class Meta:
        verbose_name = _("lot use")
        verbose_name_plural = _("lot uses")
        constraints = [models.CheckConstraint(condition=~Q(points=0), name="lot_use_not_zero")]
        indexes = [models.Index(fields=["wallet", "lot_seq"], name="lot_use_of_lot")]
