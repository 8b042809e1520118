"""How many points one person may grant alone, and what counts against it (loyalty/limits.py)."""

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _


class GrantLimits(models.Model):
    """One setting of the limits; of those in force the last one counts. Only `in_force_at` and `approved_by` are set later.

    Numbers are points: for one act, for a day of the programme's zone, for 30 such days.
    """

    single_points = models.PositiveIntegerField(_("for one act"))
    day_points = models.PositiveIntegerField(_("in a day"))
    month_points = models.PositiveIntegerField(_("in 30 days"))
    set_by = models.UUIDField(_("set by"), null=True, editable=False)
    set_at = models.DateTimeField(_("set"), editable=False)
    approved_by = models.UUIDField(_("approved by"), null=True, editable=False)
    in_force_at = models.DateTimeField(_("in force since"), null=True, editable=False)

    class Meta:
        verbose_name = _("limits for granting points")
        verbose_name_plural = _("limits for granting points")
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(single_points__gt=0, day_points__gte=F("single_points"), month_points__gte=F("day_points")),
                name="limits_in_order",
            ),
            models.CheckConstraint(
                condition=Q(approved_by=None) | Q(approved_by__isnull=False, set_by__isnull=False) & ~Q(approved_by=F("set_by")),
                name="limits_approved_by_another",
            ),
        ]

    def __str__(self) -> str:
        return str(_("limits"))


class GrantCount(models.Model):
    """What a person granted alone: points by day of the programme's zone, of the last 30 days in which they did."""

    person = models.UUIDField(primary_key=True)
    days = models.JSONField(default=dict)

    class Meta:
        verbose_name = _("points granted")
        verbose_name_plural = _("points granted")


class GrantDeputy(models.Model):
    """What `actor`, a key, grants counts as granted by `person`, who made it. Append-only."""

    actor = models.UUIDField(primary_key=True)
    person = models.UUIDField()

    class Meta:
        verbose_name = _("granting for another")
        verbose_name_plural = _("granting for others")
        constraints = [models.CheckConstraint(condition=~Q(actor=F("person")), name="deputy_of_another")]


class GrantExemption(models.Model):
    """A machine whose grants for documents (purchases, exchanges) are not counted. Append-only.

    Two persons let it be one; neither is known where it was made from the server's shell.
    """

    actor = models.UUIDField(primary_key=True)
    since = models.DateTimeField()
    made_by = models.UUIDField(null=True)
    approved_by = models.UUIDField(null=True)

    class Meta:
        verbose_name = _("exempt machine")
        verbose_name_plural = _("exempt machines")
        constraints = [
            models.CheckConstraint(
                condition=Q(made_by=None, approved_by=None)
                | Q(made_by__isnull=False, approved_by__isnull=False) & ~Q(made_by=F("approved_by")),
                name="exempt_by_two",
            )
        ]
