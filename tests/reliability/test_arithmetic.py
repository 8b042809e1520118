"""T16, quick: nothing is gained, nothing is left over, and points end when the last day does. See docs/reliability.md."""

import secrets
from dataclasses import replace
from datetime import date
from decimal import Decimal
from random import Random
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from loyalty import moving
from loyalty.terms import Terms
from tests.reliability import expiries, roundtrips, splits
from tests.reliability.arithmetic import PARTS, QUICK, dice

NUMBERS = st.decimals(min_value=0, max_value=10**6, places=3)


@pytest.mark.django_db
@pytest.mark.parametrize("part", PARTS)
def test_quick_tier(part: str) -> None:
    seed = secrets.randbits(32)
    compared, wrong = PARTS[part](dice(seed, part), QUICK[part])
    assert wrong == [], f"again: python -m tests.reliability.arithmetic --only {part} --seed {seed}"
    assert compared >= QUICK[part]


@settings(deadline=None, print_blob=True)
@given(st.integers(0, 10**12), st.lists(NUMBERS, min_size=1, max_size=20), st.randoms(use_true_random=False), st.integers(2, 999))
def test_splits(total: int, weights: list[Decimal], order: Random, times: int) -> None:
    assert splits.wrong(total, weights, order.sample(range(len(weights)), len(weights)), times) is None


@settings(deadline=None, print_blob=True)
@given(st.lists(NUMBERS, min_size=1, max_size=20), st.lists(NUMBERS, min_size=1, max_size=5))
def test_receipts(amounts: list[Decimal], values: list[Decimal]) -> None:
    assert splits.wrong_receipt(amounts, values) is None


def test_the_second_reckoning_is_right_where_it_is_known() -> None:
    apia, havana = ZoneInfo("Pacific/Apia"), ZoneInfo("America/Havana")
    assert expiries.end_of(date(2011, 12, 30), apia) == expiries.end_of(date(2011, 12, 29), apia)
    assert expiries.end_of(date(2026, 3, 7), havana).isoformat() == "2026-03-08T05:00:00+00:00"
    assert expiries.months_later(date(2026, 1, 31), 1) == date(2026, 2, 28)
    assert expiries.months_later(date(2026, 1, 31), -2) == date(2025, 11, 30)
    assert expiries.rounded(date(2026, 5, 1), 3) == date(2026, 6, 30)
    assert expiries.next_such(date(2026, 3, 1), 2, 31) == date(2027, 2, 28)


def test_a_wrong_end_a_wrong_split_and_a_wrong_round_trip_are_noticed(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    seed = secrets.randbits(32)
    right = Terms.midnight_after
    with monkeypatch.context() as patched:
        patched.setattr(Terms, "midnight_after", lambda self, day: right(replace(self, zone=ZoneInfo("UTC")), day))
        paris = list(expiries.cases(ZoneInfo("Europe/Paris"), Random(seed), 2))
        assert all(case.wrong() for case in paris)
    with monkeypatch.context() as patched:
        patched.setattr(splits, "spread", lambda total, weights: [total, *[0] * (len(weights) - 1)])
        assert splits.check(Random(seed), 50)[1]
    with monkeypatch.context() as patched:
        arriving = moving._arriving
        patched.setattr(moving, "_arriving", lambda *given: arriving(*given) | {"expires_at": None})
        assert roundtrips.check(Random(seed), 5)[1]
