"""Codes that a member shows at a till (SEMANTICS 7.6)."""

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import UUID7, Now
from django.utils.timezone import now
from django.utils.translation import gettext_lazy as _

from catalog.models.redemptions import Redemption
from loyalty import money, terms
from members.models import Member


class Voucher(models.Model):
    """`code` carries 60 random bits and a check symbol (catalog/vouchers.py). Bought with points, or given (no redemption).

    `type`: an amount off, a percentage off, or an item. `uses` are all it has, `used` those that count. One that keeps its
    rest has `remaining` of its value, in money, and is used (once) when nothing remains; other vouchers have none.
    """

    class Type(models.TextChoices):
        AMOUNT = "amount", _("amount off")
        PERCENT = "percent", _("percentage off")
        ITEM = "item", _("free item")

    id = models.UUIDField(primary_key=True, db_default=UUID7(), editable=False)
    code = models.CharField(_("code"), max_length=16, unique=True)
    member = models.ForeignKey(Member, models.PROTECT, verbose_name=_("member"))
    redemption = models.OneToOneField(
        Redemption, models.PROTECT, null=True, blank=True, related_name="voucher", verbose_name=_("redemption")
    )
    type = models.CharField(_("kind"), max_length=8, choices=Type)
    title = models.CharField(_("title"), max_length=120)
    value = models.DecimalField(_("value"), max_digits=15, decimal_places=3, default=0, db_default=0)
    remaining = models.DecimalField(_("left on it"), max_digits=15, decimal_places=3, null=True, blank=True)
    minimum_spend = models.DecimalField(_("minimum spend"), max_digits=12, decimal_places=3, default=0, db_default=0)
    stores = models.JSONField(_("only in these shops"), default=list, blank=True)
    categories = models.JSONField(_("only for these categories"), default=list, blank=True)
    issued_at = models.DateTimeField(_("issued"), db_default=Now())
    valid_from = models.DateTimeField(_("valid from"))
    valid_until = models.DateTimeField(_("valid until"))
    uses = models.PositiveIntegerField(_("uses"), default=1, db_default=1)
    used = models.PositiveIntegerField(_("used"), default=0, db_default=0)
    ended_at = models.DateTimeField(_("ended"), null=True, editable=False)

    class Meta:
        verbose_name = _("voucher")
        verbose_name_plural = _("vouchers")
        indexes = [
            models.Index(fields=["member", "valid_until"], name="voucher_of_member"),
            models.Index(fields=["valid_until"], condition=Q(ended_at=None), name="voucher_open"),
        ]
        constraints = [
            models.CheckConstraint(condition=Q(used__lte=F("uses")), name="voucher_not_overused"),
            models.CheckConstraint(
                condition=Q(remaining=None) | Q(remaining__gte=0, remaining__lte=F("value")), name="voucher_remaining_within"
            ),
        ]

    def __str__(self) -> str:
        return self.title

    @property
    def remaining_said(self) -> str:
        """What is left of one that keeps its rest, in the reader's language."""
        return "" if self.remaining is None else money.text(self.remaining, terms.current(now()).currency)

    @property
    def is_begun(self) -> bool:
        """Whether it was used at all, once or in part, in a way that still counts."""
        return self.used > 0 or (self.remaining is not None and self.remaining < self.value)


class VoucherUse(models.Model):
    """One use at a till, with the receipt it was used on; `released_at`: it was given back.

    `purchase` is the id of the purchase that it came with, none where a till used it by itself. Of a voucher that keeps its
    rest `taken` is what this use took, `remaining` what it left, `by_line` how it fell to the lines of the receipt, in their
    order, as text, and `given_back` what of it came back with goods while others are kept.
    """

    voucher = models.ForeignKey(Voucher, models.PROTECT, related_name="use_set", verbose_name=_("voucher"))
    store = models.ForeignKey("loyalty.Store", models.PROTECT, verbose_name=_("shop"))
    source = models.CharField(_("source"), max_length=60)
    receipt_number = models.CharField(_("receipt number"), max_length=120)
    amount = models.DecimalField(_("amount"), max_digits=15, decimal_places=3, null=True, blank=True)
    taken = models.DecimalField(_("taken from it"), max_digits=15, decimal_places=3, null=True)
    remaining = models.DecimalField(_("left after it"), max_digits=15, decimal_places=3, null=True)
    by_line = models.JSONField(_("taken line by line"), null=True, editable=False)
    given_back = models.DecimalField(_("given back of it"), max_digits=15, decimal_places=3, default=0, db_default=0)
    at = models.DateTimeField(_("used"))
    actor = models.UUIDField(_("by"), null=True)
    purchase = models.UUIDField(_("purchase"), null=True)
    released_at = models.DateTimeField(_("given back"), null=True)

    class Meta:
        verbose_name = _("use of a voucher")
        verbose_name_plural = _("uses of vouchers")
        indexes = [models.Index(fields=["purchase"], condition=Q(purchase__isnull=False), name="voucher_use_of_purchase")]
        constraints = [
            models.UniqueConstraint(
                fields=["voucher", "source", "receipt_number"], condition=Q(released_at=None), name="voucher_use_once_a_receipt"
            ),
        ]

    def __str__(self) -> str:
        return self.receipt_number
