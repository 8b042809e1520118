"""Better or worse for members (SEMANTICS 9): one vector for each way in which terms may differ."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from loyalty import judging
from loyalty.judging import Effect
from tests.loyalty.test_terms import PARIS

MONTHS_12 = {"expiry": "months", "expiry_months": 12, "expiry_round_up": "month"}
YEAR_END = {"expiry": "fixed_day", "expiry_month": 12, "expiry_day": 31}
IDLE_12 = {"expiry": "inactivity", "expiry_months": 12}
NEVER = {"expiry": "never", "expiry_months": 0}

VECTORS: list[tuple[dict[str, Any], dict[str, Any], str]] = [
    ({"point_value": Decimal("0.01")}, {"point_value": Decimal("0.02")}, "benefit"),
    ({"point_value": Decimal("0.01")}, {"point_value": Decimal("0.009999")}, "detriment"),
    ({"pending_days": 3}, {"pending_days": 0}, "benefit"),
    ({"pending_days": 0}, {"pending_days": 1}, "detriment"),
    ({"return_days": 30}, {"return_days": 31}, "benefit"),
    ({"return_days": 30}, {"return_days": 29}, "detriment"),
    ({"notice_days": 60}, {"notice_days": 90}, "benefit"),
    ({"notice_days": 60}, {"notice_days": 59}, "detriment"),
    ({"claw_back": "deficit"}, {"claw_back": "forgive"}, "benefit"),
    ({"claw_back": "refuse"}, {"claw_back": "deficit"}, "benefit"),
    ({"claw_back": "forgive"}, {"claw_back": "deficit"}, "detriment"),
    ({"claw_back": "deficit"}, {"claw_back": "refuse"}, "detriment"),
    (MONTHS_12, MONTHS_12 | {"expiry_months": 13}, "benefit"),
    (MONTHS_12, MONTHS_12 | {"expiry_months": 11}, "detriment"),
    (MONTHS_12, MONTHS_12 | {"expiry_round_up": "day"}, "detriment"),
    (MONTHS_12, MONTHS_12 | {"expiry_round_up": "quarter"}, "benefit"),
    # Fewer months, but to the end of the year: what is earned in December ends sooner.
    (MONTHS_12, MONTHS_12 | {"expiry_months": 6, "expiry_round_up": "year"}, "detriment"),
    (MONTHS_12 | {"expiry_months": 1}, MONTHS_12 | {"expiry_months": 1, "expiry_round_up": "year"}, "benefit"),
    (MONTHS_12, YEAR_END, "detriment"),
    (YEAR_END, MONTHS_12, "benefit"),
    (YEAR_END, YEAR_END | {"expiry_month": 6, "expiry_day": 30}, "detriment"),
    # 30 February is the last day of February, as 29 February is.
    (YEAR_END | {"expiry_month": 2, "expiry_day": 29}, YEAR_END | {"expiry_month": 2, "expiry_day": 30}, "same"),
    (MONTHS_12, NEVER, "benefit"),
    (NEVER, MONTHS_12 | {"expiry_months": 600}, "detriment"),
    (NEVER, IDLE_12, "detriment"),
    (IDLE_12, NEVER, "benefit"),
    (IDLE_12, IDLE_12 | {"expiry_months": 18}, "benefit"),
    (IDLE_12, IDLE_12 | {"expiry_months": 6}, "detriment"),
    # Whoever keeps buying would never have lost them.
    (IDLE_12, MONTHS_12 | {"expiry_months": 36}, "detriment"),
    # 12 months without a purchase may end in the middle of a month, 12 months by the calendar do not.
    (MONTHS_12, IDLE_12, "detriment"),
    (MONTHS_12 | {"expiry_round_up": "day"}, IDLE_12, "benefit"),
    (MONTHS_12 | {"expiry_round_up": "day"}, IDLE_12 | {"pending_days": 14}, "detriment"),
    ({"point_value": Decimal("0.01")}, {"point_value": Decimal("0.02"), "return_days": 14}, "detriment"),
    ({"currency": "EUR"}, {"currency": "USD"}, "detriment"),
    ({"tender_min": 100}, {"tender_min": 50}, "benefit"),
    ({"tender_min": 100}, {"tender_min": 101}, "detriment"),
    ({"tender_step": 100}, {"tender_step": 50}, "benefit"),
    ({"tender_step": 100}, {"tender_step": 200}, "detriment"),
    # 100 points paid before; now 90 or 120.
    ({"tender_step": 100}, {"tender_step": 30}, "detriment"),
    ({"tender_max_percent": 50}, {"tender_max_percent": 60}, "benefit"),
    ({"tender_max_percent": 50}, {"tender_max_percent": 49}, "detriment"),
    ({"tender_max_percent": 50}, {"tender_max_percent": 60, "tender_min": 2}, "detriment"),
    ({"tender_max_percent": 50}, {"tender_max_percent": 0}, "detriment"),
    # Where points were not taken as money, whatever is taken is more.
    ({"tender_max_percent": 0}, {"tender_max_percent": 10, "tender_min": 500, "tender_step": 500}, "benefit"),
    ({"tender_max_percent": 0}, {"tender_max_percent": 0, "tender_min": 500}, "same"),
    ({}, {}, "same"),
]


@pytest.mark.parametrize(("old", "new", "expected"), VECTORS)
def test_a_change_is_better_or_worse(old: dict[str, Any], new: dict[str, Any], expected: str) -> None:
    before, after = replace(PARIS, **old), replace(PARIS, **old | new)
    assert judging.overall(one.effect for one in judging.changes(before, after)) == expected


@pytest.mark.parametrize(
    ("old", "new", "expected"), [("1", "2", "benefit"), ("1", "0.5", "detriment"), ("1", "1.000000", "same")]
)
def test_a_rate_is_better_or_worse(old: str, new: str, expected: str) -> None:
    assert judging.rate(Decimal(old), Decimal(new)) == expected


def test_each_part_is_judged_alone_and_the_rest_is_left_out() -> None:
    found = judging.changes(PARIS, replace(PARIS, point_value=Decimal("0.02"), return_days=14, expiry_day=9))
    assert [(one.topic, one.effect) for one in found] == [("worth", Effect.BENEFIT), ("returns", Effect.DETRIMENT)]
