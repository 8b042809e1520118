"""Orders for rewards: points are taken at once, and come back when nothing comes of it (SEMANTICS 7)."""

from django.db import models
from django.db.models import Q
from django.db.models.functions import UUID7
from django.utils.translation import gettext_lazy as _

from catalog.models.rewards import Reward
from members.models import Member


class Redemption(models.Model):
    """`points` and `money` are the price for all of `quantity`, fixed when it was reserved; `entry` took the points.

    `gives` is what its voucher will give, as the reward said then. `status` is the last of its steps.
    """

    class Status(models.TextChoices):
        RESERVED = "reserved", _("reserved")
        CONFIRMED = "confirmed", _("confirmed")
        FULFILLED = "fulfilled", _("handed over")
        CANCELLED = "cancelled", _("cancelled")
        LAPSED = "lapsed", _("lapsed")
        RETURNED = "returned", _("unused, points given back")

    id = models.UUIDField(primary_key=True, db_default=UUID7(), editable=False)
    member = models.ForeignKey(Member, models.PROTECT, verbose_name=_("member"))
    reward = models.ForeignKey(Reward, models.PROTECT, verbose_name=_("reward"))
    quantity = models.PositiveIntegerField(_("quantity"), default=1, db_default=1)
    points = models.PositiveBigIntegerField(_("points"))
    money = models.DecimalField(_("money to pay"), max_digits=15, decimal_places=3, default=0, db_default=0)
    store = models.ForeignKey("loyalty.Store", models.PROTECT, null=True, blank=True, verbose_name=_("shop"))
    gives = models.JSONField(_("voucher"), null=True, editable=False)
    status = models.CharField(_("status"), max_length=10, choices=Status, default=Status.RESERVED)
    reserved_at = models.DateTimeField(_("reserved"))
    reserved_until = models.DateTimeField(_("reserved until"))
    entry = models.UUIDField(_("journal entry"), null=True)

    class Meta:
        verbose_name = _("redemption")
        verbose_name_plural = _("redemptions")
        indexes = [
            models.Index(fields=["member", "-reserved_at"], name="redemption_of_member"),
            models.Index(fields=["-reserved_at", "-id"], name="redemption_time"),
            models.Index(fields=["reserved_until"], condition=Q(status="reserved"), name="redemption_waits"),
            models.Index(fields=["store", "reserved_at"], condition=Q(status="confirmed"), name="redemption_to_hand_out"),
        ]
        constraints = [models.CheckConstraint(condition=Q(quantity__gte=1), name="redemption_of_something")]

    def __str__(self) -> str:
        return str(self.pk)


class RedemptionStep(models.Model):
    """What happened to a redemption, when, by whom and why. Never edited.

    A status may come again: a voucher that was used up is had, and when its receipt comes back it is there to be used.
    """

    redemption = models.ForeignKey(Redemption, models.CASCADE, related_name="steps", verbose_name=_("redemption"))
    status = models.CharField(_("status"), max_length=10, choices=Redemption.Status)
    at = models.DateTimeField(_("when"))
    actor = models.UUIDField(_("by"), null=True)
    reason = models.CharField(_("reason"), max_length=200, blank=True)

    class Meta:
        verbose_name = _("step")
        verbose_name_plural = _("steps")
        ordering = ["id"]

    def __str__(self) -> str:
        return self.status
