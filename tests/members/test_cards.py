from itertools import combinations

from hypothesis import given
from hypothesis import strategies as st

from members import cards

SYMBOL = st.sampled_from(cards.ALPHABET)
PLACE = st.integers(0, cards.LENGTH - 1)


def test_a_number_is_read_as_people_type_it() -> None:
    number = cards.new_number()
    assert len(number) == cards.LENGTH
    assert cards.parse(f" {cards.grouped(number).lower()}-") == number
    assert cards.parse(number.replace("0", "O").replace("1", "l")) == number
    assert [cards.parse(text) for text in ("", "U" * 10, number[:-1], number + "0")] == [None] * 4


@given(PLACE, PLACE, SYMBOL, SYMBOL)
def test_one_or_two_wrong_symbols_are_found(i: int, j: int, a: str, b: str) -> None:
    number = cards.new_number()
    wrong = list(number)
    wrong[i], wrong[j] = a, b
    assert cards.parse("".join(wrong)) == (number if "".join(wrong) == number else None)


def test_every_swap_is_found() -> None:
    number = cards.new_number()
    for i, j in combinations(range(cards.LENGTH), 2):
        swapped = list(number)
        swapped[i], swapped[j] = swapped[j], swapped[i]
        assert "".join(swapped) == number or cards.parse("".join(swapped)) is None
