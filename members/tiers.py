"""Tiers as arithmetic: periods, what a value reaches, what a review decides, whether a changed table is better or worse.

Pure: values in, values out. Days are those of the programme's zone; a period has a first and a last day. Values and
thresholds are units of the qualifying wallet: points, smallest units of money, or visits.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from functools import lru_cache

from loyalty.judging import Effect, more_is
from loyalty.terms import Terms, add_months

YEAR = 12
DAY = timedelta(days=1)
# From the worst to the best for a member who has not reached the tier again.
KINDNESS = ("recompute", "one_down", "keep")


@dataclass(frozen=True, slots=True)
class Level:
    """A tier of a table. `names` by language."""

    code: str
    name: str
    threshold: int
    entry_reward: int = 0
    names: tuple[tuple[str, str], ...] = ()

    def called(self, language: str) -> str:
        return dict(self.names).get(language) or self.name


@dataclass(frozen=True, slots=True)
class Table:
    """A version of the tier table; `levels` by rising threshold."""

    id: int
    version: int
    basis: str
    window: str
    review: str
    grace_days: int
    levels: tuple[Level, ...]
    starts_at: datetime

    def level(self, code: str) -> Level | None:
        return next((one for one in self.levels if one.code == code), None)

    def rank(self, code: str) -> int:
        """The place of a tier from below; −1 for none, and for one that is not in this table."""
        return next((i for i, one in enumerate(self.levels) if one.code == code), -1)

    def reached(self, value: int) -> str:
        """The highest tier that this value reaches; "" for none."""
        return next((one.code for one in reversed(self.levels) if one.threshold <= value), "")

    def above(self, code: str) -> Level | None:
        """The next tier, or the first one above nothing."""
        place = self.rank(code) + 1
        return self.levels[place] if place < len(self.levels) else None

    def below(self, code: str) -> str:
        place = self.rank(code) - 1
        return self.levels[place].code if place >= 0 else ""


@dataclass(frozen=True, slots=True, order=True)
class Period:
    first: date
    last: date


def period_of(window: str, day: date, joined: date) -> Period:
    """The period in which `day` counts. `joined` decides under `anniversary` alone.

    Who joined on 29 February has the anniversary on the 28th in other years. The rolling period ends with the day itself.
    """
    match window:
        case "calendar_year":
            return Period(date(day.year, 1, 1), date(day.year, 12, 31))
        case "rolling":
            return Period(add_months(day, -YEAR) + DAY, day)
    years = day.year - joined.year
    if add_months(joined, YEAR * years) > day:
        years -= 1
    return Period(add_months(joined, YEAR * years), add_months(joined, YEAR * (years + 1)) - DAY)


def valid_until(window: str, day: date, joined: date) -> date:
    """The last day of a tier reached on `day`: the end of the next period (SEMANTICS 5)."""
    if window == "rolling":
        return add_months(day, YEAR)
    return period_of(window, period_of(window, day, joined).last + DAY, joined).last


@lru_cache(maxsize=4096)
def bounds(period: Period, contract: Terms) -> tuple[datetime, datetime]:
    """The first instant of a period and the first one after it."""
    return contract.midnight_after(period.first - DAY), contract.midnight_after(period.last)


def verdict(table: Table, code: str, value: int, *, graced: bool) -> str | None:
    """What a review makes of a tier whose validity has ended, by the value of its last period; None: not yet.

    Reached again: kept. Else the policy of the table decides, once the days of grace are over.
    """
    reached = table.reached(value)
    if table.rank(reached) >= table.rank(code):
        return reached
    if table.review == "keep":
        return code
    if not graced:
        return None
    below = table.below(code)
    return max(below, reached, key=table.rank) if table.review == "one_down" else reached


def moved(before: Table, after: Table, code: str) -> str:
    """Where a tier that is no longer in the table leads: to the highest one that its threshold reaches."""
    gone = before.level(code)
    return after.reached(gone.threshold) if gone else after.reached(0)


class Topic(StrEnum):
    """What differs between two tables; `TIER` is told once for each tier."""

    TIER = "tier"
    WINDOW = "window"
    REVIEW = "review"
    GRACE = "grace"


@dataclass(frozen=True, slots=True)
class Change:
    """A part that differs; of a tier its levels before and after, None where it is not there."""

    topic: Topic
    effect: Effect
    before: Level | None = None
    after: Level | None = None


def changes(before: Table | None, after: Table) -> list[Change]:
    """What differs, in the order in which it is told. A first table is better for everybody."""
    if before is None:
        return [Change(Topic.TIER, Effect.BENEFIT, None, one) for one in after.levels]
    return list(_changes(before, after))


def _changes(before: Table, after: Table) -> Iterator[Change]:
    old, new = _by_code(before.levels), _by_code(after.levels)
    for code in dict.fromkeys([*old, *new]):
        was, now = old.get(code), new.get(code)
        if was != now:
            yield Change(Topic.TIER, level(was, now), was, now)
    if before.window != after.window:  # whom another period helps depends on when they buy: nobody may find it worse unannounced
        yield Change(Topic.WINDOW, Effect.DETRIMENT)
    if before.review != after.review:
        yield Change(Topic.REVIEW, more_is(Effect.BENEFIT, KINDNESS.index(before.review), KINDNESS.index(after.review)))
    if before.grace_days != after.grace_days:
        yield Change(Topic.GRACE, more_is(Effect.BENEFIT, before.grace_days, after.grace_days))


def level(before: Level | None, after: Level | None) -> Effect:
    """Of one tier: worse if it is gone, harder to reach, or pays less on reaching it."""
    if before is None:
        return Effect.BENEFIT
    if after is None:
        return Effect.DETRIMENT
    parts = {
        more_is(Effect.DETRIMENT, before.threshold, after.threshold),
        more_is(Effect.BENEFIT, before.entry_reward, after.entry_reward),
    }
    return next((one for one in (Effect.DETRIMENT, Effect.BENEFIT) if one in parts), Effect.SAME)


def in_force(tables: Sequence[Table], at: datetime) -> Table | None:
    """The table that governs what happens at `at`; the first one governs all that lies before it. `tables` newest first."""
    if not tables:
        return None
    return next((one for one in tables if one.starts_at <= at), tables[-1])


def _by_code(levels: Iterable[Level]) -> Mapping[str, Level]:
    return {one.code: one for one in levels}
