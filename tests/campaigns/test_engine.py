"""From a receipt to points (SEMANTICS 1)."""

from decimal import Decimal
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from campaigns.engine import Line, Rule, judge, spread

AMOUNT = st.decimals(0, 10_000, places=2)


def rule(value: str, code: str = "base") -> Rule:
    return Rule(UUID(int=1), code, Decimal(value))


def lines(*amounts: str) -> list[Line]:
    return [Line(str(i), Decimal(amount)) for i, amount in enumerate(amounts)]


def test_sum_first_floor_once_spread_by_largest_remainder() -> None:
    judged = judge(lines("3.33", "3.33", "3.33"), [rule("1.5")])
    assert (judged.trace["raw"], judged.points, judged.line_points) == ("14.985", 14, [5, 5, 4])


def test_a_receipt_that_earns_nothing_explains_itself() -> None:
    judged = judge(lines("0.99"), [rule("1")])
    assert (judged.points, judged.granted, judged.line_points) == (0, [], [0])
    assert judged.trace["rules"][0]["raw"] == "0.99"
    assert judge([], []).points == 0


@given(st.lists(AMOUNT, max_size=30), st.lists(st.decimals(0, 20, places=3), max_size=3))
def test_rules_and_lines_both_add_up(amounts: list[Decimal], rates: list[Decimal]) -> None:
    judged = judge([Line(str(i), one) for i, one in enumerate(amounts)], [rule(str(one), str(i)) for i, one in enumerate(rates)])
    assert sum(one.points for one in judged.granted) == judged.points == sum(judged.line_points)
    exact = sum(amounts, Decimal(0)) * sum(rates, Decimal(0))
    assert judged.points <= exact < judged.points + 1


@given(st.integers(0, 10_000), st.lists(AMOUNT, min_size=1, max_size=30))
def test_a_spread_part_is_within_one_of_its_share(total: int, weights: list[Decimal]) -> None:
    parts = spread(total, weights)
    whole = sum(weights, Decimal(0))
    assert sum(parts) == (total if whole else 0)
    assert all(
        abs(part - (total * weight / whole if whole else Decimal(0))) < 1 for part, weight in zip(parts, weights, strict=True)
    )
