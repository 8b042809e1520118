"""Tiers: the table of levels as frozen versions, which member held which tier when, and tiers set by hand."""

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import UUID7, Now
from django.utils.translation import gettext_lazy as _

from loyalty.validators import CODE
from loyalty.versions import Version, actor, approved_where_asked, never_backdated
from members.models.people import Member


class TierTable(Version):
    """One version of the tier table; a published one never changes, nor do its tiers (triggers say the same)."""

    class Basis(models.TextChoices):
        POINTS = "points", _("points earned by base rules")
        SPEND = "spend", _("money spent")
        VISITS = "visits", _("days with a visit")

    class Window(models.TextChoices):
        CALENDAR_YEAR = "calendar_year", _("calendar year")
        ROLLING = "rolling", _("the last 12 months")
        ANNIVERSARY = "anniversary", _("a year from the day of joining")

    class Review(models.TextChoices):
        KEEP = "keep", _("the tier is kept")
        ONE_DOWN = "one_down", _("one tier down")
        RECOMPUTE = "recompute", _("the tier that was reached in the period")

    version = models.PositiveIntegerField(_("version"), unique=True)
    basis = models.CharField(_("counted"), max_length=8, choices=Basis, default=Basis.POINTS)
    window = models.CharField(_("period"), max_length=16, choices=Window, default=Window.CALENDAR_YEAR)
    review = models.CharField(_("if it is not reached again"), max_length=10, choices=Review, default=Review.RECOMPUTE)
    grace_days = models.PositiveSmallIntegerField(_("days of grace"), default=0, db_default=0)

    class Meta:
        verbose_name = _("tier table")
        verbose_name_plural = _("tier tables")
        ordering = ["-version"]
        constraints = [never_backdated("tiers"), *approved_where_asked("tiers")]

    def __str__(self) -> str:
        return f"v{self.version}"


class Tier(models.Model):
    """A level of a table. `threshold` in units of the qualifying wallet; 0: everybody has it. Its rank is by threshold.

    `names` are those of other languages, by their codes.
    """

    table = models.ForeignKey(TierTable, models.CASCADE, related_name="tiers", verbose_name=_("tier table"))
    code = models.CharField(_("code"), max_length=40, validators=[CODE])
    name = models.CharField(_("name"), max_length=60)
    names = models.JSONField(_("names"), default=dict, blank=True)
    threshold = models.PositiveBigIntegerField(_("threshold"))
    entry_reward = models.PositiveIntegerField(_("points on reaching it"), default=0, db_default=0)

    class Meta:
        verbose_name = _("tier")
        verbose_name_plural = _("tiers")
        ordering = ["table", "threshold"]
        constraints = [
            models.UniqueConstraint(fields=["table", "code"], name="tier_code_once"),
            models.UniqueConstraint(fields=["table", "threshold"], name="tier_threshold_once"),
            models.CheckConstraint(condition=Q(threshold__gt=0) | Q(entry_reward=0), name="tier_of_everybody_pays_nothing"),
        ]

    def __str__(self) -> str:
        return self.name


class TierMembership(models.Model):
    """That a member has a tier from `since` on, until the next row.

    Only `ended_at` moves, when the next row comes, and `reward_taken_at`, when a return takes the entry reward back.
    `tier` is a code; empty: none. `until` is the end of validity, at which it is reviewed (None: it has none). A tier that
    was reached names the last day of the period in which it was. `reward` is the entry that paid the entry reward. People
    without a row have the tier whose threshold is 0, if there is one.
    """

    class Reason(models.TextChoices):
        QUALIFIED = "qualified", _("reached")
        REVIEW = "review", _("reviewed")
        OVERRIDE = "override", _("set by hand")
        RETURN = "return", _("goods returned")
        TABLE = "table", _("tiers changed")

    id = models.UUIDField(primary_key=True, db_default=UUID7(), editable=False)
    member = models.ForeignKey(Member, models.CASCADE, related_name="tiers", verbose_name=_("member"))
    tier = models.CharField(_("tier"), max_length=40, blank=True)
    table = models.ForeignKey(TierTable, models.PROTECT, related_name="+", verbose_name=_("tier table"))
    since = models.DateTimeField(_("since"))
    until = models.DateTimeField(_("valid until"), null=True)
    ended_at = models.DateTimeField(_("ended"), null=True)
    counted_until = models.DateField(_("reached in the period until"), null=True)
    reason = models.CharField(_("reason"), max_length=10, choices=Reason)
    by = actor(_("by"))
    reward = models.UUIDField(_("entry reward"), null=True)
    reward_taken_at = models.DateTimeField(_("entry reward taken back"), null=True)

    class Meta:
        verbose_name = _("tier of a member")
        verbose_name_plural = _("tiers of members")
        ordering = ["-since", "-id"]
        constraints = [
            models.UniqueConstraint(fields=["member"], condition=Q(ended_at=None), name="tier_one_stands"),
            models.CheckConstraint(condition=Q(ended_at=None) | Q(ended_at__gte=F("since")), name="tier_ends_after_start"),
        ]
        indexes = [
            models.Index(fields=["member", "-since"], name="tier_of_member"),
            models.Index(fields=["until", "member"], condition=Q(ended_at=None), name="tier_due"),
            models.Index(fields=["reward"], condition=Q(reward__isnull=False), name="tier_reward"),
        ]

    def __str__(self) -> str:
        return self.tier or "–"


class TierOverride(models.Model):
    """A tier that staff sets for a member until a day, with a reason. One that lifts waits for a second person first."""

    id = models.UUIDField(primary_key=True, db_default=UUID7(), editable=False)
    member = models.ForeignKey(Member, models.CASCADE, related_name="+", verbose_name=_("member"))
    tier = models.CharField(_("tier"), max_length=40)
    until = models.DateTimeField(_("until"))
    why = models.CharField(_("reason"), max_length=200)
    asked_at = models.DateTimeField(_("written"), db_default=Now(), editable=False)
    asked_by = models.UUIDField(_("written by"), editable=False)
    applied_at = models.DateTimeField(_("in force since"), null=True, editable=False)
    approved_by = actor(_("approved by"))
    refused_at = models.DateTimeField(_("refused"), null=True, editable=False)

    class Meta:
        verbose_name = _("tier set by hand")
        verbose_name_plural = _("tiers set by hand")
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(condition=~Q(approved_by=F("asked_by")), name="override_approved_by_another"),
            models.CheckConstraint(condition=Q(applied_at=None) | Q(refused_at=None), name="override_decided_once"),
        ]

    def __str__(self) -> str:
        return self.tier
