"""What a reward costs now, and until when for sure. Pure: values in, values out."""

from datetime import datetime, time, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog.pricing import Offer, Price, Visitor, Why, Window, quote

PARIS = ZoneInfo("Europe/Paris")
RICH = Visitor(available=1000)


def at(text: str) -> datetime:
    """A moment in Paris; 2 February 2026 is a Monday."""
    return datetime.fromisoformat(text).replace(tzinfo=PARIS)


def until(now: str, window: Window, **price: object) -> str | None:
    held = Price(10, window=window, **price)  # type: ignore[arg-type]
    offer = Offer(Price(100), prices=(held,), window=Window(ends_at=at("2026-06-01T00:00")))
    seen = quote(offer, Visitor(available=1000, birth_month=2), at=at(now), zone=PARIS)
    assert seen.price in (held, offer.price)
    found = seen.valid_until and seen.valid_until.astimezone(PARIS).strftime("%m-%d %H:%M")
    return f"{seen.price.points} until {found}"


@pytest.mark.parametrize(
    ("now", "window", "told"),
    [
        ("2026-02-02T15:59", Window(hours=(time(15), time(16))), "10 until 02-02 16:00"),
        ("2026-02-02T16:00", Window(hours=(time(15), time(16))), "100 until 06-01 00:00"),
        ("2026-02-02T23:00", Window(hours=(time(22), time(2))), "10 until 02-03 02:00"),
        ("2026-02-03T01:00", Window(hours=(time(22), time(2))), "10 until 02-03 02:00"),
        ("2026-02-07T09:00", Window(weekdays=frozenset({6, 7})), "10 until 02-09 00:00"),
        ("2026-02-07T09:00", Window(weekdays=frozenset(range(1, 8))), "10 until 06-01 00:00"),
        ("2026-02-06T23:00", Window(weekdays=frozenset({5}), hours=(time(22), time(2))), "10 until 02-07 00:00"),
        ("2026-02-02T09:00", Window(ends_at=at("2026-02-02T09:00")), "100 until 06-01 00:00"),
        ("2026-02-02T08:59", Window(ends_at=at("2026-02-02T09:00")), "10 until 02-02 09:00"),
        # The clocks go forward on 29 March at two.
        ("2026-03-29T00:30", Window(hours=(time(0), time(4))), "10 until 03-29 04:00"),
    ],
)
def test_a_price_is_promised_no_longer_than_it_holds(now: str, window: Window, told: str) -> None:
    assert until(now, window) == told


def test_the_price_of_a_birthday_month_ends_with_it() -> None:
    assert until("2026-02-28T23:59", Window(), birthday_month=True) == "10 until 03-01 00:00"


WINDOWS = st.builds(
    Window,
    weekdays=st.frozensets(st.integers(1, 7)),
    hours=st.none() | st.tuples(st.times(), st.times()).filter(lambda two: two[0] != two[1]),
)
# Where no hour comes twice.
SHANGHAI = ZoneInfo("Asia/Shanghai")
MOMENTS = st.integers(0, 366 * 24 * 60).map(lambda minutes: datetime(2026, 1, 1, tzinfo=SHANGHAI) + timedelta(minutes=minutes))


@given(WINDOWS, MOMENTS, st.floats(0, 0.999))
def test_until_then_it_holds_at_every_moment(window: Window, now: datetime, share: float) -> None:
    end = window.until(now, SHANGHAI)
    if end and window.holds(now, SHANGHAI):
        assert end > now
        assert window.holds(now + (end - now) * share, SHANGHAI)


def test_what_nobody_can_change_is_said_before_what_the_member_can() -> None:
    gone = Offer(Price(10, Decimal(1)), left=0, withdrawn=True)
    poor = Visitor(available=0, deficit=5, verified=False, blocked=True)
    assert quote(gone, poor, at=at("2026-02-02T09:00"), zone=PARIS).because is Why.WITHDRAWN
