"""From a receipt to points (SEMANTICS 1, docs/earning.md)."""

from collections import Counter as Tally
from dataclasses import replace
from datetime import UTC, datetime, time
from decimal import Decimal
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from campaigns import caps
from campaigns.engine import judge
from campaigns.rounding import spread
from campaigns.values import Cap, Counter, Judgement, Kind, Line, Occasion, Per, Rule, Standing

AMOUNT = st.decimals(0, 10_000, places=2)
PARIS = ZoneInfo("Europe/Paris")
BASE = Rule(UUID(int=1), "base", Kind.BASE, Decimal(1))


def rule(value: str, code: str = "bonus", kind: Kind = Kind.BONUS, **more: Any) -> Rule:
    return Rule(UUID(int=2), code, kind, Decimal(value), **more)


def once(value: str, code: str = "bonus", **more: Any) -> Rule:
    return rule(value, code, per=Per.PURCHASE, **more)


def times(value: str, code: str = "times", **more: Any) -> Rule:
    return rule(value, code, Kind.MULTIPLIER, **more)


def basket(*amounts: str, **more: Any) -> Occasion:
    """Bought on Wednesday 4 March 2026 at 10:30 in Paris."""
    lines = tuple(Line(str(place), Decimal(amount)) for place, amount in enumerate(amounts))
    return Occasion(UUID(int=9), datetime(2026, 3, 4, 9, 30, tzinfo=UTC), PARIS, **({"lines": lines} | more))


def goods(*lines: tuple[str, str], **more: Any) -> Occasion:
    """Lines of (category, amount)."""
    return basket(lines=tuple(Line(str(i), Decimal(paid), category=of) for i, (of, paid) in enumerate(lines)), **more)


def given_by(judged: Judgement) -> dict[str, int]:
    return {one.rule.code: one.points for one in judged.granted}


def test_sum_first_floor_once_spread_by_largest_remainder() -> None:
    judged = judge(basket("3.33", "3.33", "3.33"), [BASE, times("1.5")])
    assert (judged.trace["raw"], judged.points, judged.line_points) == ("14.985", 14, [5, 5, 4])
    assert given_by(judged) == {"base": 9, "times": 5}


def test_a_receipt_that_earns_nothing_explains_itself() -> None:
    judged = judge(basket("0.99"), [BASE, once("5", stores=frozenset({"S1"}))])
    assert (judged.points, judged.granted, judged.line_points) == (0, [], [0])
    assert judged.trace["rules"][0]["raw"] == "0.99"
    assert [(lost["rule"], lost["reason"]) for lost in judged.trace["rejected"]] == [("bonus", "store")]
    assert judge(basket(), []).points == 0


def test_multipliers_work_on_base_points_and_add_up() -> None:
    judged = judge(basket("10.00"), [BASE, times("2", "a"), times("3", "b"), once("7")])
    assert given_by(judged) == {"base": 10, "a": 10, "b": 20, "bonus": 7}  # base × 4, not × 6, and no bonus multiplied


def test_the_most_specific_base_rate_wins_line_by_line() -> None:
    sku = replace(BASE, code="sku", value=Decimal(9), skus=frozenset({"X"}))
    tea = replace(BASE, code="tea", value=Decimal(5), categories=frozenset({"tea"}))
    store = replace(BASE, code="store", value=Decimal(3), stores=frozenset({"S1"}))
    tier = replace(BASE, code="tier", value=Decimal(2), tiers=frozenset({"gold"}))
    lines = (Line("1", Decimal(10), sku="X", category="tea"), Line("2", Decimal(10), category="tea"), Line("3", Decimal(10)))
    standing = Standing(tier="gold")
    here = basket(lines=lines, store="S1", standing=standing)
    assert judge(here, [BASE, tier, store, tea, sku]).line_points == [90, 50, 30]
    assert judge(replace(here, store="S2"), [BASE, tier, store, tea, sku]).line_points == [90, 50, 20]
    twin = replace(tea, code="aaa", value=Decimal(7))
    assert judge(here, [BASE, tea, twin]).line_points == [70, 70, 10]
    assert judge(here, [BASE, tea, replace(twin, priority=101)]).line_points == [50, 50, 10]


def test_excluded_goods_and_what_was_paid_in_points_earn_nothing() -> None:
    lines = (
        Line("1", Decimal("25.00"), excluded=True),
        Line("2", Decimal("10.00"), quantity=Decimal(2), tender=Decimal("5.00")),
    )
    judged = judge(basket(lines=lines), [BASE, rule("3", "unit", per=Per.UNIT)])
    assert (given_by(judged), judged.line_points) == ({"base": 5, "unit": 3}, [0, 8])


@pytest.mark.parametrize(
    ("asked", "holds"),
    [
        ({"weekdays": frozenset({3})}, True),
        ({"weekdays": frozenset({6, 7})}, False),
        ({"hours": (time(10, 30), time(11))}, True),
        ({"hours": (time(9), time(10, 30))}, False),
        ({"hours": (time(22), time(10))}, False),
        ({"hours": (time(22), time(11))}, True),
        ({"ends_at": datetime(2026, 3, 4, 9, 30, tzinfo=UTC)}, False),
        ({"birthday": "day"}, False),
        ({"birthday": "week"}, True),
        ({"birthday": "month"}, True),
        ({"tiers": frozenset({"gold"})}, False),
        ({"segment": "lapsed"}, True),
        ({"segment": "new"}, False),
        ({"first_purchase": True}, False),
        ({"every_visit": 5}, True),
        ({"every_visit": 4}, False),
        ({"at_least_amount": Decimal("20.01")}, False),
        ({"at_least_amount": Decimal("20.00")}, True),
        ({"at_least_quantity": Decimal(3)}, False),
        ({"categories": frozenset({"tea"}), "at_least_amount": Decimal("20.00")}, False),
        ({"exclude_categories": frozenset({"tea", "coffee"})}, False),
    ],
)
def test_when_where_who_what_and_at_least(asked: dict[str, Any], holds: bool) -> None:
    standing = Standing(segments=frozenset({"lapsed"}), birthday=(3, 7), visit=10)
    judged = judge(goods(("tea", "12.00"), ("coffee", "8.00"), standing=standing), [once("5", **asked)])
    assert judged.points == (5 if holds else 0)
    assert len(judged.trace["rejected"]) == (not holds)


def test_of_an_exclusive_group_the_one_worth_most_holds_what_its_caps_leave_considered() -> None:
    two, big = times("2", exclusive_group="g"), once("30", "big", exclusive_group="g")
    assert given_by(judge(basket("20.00"), [BASE, two, big])) == {"base": 20, "big": 30}
    assert given_by(judge(basket("40.00"), [BASE, two, big])) == {"base": 40, "times": 40}
    capped = replace(two, caps=(Cap("points", "member", "day", Decimal(25)),))
    assert given_by(judge(basket("40.00"), [BASE, capped, big])) == {"base": 40, "big": 30}
    [lost] = judge(basket("40.00"), [BASE, capped, big]).trace["rejected"]
    assert lost["reason"] == "exclusive:big"


def test_the_last_award_is_cut_to_what_is_left_and_says_so() -> None:
    capped = once("10", caps=(Cap("points", "member", "month", Decimal(25)),))
    occasion = basket("5.00")
    [(_cap, counter)] = caps.counters(capped, occasion)
    judged = judge(occasion, [BASE, capped], {counter: Decimal(21)})
    assert given_by(judged) == {"base": 5, "bonus": 4}
    assert judged.trace["rules"][1]["cut"] == {"unit": "points", "per": "member", "window": "month", "limit": "25"}
    assert judged.taken == {counter: Decimal(4)}
    assert judge(occasion, [BASE, capped], {counter: Decimal(25)}).points == 5


def test_a_cap_in_money_counts_the_worth_of_the_points() -> None:
    capped = once("10", caps=(Cap("money", "rule", "ever", Decimal("0.50")),))
    assert judge(basket("5.00", point_value=Decimal("0.07")), [capped]).points == 7


def test_a_cap_in_times_lets_a_whole_award_through_or_none() -> None:
    capped = once("10", caps=(Cap("times", "member", "day", Decimal(1)),))
    occasion = basket("5.00")
    judged = judge(occasion, [capped])
    assert (judged.points, list(judged.taken.values())) == (10, [Decimal(1)])
    assert judge(occasion, [capped], judged.taken).points == 0


RULES = st.builds(
    lambda code, kind, value, per, limit, per_cap, group: Rule(
        UUID(int=3), code, kind, value if kind != Kind.MULTIPLIER else value + 1, per=per, exclusive_group=group,
        caps=() if limit is None else (Cap("points", per_cap, "day", Decimal(limit)),),
    ),
    st.text("abcdef", min_size=1, max_size=3), st.sampled_from([Kind.BASE, Kind.BONUS, Kind.MULTIPLIER]),
    st.decimals(0, 20, places=3), st.sampled_from(Per), st.none() | st.integers(0, 30),
    st.sampled_from(["member", "programme"]), st.none() | st.just("g"),
)  # fmt: skip


def test_what_rounds_to_nothing_takes_no_time_from_others() -> None:
    once_a_day = (Cap("times", "programme", "day", Decimal(1)),)
    judged = judge(basket("10.00"), [rule("0.04", "a", caps=once_a_day), once("5", "b", caps=once_a_day)])
    assert given_by(judged) == {"b": 5}


def test_three_thirds_that_are_paid_in_money_are_one_of_the_goods() -> None:
    paid = tuple(Line(str(place), Decimal(3), tender=Decimal(2)) for place in range(3))
    assert given_by(judge(basket(lines=paid), [once("5", at_least_quantity=Decimal(1))])) == {"bonus": 5}


@given(st.lists(AMOUNT, max_size=20), st.lists(RULES, max_size=6, unique_by=lambda one: one.code))
def test_rules_and_lines_add_up_one_fraction_is_lost_and_no_cap_is_passed(amounts: list[Decimal], rules: list[Rule]) -> None:
    occasion = basket(*map(str, amounts))
    judged = judge(occasion, rules)
    assert sum(one.points for one in judged.granted) == judged.points == sum(judged.line_points)
    raw = Decimal(judged.trace["raw"])
    assert judged.points <= raw
    if not any(one.caps for one in rules):
        assert raw < judged.points + 1
    given: Tally[Counter] = Tally()
    for one in judged.granted:
        for cap, counter in caps.counters(one.rule, occasion):
            given[counter] += one.points
            assert one.points <= cap.limit
    assert dict(given) == {counter: int(amount) for counter, amount in judged.taken.items()}
    loosest = {
        counter: max(cap.limit for one in rules for cap, other in caps.counters(one, occasion) if other == counter)
        for counter in given
    }
    assert all(given[counter] <= limit for counter, limit in loosest.items())
    assert judge(occasion, rules[::-1]) == judged


@given(st.integers(0, 10_000), st.lists(AMOUNT, min_size=1, max_size=30))
def test_a_spread_part_is_within_one_of_its_share(total: int, weights: list[Decimal]) -> None:
    parts = spread(total, weights)
    whole = sum(weights, Decimal(0))
    assert sum(parts) == (total if whole else 0)
    assert all(
        abs(part - (total * weight / whole if whole else Decimal(0))) < 1 for part, weight in zip(parts, weights, strict=True)
    )


@given(st.lists(st.tuples(st.integers(1, 40), st.integers(1, 9)), max_size=30))
def test_no_rolling_window_is_ever_passed_whatever_the_order(asked: list[tuple[int, int]]) -> None:
    used: dict[Any, Decimal] = {}
    for day, wanted in asked:
        at = datetime(2026, 1, 1).toordinal() + day  # noqa: DTZ001
        today = datetime.fromordinal(at).date()
        left = Decimal(20) - caps.rolling_use(7, today, used)
        used[today] = used.get(today, Decimal(0)) + min(Decimal(wanted), max(left, Decimal(0)))
    for first in range(1, 60):
        days = [datetime.fromordinal(datetime(2026, 1, 1).toordinal() + first + n).date() for n in range(7)]  # noqa: DTZ001
        assert sum((used.get(day, Decimal(0)) for day in days), Decimal(0)) <= 20
