"""Points as money (SEMANTICS 6): limits, why not, how a payment falls to lines, what a return gives back."""

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from itertools import pairwise

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from campaigns.tendering import Limits, LineTender, Refund, check, limits, refund, spread
from campaigns.values import Line
from loyalty.terms import Terms
from tests.loyalty.test_terms import PARIS

VALUES = ["0.01", "0.005", "0.003", "0.000001", "0.05", "0.07", "1", "2.5", "120"]


def lines(*amounts: str, excluded: Sequence[int] = ()) -> list[Line]:
    return [Line(str(i), Decimal(amount), excluded=i in excluded) for i, amount in enumerate(amounts)]


def terms(value: str = "0.01", least: int = 1, step: int = 1, percent: int = 100, currency: str = "EUR") -> Terms:
    return replace(
        PARIS, currency=currency, point_value=Decimal(value), tender_min=least, tender_step=step, tender_max_percent=percent
    )


@st.composite
def contracts(draw: st.DrawFn) -> Terms:
    step = draw(st.sampled_from([1, 1, 5, 100, 30]))
    least, percent = draw(st.integers(1, 400)), draw(st.sampled_from([100, 100, 50, 33, 1]))
    return terms(draw(st.sampled_from(VALUES)), least, step, percent, draw(st.sampled_from(["EUR", "EUR", "JPY", "KWD"])))


@st.composite
def receipts(draw: st.DrawFn) -> tuple[Terms, list[Line]]:
    contract = draw(contracts())
    amount = st.integers(0, 5_000).map(lambda coins: Decimal(coins).scaleb(-contract.minor_units))
    found = draw(st.lists(st.tuples(amount, st.sampled_from([False, False, False, True])), min_size=1, max_size=12))
    return contract, [Line(str(i), one, excluded=excluded) for i, (one, excluded) in enumerate(found)]


@st.composite
def payments(draw: st.DrawFn) -> tuple[Terms, list[Line], int]:
    """A number of points that these lines take."""
    contract, bought = draw(receipts())
    within = limits(bought, contract=contract, available=10**12)
    assume(within.max)
    steps = draw(st.integers(within.min // within.step, within.max // within.step))
    return contract, bought, steps * within.step


@pytest.mark.parametrize(
    ("contract", "bought", "available", "expected"),
    [
        (terms(), lines("12.00", "8.00"), 5000, (1, 2000)),
        (terms(), lines("12.00", "8.00"), 1999, (1, 1999)),
        (terms(), lines("12.00", "8.00", excluded=[1]), 5000, (1, 1200)),
        (terms(percent=50), lines("12.01"), 5000, (1, 600)),
        (terms(least=150, step=100), lines("9.99"), 5000, (200, 900)),
        (terms(least=150, step=100), lines("9.99"), 199, (200, 0)),
        (terms(least=150, step=100), lines("1.99"), 5000, (200, 0)),
        (terms(percent=0, least=7), lines("9.99"), 5000, (7, 0)),
        (terms("0"), lines("9.99"), 5000, (1, 0)),
        (terms(), lines("9.99"), -20, (1, 0)),
        (terms(), [], 20, (1, 0)),
        # 333 points are worth 0.99; 334 are worth 1.00 and so would be 336. Less than 4 are worth no coin.
        (terms("0.003"), lines("1.00"), 5000, (4, 334)),
        # A point is worth more than what is left.
        (terms("0.07"), lines("1.00"), 5000, (1, 14)),
        (terms("120", currency="JPY"), lines("300"), 5000, (1, 2)),
        (terms("120", currency="JPY"), lines("119"), 5000, (1, 0)),
    ],
)
def test_vectors_of_limits(contract: Terms, bought: list[Line], available: int, expected: tuple[int, int]) -> None:
    found = limits(bought, contract=contract, available=available)
    assert (found.min, found.max) == expected
    assert (found.step, found.value_per_point) == (contract.tender_step, contract.point_value)


@given(receipts(), st.integers(-10, 10_000))
def test_the_most_is_covered_and_one_step_more_is_not(receipt: tuple[Terms, list[Line]], available: int) -> None:
    contract, bought = receipt
    found = limits(bought, contract=contract, available=available)
    coin = Decimal(1).scaleb(-contract.minor_units)
    payable = sum((line.net_amount for line in bought if not line.excluded), Decimal(0)) * contract.tender_max_percent / 100

    def wanted(points: int) -> bool:
        """Whether they are worth no more than may be paid, and each of them is needed for it."""
        return contract.worth(points) <= payable and contract.worth(points - 1) < payable // coin * coin

    assert found.min % found.step == found.max % found.step == 0
    assert contract.worth(found.min) > 0
    if found.max:
        assert found.min <= found.max <= available
        assert wanted(found.max)
    more = found.max + found.step if found.max else found.min
    assert more > available or not wanted(more)


@pytest.mark.parametrize(
    ("points", "within", "said"),
    [
        (1, Limits(1, 0, 1, Decimal("0.01")), "No points can be used for this purchase now."),
        (1201, Limits(1, 1200, 1, Decimal("0.01")), "At most 1,200 points can be used for this purchase."),
        (2, Limits(1, 1, 1, Decimal(1)), "At most 1 point can be used for this purchase."),
        (100, Limits(200, 900, 100, Decimal("0.01")), "Points are used from 200 points on."),
        (0, Limits(1, 900, 1, Decimal("0.01")), "Points are used from 1 point on."),
        (-100, Limits(100, 900, 100, Decimal("0.01")), "Points are used from 100 points on."),
        (250, Limits(200, 900, 100, Decimal("0.01")), "Points are used in steps of 100, such as 200."),
        (200, Limits(200, 900, 100, Decimal("0.01")), None),
        (900, Limits(200, 900, 100, Decimal("0.01")), None),
    ],
)
def test_why_not_is_said_with_the_numbers(points: int, within: Limits, said: str | None) -> None:
    assert check(points, within) == said


@pytest.mark.parametrize(
    ("contract", "bought", "points", "expected"),
    [
        (terms(), lines("3.33", "3.33", "3.33"), 500, ["167 1.67", "167 1.67", "166 1.66"]),
        (terms(), lines("6.00", "9.00", "4.00", excluded=[1]), 1000, ["600 6.00", "0 0.00", "400 4.00"]),
        # Half a cent a point: 101 points are worth 0.50.
        (terms("0.005"), lines("1.00", "1.00"), 101, ["51 0.25", "50 0.25"]),
        # The third line costs less than a point: it bears none while others can.
        (terms("1"), lines("10.50", "3.20", "0.80"), 13, ["10 10.00", "3 3.00", "0 0.00"]),
        (terms("1"), lines("10.50", "3.20", "0.80"), 14, ["10 10.14", "3 3.06", "1 0.80"]),
        (terms("1"), lines("0.30", "0.30", "0.40"), 1, ["0 0.30", "0 0.30", "1 0.40"]),
    ],
)
def test_vectors_of_a_payment(contract: Terms, bought: list[Line], points: int, expected: list[str]) -> None:
    assert [f"{one.points} {one.amount}" for one in spread(points, bought, contract)] == expected


@given(payments())
def test_a_payment_adds_up_and_no_line_is_overpaid(payment: tuple[Terms, list[Line], int]) -> None:
    contract, bought, points = payment
    found = spread(points, bought, contract)
    coin, value = Decimal(1).scaleb(-contract.minor_units), contract.point_value
    assert sum(one.points for one in found) == points
    assert sum((one.amount for one in found), Decimal(0)) == contract.worth(points)
    for line, one in zip(bought, found, strict=True):
        assert 0 <= one.amount <= (0 if line.excluded else line.net_amount)
        assert 0 <= one.points <= (0 if line.excluded else -(-line.net_amount // value) + 1)
        assert one.amount % coin == 0
    if points <= sum(line.net_amount // value for line in bought if not line.excluded):
        assert all(one.points * value - one.amount < 2 * coin for one in found)
        if value % coin == 0:
            assert all(one.points * value == one.amount for one in found)


def test_vectors_of_a_refund() -> None:
    """10.00 of which 3.00 by 300 points, in three pieces of 3.33 and one of 0.01."""
    kept = [Decimal(one) for one in ("10.00", "6.67", "3.34", "0.01", "0")]
    found = [refund(Decimal("10.00"), 300, Decimal("3.00"), one, contract=PARIS) for one in kept]
    told = [(one.points, str(one.money)) for one in found]
    assert told == [(0, "0.00"), (99, "2.33"), (199, "4.66"), (299, "6.99"), (300, "7.00")]
    assert refund(Decimal(0), 0, Decimal(0), Decimal(0), contract=PARIS) == Refund(0, Decimal(0))
    with pytest.raises(AssertionError):
        refund(Decimal(1), 0, Decimal(0), Decimal(2), contract=PARIS)


@st.composite
def returns(draw: st.DrawFn) -> tuple[Terms, list[Line], list[LineTender], list[list[Decimal]]]:
    """A paid receipt, and for each line what is kept of it after each return, the last time nothing."""
    contract, bought, points = draw(payments())
    found = spread(points, bought, contract)
    kept = []
    for line in bought:
        coins = int(line.net_amount.scaleb(contract.minor_units))
        cuts = draw(st.lists(st.integers(0, coins), max_size=8))
        kept.append([Decimal(one).scaleb(-contract.minor_units) for one in sorted({*cuts, 0, coins}, reverse=True)])
    return contract, bought, found, kept


@given(returns())
def test_returns_in_pieces_give_back_exactly_what_was_paid(
    case: tuple[Terms, list[Line], list[LineTender], list[list[Decimal]]],
) -> None:
    contract, bought, found, kept = case
    for line, one, steps in zip(bought, found, kept, strict=True):
        states = [refund(line.net_amount, one.points, one.amount, rest, contract=contract) for rest in steps]
        given_back = [(new.points - old.points, new.money - old.money) for old, new in pairwise(states)]
        assert all(points >= 0 and money >= 0 for points, money in given_back)
        if line.net_amount:
            assert states[0] == Refund(0, Decimal(0))
            assert sum(points for points, _ in given_back) == one.points
            assert sum((money for _, money in given_back), Decimal(0)) == line.net_amount - one.amount
        for rest, state in zip(steps, states, strict=True):
            # However it came to this, no more than the share of what is back.
            back = line.net_amount - rest
            assert state.points * line.net_amount <= one.points * back
            assert state.money * line.net_amount <= (line.net_amount - one.amount) * back


@given(payments(), st.data())
def test_nobody_gains_by_returning_the_right_lines(payment: tuple[Terms, list[Line], int], data: st.DataObject) -> None:
    """Of all lines that bear a payment together: what is back is never worth more than the goods that are."""
    contract, bought, points = payment
    bearing = [line.net_amount for line in bought if not line.excluded]
    whole, paid = sum(bearing, Decimal(0)), contract.worth(points)
    kept = sum((one for one in bearing if data.draw(st.booleans())), Decimal(0))
    back = refund(whole, points, paid, kept, contract=contract)
    lost_in_rounding = points * contract.point_value - paid
    assert back.points * contract.point_value + back.money <= whole - kept + lost_in_rounding
    assert refund(whole, points, paid, Decimal(0), contract=contract) == Refund(points, whole - paid)


def test_the_worked_example_of_the_documentation() -> None:
    contract, bought = terms(step=100, percent=50), lines("12.00", "8.00", "20.00", excluded=[2])
    assert limits(bought, contract=contract, available=5000) == Limits(100, 1000, 100, Decimal("0.01"))
    found = spread(1000, bought, contract)
    assert [(one.points, str(one.amount)) for one in found] == [(600, "6.00"), (400, "4.00"), (0, "0.00")]
    paid = [replace(line, tender=one.amount) for line, one in zip(bought, found, strict=True)]
    assert sum(line.net_amount - line.tender for line in paid) == Decimal("30.00")
    assert sum(line.basis for line in paid) == Decimal("10.00")
    halves = [refund(Decimal("8.00"), 400, Decimal("4.00"), Decimal(one), contract=contract) for one in ("4.00", "0")]
    assert halves == [Refund(200, Decimal("2.00")), Refund(400, Decimal("4.00"))]
