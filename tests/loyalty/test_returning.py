"""Giving back and taking back: restores, claw-backs, deficits, transfers, merges, idleness."""

from dataclasses import replace
from datetime import datetime, timedelta
from uuid import UUID, uuid4

import pytest

from loyalty import posting, queries, verifying
from loyalty.acts import (
    Accrual,
    Burn,
    ClawBack,
    ClawBackPolicy,
    Forgiveness,
    Merge,
    Posted,
    Refusal,
    Refused,
    Restore,
    Reversal,
    Transfer,
    UnMerge,
)
from loyalty.models import Lot, Posting, Wallet
from tests.factories import NOW, accrual, give, holder

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)


@pytest.fixture(autouse=True)
def adds_up() -> object:
    yield
    assert [finding.bad_row for finding in verifying.verify() if finding.bad_row] == []
    assert sum(Posting.objects.filter(contra="clearing").values_list("points", flat=True)) == 0


def spent(who: UUID, points: int, at: datetime = NOW) -> UUID:
    [outcome] = posting.burn([Burn(key=f"b{uuid4()}", holder=who, points=points, occurred_at=at)], now=at)
    assert isinstance(outcome, Posted)
    return outcome.entry


def restore(who: UUID, entry: UUID, points: int, at: datetime = NOW, grace: datetime | None = None) -> object:
    act = Restore(key=f"r{uuid4()}", holder=who, entry=entry, points=points, occurred_at=at, grace_until=grace)
    return posting.restore([act], now=at)[0]


def claw(who: UUID, points: int, *own: UUID, policy: ClawBackPolicy = ClawBackPolicy.DEFICIT, at: datetime = NOW) -> object:
    act = ClawBack(key=f"c{uuid4()}", holder=who, entry=own[0], points=points, own=own, policy=policy, occurred_at=at)
    return posting.claw_back([act], now=at)[0]


def state(who: UUID) -> tuple[int, int]:
    wallet = Wallet.objects.get(holder=who)
    return wallet.balance, wallet.deficit


def remaining(who: UUID) -> list[int]:
    return list(Lot.objects.filter(wallet__holder=who).order_by("seq").values_list("remaining", flat=True))


def test_a_restore_fills_the_same_lots_and_never_more_than_was_taken() -> None:
    one = holder()
    give(one, 10, 10)
    entry = spent(one, 15)
    assert isinstance(restore(one, entry, 12), Posted)
    assert remaining(one) == [10, 7]
    assert restore(one, entry, 4) == Refused(Refusal.NOT_REVERSIBLE)
    assert isinstance(restore(one, entry, 3), Posted)
    assert remaining(one) == [10, 10]
    assert restore(one, uuid4(), 1) == Refused(Refusal.NOT_REVERSIBLE)


def test_points_of_a_lot_that_ended_meanwhile_come_back_for_the_grace_only() -> None:
    one = holder()
    give(one, 10, days=5)
    give(one, 10, days=50)
    entry, at = spent(one, 15), NOW + 10 * DAY
    assert isinstance(restore(one, entry, 15, at=at, grace=at + 14 * DAY), Posted)
    assert queries.balances([one], at)[one].available == 20
    assert queries.balances([one], at + 14 * DAY)[one].available == 10
    assert remaining(one) == [0, 10, 10]


def test_what_came_back_as_a_grace_lot_or_paid_a_deficit_does_not_come_back_again() -> None:
    one, other, at = holder(), holder(), NOW + 10 * DAY
    give(one, 10, days=5)
    give(one, 10, days=50)
    entry = spent(one, 15)
    assert isinstance(restore(one, entry, 12, at=at, grace=at + 14 * DAY), Posted)
    assert isinstance(restore(one, entry, 3, at=at, grace=at + 14 * DAY), Posted)
    assert remaining(one) == [0, 10, 10]
    again = posting.reverse([Reversal.of(entry, one, occurred_at=at)], now=at, actor=None)
    assert [restore(one, entry, 1, at=at, grace=at + 14 * DAY), *again] == [Refused(Refusal.NOT_REVERSIBLE)] * 2
    [award] = give(other, 20)
    entry = spent(other, 20)
    claw(other, 20, award)
    assert isinstance(restore(other, entry, 20), Posted)
    assert restore(other, entry, 20) == Refused(Refusal.NOT_REVERSIBLE)
    assert state(other) == (0, 0)


def test_acts_of_one_batch_undo_an_entry_once_under_whatever_keys() -> None:
    one, other = holder(), holder()
    give(one, 20)
    entry, _more = spent(one, 5), spent(one, 5)
    acts = [Restore(key=f"r{n}", holder=one, entry=entry, points=n, occurred_at=NOW) for n in (3, 5, 2, 1)]
    refused = Refused(Refusal.NOT_REVERSIBLE)
    assert [isinstance(each, Posted) for each in posting.restore(acts, now=NOW)] == [True, False, True, False]
    entry = spent(one, 6)
    undo = [Reversal(key=f"u{n}", holder=one, entry=entry, occurred_at=NOW) for n in range(2)]
    assert posting.reverse(undo, now=NOW, actor=None)[1] == refused
    [award] = give(one, 7)
    undo = [Reversal(key=f"v{n}", holder=one, entry=award, occurred_at=NOW) for n in range(2)]
    assert posting.reverse(undo, now=NOW, actor=None)[1] == refused
    [merged] = posting.merge([Merge(key="m", holder=one, to=other, occurred_at=NOW)], now=NOW, actor=None)
    assert isinstance(merged, Posted)
    back = [UnMerge(key=f"w{n}", holder=one, to=other, entry=merged.entry, occurred_at=NOW) for n in range(2)]
    assert posting.unmerge(back, now=NOW, actor=None)[1] == refused
    assert (state(one), state(other)) == ((15, 0), (0, 0))


def test_without_grace_ended_points_come_back_to_end_again() -> None:
    one = holder()
    give(one, 10, days=5)
    entry, at = spent(one, 10), NOW + 10 * DAY
    assert isinstance(restore(one, entry, 10, at=at), Posted)
    assert queries.balances([one], at)[one].available == 0
    assert posting.expire(now=at) == (1, 10)


def test_a_claw_back_takes_own_lots_first_pending_before_active_then_others_then_deficit() -> None:
    one = holder()
    give(one, 10, days=5)
    (own_active,) = give(one, 20)
    (own_pending,) = give(one, 9, pending=14)
    assert isinstance(claw(one, 12, own_active, own_pending), Posted)
    assert remaining(one) == [10, 17, 0]
    spent(one, 23)
    give(one, 2)
    assert isinstance(claw(one, 8, own_active, own_pending), Posted)
    assert (state(one), remaining(one)) == ((0, 2), [0, 0, 0, 0])


def test_never_more_is_clawed_back_than_was_awarded_and_a_reversed_claw_back_makes_room() -> None:
    one = holder()
    entry, other = give(one, 10, 30)
    asked = [ClawBack(key=f"c{n}", holder=one, points=n, entry=entry, own=(entry,), occurred_at=NOW) for n in (6, 5, 4, 1)]
    outcomes = posting.claw_back(asked, now=NOW)
    refused = Refused(Refusal.NOT_REVERSIBLE)
    assert [outcome == refused for outcome in outcomes] == [False, True, False, True]
    assert claw(one, 1, entry) == refused
    assert remaining(one) == [0, 30]
    assert isinstance(outcomes[0], Posted)
    posting.reverse([Reversal.of(outcomes[0].entry, one, occurred_at=NOW)], now=NOW, actor=None)
    assert claw(one, 7, entry) == refused
    assert isinstance(claw(one, 6, entry), Posted)
    assert claw(one, 11, entry, other) == claw(one, 31, other, entry) == refused
    assert isinstance(claw(one, 30, other, entry), Posted)
    assert state(one) == (0, 0)


def test_an_award_that_was_reversed_is_not_clawed_back_as_well() -> None:
    one = holder()
    entry, _kept = give(one, 10, 30)
    posting.reverse([Reversal.of(entry, one, occurred_at=NOW)], now=NOW, actor=None)
    assert claw(one, 1, entry) == Refused(Refusal.NOT_REVERSIBLE)
    assert state(one) == (30, 0)


def test_the_next_credits_pay_a_deficit_and_nothing_is_spent_before() -> None:
    one = holder()
    [entry] = give(one, 20)
    burned = spent(one, 20)
    claw(one, 20, entry)
    assert state(one) == (0, 20)
    assert posting.burn([Burn(key="x", holder=one, points=1, occurred_at=NOW)], now=NOW) == [Refused(Refusal.DEFICIT)]
    [other] = give(one, 30)
    assert (state(one), remaining(one)) == ((10, 0), [0, 10])
    assert [line.points for line in queries.statement(one)] == [30, -20, -20, 20]
    claw(one, 15, other)
    assert state(one) == (0, 5)
    assert isinstance(restore(one, burned, 20), Posted)
    assert (state(one), remaining(one)) == ((15, 0), [15, 0])


def test_a_deficit_is_forgiven_in_words_or_the_return_refused() -> None:
    one = holder()
    [entry] = give(one, 20)
    spent(one, 15)
    before = state(one), Posting.objects.count()
    assert claw(one, 20, entry, policy=ClawBackPolicy.REFUSE) == Refused(Refusal.INSUFFICIENT_POINTS)
    assert (state(one), Posting.objects.count()) == before
    taken = ClawBack(key="f", holder=one, entry=entry, points=20, own=(entry,), policy=ClawBackPolicy.FORGIVE, occurred_at=NOW)
    [posted], [again] = posting.claw_back([taken], now=NOW), posting.claw_back([taken], now=NOW)
    assert isinstance(posted, Posted)
    assert again == Posted(posted.entry, 0, replayed=True) == replace(posted, replayed=True)
    assert [(line.kind, line.points) for line in queries.statement(one, limit=2)] == [("forgive", 15), ("return", -20)]
    assert state(one) == (0, 0)
    [entry] = give(one, 5)
    spent(one, 5)
    claw(one, 5, entry)
    act = [Forgiveness(key=f"f{n}", holder=one, points=n, occurred_at=NOW, reason="goodwill") for n in (6, 5)]
    refused, posted = posting.forgive(act, now=NOW, actor=uuid4())
    assert refused == Refused(Refusal.INSUFFICIENT_POINTS)
    assert isinstance(posted, Posted)
    assert state(one) == (0, 0)


def test_a_transfer_keeps_the_end_of_each_lot() -> None:
    one, other = holder(), holder()
    give(one, 10, days=5)
    give(one, 10, days=None)
    act = Transfer(key="t", holder=one, to=other, points=15, occurred_at=NOW)
    [posted, again] = posting.transfer([act, act], now=NOW, actor=uuid4())
    assert isinstance(posted, Posted)
    assert again == Posted(posted.entry, 5, replayed=True)
    assert queries.balances([other], NOW)[other].available == 15
    assert queries.balances([other], NOW + 6 * DAY)[other].available == 5
    too_much = Transfer(key="u", holder=one, to=other, points=6, occurred_at=NOW)
    to_self = Transfer(key="v", holder=one, to=one, points=1, occurred_at=NOW)
    assert posting.transfer([too_much, to_self], now=NOW, actor=None) == [
        Refused(Refusal.INSUFFICIENT_POINTS), Refused(Refusal.NOT_REVERSIBLE),
    ]  # fmt: skip


def test_a_merge_brings_everything_and_can_be_undone() -> None:
    one, other = holder(), holder()
    give(one, 10, days=50)
    give(one, 7, pending=14)
    give(other, 3)
    [merged] = posting.merge([Merge(key="m", holder=one, to=other, occurred_at=NOW)], now=NOW, actor=uuid4())
    assert isinstance(merged, Posted)
    assert queries.balances([one, other], NOW)[other] == queries.Balance(balance=20, available=13, pending=7)
    spent(other, 9)
    undo = UnMerge(key="n", holder=one, to=other, entry=merged.entry, occurred_at=NOW)
    [undone, again] = posting.unmerge([undo, undo], now=NOW, actor=uuid4())
    assert isinstance(undone, Posted)
    assert isinstance(again, Posted)
    balances = queries.balances([one, other], NOW)
    assert sum(balances[each].balance for each in (one, other)) == 11
    assert balances[one].pending == 7


def test_a_merge_takes_a_deficit_along() -> None:
    one, other = holder(), holder()
    [entry] = give(one, 10)
    spent(one, 10)
    claw(one, 10, entry)
    give(other, 4)
    posting.merge([Merge(key="m", holder=one, to=other, occurred_at=NOW)], now=NOW, actor=None)
    assert (state(one), state(other)) == ((0, 0), (0, 6))


def idle(who: UUID, points: int, at: datetime) -> Accrual:
    act = accrual(who, points, at=at, days=None, idle_until=at + 30 * DAY)
    posting.accrue([act], now=at)
    return act


def test_idleness_ends_all_points_and_an_act_keeps_them() -> None:
    one = holder()
    idle(one, 10, NOW)
    idle(one, 5, NOW + 20 * DAY)
    assert queries.balances([one], NOW + 49 * DAY)[one].available == 15
    assert queries.balances([one], NOW + 50 * DAY)[one].available == 0
    assert [one.points for one in queries.expiring(after=NOW, until=NOW + 60 * DAY)] == [15]
    assert posting.expire(now=NOW + 49 * DAY) == (0, 0)
    assert posting.expire(now=NOW + 50 * DAY) == (2, 15)


def test_a_late_sweep_lets_no_act_wake_points_that_idleness_ended() -> None:
    one = holder()
    idle(one, 10, NOW)
    late = NOW + 31 * DAY
    idle(one, 5, late)
    assert queries.balances([one], late)[one].available == 5
    assert [line.kind for line in queries.statement(one)] == ["earn", "expire", "earn"]


def test_undated_points_that_are_merged_or_transferred_end_no_sooner_than_before() -> None:
    one, other = holder(), holder()
    idle(one, 10, NOW + 5 * DAY)
    idle(other, 5, NOW)
    posting.transfer([Transfer(key="t", holder=one, to=other, points=4, occurred_at=NOW)], now=NOW + 6 * DAY, actor=None)
    assert queries.balances([other], NOW + 34 * DAY)[other].available == 9
    posting.merge([Merge(key="m", holder=one, to=other, occurred_at=NOW)], now=NOW + 6 * DAY, actor=None)
    assert queries.balances([other], NOW + 34 * DAY)[other].available == 15
    assert queries.balances([other], NOW + 35 * DAY)[other].available == 0


def test_a_batch_wakes_no_points_that_act_by_act_had_ended() -> None:
    one, late = holder(), NOW + 40 * DAY
    idle(one, 10, NOW)
    before = accrual(one, 1, at=NOW + 5 * DAY, days=None)
    after = accrual(one, 2, at=NOW + 35 * DAY, days=None, idle_until=NOW + 65 * DAY)
    posting.accrue([before, after], now=late)
    assert queries.balances([one], late)[one].available == 2
