"""Terms as a member would be told them, sentence by sentence; a change as the sentences before and after it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from babel.numbers import format_percent
from django.conf import settings
from django.utils import translation
from django.utils.formats import date_format, number_format
from django.utils.translation import get_language, ngettext, to_locale
from django.utils.translation import gettext as _

from loyalty import money
from loyalty.judging import Change, Effect, Topic
from loyalty.models import TermsVersion
from loyalty.terms import Terms, minor_units, up_to_step

# As many points as it takes to say their worth exactly.
UNITS = (100, 1_000, 10_000, 100_000, 1_000_000)

type Version = TermsVersion | Terms


@dataclass(frozen=True, slots=True)
class Line:
    """A part that changes: what it is, the sentences before and after, and what it does to points that are there."""

    label: str
    before: str
    after: str
    effect: Effect
    held: str

    @property
    def judgement(self) -> str:
        return judgement(self.effect)


def sentences(version: Version) -> list[str]:
    """What points are worth, pay for, when they can be used, when they end, what a return does, how changes are announced."""
    return [sentence(version, topic) for topic in Topic if topic is not Topic.PROGRAMME]


def compared(before: Version, after: Version, changes: Sequence[Change]) -> list[Line]:
    """The changes, sentence beside sentence."""
    return [
        Line(label(one.topic), sentence(before, one.topic), sentence(after, one.topic), one.effect, held(one.topic))
        for one in changes
    ]


def sentence(version: Version, topic: Topic) -> str:
    return {
        Topic.WORTH: worth, Topic.TENDER: tender, Topic.USABLE: usable, Topic.EXPIRY: expiry, Topic.RETURNS: returns,
        Topic.CLAW_BACK: claw_back, Topic.NOTICE: notice, Topic.PROGRAMME: programme,
    }[topic](version)  # fmt: skip


def label(topic: Topic) -> str:
    return {
        Topic.WORTH: _("Value of points"),
        Topic.TENDER: _("Paying with points"),
        Topic.USABLE: _("When points can be used"),
        Topic.EXPIRY: _("Expiry"),
        Topic.RETURNS: _("Time for returns"),
        Topic.CLAW_BACK: _("Points of a return"),
        Topic.NOTICE: _("Notice of changes"),
        Topic.PROGRAMME: _("Currency and time zone"),
    }[topic]


def held(topic: Topic) -> str:
    """What a change of this part does to points that a member has already."""
    if topic is Topic.WORTH:
        return _("Points you already have keep their old value until that day, and have the new one from then on.")
    if topic is Topic.TENDER:
        return _("Points you already have pay in the old way until that day, and in the new one from then on.")
    return unaffected()


def unaffected() -> str:
    return _("Points you already have: not affected.")


def judgement(effect: Effect) -> str:
    return {Effect.SAME: _("the same"), Effect.BENEFIT: _("better"), Effect.DETRIMENT: _("worse")}[effect]


def plural(number: Decimal) -> int:
    """By which each language chooses its form: 0.5 point is one in French and several in English."""
    if number == int(number):
        return int(number)
    return 0 if number < 2 else 2


def rate(value: Decimal, currency: str) -> str:
    """1 point per €1.00."""
    text = ngettext("%(points)s point per %(amount)s.", "%(points)s points per %(amount)s.", plural(value))
    return text % {"points": number_format(value.normalize()), "amount": money.text(Decimal(1), currency)}


def rate_line(before: Decimal, after: Decimal, currency: str, effect: Effect, *, name: str = "") -> Line:
    """A rate that changes. `name` tells it from other rates, where there are any."""
    return Line(name or _("Points for a purchase"), rate(before, currency), rate(after, currency), effect, unaffected())


def in_each_language(line: Callable[[], Line]) -> dict[str, list[str]]:
    """Both sentences in each language of the house, as a message to members needs them."""
    said = {}
    for language, _label in settings.LANGUAGES:
        with translation.override(language):
            told = line()
        said[language] = [told.before, told.after]
    return said


def worth(version: Version) -> str:
    exact = -minor_units(version.currency)
    whole = [unit for unit in UNITS if int((version.point_value * unit).normalize().as_tuple().exponent) >= exact]
    unit = next(iter(whole), UNITS[-1])
    amount = money.text(version.point_value * unit, version.currency)
    return _("%(count)s points are worth %(amount)s.") % {"count": number_format(unit, force_grouping=True), "amount": amount}


def tender(version: Version) -> str:
    """For how much of a purchase points are taken, from how many on, in which steps."""
    share, step = version.tender_max_percent, version.tender_step
    least = up_to_step(version.tender_min, step)
    if not share:
        return _("Points are not taken as money.")
    if step == 1:
        text = ngettext(
            "Points pay for up to %(share)s of the goods that earn points, from %(least)s point on.",
            "Points pay for up to %(share)s of the goods that earn points, from %(least)s points on.",
            least,
        )
    elif least == step:
        text = _("Points pay for up to %(share)s of the goods that earn points, in steps of %(step)s points.")
    else:
        text = _("Points pay for up to %(share)s of the goods that earn points, from %(least)s points on, in steps of %(step)s.")
    return text % {
        "share": format_percent(Decimal(share) / 100, locale=to_locale(get_language() or "en")),
        "least": number_format(least, force_grouping=True),
        "step": number_format(step, force_grouping=True),
    }


def returns(version: Version) -> str:
    text = ngettext(
        "Goods can be returned for %(count)s day after the purchase.",
        "Goods can be returned for %(count)s days after the purchase.",
        version.return_days,
    )
    return text % {"count": version.return_days}


def notice(version: Version) -> str:
    text = ngettext(
        "A change for the worse is announced at least %(count)s day before.",
        "A change for the worse is announced at least %(count)s days before.",
        version.notice_days,
    )
    return text % {"count": version.notice_days}


def programme(version: Version) -> str:
    zone = version.timezone if isinstance(version, TermsVersion) else version.zone.key
    return _("Amounts are in %(currency)s, days are those of %(zone)s.") % {"currency": version.currency, "zone": zone}


def usable(version: Version) -> str:
    if not version.pending_days:
        return _("Points can be used at once.")
    text = ngettext(
        "Points can be used %(count)s day after the purchase.",
        "Points can be used %(count)s days after the purchase.",
        version.pending_days,
    )
    return text % {"count": version.pending_days}


def expiry(version: Version) -> str:
    months = {"count": version.expiry_months or 0}
    match version.expiry:
        case TermsVersion.Expiry.NEVER:
            return _("Points do not expire.")
        case TermsVersion.Expiry.INACTIVITY:
            text = ngettext(
                "Points expire after %(count)s month in which none were earned or used.",
                "Points expire after %(count)s months in which none were earned or used.",
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


def claw_back(version: Version) -> str:
    """What a return does to points that are spent already."""
    return {
        TermsVersion.ClawBack.DEFICIT: _("If the points of a return are spent already, the member owes them."),
        TermsVersion.ClawBack.FORGIVE: _("If the points of a return are spent already, the programme forgives them."),
        TermsVersion.ClawBack.REFUSE: _("If the points of a return are spent already, the return is refused."),
    }[TermsVersion.ClawBack(version.claw_back)]
