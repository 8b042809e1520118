"""What of a receipt is kept and what that takes back: SEMANTICS 3, as arithmetic."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from itertools import pairwise
from random import Random
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from campaigns import keeping
from campaigns.engine import judge
from campaigns.keeping import Held, Measure, Piece, Sold, TooMuch, UnknownLine, Wanted
from campaigns.matching import paid_quantity
from campaigns.values import Judgement, Kind, Line, Occasion, Per, Rule, Standing
from loyalty.terms import Terms

PARIS = ZoneInfo("Europe/Paris")
AT = datetime(2026, 3, 4, 9, 30, tzinfo=UTC)
TERMS = Terms(
    id=1, version=1, currency="EUR", zone=PARIS, point_value=Decimal("0.01"), expiry="never", expiry_months=0, expiry_round_up="",
    expiry_month=0, expiry_day=0, pending_days=0, starts_at=AT,
)  # fmt: skip
BASE = Rule(UUID(int=1), "base", Kind.BASE, Decimal(1))


def line(id_: str, net: str, quantity: str = "1", category: str = "", tender: str = "0", points: int = 0) -> Sold:
    return Sold(Line(id_, Decimal(net), Decimal(quantity), category=category, tender=Decimal(tender)), points)


def bonus(value: str, code: str, **more: object) -> Rule:
    return Rule(UUID(int=2), code, Kind.BONUS, Decimal(value), **({"per": Per.PURCHASE} | more))  # type: ignore[arg-type]


def earned(lines: Sequence[Line], rules: Sequence[Rule]) -> Judgement:
    return judge(Occasion(UUID(int=9), AT, PARIS, tuple(lines), standing=Standing(tier="gold")), rules)


def left(sold: Sequence[Sold], gone: Sequence[Piece]) -> list[tuple[str, str, str]]:
    kept = keeping.kept(sold, gone, TERMS)
    return [(one.line_id, f"{one.quantity.normalize():f}", f"{one.net_amount.normalize():f}") for one in kept]


def returned(sold: Sequence[Sold], *wanted: Wanted | str) -> list[Piece]:
    """Each by itself, one after the other; a text is an amount."""
    gone: list[Piece] = []
    for one in wanted:
        if isinstance(one, str):
            gone += keeping.pieces_of_amount(sold, gone, Decimal(one), TERMS)
        else:
            gone += keeping.pieces(sold, gone, [one], TERMS)
    return gone


def test_bonuses_fall_away_with_what_they_were_for() -> None:
    """A 10.00 (+10), B 10.00 (+20), C 20.00, 1 per 1.00 → 70; without A and B → 50 taken back (SEMANTICS 3)."""
    sold = [line("A", "10.00", category="a"), line("B", "10.00", category="b"), line("C", "20.00")]
    rules = [BASE, bonus("10", "a", categories=frozenset({"a"})), bonus("20", "b", categories=frozenset({"b"}))]
    awarded = earned([one.line for one in sold], rules)
    after = earned(keeping.kept(sold, returned(sold, Wanted("A"), Wanted("B")), TERMS), rules)
    awards = [Held(one.rule.code, one.points) for one in awarded.granted]
    assert (awarded.points, after.points) == (70, 20)
    assert keeping.takings(awards, {one.rule.code: one.points for one in after.granted}) == [20, 10, 20]


def test_the_other_measure_follows_in_proportion() -> None:
    sold = [line("1", "10.00", "3")]
    pieces = returned(sold, *[Wanted("1", Decimal(1))] * 3)
    assert [one.net_amount for one in pieces] == [Decimal("3.33"), Decimal("3.33"), Decimal("3.34")]
    assert [left(sold, pieces[:count]) for count in range(4)] == [
        [("1", "3", "10")], [("1", "2", "6.67")], [("1", "1", "3.34")], [],
    ]  # fmt: skip


def test_money_back_without_goods_leaves_them_cheaper_and_leaks_nothing() -> None:
    sold = [line("1", "40.00", "2")]
    assert left(sold, returned(sold, Wanted("1", None, Decimal(10)))) == [("1", "1.5", "30")]
    assert left(sold, returned(sold, Wanted("1", None, Decimal("0.01")))) == [("1", "1.999", "39.99")]
    both = Wanted("1", None, Decimal(10)), Wanted("1", Decimal(1))
    assert left(sold, returned(sold, *both)) == left(sold, returned(sold, *both[::-1])) == [("1", "0.5", "10")]
    assert left(sold, returned(sold, Wanted("1", None, Decimal(40)))) == []


def test_goods_that_are_all_back_are_not_kept_whatever_was_paid_out() -> None:
    sold = [line("1", "40.00", "2"), line("2", "0.00", "1"), line("3", "5.00", "0")]
    assert left(sold, returned(sold, Wanted("1", Decimal(2), Decimal(35)))) == [("2", "1", "0"), ("3", "0", "5")]
    gone = returned(sold, "45.00")
    kept = keeping.kept(sold, gone, TERMS)
    assert [one.line_id for one in kept] == ["2"]
    assert keeping.nothing_is_kept(sold, kept)
    assert not keeping.nothing_is_kept([line("1", "0")], keeping.kept([line("1", "0")], [], TERMS))
    assert keeping.nothing_is_kept(
        [line("1", "0")], keeping.kept([line("1", "0")], returned([line("1", "0")], Wanted("1")), TERMS)
    )


def test_an_amount_is_spread_over_what_is_left() -> None:
    sold = [line("1", "10.00"), line("2", "20.00")]
    gone = returned(sold, Wanted("1", None, Decimal(5)), "10.00")
    assert [(one.line_id, one.net_amount) for one in gone[1:]] == [("1", Decimal(2)), ("2", Decimal(8))]


def test_more_than_is_left_is_told_with_what_is() -> None:
    sold = [line("1", "10.00", "3")]
    gone = returned(sold, Wanted("1", Decimal(1)))
    for wanted in (Wanted("1", Decimal("2.001")), Wanted("1", None, Decimal("6.68")), Wanted("1", Decimal(1), Decimal(7))):
        with pytest.raises(TooMuch) as caught:
            keeping.pieces(sold, gone, [wanted], TERMS)
        assert (caught.value.line_id, caught.value.quantity, caught.value.net_amount) == ("1", Decimal(2), Decimal("6.67"))
    with pytest.raises(TooMuch) as caught:
        keeping.pieces_of_amount(sold, gone, Decimal("6.68"), TERMS)
    assert (caught.value.line_id, caught.value.net_amount) == (None, Decimal("6.67"))
    with pytest.raises(TooMuch):
        keeping.pieces(sold, returned(sold, "10.00", Wanted("1", Decimal(3))), [Wanted("1")], TERMS)
    with pytest.raises(UnknownLine):
        keeping.pieces(sold, gone, [Wanted("2")], TERMS)


def test_what_was_paid_in_points_is_no_basis_of_what_is_kept() -> None:
    sold = [line("1", "10.00", "2", tender="4.00", points=400)]
    gone = returned(sold, Wanted("1", Decimal(1)))
    [kept] = keeping.kept(sold, gone, TERMS)
    assert (kept.net_amount, kept.tender, kept.basis) == (Decimal(5), Decimal(2), Decimal(3))
    back = keeping.refunded(sold, gone, TERMS)
    assert (back.points, back.money) == (200, Decimal(3))


def test_lines_that_bear_a_point_worth_more_than_they_are_give_back_no_more_than_they_cost() -> None:
    """Ten lines of 0.30 paid with three points of 1.00: three lines bear one each."""
    dear = replace(TERMS, point_value=Decimal(1))
    sold = [line(str(place), "0.30", tender="0.30", points=int(place < 3)) for place in range(10)]
    back = keeping.refunded(sold, returned(sold, *(Wanted(str(place)) for place in range(3))), dear)
    assert back.points * dear.point_value + back.money <= Decimal("0.90")
    all_back = keeping.refunded(sold, returned(sold, *(Wanted(str(place)) for place in range(10))), dear)
    assert (all_back.points, all_back.money) == (3, Decimal(0))


def test_what_expired_counts_as_taken_and_who_has_too_much_pays_first() -> None:
    awards = [Held("base", 20, clawed=5, expired=3), Held("bonus", 10)]
    assert keeping.takings(awards, {"base": 10}) == [5, 7]
    assert keeping.takings(awards, {"base": 0}) == [15, 7]
    assert keeping.takings(awards, {"base": 30}) == [0, 0]
    assert keeping.takings(awards, {"bonus": 22}) == [0, 0]


NET = st.integers(0, 5000).map(lambda coins: Decimal(coins) / 100)
QUANTITY = st.sampled_from(["1", "2", "3", "7", "0.250", "1.5"]).map(Decimal)
SOLD = st.lists(st.tuples(NET, QUANTITY), min_size=1, max_size=4).map(
    lambda rows: [Sold(Line(str(place), net, quantity)) for place, (net, quantity) in enumerate(rows)]
)
SHARE = st.none() | st.integers(1, 100)


def wishes(sold: Sequence[Sold], shares: Sequence[tuple[int, int | None, int | None]]) -> list[Wanted]:
    """Hundredths of a line's quantity and amount."""
    asked = []
    for place, goods, money in shares:
        line = sold[place % len(sold)].line
        quantity = None if goods is None else (line.quantity * goods / 100).quantize(Decimal("0.001"))
        net = None if money is None else (line.net_amount * money / 100).quantize(Decimal("0.01"))
        if (quantity is None or quantity) and (quantity or net):
            asked.append(Wanted(line.line_id, quantity, net))
    return asked


@settings(deadline=None)
@given(SOLD, st.lists(st.tuples(st.integers(0, 3), SHARE, SHARE), max_size=8), st.randoms(use_true_random=False))
def test_what_is_kept_does_not_depend_on_the_order(
    sold: list[Sold], shares: list[tuple[int, int | None, int | None]], dice: Random
) -> None:
    taken: list[Wanted] = []
    gone: list[Piece] = []
    for one in wishes(sold, shares):
        try:
            gone += keeping.pieces(sold, gone, [one], TERMS)
            taken.append(one)
        except TooMuch:
            continue
    dice.shuffle(taken)
    try:
        other = returned(sold, *taken)
    except TooMuch:  # what was capped by the rest of the money can be asked for in one order only
        return
    assert keeping.kept(sold, other, TERMS) == keeping.kept(sold, gone, TERMS)


@settings(deadline=None)
@given(SOLD, st.lists(st.integers(1, 2000), max_size=30))
def test_pieces_of_an_amount_are_what_was_asked_and_never_more_than_there_is(sold: list[Sold], amounts: list[int]) -> None:
    gone: list[Piece] = []
    for coins in amounts:
        rest = sum(one.line.net_amount for one in sold) - sum(one.net_amount for one in gone)
        if Decimal(coins) / 100 <= rest:
            found = keeping.pieces_of_amount(sold, gone, Decimal(coins) / 100, TERMS)
            assert sum(one.net_amount for one in found) == Decimal(coins) / 100
            gone += found
    kept = keeping.kept(sold, gone, TERMS)
    bought = {one.line.line_id: one.line for one in sold}
    assert all(0 <= one.net_amount <= bought[one.line_id].net_amount for one in kept)
    assert all(0 <= one.quantity <= bought[one.line_id].quantity for one in kept)
    back = keeping.refunded(sold, gone, TERMS)
    assert back.money == sum(one.net_amount for one in gone)


@settings(deadline=None)
@given(
    st.lists(st.tuples(st.integers(1, 50), st.integers(0, 50)), min_size=1, max_size=4),
    st.lists(st.lists(st.integers(0, 60), min_size=4, max_size=4), max_size=6),
)
def test_never_more_is_taken_than_was_awarded_and_no_more_is_kept_than_is_carried(
    awards: list[tuple[int, int]], targets: list[list[int]]
) -> None:
    points, expired = [one for one, _ in awards], [min(pair) for pair in awards]
    clawed, least = [0] * len(awards), sum(points)
    for wanted in targets:
        target = {str(place): wanted[place] for place in range(len(awards))}
        held = [Held(str(place), points[place], clawed[place], expired[place]) for place in range(len(awards))]
        taken = keeping.takings(held, target)
        clawed = [before + more for before, more in zip(clawed, taken, strict=True)]
        assert all(0 <= part <= whole for part, whole in zip(clawed, points, strict=True))
        least = min(least, sum(target.values()))
        assert sum(clawed) == max(0, sum(points) - sum(expired) - least)


@settings(deadline=None)
@given(SOLD, st.lists(st.tuples(st.integers(0, 3), SHARE, SHARE), max_size=6))
def test_in_small_steps_a_receipt_gives_less_and_less(sold: list[Sold], shares: list[tuple[int, int | None, int | None]]) -> None:
    gone: list[Piece] = []
    states = [keeping.kept(sold, gone, TERMS)]
    for one in wishes(sold, shares):
        try:
            gone += keeping.pieces(sold, gone, [one], TERMS)
        except TooMuch:
            continue
        states.append(keeping.kept(sold, gone, TERMS))
    rules = [BASE, bonus("3", "unit", per=Per.UNIT), bonus("5", "least", at_least_quantity=Decimal(2))]
    points = [earned(lines, rules).points for lines in states]
    assert all(after <= before for before, after in pairwise(points))
    assert all(Measure(piece.asked) for piece in gone)


def test_what_is_left_of_a_line_without_goods_is_an_amount() -> None:
    """Else two orders would differ: the goods came back out of goodwill, some money before, the rest of it later."""
    sold = [line("1", "2.38")]
    goodwill = Piece("1", Decimal(1), Decimal("0.06"), Measure.BOTH)
    some, rest = returned(sold, Wanted("1", None, Decimal("1.18"))), Wanted("1")
    [last] = keeping.pieces(sold, [goodwill, *some], [rest], TERMS)
    assert (last.asked, last.quantity, last.net_amount) == (Measure.AMOUNT, Decimal(0), Decimal("1.14"))
    assert left(sold, [*some, last]) == left(sold, returned(sold, Wanted("1", None, Decimal("2.32")))) == [("1", "0.025", "0.06")]


def test_what_coins_round_off_makes_no_goods_paid() -> None:
    sold = [line("1", "0.17", "7", tender="0.13", points=13)]
    [kept] = keeping.kept(sold, returned(sold, Wanted("1", Decimal("0.1"), Decimal("0.08"))), TERMS)
    assert (kept.net_amount, kept.basis) == (Decimal("0.09"), Decimal("0.03"))
    assert round(paid_quantity(kept), 9) == round(Decimal("6.9") * 4 / 17, 9) < paid_quantity(sold[0].line)
