"""Tiers as arithmetic: periods with their leap years, what a review decides, what makes a table worse."""

from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loyalty.judging import Effect, overall
from members.tiers import DAY, Level, Period, Table, changes, period_of, valid_until, verdict

REGULAR, SILVER, GOLD = Level("regular", "Regular", 0), Level("silver", "Silver", 500, 50), Level("gold", "Gold", 1000, 100)
NEVER = date(2000, 1, 1)
days = st.dates(date(2000, 1, 1), date(2100, 12, 31))
windows = st.sampled_from(["calendar_year", "rolling", "anniversary"])


def table(*levels: Level, window: str = "calendar_year", review: str = "recompute", grace: int = 0) -> Table:
    held = levels or (REGULAR, SILVER, GOLD)
    return Table(1, 1, "points", window, review, grace, held, datetime(2020, 1, 1, tzinfo=UTC))


@pytest.mark.parametrize(
    ("window", "day", "joined", "first", "last", "valid"),
    [
        ("calendar_year", "2026-01-01", NEVER, "2026-01-01", "2026-12-31", "2027-12-31"),
        ("calendar_year", "2027-12-31", NEVER, "2027-01-01", "2027-12-31", "2028-12-31"),
        ("rolling", "2026-06-15", NEVER, "2025-06-16", "2026-06-15", "2027-06-15"),
        ("rolling", "2028-02-29", NEVER, "2027-03-01", "2028-02-29", "2029-02-28"),
        ("rolling", "2027-02-28", NEVER, "2026-03-01", "2027-02-28", "2028-02-28"),
        ("anniversary", "2026-06-15", date(2025, 6, 15), "2026-06-15", "2027-06-14", "2028-06-14"),
        ("anniversary", "2026-06-14", date(2025, 6, 15), "2025-06-15", "2026-06-14", "2027-06-14"),
        ("anniversary", "2025-02-27", date(2024, 2, 29), "2024-02-29", "2025-02-27", "2026-02-27"),
        ("anniversary", "2025-02-28", date(2024, 2, 29), "2025-02-28", "2026-02-27", "2027-02-27"),
        ("anniversary", "2028-02-28", date(2024, 2, 29), "2027-02-28", "2028-02-28", "2029-02-27"),
        ("anniversary", "2028-02-29", date(2024, 2, 29), "2028-02-29", "2029-02-27", "2030-02-27"),
    ],
)
def test_periods(window: str, day: str, joined: date, first: str, last: str, valid: str) -> None:
    on = date.fromisoformat(day)
    assert period_of(window, on, joined) == Period(date.fromisoformat(first), date.fromisoformat(last))
    assert valid_until(window, on, joined) == date.fromisoformat(valid)


@given(windows, days, days)
def test_each_day_lies_in_its_period_and_periods_follow_each_other(window: str, day: date, joined: date) -> None:
    period = period_of(window, day, joined)
    assert period.first <= day <= period.last
    assert valid_until(window, day, joined) > period.last
    if window != "rolling":
        assert period_of(window, period.last + DAY, joined).first == period.last + DAY
        assert all(period_of(window, end, joined) == period for end in (period.first, period.last))


@pytest.mark.parametrize(
    ("review", "held", "value", "graced", "expected"),
    [
        ("recompute", "gold", 1000, False, "gold"), ("recompute", "gold", 999, False, None),
        ("recompute", "gold", 999, True, "silver"), ("recompute", "gold", 0, True, "regular"),
        ("one_down", "gold", 0, True, "silver"), ("one_down", "silver", 0, True, "regular"),
        ("one_down", "gold", 0, False, None), ("keep", "gold", 0, False, "gold"),
        ("recompute", "silver", 1000, False, "gold"),
    ],
)  # fmt: skip
def test_verdicts(review: str, held: str, value: int, graced: bool, expected: str | None) -> None:
    assert verdict(table(review=review), held, value, graced=graced) == expected


@given(st.sampled_from(["recompute", "one_down", "keep"]), st.sampled_from(["silver", "gold"]), st.integers(0, 2000))
def test_a_review_never_gives_less_than_was_reached_nor_more_than_was_held_or_reached(review: str, held: str, value: int) -> None:
    one = table(review=review)
    decided = verdict(one, held, value, graced=True)
    assert decided is not None
    reached = one.rank(one.reached(value))
    assert reached <= one.rank(decided) <= max(reached, one.rank(held))


@pytest.mark.parametrize(
    ("after", "effect"),
    [
        (table(), Effect.SAME),
        (table(REGULAR, Level("silver", "Argent", 500, 50), GOLD), Effect.SAME),
        (table(REGULAR, Level("silver", "Silver", 400, 50), GOLD), Effect.BENEFIT),
        (table(REGULAR, Level("silver", "Silver", 600, 50), GOLD), Effect.DETRIMENT),
        (table(REGULAR, Level("silver", "Silver", 400, 40), GOLD), Effect.DETRIMENT),
        (table(REGULAR, SILVER), Effect.DETRIMENT),
        (table(REGULAR, SILVER, GOLD, Level("platinum", "Platinum", 5000)), Effect.BENEFIT),
        (table(window="rolling"), Effect.DETRIMENT),
        (table(review="one_down"), Effect.BENEFIT),
        (table(grace=14), Effect.BENEFIT),
        (table(SILVER, GOLD), Effect.DETRIMENT),
    ],
)
def test_what_is_better_and_what_is_worse(after: Table, effect: Effect) -> None:
    assert overall(one.effect for one in changes(table(), after)) is effect


def test_a_first_table_is_worse_for_nobody() -> None:
    assert overall(one.effect for one in changes(None, table())) is Effect.BENEFIT


def test_where_a_tier_that_is_gone_leads() -> None:
    assert table(REGULAR, SILVER).reached(GOLD.threshold) == "silver"
    assert table(GOLD).reached(SILVER.threshold) == ""
