"""Earn rules as data: a rule has a code and a name; what it does stands in frozen versions."""

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import UUID7
from django.utils.translation import gettext_lazy as _

from loyalty.validators import CODE
from loyalty.versions import Version, approved_where_asked, never_backdated


class EarnRule(models.Model):
    code = models.CharField(_("code"), max_length=40, unique=True, validators=[CODE])
    name = models.CharField(_("name"), max_length=120)

    class Meta:
        verbose_name = _("earn rule")
        verbose_name_plural = _("earn rules")
        ordering = ["code"]

    def __str__(self) -> str:
        return self.name


class RuleVersion(Version):
    """What a rule does from `starts_at` on, until its next version. Frozen once published (a trigger says the same).

    `spec` says, in the one form of campaigns/specs.py, under which conditions and limits; `ends_at` is the first instant
    at which it no longer holds.
    """

    class Kind(models.TextChoices):
        BASE = "base", _("base rate")
        BONUS = "bonus", _("bonus")
        MULTIPLIER = "multiplier", _("multiplier")
        EVENT = "event", _("points for an act")

    id = models.UUIDField(primary_key=True, db_default=UUID7(), editable=False)
    rule = models.ForeignKey(EarnRule, models.PROTECT, related_name="versions", verbose_name=_("rule"))
    kind = models.CharField(_("kind"), max_length=10, choices=Kind)
    value = models.DecimalField(_("value"), max_digits=12, decimal_places=6)
    spec = models.JSONField(_("conditions and limits"), default=dict, db_default={}, blank=True)
    ends_at = models.DateTimeField(_("ends"), null=True, blank=True)

    class Meta:
        verbose_name = _("rule version")
        verbose_name_plural = _("rule versions")
        ordering = ["rule", "-version"]
        constraints = [
            models.UniqueConstraint(fields=["rule", "version"], name="rule_version_once"),
            models.CheckConstraint(condition=Q(value__gte=0), name="rule_value_not_negative"),
            never_backdated("rule"),
            *approved_where_asked("rule"),
            models.CheckConstraint(
                condition=Q(ends_at=None) | Q(starts_at=None) | Q(ends_at__gte=F("starts_at")), name="rule_ends_after_its_start"
            ),
            # See campaigns/publishing.py: what one person cannot publish alone.
            models.CheckConstraint(
                condition=Q(published_at=None)
                | Q(approved_by__isnull=False)
                | ~Q(kind="multiplier", value__gt=10)
                | Q(ends_at__isnull=False, ends_at=F("starts_at")),
                name="rule_generosity_is_approved",
            ),
        ]
        # What a batch of receipts asks for: rules that had not ended.
        indexes = [models.Index(fields=["ends_at"], condition=Q(published_at__isnull=False), name="rule_not_ended")]

    def __str__(self) -> str:
        return f"v{self.version}"
