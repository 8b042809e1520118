"""A terms version as a member would be told it, sentence by sentence."""

from datetime import date
from decimal import Decimal

from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from loyalty import money
from loyalty.models import TermsVersion

UNIT = 100


def sentences(version: TermsVersion) -> list[str]:
    """What points are worth, when they can be used, when they end, and what a return does."""
    worth = money.text(version.point_value * Decimal(UNIT), version.currency)
    return [
        _("%(count)s points are worth %(amount)s.") % {"count": UNIT, "amount": worth},
        usable(version),
        expiry(version),
        ngettext(
            "Goods can be returned for %(count)s day after the purchase.",
            "Goods can be returned for %(count)s days after the purchase.",
            version.return_days,
        ) % {"count": version.return_days},
        claw_back(version),
    ]  # fmt: skip


def usable(version: TermsVersion) -> str:
    if not version.pending_days:
        return _("Points can be used at once.")
    text = ngettext(
        "Points can be used %(count)s day after the purchase.",
        "Points can be used %(count)s days after the purchase.",
        version.pending_days,
    )
    return text % {"count": version.pending_days}


def expiry(version: TermsVersion) -> str:
    months = {"count": version.expiry_months or 0}
    match version.expiry:
        case TermsVersion.Expiry.NEVER:
            return _("Points do not expire.")
        case TermsVersion.Expiry.INACTIVITY:
            text = ngettext(
                "Points expire after %(count)s month without a purchase or use.",
                "Points expire after %(count)s months without a purchase or use.",
                months["count"],
            )
            return text % months
        case TermsVersion.Expiry.FIXED_DAY:
            return _("Points expire each year after %(day)s.") % {
                "day": date_format(date(2000, version.expiry_month or 1, version.expiry_day or 1), "MONTH_DAY_FORMAT")
            }
    text = ngettext(
        "Points expire %(count)s month after they can be used, at %(end)s.",
        "Points expire %(count)s months after they can be used, at %(end)s.",
        months["count"],
    )
    return text % (months | {"end": TermsVersion.RoundUp(version.expiry_round_up).label})


def claw_back(version: TermsVersion) -> str:
    """What a return does to points that are spent already."""
    return {
        TermsVersion.ClawBack.DEFICIT: _("If the points of a return are spent already, the member owes them."),
        TermsVersion.ClawBack.FORGIVE: _("If the points of a return are spent already, the programme forgives them."),
        TermsVersion.ClawBack.REFUSE: _("If the points of a return are spent already, the return is refused."),
    }[TermsVersion.ClawBack(version.claw_back)]
