"""Receipts as they came, and what each earned and why."""

from django.db import models
from django.db.models import Q
from django.db.models.functions import UUID7
from django.utils.translation import gettext_lazy as _

from campaigns.models.events import Event
from campaigns.models.rules import RuleVersion
from members.models import Member


class Purchase(models.Model):
    """A receipt of a member. (`source`, `receipt_number`) is taken once, by the ledger's document guard.

    `visit`: the number of its day among those with a purchase, counted as they become known. `net_amount` is before
    `tender_amount`, what the points were worth that paid a part of it.
    """

    id = models.UUIDField(primary_key=True, db_default=UUID7(), editable=False)
    source = models.CharField(_("source"), max_length=60)
    receipt_number = models.CharField(_("receipt number"), max_length=120)
    member = models.ForeignKey(Member, models.PROTECT, verbose_name=_("member"))
    store = models.ForeignKey("loyalty.Store", models.PROTECT, verbose_name=_("store"))
    occurred_at = models.DateTimeField(_("bought"))
    recorded_at = models.DateTimeField(_("recorded"))
    currency = models.CharField(_("currency"), max_length=3)
    net_amount = models.DecimalField(_("paid"), max_digits=14, decimal_places=3)
    points_earned = models.BigIntegerField(_("points earned"))
    trace = models.JSONField(_("trace"))
    visit = models.PositiveIntegerField(_("visit"), default=1, db_default=1)
    points_spent = models.BigIntegerField(_("paid in points"), default=0, db_default=0)
    tender_amount = models.DecimalField(_("worth of the points"), max_digits=14, decimal_places=3, default=0, db_default=0)
    tender_entry = models.UUIDField(_("journal entry of the points"), null=True)
    qualifying_entry = models.UUIDField(_("journal entry of the tier's points"), null=True)
    returned_at = models.DateTimeField(_("wholly returned"), null=True)

    class Meta:
        verbose_name = _("purchase")
        verbose_name_plural = _("purchases")
        indexes = [
            models.Index(fields=["member", "-occurred_at"], name="purchase_of_member"),
            models.Index(fields=["member", "-visit"], condition=Q(returned_at=None), name="purchase_visits"),
            models.Index(fields=["-occurred_at", "-id"], name="purchase_time"),
            models.Index(fields=["tender_entry"], condition=~Q(tender_entry=None), name="purchase_payment"),
            models.Index(fields=["source", "receipt_number"], name="purchase_number"),
        ]

    def __str__(self) -> str:
        return self.receipt_number


class PurchaseLine(models.Model):
    """A line as the till gave it, with the points that fell to it."""

    purchase = models.ForeignKey(Purchase, models.CASCADE, related_name="lines", db_constraint=False, verbose_name=_("purchase"))
    line_id = models.CharField(_("line"), max_length=40)
    sku = models.CharField(_("SKU"), max_length=64, blank=True)
    category = models.CharField(_("category"), max_length=80, blank=True)
    brand = models.CharField(_("brand"), max_length=80, blank=True)
    quantity = models.DecimalField(_("quantity"), max_digits=14, decimal_places=3)
    net_amount = models.DecimalField(_("paid"), max_digits=14, decimal_places=3)
    basis = models.DecimalField(_("basis"), max_digits=14, decimal_places=3)
    excluded = models.BooleanField(_("earns nothing"), default=False, db_default=False)
    tender_points = models.BigIntegerField(_("paid in points"), default=0, db_default=0)
    tender_amount = models.DecimalField(_("worth of the points"), max_digits=14, decimal_places=3, default=0, db_default=0)
    points = models.BigIntegerField(_("points"))

    class Meta:
        verbose_name = _("line")
        verbose_name_plural = _("lines")
        constraints = [
            models.UniqueConstraint(fields=["purchase", "line_id"], name="line_once"),
            models.CheckConstraint(condition=Q(quantity__gte=0, net_amount__gte=0, points__gte=0), name="line_not_negative"),
        ]

    def __str__(self) -> str:
        return self.line_id


class Award(models.Model):
    """What one rule gave for a purchase or an event: the journal entry that granted it, and under which frozen version."""

    purchase = models.ForeignKey(
        Purchase, models.CASCADE, null=True, related_name="awards", db_constraint=False, verbose_name=_("purchase")
    )
    event = models.ForeignKey(
        Event, models.CASCADE, null=True, related_name="awards", db_constraint=False, db_index=False, verbose_name=_("event")
    )
    rule_version = models.ForeignKey(RuleVersion, models.PROTECT, verbose_name=_("rule version"))
    points = models.BigIntegerField(_("points"))
    entry = models.UUIDField(_("journal entry"), unique=True)
    available_at = models.DateTimeField(_("usable from"))
    expires_at = models.DateTimeField(_("expires"), null=True)

    class Meta:
        verbose_name = _("award")
        verbose_name_plural = _("awards")
        constraints = [
            models.CheckConstraint(condition=Q(purchase=None) ^ Q(event=None), name="award_for_one_thing"),
        ]
        # Of those of events alone, so that a receipt's award costs no more.
        indexes = [models.Index(fields=["event"], condition=Q(event__isnull=False), name="award_of_event")]

    def __str__(self) -> str:
        return str(self.points)

    @property
    def cause(self) -> Purchase | Event:
        """What it was given for."""
        cause = self.purchase or self.event
        assert cause, "a check says so"
        return cause

    @property
    def currency(self) -> str:
        """The money in the trace; an event has none."""
        return self.purchase.currency if self.purchase else ""
