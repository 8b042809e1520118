"""How a receipt's points came about, in words that people can follow."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from django.utils import translation

from campaigns import explaining
from campaigns.engine import judge
from campaigns.values import Cap, Kind, Line, Occasion, Per, Rule
from tests.campaigns.test_engine import BASE, basket, once, rule, times


def said(occasion: Occasion, *rules: Rule, language: str = "en") -> list[str]:
    with translation.override(language):
        return [one.replace("\xa0", " ") for one in explaining.sentences(judge(occasion, rules).trace, "EUR", {})]


def bought(*lines: tuple[str, str], **more: Any) -> Occasion:
    """Lines of (quantity, amount)."""
    return basket(lines=tuple(Line(str(i), Decimal(paid), Decimal(count), **more) for i, (count, paid) in enumerate(lines)))


PIECES = rule("5", per=Per.UNIT)


@pytest.mark.parametrize(
    ("occasion", "rules", "first"),
    [
        (bought(("3.000", "9.00")), [PIECES], "3 pieces × 5 = 15"),
        (bought(("1.000", "9.00")), [PIECES], "1 piece × 5 = 5"),
        (bought(("0.512", "9.00")), [PIECES], "0.51 × 5 = 2.56"),
        (bought(("3.000", "9.00"), tender=Decimal("2.00")), [PIECES], "2.33 × 5 = 11.67"),
        (bought(("12.500", "25.00")), [replace(PIECES, value=Decimal(2))], "12.5 × 2 = 25"),
        (basket("12.35"), [replace(BASE, value=Decimal("1.333333"))], "€12.35 × 1.333333 = 16.47"),
        (basket("1250.00"), [BASE], "€1,250.00 × 1 = 1,250"),
        (basket("12.00"), [once("0.5")], "0.5 points"),
        (basket("12.00"), [once("1")], "1 point"),
    ],
)
def test_numbers_have_units_and_no_more_than_two_decimals(occasion: Occasion, rules: list[Rule], first: str) -> None:
    assert first in [one.removeprefix("bonus: ") for one in said(occasion, *rules)]


def test_a_multiplier_is_told_as_people_know_it() -> None:
    assert said(basket("20.00"), BASE, times("3")) == ["base: €20.00 × 1 = 20", "times: 3× on 20 points: 40 more"]
    assert said(basket("1.00"), BASE, times("1.5"))[1] == "times: 1.5× on 1 point: 0.5 more"


def test_a_limit_that_was_reached_is_named() -> None:
    cap = Cap("points", "member", "day", Decimal(100))
    assert said(basket("120.00"), replace(BASE, caps=(cap,))) == [
        "€120.00 × 1 = 120, cut to 100: at most 100 points per member and day",
    ]  # fmt: skip


@pytest.mark.django_db
def test_an_event_that_reached_a_limit_in_money_names_it() -> None:
    cap = Cap("money", "member", "month", Decimal("0.05"))
    act = basket(lines=(), event_type="check_in", point_value=Decimal("0.01"))
    trace = judge(act, [replace(rule("9"), kind=Kind.EVENT, event_type="check_in", caps=(cap,))]).trace
    sentence = "9 points, cut to 5: at most points worth €0.05 per member and month"
    assert explaining.rule_sentence(trace["rules"][0], trace, "") == sentence


def test_what_earns_nothing_and_what_was_paid_in_points_is_said_first() -> None:
    lines = (
        Line("1", Decimal("25.00"), category="gift cards", excluded=True), Line("2", Decimal("75.00"), tender=Decimal("10.50")),
    )  # fmt: skip
    assert said(basket(lines=lines), BASE) == [
        "€25.00 are for goods that earn nothing.", "€10.50 were paid in points.", "€64.50 × 1 = 64.5",
        "Rounded down to 64 points.",
    ]  # fmt: skip
    assert said(basket(lines=lines[:1]), BASE) == ["€25.00 are for goods that earn nothing."]
    assert said(basket("5.00")) == ["No rule gave points on that day."]


def test_an_event_that_counts_once_a_day_says_so() -> None:
    trace = {"again": True, "event": "check_in"}
    assert explaining.sentences(trace, "", {}) == ["This counts once a day, and it was counted before."]
    assert explaining.sentences(trace | {"event": "review"}, "", {}) == ["This counts once, and it was counted before."]


def test_half_a_point_is_singular_in_french() -> None:
    assert said(basket("12.00"), once("0.5"), language="fr")[0] == "0,5 point"
    assert said(basket("12.00"), once("1.5"), language="fr")[0] == "1,5 point"
    assert said(basket("12.00"), once("2"), language="fr")[0] == "2 points"
