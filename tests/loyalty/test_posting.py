"""The ledger's door: what each verb answers, and that a refusal moves nothing."""

from datetime import datetime, timedelta
from uuid import UUID, uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from loyalty import posting, queries, verifying
from loyalty.acts import Adjustment, Burn, Posted, Refusal, Refused, Reversal
from loyalty.models import Lot, LotUse, PointType, Posting, Wallet
from tests.factories import NOW, accrual, give, holder

pytestmark = pytest.mark.django_db
# So many lots a burn reads at first (sql/deciding.sql).
FIRST_LOTS = 64


def burn(to: UUID, points: int, key: str = "", at: datetime = NOW) -> Burn:
    return Burn(key=key or f"burn:{uuid4()}", holder=to, points=points, occurred_at=at)


def snapshot() -> tuple[list[tuple[int, ...]], list[int], int]:
    return (
        list(Wallet.objects.order_by("id").values_list("balance", "deficit", "seq")),
        list(Lot.objects.order_by("id").values_list("remaining", flat=True)),
        Posting.objects.count(),
    )


def adds_up() -> bool:
    return [finding.bad_row for finding in verifying.verify() if finding.bad_row] == []


def test_a_burn_takes_what_ends_soonest_and_says_from_which_lot() -> None:
    one = holder()
    give(one, 10, days=300)
    give(one, 10, days=None)
    give(one, 10, days=100)
    [posted] = posting.burn([burn(one, 15)], now=NOW)
    assert isinstance(posted, Posted)
    assert posted.balance == 15
    assert list(LotUse.objects.order_by("lot_seq").values_list("lot_seq", "points")) == [(1, 5), (3, 10)]
    assert adds_up()


def test_pending_and_ended_points_cannot_be_spent_whatever_the_sweep_did() -> None:
    one = holder()
    give(one, 100, pending=14)
    give(one, 50, days=30)
    before = snapshot()
    later = NOW + timedelta(days=40)
    assert posting.burn([burn(one, 101)], now=later) == [Refused(Refusal.INSUFFICIENT_POINTS)]
    assert posting.burn([burn(one, 51)], now=NOW) == [Refused(Refusal.INSUFFICIENT_POINTS)]
    assert snapshot() == before
    assert queries.balances([one], NOW)[one] == queries.Balance(balance=150, available=50, pending=100)
    assert queries.balances([one], later)[one].available == 100


def test_acts_of_a_batch_are_decided_in_order_and_one_refusal_spoils_no_other() -> None:
    one, other = holder(), holder()
    give(one, 100)
    outcomes = posting.burn([burn(one, 80), burn(one, 50), burn(other, 1), burn(one, 20), burn(uuid4(), 1)], now=NOW)
    reasons = [outcome.reason if isinstance(outcome, Refused) else outcome.balance for outcome in outcomes]
    assert reasons == [20, Refusal.INSUFFICIENT_POINTS, Refusal.INSUFFICIENT_POINTS, 0, Refusal.UNKNOWN_HOLDER]
    assert adds_up()


def test_a_key_posts_once_also_twice_in_one_batch_and_never_for_another_act() -> None:
    one, other = holder(), holder()
    act = accrual(one, 10, key="same")
    first, twin = posting.accrue([act, act], now=NOW)
    [again] = posting.accrue([act], now=NOW + timedelta(days=1))
    assert isinstance(first, Posted)
    assert (first.replayed, twin, again) == (False, *[Posted(first.entry, 10, replayed=True)] * 2)
    before = snapshot()
    changed = [accrual(one, 11, key="same"), accrual(other, 10, key="same")]
    assert posting.accrue(changed, now=NOW) == [Refused(Refusal.KEY_REUSED)] * 2
    assert posting.burn([burn(one, 10, key="same")], now=NOW) == [Refused(Refusal.KEY_REUSED)]
    assert snapshot() == before


def test_a_wallet_with_more_lots_than_are_read_first_can_spend_them_all() -> None:
    one = holder()
    count = FIRST_LOTS + 30
    give(one, *[1] * count)
    outcomes = posting.burn([burn(one, 3), burn(one, count - 3), burn(one, 1)], now=NOW)
    assert [type(outcome) for outcome in outcomes] == [Posted, Posted, Refused]
    assert adds_up()


def test_reversing_a_burn_fills_the_same_lots_and_happens_once() -> None:
    one = holder()
    give(one, 10, 10)
    [spent] = posting.burn([burn(one, 15)], now=NOW)
    assert isinstance(spent, Posted)
    undo = Reversal.of(spent.entry, one, occurred_at=NOW)
    [undone, again] = posting.reverse([undo, undo], now=NOW, actor=uuid4())
    assert isinstance(undone, Posted)
    assert undone.balance == 20
    assert again == Posted(undone.entry, 20, replayed=True)
    assert list(Lot.objects.order_by("seq").values_list("remaining", flat=True)) == [10, 10]
    assert adds_up()


def test_reversing_a_grant_is_refused_once_a_point_of_it_is_spent() -> None:
    one = holder()
    entry, other = give(one, 10, 10)
    posting.burn([burn(one, 1)], now=NOW)
    before = snapshot()
    undo = [Reversal.of(each, one, occurred_at=NOW) for each in (entry, uuid4())]
    assert posting.reverse(undo, now=NOW, actor=None) == [Refused(Refusal.NOT_REVERSIBLE)] * 2
    assert snapshot() == before
    [outcome] = posting.reverse([Reversal.of(other, one, occurred_at=NOW)], now=NOW, actor=None)
    assert isinstance(outcome, Posted)
    assert adds_up()


def test_adjustments_give_and_take() -> None:
    one = holder()

    def adjust(points: int) -> Adjustment:
        return Adjustment(key=f"adjust:{uuid4()}", holder=one, points=points, reason="goodwill", occurred_at=NOW)

    [given] = posting.adjust([adjust(50)], now=NOW, actor=uuid4())
    outcomes = posting.adjust([adjust(-51), adjust(-20)], now=NOW, actor=uuid4())
    assert [type(outcome) for outcome in (given, *outcomes)] == [Posted, Refused, Posted]
    assert set(Posting.objects.values_list("kind", "contra")) == {("adjust", "adjusted")}
    assert queries.balances([one], NOW)[one].available == 30
    assert adds_up()


def test_the_sweep_books_each_ended_lot_once() -> None:
    one, other = holder(), holder()
    give(one, 10, 20, days=10)
    give(other, 5, days=10)
    give(other, 7, days=11)
    at = NOW + timedelta(days=10)
    assert posting.expire(now=at - timedelta(seconds=1)) == (0, 0)
    assert [posting.expire(now=at, limit=2) for _ in range(3)] == [(2, 30), (1, 5), (0, 0)]
    assert Posting.objects.filter(kind="expire", occurred_at=at).count() == 3
    assert queries.balances([one, other], at)[other].available == 7
    assert adds_up()


@pytest.mark.parametrize("verb", ["accrue", "burn"])
def test_a_batch_costs_the_same_statements_whatever_its_size(verb: str) -> None:
    counts = set()
    for size in (1, 100, 1000):
        people = [holder() for _ in range(max(size // 2, 1))]
        for one in people:
            give(one, 100)
        who = [people[i % len(people)] for i in range(size)]
        if verb == "accrue":
            grants = [accrual(one, 5, key=f"{size}:{i % 90}:{one}") for i, one in enumerate(who)]
            with CaptureQueriesContext(connection) as queries_made:
                posting.accrue(grants, now=NOW)
        else:
            burns = [burn(one, 90, key=f"{size}:{i}") for i, one in enumerate(who)]
            with CaptureQueriesContext(connection) as queries_made:
                outcomes = posting.burn(burns, now=NOW)
            assert size == 1 or any(isinstance(outcome, Refused) for outcome in outcomes)
        counts.add(len([q for q in queries_made if "SAVEPOINT" not in q["sql"]]))
    assert counts == {1}
    assert adds_up()


def test_wallets_with_many_lots_and_unknown_entries_cost_no_statement_each() -> None:
    people = [holder() for _ in range(8)]
    for one in people:
        give(one, *[1] * (FIRST_LOTS + 5))
    counts = []
    for size in (1, 8):
        acts = [burn(one, FIRST_LOTS + 1 if size == 8 else 1) for one in people[:size]]
        undo = [Reversal.of(uuid4(), one, occurred_at=NOW) for one in people[:size]]
        with CaptureQueriesContext(connection) as made:
            posting.burn(acts, now=NOW)
            posting.reverse(undo, now=NOW, actor=None)
        counts.append(len(made))
    assert counts[1] <= counts[0] + 1
    assert adds_up()


def test_an_act_of_no_points_is_no_act() -> None:
    for points in (0, -5):
        with pytest.raises(AssertionError):
            burn(holder(), points)
        with pytest.raises(AssertionError):
            accrual(holder(), points)


def test_qualifying_points_are_told_apart() -> None:
    one = holder()
    give(one, 10)
    posting.open_wallets([one], PointType.QUALIFYING)
    assert sum(lot.points for lot in queries.open_lots(one, NOW)) == 10
    assert [each.points for each in queries.expiring(after=NOW, until=NOW + timedelta(days=400))] == [10]
