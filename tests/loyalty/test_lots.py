from hypothesis import given
from hypothesis import strategies as st

from loyalty.lots import OpenLot, give_back, take

LOTS = st.lists(st.integers(1, 50), max_size=12)


@given(LOTS, st.integers(1, 300))
def test_takes_exactly_and_in_order(points: list[int], wanted: int) -> None:
    lots = [OpenLot(seq, left) for seq, left in enumerate(points)]
    uses = take(lots, wanted)
    if sum(points) < wanted:
        assert uses is None
        assert [lot.remaining for lot in lots] == points
        return
    assert uses is not None
    assert sum(part for _, part in uses) == wanted
    assert [seq for seq, _ in uses] == list(range(len(uses)))
    assert all(part == points[seq] for seq, part in uses[:-1]), "only the last lot used may keep points"
    assert sum(lot.remaining for lot in lots) == sum(points) - wanted


@given(LOTS, st.integers(0, 300))
def test_gives_back_all_but_what_pays_a_deficit(points: list[int], deficit: int) -> None:
    withheld = min(deficit, sum(points))
    given_back = give_back(list(enumerate(points)), withheld)
    assert -sum(part for _, part in given_back) == sum(points) - withheld
    assert all(0 < -part <= points[seq] for seq, part in given_back)
