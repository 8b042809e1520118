"""A trace in words: the same text for member, cashier and support."""

from collections.abc import Mapping
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from django.utils.formats import number_format
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext, pgettext_lazy

from campaigns import wording
from campaigns.rounding import plain
from campaigns.values import Cap, Kind, Per
from loyalty import money, terms
from loyalty.wording import plural

# Why a rule gave nothing, by the reason that stands in the trace.
REASONS = {
    "ended": gettext_lazy("%(rule)s: it had ended."),
    "store": gettext_lazy("%(rule)s: not in this shop."),
    "weekday": gettext_lazy("%(rule)s: not on this day of the week."),
    "hours": gettext_lazy("%(rule)s: not at this hour."),
    "tier": gettext_lazy("%(rule)s: for another tier."),
    "segment": gettext_lazy("%(rule)s: for other members."),
    "birthday": gettext_lazy("%(rule)s: only around the birthday."),
    "first_purchase": gettext_lazy("%(rule)s: only on the first purchase."),
    "visit": gettext_lazy("%(rule)s: not on this visit."),
    "streak": gettext_lazy("%(rule)s: not on this day in a row."),
    "goods": gettext_lazy("%(rule)s: nothing bought that it is for."),
    "at_least": gettext_lazy("%(rule)s: too little bought for it."),
    "hidden": gettext_lazy("%(rule)s: another rate holds for these goods."),
    "exclusive": gettext_lazy("%(rule)s: %(other)s is worth more; only one of the two holds."),
}
# What a member did beside buying.
EVENTS = {
    "sign_up": pgettext_lazy("event", "Welcome"),
    "profile_completed": pgettext_lazy("event", "Profile completed"),
    "check_in": pgettext_lazy("event", "Check-in"),
    "birthday": pgettext_lazy("event", "Birthday"),
    "review": pgettext_lazy("event", "Review"),
    "share": pgettext_lazy("event", "Shared with friends"),
    "referral_qualified": pgettext_lazy("event", "Friend brought along"),
    "survey_completed": pgettext_lazy("event", "Survey completed"),
    "app_installed": pgettext_lazy("event", "App installed"),
}


def rule_sentence(step: dict[str, Any], trace: dict[str, Any], currency: str) -> str:
    """The arithmetic of one rule: €18.60 × 1 = 18.6, 3 pieces × 5 = 15, 3× on 20 points: 40 more, or just 5 points."""
    said = _sum(step, trace, currency)
    if "cut" not in step:
        return said
    limit = {"sum": said, "points": _number(Decimal(step["points"])), "limit": _limit(step["cut"], currency)}
    return _("%(sum)s, cut to %(points)s: %(limit)s") % limit


def award_sentence(version: str, trace: dict[str, Any], currency: str) -> str:
    """The arithmetic of the rule whose version this is."""
    return next(rule_sentence(step, trace, currency) for step in trace["rules"] if step["version"] == version)


def sentences(trace: dict[str, Any], currency: str, names: Mapping[str, str]) -> list[str]:
    """Step by step: what each rule gave and how it was rounded; `names` are those of the rules, by their codes."""
    if trace.get("again"):
        if trace.get("event") == "check_in":
            return [_("This counts once a day, and it was counted before.")]
        return [_("This counts once, and it was counted before.")]
    steps = [rule_sentence(step, trace, currency) for step in trace["rules"]]
    if len(steps) > 1 or "event" in trace:
        steps = [named(names.get(step["rule"], step["rule"]), said) for step, said in zip(trace["rules"], steps, strict=True)]
    points, steps = trace["points"], [*_no_basis(trace, currency), *steps]
    if not steps:
        steps.append(_("No rule gave points on that day."))
    if Decimal(trace["raw"]) != points:
        steps.append(
            ngettext("Rounded down to %(points)s point.", "Rounded down to %(points)s points.", points)
            % {"points": _number(Decimal(points))}
        )
    if not points and Decimal(trace["raw"]):
        steps.append(_("The amount was too small for a whole point."))
    return steps


def reasons(trace: dict[str, Any], names: Mapping[str, str]) -> list[str]:
    """Which rules gave nothing, and why; `names` are those of the rules, by their codes."""
    told = []
    for lost in trace.get("rejected", ()):
        reason, _colon, other = lost["reason"].partition(":")
        told.append(REASONS[reason] % {"rule": names.get(lost["rule"], lost["rule"]), "other": names.get(other, other)})
    return told


def event_title(type_: str, streak: int) -> str:
    """What a member did: Check-in, day 3 in a row."""
    own = type_.removeprefix("custom:").replace("-", " ").replace("_", " ")
    title = str(EVENTS.get(type_) or capfirst(own))
    if type_ != "check_in" or streak < 2:
        return title
    return _("%(event)s, day %(count)s in a row") % {"event": title, "count": number_format(streak)}


def named(rule: str, said: str) -> str:
    """What a rule gave, behind its name."""
    return _("%(rule)s: %(sum)s") % {"rule": rule, "sum": said}


def _no_basis(trace: dict[str, Any], currency: str) -> list[str]:
    """What of the receipt earns nothing, whatever the rules."""
    told = {"excluded": _("%(amount)s are for goods that earn nothing."), "tender": _("%(amount)s were paid in points.")}
    return [text % {"amount": money.text(Decimal(trace[part]), currency)} for part, text in told.items() if part in trace]


def _sum(step: dict[str, Any], trace: dict[str, Any], currency: str) -> str:
    value = Decimal(step["value"])
    if step.get("kind") == Kind.EVENT or step.get("per") == Per.PURCHASE:
        return _points(value)
    if step.get("kind") == Kind.MULTIPLIER:
        on = Decimal(step["on"])
        text = ngettext("%(times)s× on %(on)s point: %(more)s more", "%(times)s× on %(on)s points: %(more)s more", plural(on))
        return text % {"times": _rate(value), "on": _number(on), "more": _number(on * (value - 1))}
    return _("%(amount)s × %(rate)s = %(points)s") % {
        "amount": _measure(step, trace, currency),
        "rate": _rate(value),
        "points": _number(Decimal(step["on"]) * value if "on" in step else Decimal(step["raw"])),
    }


def _measure(step: dict[str, Any], trace: dict[str, Any], currency: str) -> str:
    """What the value was multiplied with: an amount, or pieces; of what is weighed, or partly paid in points, a number."""
    if step.get("per", Per.AMOUNT) == Per.AMOUNT:
        return money.text(Decimal(step.get("on", trace["basis"])), currency)
    count = Decimal(step["on"])
    if count != int(count):
        return _number(count)
    return ngettext("%(count)s piece", "%(count)s pieces", int(count)) % {"count": _number(count)}


def _limit(cut: dict[str, str], currency: str) -> str:
    cap = Cap(cut["unit"], cut["per"], cut["window"], Decimal(cut["limit"]))
    if cap.unit == "money" and not currency:  # of an event, which has no money of its own
        currency = terms.published()[0].currency
    return wording.limit(cap, currency)


def _points(value: Decimal) -> str:
    return ngettext("%(points)s point", "%(points)s points", plural(value)) % {"points": _rate(value)}


def _number(value: Decimal) -> str:
    """For people: at most two decimals."""
    return number_format(plain(value.quantize(Decimal("0.01"), ROUND_HALF_UP)), force_grouping=True)


def _rate(value: Decimal) -> str:
    """As it was published, exactly."""
    return number_format(plain(value), force_grouping=True)
