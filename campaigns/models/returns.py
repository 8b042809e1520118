"""What came back of receipts, and what that took back."""

from django.db import models
from django.db.models import Q
from django.db.models.functions import UUID7
from django.utils.translation import gettext_lazy as _

from campaigns.models.purchases import Award, Purchase, PurchaseLine


class PurchaseReturn(models.Model):
    """Goods or money of a receipt that came back. (`source`, `return_number`) is taken once, by the ledger's document guard.

    Without a purchase it waits for its sale, by `receipt_number`; with a `problem` the sale came and it did not fit.
    `content` is what was asked. `points_kept` is what the receipt earned for the lines that were kept after it.
    """

    id = models.UUIDField(primary_key=True, db_default=UUID7(), editable=False)
    source = models.CharField(_("source"), max_length=60)
    return_number = models.CharField(_("return number"), max_length=120)
    receipt_number = models.CharField(_("receipt number"), max_length=120)
    purchase = models.ForeignKey(
        Purchase, models.PROTECT, null=True, related_name="returns", db_constraint=False, verbose_name=_("purchase")
    )
    occurred_at = models.DateTimeField(_("returned"))
    recorded_at = models.DateTimeField(_("recorded"))
    goodwill = models.BooleanField(_("points left out of goodwill"), default=False, db_default=False)
    reason = models.CharField(_("reason"), max_length=200, blank=True)
    actor = models.UUIDField(_("by"), null=True)
    content = models.JSONField(_("as asked"))
    problem = models.CharField(_("problem"), max_length=300, blank=True)
    currency = models.CharField(_("currency"), max_length=3, blank=True)
    net_amount = models.DecimalField(_("worth of the goods"), max_digits=14, decimal_places=3, default=0, db_default=0)
    money_back = models.DecimalField(_("money back"), max_digits=14, decimal_places=3, default=0, db_default=0)
    points_clawed_back = models.BigIntegerField(_("points taken back"), default=0, db_default=0)
    points_returned = models.BigIntegerField(_("points given back"), default=0, db_default=0)
    points_kept = models.BigIntegerField(_("points for what was kept"), default=0, db_default=0)
    tender_entry = models.UUIDField(_("journal entry of the points given back"), null=True, unique=True)

    class Meta:
        verbose_name = _("return")
        verbose_name_plural = _("returns")
        constraints = [
            models.CheckConstraint(
                condition=Q(net_amount__gte=0, money_back__gte=0, points_clawed_back__gte=0, points_returned__gte=0),
                name="return_not_negative",
            ),
            models.CheckConstraint(condition=Q(purchase=None) | Q(problem=""), name="return_fits_or_has_a_problem"),
            models.CheckConstraint(condition=Q(goodwill=False) | ~Q(reason=""), name="return_goodwill_has_a_reason"),
        ]
        indexes = [
            models.Index(fields=["source", "receipt_number"], condition=Q(purchase=None), name="return_waiting"),
            models.Index(fields=["-recorded_at", "-id"], name="return_time"),
        ]

    def __str__(self) -> str:
        return self.return_number


class PurchaseReturnLine(models.Model):
    """What a return took of a line: `quantity` goods, `net_amount` of what they cost, and what of that went back where.

    `asked`: which of the two was named; the other followed in proportion (campaigns/keeping.py).
    """

    purchase_return = models.ForeignKey(
        PurchaseReturn, models.CASCADE, related_name="lines", db_constraint=False, verbose_name=_("return")
    )
    line = models.ForeignKey(PurchaseLine, models.PROTECT, related_name="returns", db_constraint=False, verbose_name=_("line"))
    asked = models.CharField(_("asked by"), max_length=8)
    quantity = models.DecimalField(_("quantity"), max_digits=14, decimal_places=3)
    net_amount = models.DecimalField(_("worth of the goods"), max_digits=14, decimal_places=3)
    money_back = models.DecimalField(_("money back"), max_digits=14, decimal_places=3)
    points_returned = models.BigIntegerField(_("points given back"))

    class Meta:
        verbose_name = _("returned line")
        verbose_name_plural = _("returned lines")
        constraints = [
            models.UniqueConstraint(fields=["purchase_return", "line"], name="return_line_once"),
            models.CheckConstraint(condition=Q(quantity__gte=0, net_amount__gte=0), name="return_line_not_negative"),
        ]

    def __str__(self) -> str:
        return str(self.net_amount)


class ClawBack(models.Model):
    """What a return took back of an award, and the journal entry that did."""

    purchase_return = models.ForeignKey(
        PurchaseReturn, models.CASCADE, related_name="claw_backs", db_constraint=False, verbose_name=_("return")
    )
    award = models.ForeignKey(Award, models.PROTECT, related_name="claw_backs", db_constraint=False, verbose_name=_("award"))
    points = models.BigIntegerField(_("points"))
    entry = models.UUIDField(_("journal entry"), unique=True)

    class Meta:
        verbose_name = _("claw-back")
        verbose_name_plural = _("claw-backs")
        constraints = [models.CheckConstraint(condition=Q(points__gt=0), name="claw_back_takes_points")]

    def __str__(self) -> str:
        return str(self.points)
