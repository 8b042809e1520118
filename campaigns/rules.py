"""Which frozen rules hold when."""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from campaigns.models import EarnRule, RuleVersion
from campaigns.values import Kind, Rule
from loyalty.terms import Terms, add_months


@dataclass(frozen=True, slots=True)
class Published:
    rule: Rule
    starts_at: datetime


def published() -> list[Published]:
    """Every published version, newest start first."""
    rows = RuleVersion.objects.exclude(published_at=None).order_by("-starts_at", "-version")
    return [
        Published(Rule(id_, code, Kind.BASE, value), starts_at)
        for id_, code, value, starts_at in rows.values_list("id", "rule__code", "value", "starts_at")
        if starts_at
    ]


class InForce:
    """Of each rule the newest version that had started by an instant; asked for many instants."""

    def __init__(self, versions: Sequence[Published]) -> None:
        self._versions = versions
        self._starts = sorted({one.starts_at for one in versions})
        self._found: dict[int, list[Rule]] = {}

    def at(self, instant: datetime) -> list[Rule]:
        """In the order of their codes. Between two starts the answer is the same, so it is found once."""
        place = bisect_right(self._starts, instant)
        if place not in self._found:
            self._found[place] = in_force(self._versions, instant)
        return self._found[place]


def in_force(versions: Sequence[Published], at: datetime) -> list[Rule]:
    """Of each rule the newest version that had started by `at`, in the order of their codes."""
    newest: dict[str, Rule] = {}
    for one in versions:
        if one.starts_at <= at:
            newest.setdefault(one.rule.code, one.rule)
    return [newest[code] for code in sorted(newest)]


def names() -> dict[str, str]:
    """The name of each rule, by its code."""
    return dict(EarnRule.objects.values_list("code", "name"))


def period(rule: Rule, contract: Terms, at: datetime) -> tuple[datetime, datetime | None]:
    """From when to when the points of a rule can be used: by the rule itself, where it says so, else by the terms."""
    usable = at + (_later(contract.day_of(at), rule.pending) - contract.day_of(at)) if rule.pending else contract.usable_from(at)
    if not rule.expires:
        return usable, contract.ends(usable)
    return usable, contract.midnight_after(_later(contract.day_of(usable), rule.expires))


def _later(day: date, duration: str) -> date:
    """The day an ISO 8601 duration of days, weeks, months or years after `day`."""
    count, unit = int(duration[1:-1]), duration[-1]
    if unit in "DW":
        return day + timedelta(days=count * (7 if unit == "W" else 1))
    return add_months(day, count * (12 if unit == "Y" else 1))
