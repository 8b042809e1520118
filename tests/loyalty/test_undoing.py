"""What was found by holding the ledger against a reference (tests/reliability): nothing is undone twice, by whatever way."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID, uuid4

import pytest

from loyalty import posting, queries, verifying
from loyalty.acts import (
    Accrual,
    Adjustment,
    Burn,
    ClawBack,
    ClawBackPolicy,
    Merge,
    Outcome,
    Posted,
    Refusal,
    Refused,
    Restore,
    Reversal,
    Transfer,
    UnMerge,
)
from loyalty.models import Lot, Wallet
from tests.factories import NOW, StoreFactory, accrual, give, holder

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)
NOT_REVERSIBLE = Refused(Refusal.NOT_REVERSIBLE)
KEY_REUSED = Refused(Refusal.KEY_REUSED)


@pytest.fixture(autouse=True)
def adds_up() -> object:
    yield
    assert [finding.bad_row for finding in verifying.verify() if finding.bad_row] == []


def entry_of(outcomes: Sequence[Outcome]) -> UUID:
    [outcome] = outcomes
    assert isinstance(outcome, Posted)
    return outcome.entry


def spent(who: UUID, points: int) -> UUID:
    return entry_of(posting.burn([Burn(key=f"b{uuid4()}", holder=who, points=points, occurred_at=NOW)], now=NOW))


def claw(who: UUID, points: int, entry: UUID, policy: ClawBackPolicy = ClawBackPolicy.DEFICIT) -> ClawBack:
    return ClawBack(key=f"c{uuid4()}", holder=who, entry=entry, points=points, own=(entry,), policy=policy, occurred_at=NOW)


def restoring(who: UUID, entry: UUID, points: int, at: datetime = NOW, grace: datetime | None = None) -> Restore:
    return Restore(key=f"r{uuid4()}", holder=who, entry=entry, points=points, occurred_at=at, grace_until=grace)


def reversing(who: UUID, entry: UUID) -> Reversal:
    return Reversal(key=f"u{uuid4()}", holder=who, entry=entry, occurred_at=NOW, reason="reversed")


def merging(source: UUID, to: UUID, key: str = "m") -> Merge:
    return Merge(key=key, holder=source, to=to, occurred_at=NOW)


def net(who: UUID) -> int:
    return queries.net_balances([who])[who]


def owing(points: int) -> UUID:
    """A holder with that deficit and no points."""
    one = holder()
    [entry] = give(one, points)
    spent(one, points)
    posting.claw_back([claw(one, points, entry)], now=NOW)
    return one


def test_two_restores_in_one_batch_give_back_no_more_than_the_burn_took() -> None:
    one = holder()
    give(one, 10)
    entry = spent(one, 10)
    first, second, third = posting.restore([restoring(one, entry, points) for points in (6, 6, 4)], now=NOW)
    assert (isinstance(first, Posted), second, isinstance(third, Posted)) == (True, NOT_REVERSIBLE, True)
    assert net(one) == 10


def test_points_that_paid_a_deficit_were_given_back_too() -> None:
    one = holder()
    [entry] = give(one, 10)
    burned = spent(one, 10)
    posting.claw_back([claw(one, 10, entry)], now=NOW)
    assert isinstance(posting.restore([restoring(one, burned, 10)], now=NOW)[0], Posted)
    assert posting.restore([restoring(one, burned, 1)], now=NOW) == [NOT_REVERSIBLE]
    assert posting.reverse([reversing(one, burned)], now=NOW, actor=None) == [NOT_REVERSIBLE]
    assert net(one) == 0


def test_a_reversal_that_paid_a_deficit_happens_once() -> None:
    one = holder()
    [entry] = give(one, 10)
    burned = spent(one, 10)
    posting.claw_back([claw(one, 10, entry)], now=NOW)
    entry_of(posting.reverse([reversing(one, burned)], now=NOW, actor=None))
    assert posting.reverse([reversing(one, burned)], now=NOW, actor=None) == [NOT_REVERSIBLE]
    assert net(one) == 0


def test_points_given_back_for_a_grace_are_not_given_back_again() -> None:
    one, later = holder(), NOW + 9 * DAY
    give(one, 10, days=5)
    entry = spent(one, 10)
    [posted] = posting.restore([restoring(one, entry, 10, later, later + DAY)], now=later)
    assert isinstance(posted, Posted)
    assert posting.restore([restoring(one, entry, 10, later, later + DAY)], now=later) == [NOT_REVERSIBLE]
    assert posting.reverse([reversing(one, posted.entry)], now=later, actor=None) == [NOT_REVERSIBLE]
    assert net(one) == 10


def test_points_given_back_for_a_grace_keep_their_age_and_store() -> None:
    one, later, stores = holder(), NOW + 9 * DAY, [StoreFactory.create(code=code).pk for code in ("A", "B")]
    give(one, 3, at=NOW - 90 * DAY, days=None)
    for day, store in enumerate([*stores, stores[0]]):
        give(one, 10, at=NOW - day * DAY, days=5, store=store)
    entry = spent(one, 33)
    entry_of(posting.restore([restoring(one, entry, 33, later, later + DAY)], now=later))
    lots = Lot.objects.filter(wallet__holder=one, open=True).order_by("seq").values_list("remaining", "store", "earned_at")
    assert list(lots) == [(3, None, NOW - 90 * DAY), (20, stores[0], NOW - 2 * DAY), (10, stores[1], NOW - DAY)]


def test_two_reversals_of_an_entry_in_one_batch_undo_it_once() -> None:
    one = holder()
    given, other = give(one, 10, 5)
    burned = spent(one, 12)
    acts = [reversing(one, entry) for entry in (given, burned, burned, given, given, other)]
    outcomes = posting.reverse(acts, now=NOW, actor=None)
    assert [isinstance(outcome, Posted) for outcome in outcomes] == [False, True, False, True, False, True]
    assert net(one) == 0


def test_only_an_award_is_clawed_back() -> None:
    one = holder()
    give(one, 20)
    burned = spent(one, 10)
    assert posting.claw_back([claw(one, 5, burned), claw(one, 5, uuid4())], now=NOW) == [NOT_REVERSIBLE] * 2
    assert posting.claw_back([claw(holder(), 5, give(one, 5)[0])], now=NOW) == [NOT_REVERSIBLE]
    assert net(one) == 15


def test_a_merge_is_undone_once_and_takes_no_lot_that_it_did_not_bring() -> None:
    one, other, third = holder(), owing(4), holder()
    give(one, 10, pending=5)
    posting.merge([merging(other, one)], now=NOW, actor=None)  # one owes 4 now and has 10 that are pending
    posting.transfer([], now=NOW, actor=None)
    give(third, *[1] * 9)
    merged = entry_of(posting.merge([merging(one, third, "n")], now=NOW, actor=None))
    undo = [UnMerge(key=key, holder=one, to=third, entry=merged, occurred_at=NOW) for key in "xy"]
    first, second = posting.unmerge(undo, now=NOW, actor=None)
    assert (isinstance(first, Posted), second) == (True, NOT_REVERSIBLE)
    assert (net(one), net(third)) == (10, 5)


def test_a_merge_into_an_older_wallet_is_undone_too_and_its_undoing_is_not() -> None:
    older, one = holder(), holder()
    give(one, 10)
    merged = entry_of(posting.merge([merging(one, older)], now=NOW, actor=None))
    undo = UnMerge(key="x", holder=one, to=older, entry=merged, occurred_at=NOW)
    undone = entry_of(posting.unmerge([undo], now=NOW, actor=None))
    again = UnMerge(key="y", holder=older, to=one, entry=undone, occurred_at=NOW)
    assert posting.unmerge([again], now=NOW, actor=None) == [NOT_REVERSIBLE]
    assert (net(one), net(older)) == (10, 0)


def test_a_replay_answers_as_the_first_time_whatever_the_entry_moved() -> None:
    one, other = owing(6), holder()
    [given] = give(one, 10)
    spent(one, 4)
    back = claw(one, 10, given, ClawBackPolicy.FORGIVE)
    [first] = posting.claw_back([back], now=NOW)
    assert isinstance(first, Posted)
    assert posting.claw_back([back], now=NOW) == [Posted(first.entry, 0, replayed=True)]
    give(one, 7)
    [merged] = posting.merge([merging(one, other)], now=NOW, actor=None)
    assert isinstance(merged, Posted)
    undo = UnMerge(key="n", holder=one, to=other, entry=merged.entry, occurred_at=NOW)
    [undone] = posting.unmerge([undo], now=NOW, actor=None)
    assert isinstance(undone, Posted)
    assert posting.merge([merging(one, other)], now=NOW, actor=None) == [Posted(merged.entry, 0, replayed=True)]
    assert posting.unmerge([undo], now=NOW, actor=None) == [Posted(undone.entry, 7, replayed=True)]


def test_a_key_is_not_taken_for_another_verb_entry_or_receiver_with_the_same_points() -> None:
    one, other, third = holder(), holder(), holder()
    given, again = give(one, 10, 10)
    posting.accrue([accrual(one, 10, key="a")], now=NOW)
    adjusted = Adjustment(key="a", holder=one, points=10, reason="goodwill", occurred_at=NOW)
    assert posting.adjust([adjusted], now=NOW, actor=None) == [KEY_REUSED]
    assert posting.merge([merging(one, other, "a")], now=NOW, actor=None) == [KEY_REUSED]
    moves = [Transfer(key="t", holder=one, to=to, points=1, occurred_at=NOW) for to in (other, third)]
    assert posting.transfer(moves, now=NOW, actor=None)[1] == KEY_REUSED
    assert posting.transfer(moves[1:], now=NOW, actor=None) == [KEY_REUSED]
    to_self = Transfer(key="t", holder=one, to=one, points=1, occurred_at=NOW)
    assert posting.transfer([to_self], now=NOW, actor=None) == [KEY_REUSED]
    of_nobody = Transfer(key="a", holder=uuid4(), to=one, points=10, occurred_at=NOW)
    assert posting.transfer([of_nobody], now=NOW, actor=None) == [KEY_REUSED]
    undo = [Reversal(key="r", holder=one, entry=entry, occurred_at=NOW) for entry in (again, given)]
    assert posting.reverse(undo, now=NOW, actor=None)[1] == KEY_REUSED
    assert posting.reverse(undo[1:], now=NOW, actor=None) == [KEY_REUSED]
    assert net(one) == 19


def test_points_move_on_in_the_same_batch() -> None:
    one, other, third = holder(), holder(), holder()
    give(one, 10)
    moves = [
        Transfer(key=f"t{n}", holder=a, to=b, points=5, occurred_at=NOW)
        for n, (a, b) in enumerate([(one, other), (other, third)])
    ]
    outcomes = posting.transfer(moves, now=NOW, actor=None)
    assert [outcome.balance for outcome in outcomes if isinstance(outcome, Posted)] == [5, 0]
    posting.merge([merging(one, other), merging(other, third, "n")], now=NOW, actor=None)
    assert [net(each) for each in (one, other, third)] == [0, 0, 10]
    assert Wallet.objects.get(holder=other).balance == 0


def test_what_idleness_has_ended_is_not_pending() -> None:
    one = holder()
    act: Accrual = accrual(one, 10, days=None, pending=60, idle_until=NOW + 30 * DAY)
    posting.accrue([act], now=NOW)
    assert queries.balances([one], NOW + 29 * DAY)[one].pending == 10
    assert queries.balances([one], NOW + 30 * DAY)[one] == queries.Balance(balance=10)


def test_a_batch_wakes_no_points_that_ended_between_its_acts() -> None:
    one, old = holder(), NOW - 100 * DAY
    days = (old, old + 29 * DAY, NOW, old + 29 * DAY)
    acts = [accrual(one, 10, at=at, days=None, idle_until=at + 30 * DAY) for at in days]
    outcomes = posting.accrue(acts, now=NOW)
    assert [outcome.balance for outcome in outcomes if isinstance(outcome, Posted)] == [10, 20, 10, 20]
