"""An act of several lines that is sent again answers as before, whichever of its wallets is the older one."""

from uuid import UUID, uuid4

import pytest

from loyalty import posting, queries
from loyalty.acts import Burn, ClawBack, ClawBackPolicy, Merge, Posted, Refusal, Refused, Transfer, UnMerge
from loyalty.models import Posting
from tests.factories import NOW, accrual, give, holder

pytestmark = pytest.mark.django_db


@pytest.fixture(params=["to the newer", "to the older"])
def pair(request: pytest.FixtureRequest) -> tuple[UUID, UUID]:
    """Who gives, with three lots, and who gets."""
    older, newer = holder(), holder()
    source, target = (older, newer) if request.param == "to the newer" else (newer, older)
    give(source, 10, 20, 30)
    give(target, 5)
    return source, target


def test_a_transfer_is_sent_again(pair: tuple[UUID, UUID]) -> None:
    source, target = pair
    act = Transfer(key="t", holder=source, to=target, points=45, occurred_at=NOW)
    [first], [again] = (posting.transfer([act], now=NOW, actor=uuid4()) for _ in range(2))
    assert isinstance(first, Posted)
    assert again == Posted(first.entry, first.balance, replayed=True)
    lines = list(Posting.objects.filter(entry_id=first.entry).order_by("id").values_list("points", flat=True))
    assert (lines[0], sum(lines)) == (-45, 0), "the line that bears the key is the first"


def test_a_merge_is_sent_again_and_undone(pair: tuple[UUID, UUID]) -> None:
    source, target = pair
    act = Merge(key="m", holder=source, to=target, occurred_at=NOW)
    [first], [again] = (posting.merge([act], now=NOW, actor=uuid4()) for _ in range(2))
    assert isinstance(first, Posted)
    assert again == Posted(first.entry, first.balance, replayed=True)
    undo = UnMerge(key="n", holder=source, to=target, entry=first.entry, occurred_at=NOW)
    [undone], [again] = (posting.unmerge([undo], now=NOW, actor=uuid4()) for _ in range(2))
    assert isinstance(undone, Posted)
    assert again == Posted(undone.entry, undone.balance, replayed=True)
    assert [queries.net_balances(pair)[one] for one in pair] == [60, 5]


def test_a_batch_of_transfers_is_sent_again() -> None:
    people = [holder() for _ in range(12)]
    for one in people:
        give(one, 50, 50)
    acts = [
        Transfer(key=f"t{n}", holder=one, to=other, points=60, occurred_at=NOW)
        for n, (one, other) in enumerate(zip(people, people[5:] + people[:5], strict=True))
    ]
    first, again = (posting.transfer(acts, now=NOW, actor=None) for _ in range(2))
    posted = [one for one in first if isinstance(one, Posted)]
    assert len(posted) == len(acts)
    assert again == [Posted(one.entry, one.balance, replayed=True) for one in posted]


def test_a_claw_back_that_was_forgiven_is_sent_again() -> None:
    one = holder()
    [entry] = give(one, 30)
    posting.burn([Burn(key="b", holder=one, points=20, occurred_at=NOW)], now=NOW)
    act = ClawBack(key="c", holder=one, entry=entry, points=30, own=(entry,), policy=ClawBackPolicy.FORGIVE, occurred_at=NOW)
    [first], [again] = (posting.claw_back([act], now=NOW) for _ in range(2))
    assert isinstance(first, Posted)
    assert (first.balance, again) == (0, Posted(first.entry, 0, replayed=True))


def test_a_key_is_not_passed_off_as_an_act_of_or_for_somebody_else(pair: tuple[UUID, UUID]) -> None:
    source, target = pair
    posting.transfer([Transfer(key="t", holder=source, to=target, points=10, occurred_at=NOW)], now=NOW, actor=None)
    back = Transfer(key="t", holder=target, to=source, points=10, occurred_at=NOW)
    elsewhere = Transfer(key="t", holder=source, to=holder(), points=10, occurred_at=NOW)
    for other in (back, elsewhere):
        assert posting.transfer([other], now=NOW, actor=None) == [Refused(Refusal.KEY_REUSED)]
    assert posting.accrue([accrual(target, 10, key="t")], now=NOW) == [Refused(Refusal.KEY_REUSED)]
