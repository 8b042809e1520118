"""When points end (SEMANTICS 2.4)."""

import zoneinfo
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from loyalty.terms import Terms, add_months, next_fixed_day, round_up

PARIS = Terms(
    id=1, version=1, currency="EUR", zone=zoneinfo.ZoneInfo("Europe/Paris"), point_value=Decimal("0.01"), expiry="months",
    expiry_months=12, expiry_round_up="month", expiry_month=0, expiry_day=0, pending_days=0,
    starts_at=datetime(1970, 1, 1, tzinfo=UTC),
)  # fmt: skip


@pytest.mark.parametrize(
    ("day", "months", "expected"),
    [
        (date(2026, 1, 31), 1, date(2026, 2, 28)),
        (date(2028, 1, 31), 1, date(2028, 2, 29)),
        (date(2026, 12, 31), 12, date(2027, 12, 31)),
        (date(2028, 2, 29), 12, date(2029, 2, 28)),
    ],
)
def test_months_end_where_the_month_ends(day: date, months: int, expected: date) -> None:
    assert add_months(day, months) == expected


def test_rounding_up() -> None:
    day = date(2026, 2, 10)
    assert [round_up(day, unit) for unit in ("day", "month", "quarter", "year")] == [
        day, date(2026, 2, 28), date(2026, 3, 31), date(2026, 12, 31),
    ]  # fmt: skip


def test_a_fixed_day_is_this_year_or_next() -> None:
    assert next_fixed_day(date(2026, 3, 31), 3, 31) == date(2026, 3, 31)
    assert next_fixed_day(date(2026, 4, 1), 2, 30) == date(2027, 2, 28)


def test_points_end_at_local_midnight_also_when_the_clocks_change_between() -> None:
    assert PARIS.ends(datetime(2026, 6, 15, tzinfo=UTC)) == datetime(2027, 6, 30, 22, tzinfo=UTC)
    assert PARIS.ends(datetime(2026, 1, 15, tzinfo=UTC)) == datetime(2027, 1, 31, 23, tzinfo=UTC)
    # 23:30 UTC on 31 January is February in Paris.
    assert PARIS.ends(datetime(2026, 1, 31, 23, 30, tzinfo=UTC)) == datetime(2027, 2, 28, 23, tzinfo=UTC)
    assert PARIS.last_day(datetime(2027, 6, 30, 22, tzinfo=UTC)) == date(2027, 6, 30)


@pytest.mark.parametrize(
    ("zone", "day", "ends"),
    [
        ("America/Havana", date(2026, 3, 7), "2026-03-08T05:00"),  # at 0:00 it is 1:00
        ("America/Havana", date(2026, 10, 31), "2026-11-01T04:00"),  # 0:00 comes twice, within one day
        ("Asia/Beirut", date(2026, 3, 28), "2026-03-28T22:00"),
        ("Africa/Cairo", date(2026, 4, 23), "2026-04-23T22:00"),
        ("Africa/Cairo", date(2026, 10, 29), "2026-10-29T22:00"),  # 23:00 comes twice
        ("America/Sao_Paulo", date(2018, 11, 3), "2018-11-04T03:00"),
        ("Pacific/Apia", date(2011, 12, 29), "2011-12-30T10:00"),
        ("Pacific/Apia", date(2011, 12, 30), "2011-12-30T10:00"),  # a day that never was
        ("Pacific/Apia", date(2011, 12, 31), "2011-12-31T10:00"),
        ("America/St_Johns", date(2010, 11, 6), "2010-11-07T03:30"),  # at 0:01 it is 23:01 of that day again
        ("Antarctica/Casey", date(2010, 3, 4), "2010-03-04T16:00"),  # at 2:00 it is 23:00 of the day before
        ("America/Toronto", date(1919, 3, 30), "1919-03-31T04:30"),  # at 23:30 it is 0:30
    ],
)
def test_a_day_ends_once_and_for_all_where_midnight_is_left_out_or_comes_twice(zone: str, day: date, ends: str) -> None:
    there = replace(PARIS, zone=zoneinfo.ZoneInfo(zone))
    assert there.midnight_after(day) == datetime.fromisoformat(f"{ends}+00:00")


def test_points_that_never_end() -> None:
    assert replace(PARIS, expiry="never").ends(datetime(2026, 1, 1, tzinfo=UTC)) is None


def test_worth_is_rounded_towards_zero_in_the_currency() -> None:
    assert PARIS.worth(149) == Decimal("1.49")
    assert replace(PARIS, currency="JPY", point_value=Decimal("0.5")).worth(3) == Decimal(1)
