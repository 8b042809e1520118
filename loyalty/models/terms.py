"""The frozen contract under which points are earned."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from loyalty.validators import known_timezone
from loyalty.versions import Version, approved_where_asked, never_backdated


class TermsVersion(Version):
    """One version of the programme's terms; a published version never changes (a trigger says the same).

    The earn rates stand in the base rules of campaigns, which go by the same classification. Points as money
    (`tender_…`): a payment takes multiples of the step, for at most this share of the goods that earn points; 0 percent: none
    are taken.
    """

    class Expiry(models.TextChoices):
        NEVER = "never", _("never")
        MONTHS = "months", _("months after activation")
        FIXED_DAY = "fixed_day", _("a fixed day of the year")
        INACTIVITY = "inactivity", _("months without activity")

    class RoundUp(models.TextChoices):
        DAY = "day", _("the end of the day")
        MONTH = "month", _("the end of the month")
        QUARTER = "quarter", _("the end of the quarter")
        YEAR = "year", _("the end of the year")

    class ClawBack(models.TextChoices):
        DEFICIT = "deficit", _("the member owes the points")
        FORGIVE = "forgive", _("the programme forgives the points")
        REFUSE = "refuse", _("the return is refused")

    version = models.PositiveIntegerField(_("version"), unique=True)
    currency = models.CharField(_("currency"), max_length=3)
    timezone = models.CharField(_("time zone"), max_length=64, validators=[known_timezone])
    point_value = models.DecimalField(_("value of a point"), max_digits=12, decimal_places=6)
    expiry = models.CharField(_("points expire"), max_length=12, choices=Expiry)
    expiry_months = models.PositiveSmallIntegerField(_("months"), null=True, blank=True)
    expiry_round_up = models.CharField(_("rounded up to"), max_length=8, choices=RoundUp, default=RoundUp.MONTH)
    expiry_month = models.PositiveSmallIntegerField(_("month of the fixed day"), null=True, blank=True)
    expiry_day = models.PositiveSmallIntegerField(_("fixed day"), null=True, blank=True)
    pending_days = models.PositiveSmallIntegerField(_("days until points can be used"), default=0)
    return_days = models.PositiveSmallIntegerField(_("days to return goods"), default=30)
    claw_back = models.CharField(_("if returned points are spent"), max_length=8, choices=ClawBack, default=ClawBack.DEFICIT)
    notice_days = models.PositiveSmallIntegerField(_("days of notice"), default=60, db_default=60)
    tender_min = models.PositiveIntegerField(_("fewest points in a payment"), default=1, db_default=1)
    tender_step = models.PositiveIntegerField(_("points are taken in steps of"), default=1, db_default=1)
    tender_max_percent = models.PositiveSmallIntegerField(_("share payable in points, in percent"), default=100, db_default=100)

    class Meta:
        verbose_name = _("terms version")
        verbose_name_plural = _("terms")
        ordering = ["-version"]
        constraints = [
            models.CheckConstraint(condition=models.Q(point_value__gte=0), name="terms_point_value_not_negative"),
            models.CheckConstraint(
                condition=(models.Q(expiry__in=["never"]))
                | models.Q(expiry__in=["months", "inactivity"], expiry_months__gte=1)
                | models.Q(
                    expiry="fixed_day",
                    expiry_month__gte=1, expiry_month__lte=12, expiry_day__gte=1, expiry_day__lte=31,
                ),
                name="terms_expiry_is_complete",
            ),
            never_backdated("terms"),
            *approved_where_asked("terms"),
            models.CheckConstraint(
                condition=models.Q(tender_min__gte=1, tender_step__gte=1, tender_max_percent__lte=100),
                name="terms_tender_is_sane",
            ),
        ]  # fmt: skip

    def __str__(self) -> str:
        return f"v{self.version}"
