"""When points end, in every zone, reckoned a second time: by walking the clock and the calendar, and by nothing else."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta, tzinfo
from decimal import Decimal
from itertools import pairwise
from random import Random
from zoneinfo import ZoneInfo, available_timezones

from loyalty.terms import Terms

HOUR, DAY = 3600, 86_400
SINCE, UNTIL = (int(datetime(year, 1, 1, tzinfo=UTC).timestamp()) for year in (1980, 2038))
# No change of the clocks since 1972 falls otherwise than on a whole minute; none lasts less than a week.
STEP, CHANGE_STEP = 15 * 60, 4 * DAY
UNITS = {"day": 0, "month": 1, "quarter": 3, "year": 12}
TERMS = Terms(
    id=1, version=1, currency="EUR", zone=ZoneInfo("UTC"), point_value=Decimal("0.01"), expiry="months", expiry_months=12,
    expiry_round_up="day", expiry_month=1, expiry_day=1, pending_days=0, starts_at=datetime(1970, 1, 1, tzinfo=UTC),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Case:
    """Points activated at `activated_at` end with `last_day`, at `ends`."""

    terms: Terms
    activated_at: datetime
    last_day: date
    ends: datetime

    def wrong(self) -> str | None:
        """What the product says instead."""
        said = self.terms.ends(self.activated_at)
        return None if said == self.ends else f"{self} said {said}"


def check(dice: Random, days: int) -> tuple[int, list[str]]:
    """So many days of each zone under each policy. Returns how many instants were compared, and what was wrong."""
    compared, wrong = 0, []
    for name in sorted(available_timezones()):
        for case in cases(ZoneInfo(name), dice, days):
            compared += 1
            wrong += [said] if (said := case.wrong()) else []
    return compared, wrong


def cases(zone: ZoneInfo, dice: Random, days: int) -> Iterator[Case]:
    """Ends that fall on, before and after days on which the clocks change, and on others."""
    for day in days_of(zone, dice, days):
        months = dice.randint(1, 36)
        begin = months_later(day, -months)
        for unit, part in UNITS.items():
            terms = replace(TERMS, zone=zone, expiry_months=months, expiry_round_up=unit)
            at = moment_of(begin, zone, dice)
            last = rounded(months_later(day_at(at, zone), months), part)
            yield Case(terms, at, last, end_of(last, zone))
        number = 31 if (day + timedelta(days=1)).month != day.month else day.day
        terms = replace(TERMS, zone=zone, expiry="fixed_day", expiry_month=day.month, expiry_day=number)
        at = moment_of(day - timedelta(days=dice.choice([0, 1, dice.randint(2, 365)])), zone, dice)
        last = next_such(day_at(at, zone), day.month, number)
        yield Case(terms, at, last, end_of(last, zone))


def days_of(zone: ZoneInfo, dice: Random, count: int) -> list[date]:
    """First those on which clocks change near midnight, then other changes, then any."""
    found = changes(zone)
    dice.shuffle(found)
    found.sort(key=lambda at: clock(at - 1, zone).date() == clock(at + 2 * HOUR, zone).date())
    around = [clock(at, zone).date() + timedelta(days=near) for at in found for near in (0, -1, 1)]
    others = [clock(dice.randrange(SINCE, UNTIL), zone).date() for _ in range(count)]
    return (around[: count - 1] + others)[:count]


def changes(zone: ZoneInfo) -> list[int]:
    """The seconds with which another offset begins."""
    offsets = [(at, clock(at, zone).utcoffset()) for at in range(SINCE, UNTIL, CHANGE_STEP)]
    found = []
    for (low, before), (high, after) in pairwise(offsets):
        if before != after:
            first, last = low, high
            while last - first > 1:
                middle = (first + last) // 2
                same = clock(middle, zone).utcoffset() == before
                first, last = (middle, last) if same else (first, middle)
            found.append(last)
    return found


def end_of(day: date, zone: ZoneInfo) -> datetime:
    """The first instant from which the clocks of `zone` never show `day` or a day before it again."""
    noon = int(datetime(day.year, day.month, day.day, 12, tzinfo=UTC).timestamp())
    walked = range(noon - 4 * HOUR, noon + 28 * HOUR, STEP)
    first = next(at for at in reversed(walked) if clock(at, zone).date() <= day)
    last = first + STEP
    assert last in walked, f"{zone} is farther from Greenwich than anybody"
    while last - first > 1:
        middle = (first + last) // 2
        first, last = (middle, last) if clock(middle, zone).date() <= day else (first, middle)
    return clock(last, UTC)


def moment_of(day: date, zone: ZoneInfo, dice: Random) -> datetime:
    """The first or last microsecond of the day, or any second of it; of the day after where the day never was."""
    first, end = end_of(day - timedelta(days=1), zone), end_of(day, zone)
    if first == end:
        return end
    seconds = int((end - first).total_seconds())
    return dice.choice([first, end - timedelta(microseconds=1), first + timedelta(seconds=dice.randrange(seconds))])


def clock(seconds: int, zone: tzinfo) -> datetime:
    """What a clock on the wall shows so many seconds after the beginning of 1970."""
    return datetime.fromtimestamp(seconds, zone)


def day_at(instant: datetime, zone: ZoneInfo) -> date:
    """What a calendar on the wall shows."""
    return instant.astimezone(zone).date()


def months_later(day: date, months: int) -> date:
    """Leafing month by month; where the month has no such day, its last."""
    first = day.replace(day=1)
    for _ in range(abs(months)):
        first = (first + timedelta(days=31 if months > 0 else -1)).replace(day=1)
    found = first
    while found.day < day.day and (found + timedelta(days=1)).month == first.month:
        found += timedelta(days=1)
    return found


def rounded(day: date, months: int) -> date:
    """The last day of the calendar's part of so many months that holds `day`."""
    if not months:
        return day
    while (after := day + timedelta(days=1)).year == day.year and (after.month - 1) // months == (day.month - 1) // months:
        day = after
    return day


def next_such(day: date, month: int, number: int) -> date:
    """The first day, from `day` on, of that month and number, or its last if it has no such number."""
    while day.month != month or (day.day != number and ((day + timedelta(days=1)).month == month or day.day > number)):
        day += timedelta(days=1)
    return day
