"""Tiers as a member would be told them: the table in sentences, a change before and after, what is missing and by when."""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal

from django.utils.formats import date_format, number_format
from django.utils.translation import get_language, ngettext
from django.utils.translation import gettext as _

from loyalty import money
from loyalty.judging import Effect
from loyalty.terms import minor_units
from loyalty.wording import Line
from members.tiers import Change, Level, Table, Topic


def called(level: Level) -> str:
    """The tier's name in the language of the moment."""
    return level.called(get_language() or "en")


def amount(basis: str, units: int, currency: str) -> str:
    """1,240 points, €86.50, 3 visits."""
    if basis == "spend":
        return money.text(spent(units, currency), currency)
    count = {"n": number_format(units, force_grouping=True)}
    if basis == "visits":
        return ngettext("%(n)s visit", "%(n)s visits", units) % count
    return ngettext("%(n)s point", "%(n)s points", units) % count


def spent(units: int, currency: str) -> Decimal:
    """Money of so many smallest units."""
    return Decimal(units).scaleb(-minor_units(currency))


def to_reach(name: str, basis: str, missing: int, by: date | None, currency: str) -> str:
    """340 points to Gold by 31 December 2026. Without a day where the period goes along with the day."""
    values = {"amount": amount(basis, missing, currency), "tier": name, "date": day(by)}
    return (_("%(amount)s to %(tier)s by %(date)s") if by else _("%(amount)s to %(tier)s")) % values


def to_stay(name: str, basis: str, missing: int, by: date, currency: str) -> str:
    """You need 340 more points by 31 December 2026 to stay Gold."""
    values = {"amount": amount(basis, missing, currency), "tier": name, "date": day(by)}
    values["n"] = number_format(missing, force_grouping=True)
    if basis == "spend":
        return _("You need to spend %(amount)s more by %(date)s to stay %(tier)s.") % values
    if basis == "visits":
        text = ngettext(
            "You need %(n)s more visit by %(date)s to stay %(tier)s.",
            "You need %(n)s more visits by %(date)s to stay %(tier)s.",
            missing,
        )
        return text % values
    text = ngettext(
        "You need %(n)s more point by %(date)s to stay %(tier)s.",
        "You need %(n)s more points by %(date)s to stay %(tier)s.",
        missing,
    )
    return text % values


def day(on: date | None) -> str:
    return date_format(on, "DATE_FORMAT") if on else ""


def sentences(table: Table, currency: str) -> list[str]:
    """The tiers from the lowest, what counts in which period, and what happens at its end."""
    return [*(level(one, table, currency) for one in table.levels), window(table), review(table)]


def level(one: Level, table: Table, currency: str) -> str:
    """Gold: from 1,000 points on. 100 points on reaching it."""
    values = {"tier": called(one), "amount": amount(table.basis, one.threshold, currency)}
    text = _("%(tier)s: from %(amount)s on.") if one.threshold else _("%(tier)s: for everybody.")
    if not one.entry_reward:
        return text % values
    reward = ngettext("%(n)s point on reaching it.", "%(n)s points on reaching it.", one.entry_reward)
    return f"{text % values} {reward % {'n': number_format(one.entry_reward, force_grouping=True)}}"


def window(table: Table) -> str:
    counted = {
        "points": _("Points for purchases count towards your tier, without bonuses."),
        "spend": _("What you pay counts towards your tier."),
        "visits": _("Each day on which you buy something counts as a visit towards your tier."),
    }[table.basis]
    period = {
        "calendar_year": _("Counted from 1 January to 31 December; a tier holds until the end of the next year."),
        "rolling": _("Counted over 12 months; a tier holds for the 12 months after."),
        "anniversary": _("Counted from the day you joined, year by year; a tier holds until the end of the next such year."),
    }[table.window]
    return f"{counted} {period}"


def review(table: Table) -> str:
    kept = {
        "keep": _("A tier that you have reached is yours for good."),
        "one_down": _("If you do not reach it again by then, you go one tier down."),
        "recompute": _("If you do not reach it again by then, you have the tier that you reached in that time."),
    }[table.review]
    return f"{kept} {grace(table)}" if table.grace_days and table.review != "keep" else kept


def grace(table: Table) -> str:
    if not table.grace_days:
        return _("There are no days of grace.")
    text = ngettext("You keep it for %(n)s day of grace.", "You keep it for %(n)s days of grace.", table.grace_days)
    return text % {"n": table.grace_days}


def compared(before: Table | None, after: Table, changes: Sequence[Change], currency: str) -> list[Line]:
    """The changes, sentence beside sentence."""
    return [_line(before, after, one, currency) for one in changes]


def _line(before: Table | None, after: Table, change: Change, currency: str) -> Line:
    nothing = _("no such tier")
    if change.topic is Topic.TIER:
        one = change.after or change.before
        assert one, "a change of a tier has one"
        was = level(change.before, before, currency) if change.before and before else nothing
        now = level(change.after, after, currency) if change.after else nothing
        if change.before and change.after and change.before.names != change.after.names:
            was, now = (_with_names(text, each) for text, each in ((was, change.before), (now, change.after)))
        named = _("Tier %(tier)s") % {"tier": called(one)}
        if change.after is None:
            held = _("Whoever has this tier then has the highest one that is left below it.")
            return Line(named, was, now, change.effect, held)
        return Line(named, was, now, change.effect, _held(change.effect))
    assert before, "a first table has tiers alone"
    words = {Topic.WINDOW: window, Topic.REVIEW: review, Topic.GRACE: grace}[change.topic]
    label = {Topic.WINDOW: _("Period of tiers"), Topic.REVIEW: _("End of a tier"), Topic.GRACE: _("Days of grace of a tier")}
    return Line(label[change.topic], words(before), words(after), change.effect, _held(change.effect))


def _with_names(text: str, level: Level) -> str:
    """Gold: from 1,000 points on. In other languages: Or (fr)."""
    names = ", ".join(f"{name} ({language})" for language, name in level.names)
    return _("%(sentence)s In other languages: %(names)s.") % {"sentence": text, "names": names or "–"}


def _held(effect: Effect) -> str:
    if effect is Effect.DETRIMENT:
        return _("A tier that you have stays yours until the day shown on your card.")
    return _("A tier that you have: not affected.")
