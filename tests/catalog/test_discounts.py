"""What vouchers take off a receipt adds up, and never more than there is."""

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from catalog.discounts import Benefit, Item, Kind, meant, spread, worth

CENT = Decimal("0.01")


def item(net: str, quantity: str = "1", category: str = "", *, excluded: bool = False) -> Item:
    return Item(Decimal(net), Decimal(quantity), category, excluded)


def benefit(kind: str, value: str = "0", *categories: str, code: str = "") -> Benefit:
    return Benefit(Kind(kind), Decimal(value), frozenset(categories), code)


def off(benefits: list[Benefit], items: list[Item]) -> list[list[str]]:
    return [[f"{part:f}" for part in mine] for mine in spread(benefits, items, CENT)]


def test_an_amount_falls_to_the_lines_by_what_they_cost() -> None:
    assert off([benefit("amount", "5.00")], [item("10.00"), item("20.00"), item("0.01")]) == [["1.67", "3.33", "0.00"]]
    assert off([benefit("amount", "5.00")], [item("3.00")]) == [["3.00"]]
    assert off([benefit("amount", "1.00", "tea")], [item("9.00"), item("9.00", category="tea")]) == [["0.00", "1.00"]]
    assert off([benefit("amount", "1.00")], [item("9.00", excluded=True), item("0.50")]) == [["0.00", "0.50"]]


def test_a_percentage_is_rounded_once() -> None:
    assert off([benefit("percent", "10")], [item("3.33"), item("3.33"), item("3.33")]) == [["0.34", "0.33", "0.33"]]
    assert off([benefit("percent", "100")], [item("3.33"), item("0.00")]) == [["3.33", "0.00"]]


def test_a_free_item_is_one_of_the_dearest_and_the_next_one_another() -> None:
    goods = [item("10.50", "3", "coffee"), item("4.00", "1", "cake"), item("8.00", "2", "coffee")]
    assert off([benefit("item", "0", "coffee")], goods) == [["0.00", "0.00", "4.00"]]
    assert off([benefit("item")] * 3, goods) == [["0.00", "4.00", "0.00"], ["0.00", "0.00", "4.00"], ["0.00", "0.00", "4.00"]]
    assert off([benefit("item", "2.50")], goods) == [["0.00", "2.50", "0.00"]]
    assert off([benefit("item")], [item("5.00", "0.4")]) == [["5.00"]]
    assert off([benefit("item", "0", "tea")], goods) == [["0.00", "0.00", "0.00"]]


def test_the_order_in_which_vouchers_are_named_says_nothing() -> None:
    goods = [item("10.00", "2"), item("30.00")]
    some = [benefit("amount", "5", code="a"), benefit("percent", "10", code="b"), benefit("item", code="c")]
    assert off(some, goods) == [["5.00", "0.00"], ["1.00", "0.00"], ["0.00", "30.00"]]
    assert off(some[::-1], goods) == off(some, goods)[::-1]


def test_the_minimum_is_held_against_the_goods_it_is_for() -> None:
    goods = [item("10.00", category="tea"), item("5.00"), item("7.00", excluded=True)]
    assert worth(benefit("amount", "1"), goods) == 15
    assert worth(benefit("amount", "1", "tea"), goods) == 10


CATEGORIES = st.sampled_from(["", "tea", "cake"])
ITEMS = st.lists(
    st.builds(
        Item,
        st.decimals(0, 500, places=2),
        st.decimals(0, 20, places=3),
        CATEGORIES,
        st.booleans(),
    ),
    max_size=12,
)
BENEFITS = st.lists(
    st.one_of(
        st.builds(Benefit, st.just(Kind.AMOUNT), st.decimals(0, 600, places=2), st.frozensets(CATEGORIES)),
        st.builds(Benefit, st.just(Kind.PERCENT), st.decimals(0, 100, places=1), st.frozensets(CATEGORIES)),
        st.builds(Benefit, st.just(Kind.ITEM), st.decimals(0, 50, places=2), st.frozensets(CATEGORIES)),
    ),
    max_size=5,
)


@given(BENEFITS, ITEMS)
def test_no_line_goes_below_nothing_and_what_is_promised_is_given(benefits: list[Benefit], items: list[Item]) -> None:
    parts = spread(benefits, items, CENT)
    for place, line in enumerate(items):
        taken = sum((mine[place] for mine in parts), Decimal(0))
        assert 0 <= taken <= (0 if line.excluded else line.net_amount)
    for one, mine in zip(benefits, parts, strict=True):
        assert all(part >= 0 and part % CENT == 0 for part in mine)
        assert all(not part or for_it for part, for_it in zip(mine, meant(one, items), strict=True))
        assert one.kind is not Kind.AMOUNT or sum(mine, Decimal(0)) <= one.value
        if one.kind is Kind.ITEM:
            assert len([part for part in mine if part]) <= 1
            assert not one.value or sum(mine, Decimal(0)) <= one.value


@given(st.decimals(0, 100, places=2), ITEMS)
def test_one_amount_is_given_whole_where_the_goods_cost_as_much(value: Decimal, items: list[Item]) -> None:
    one = Benefit(Kind.AMOUNT, value)
    [mine] = spread([one], items, CENT)
    total = sum(mine, Decimal(0))
    assert total == min(value, worth(one, items))
    for part, each in zip(mine, items, strict=True):
        assert each.excluded or not total or abs(part - total * each.net_amount / worth(one, items)) < CENT
