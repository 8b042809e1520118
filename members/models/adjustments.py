"""Corrections of balances by hand: asked for, posted or waiting for a second person."""

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import UUID7
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from members.models.people import Member


class Adjustment(models.Model):
    """What somebody asked for; the ledger knows its reason as a code alone.

    `words` say the reason as another system does, to the member too; `note` is for colleagues. Both are free text and can
    be erased. `points` ≠ 0: given, or taken where negative. `expires_at` None: as the terms say when it is posted.
    """

    class Reason(models.TextChoices):
        GOODWILL = "goodwill", _("goodwill")
        UNRECORDED = "unrecorded_purchase", _("a purchase that was not recorded")
        BOOKING_ERROR = "booking_error", _("an error in the booking")
        COMPLAINT = "complaint", _("a complaint")
        MISUSE = "misuse", _("misuse")
        OTHER = "other", _("another reason")

    class Status(models.TextChoices):
        AWAITING = "awaiting_approval", pgettext_lazy("adjustment", "waiting for a second person")
        POSTED = "posted", pgettext_lazy("adjustment", "posted")
        REFUSED = "refused", pgettext_lazy("adjustment", "refused")

    id = models.UUIDField(primary_key=True, db_default=UUID7(), editable=False)
    member = models.ForeignKey(Member, models.CASCADE, related_name="adjustments", verbose_name=_("member"))
    points = models.BigIntegerField(_("points"))
    reason = models.CharField(_("reason"), max_length=20, choices=Reason)
    words = models.CharField(_("in other words"), max_length=200, blank=True)
    note = models.CharField(_("note"), max_length=200, blank=True)
    store = models.ForeignKey("loyalty.Store", models.PROTECT, null=True, blank=True, verbose_name=_("store"))
    receipt = models.CharField(_("receipt"), max_length=60, blank=True)
    expires_at = models.DateTimeField(_("points end"), null=True, blank=True)
    requested_by = models.UUIDField(_("asked by"), editable=False)
    requested_at = models.DateTimeField(_("asked"), editable=False)
    status = models.CharField(_("state"), max_length=20, choices=Status, default=Status.AWAITING, editable=False)
    entry = models.UUIDField(_("entry"), null=True, unique=True, editable=False)
    decided_by = models.UUIDField(_("decided by"), null=True, editable=False)
    decided_at = models.DateTimeField(_("decided"), null=True, editable=False)

    class Meta:
        verbose_name = _("adjustment")
        verbose_name_plural = _("adjustments")
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(condition=~Q(points=0), name="adjustment_moves"),
            models.CheckConstraint(
                condition=Q(status="posted", entry__isnull=False) | ~Q(status="posted") & Q(entry=None),
                name="adjustment_posted_whole",
            ),
            models.CheckConstraint(
                condition=Q(decided_by=None) | ~Q(decided_by=F("requested_by")), name="adjustment_by_another_person"
            ),
        ]
        indexes = [models.Index(fields=["-requested_at"], name="adjustment_time")]

    def __str__(self) -> str:
        return f"{self.points:+}"
