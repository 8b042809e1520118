"""The door counts what each person grants: for one act, in a day, in 30 days; what is not counted is named."""

from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext

from loyalty import limits, posting, queries
from loyalty.acts import Adjustment, Burn, ClawBack, Forgiveness, Outcome, Posted, Refusal, Refused, Reversal
from loyalty.limits import Limits
from loyalty.models import AuditRecord, GrantLimits, PointType, TermsVersion
from loyalty.problems import Problem
from tests.factories import NOW, accrual, give, holder

pytestmark = pytest.mark.django_db
OVER = Refused(Refusal.NEEDS_APPROVAL)
DAY = timedelta(days=1)


def balance(of: UUID) -> int:
    return queries.net_balances([of])[of]


def grant(to: UUID, points: int, by: UUID | None, *, now: datetime = NOW) -> Outcome:
    [answer] = posting.accrue([accrual(to, points, at=now)], now=now, actor=by)
    return answer


def adjustment(to: UUID, points: int, key: str = "") -> Adjustment:
    return Adjustment(key=key or f"adjustment:{uuid4()}", holder=to, points=points, occurred_at=NOW, reason="goodwill")


def posted(answers: list[Outcome]) -> list[bool]:
    return [isinstance(one, Posted) for one in answers]


def test_one_act_holds_the_single_limit_and_not_a_point_more() -> None:
    one, by = holder(), uuid4()
    assert grant(one, 5_001, by) == OVER
    assert balance(one) == 0
    assert isinstance(grant(one, 5_000, by), Posted)


def test_a_day_holds_its_limit_and_midnight_of_the_programme_begins_another() -> None:
    one, by = holder(), uuid4()
    noon = datetime(2026, 6, 15, 10, tzinfo=UTC)
    assert posted([grant(one, 5_000, by, now=noon) for _ in range(5)]) == [True] * 4 + [False]
    # 23:59 and 0:01 in Paris.
    assert grant(one, 1, by, now=datetime(2026, 6, 15, 21, 59, tzinfo=UTC)) == OVER
    assert isinstance(grant(one, 1, by, now=datetime(2026, 6, 15, 22, 1, tzinfo=UTC)), Posted)


def test_thirty_days_hold_their_limit_and_the_31st_frees_the_first() -> None:
    one, by = holder(), uuid4()
    for day in range(5):
        assert posted([grant(one, 5_000, by, now=NOW + day * DAY) for _ in range(4)]) == [True] * 4
    assert grant(one, 1, by, now=NOW + 29 * DAY) == OVER
    assert posted([grant(one, 5_000, by, now=NOW + 30 * DAY) for _ in range(5)]) == [True] * 4 + [False]
    assert balance(one) == 120_000


def test_a_clock_that_goes_back_frees_nothing() -> None:
    one, by = holder(), uuid4()
    for day in range(5):
        assert posted([grant(one, 5_000, by, now=NOW + day * DAY) for _ in range(4)]) == [True] * 4
    assert grant(one, 1, by, now=NOW - DAY) == OVER


def test_a_batch_is_judged_act_by_act_and_a_receipt_as_a_whole() -> None:
    one, by = holder(), uuid4()
    acts = [accrual(one, points) for points in (3_000, 3_000, 6_000, 2_000)]
    answers = posting.accrue(acts, now=NOW, actor=by, together=["R1", "R1", "R2", "R3"])
    assert posted(answers) == [False, False, False, True]
    assert balance(one) == 2_000
    assert posted(posting.accrue([accrual(one, 5_000) for _ in range(4)], now=NOW, actor=by)) == [True, True, True, False]


def test_a_replay_answers_as_it_stands_and_counts_once() -> None:
    one, by = holder(), uuid4()
    act = accrual(one, 5_000)
    for _ in range(9):
        [answer] = posting.accrue([act, act], now=NOW, actor=by)[:1]
        assert isinstance(answer, Posted)
    assert posted([grant(one, 5_000, by) for _ in range(4)]) == [True] * 3 + [False]
    [again] = posting.accrue([act], now=NOW, actor=by)
    assert isinstance(again, Posted)
    assert again.replayed


def test_what_the_ledger_refuses_is_not_counted() -> None:
    one, by = holder(), uuid4()
    for _ in range(9):
        assert grant(uuid4(), 5_000, by) == Refused(Refusal.UNKNOWN_HOLDER)
    assert posted([grant(one, 5_000, by) for _ in range(5)]) == [True] * 4 + [False]


def test_the_key_of_another_act_gives_the_room_back() -> None:
    one, by = holder(), uuid4()
    act = accrual(one, 100)
    posting.accrue([act], now=NOW)
    other = accrual(holder(), 4_000, key=act.key)
    assert posting.accrue([other], now=NOW, actor=by) == [Refused(Refusal.KEY_REUSED)]
    assert limits.room(by, now=NOW) == Limits(5_000, 20_000, 100_000)


def test_the_system_is_not_limited_and_pays_no_statement_for_it() -> None:
    one = holder()
    with CaptureQueriesContext(connection) as asked:
        posting.accrue([accrual(one, 900_000)], now=NOW)
    assert len([one for one in asked if "ledger" in one["sql"] or "grant" in one["sql"]]) == 1
    assert balance(one) == 900_000


def test_a_key_counts_as_its_maker_and_an_exempt_one_for_documents_alone_not_at_all() -> None:
    one, maker, second = holder(), uuid4(), uuid4()
    keys = [uuid4(), uuid4()]
    for key in keys:
        limits.stand_in(key, maker)
    assert posted([grant(one, 5_000, by) for by in (*keys, maker, *keys)]) == [True] * 4 + [False]
    limits.exempt(keys[0], made_by=maker, approved_by=second, now=NOW)
    assert isinstance(grant(one, 70_000, keys[0]), Posted)
    assert posting.adjust([adjustment(one, 1)], now=NOW, actor=keys[0]) == [OVER]
    assert grant(one, 1, keys[1]) == OVER


def test_what_a_second_person_approved_is_posted_and_not_counted() -> None:
    one, by, second = holder(), uuid4(), uuid4()
    assert posted(posting.adjust([adjustment(one, 9_000)], now=NOW, actor=by, approved_by=second)) == [True]
    assert limits.room(by, now=NOW).day == 20_000


def test_nobody_is_their_own_second_person_under_any_name() -> None:
    one, by, key = holder(), uuid4(), uuid4()
    limits.stand_in(key, by)
    for actor, approver in ((by, by), (by, key), (key, by), (key, key)):
        assert posting.adjust([adjustment(one, 9_000)], now=NOW, actor=actor, approved_by=approver) == [OVER]
    assert balance(one) == 0


def test_forgiving_a_debt_counts_like_giving_points() -> None:
    one, by = holder(), uuid4()
    [entry] = give(one, 9_000)
    posting.burn([Burn(key="spent", holder=one, points=9_000, occurred_at=NOW)], now=NOW)
    back = ClawBack(key="back", holder=one, points=9_000, entry=entry, own=(entry,), occurred_at=NOW)
    posting.claw_back([back], now=NOW)
    assert balance(one) == -9_000
    forgiven = [Forgiveness(key=f"f{points}", holder=one, points=points, occurred_at=NOW) for points in (9_000, 4_000)]
    assert posted(posting.forgive(forgiven, now=NOW, actor=by)) == [False, True]
    assert limits.room(by, now=NOW).day == 16_000


def test_undoing_what_took_points_counts_and_undoing_what_gave_them_frees_nothing() -> None:
    one, by = holder(), uuid4()
    [entry] = give(one, 9_000)
    [back] = posting.claw_back(
        [ClawBack(key="back", holder=one, points=9_000, entry=entry, own=(entry,), occurred_at=NOW)], now=NOW
    )
    assert isinstance(back, Posted)
    undo = Reversal.of(back.entry, one, occurred_at=NOW)
    assert posting.reverse([undo], now=NOW, actor=by) == [OVER]
    assert balance(one) == 0
    for _ in range(4):
        [gift] = posting.adjust([adjustment(one, 5_000)], now=NOW, actor=by)
        assert isinstance(gift, Posted)
        assert posted(posting.reverse([Reversal.of(gift.entry, one, occurred_at=NOW)], now=NOW, actor=by)) == [True]
    assert posting.adjust([adjustment(one, 1)], now=NOW, actor=by) == [OVER]


def test_points_that_nobody_can_spend_are_not_counted() -> None:
    one, by = holder(), uuid4()
    posting.open_wallets([one], PointType.QUALIFYING)
    answers = posting.accrue([accrual(one, 70_000)], now=NOW, actor=by, point_type=PointType.QUALIFYING)
    assert posted(answers) == [True]


def test_lower_limits_hold_at_once_and_higher_ones_when_a_second_person_agrees() -> None:
    one, by, second = holder(), uuid4(), uuid4()
    assert limits.propose(Limits(100, 200, 300), by=by, now=NOW)[1]
    assert posted([grant(one, points, by) for points in (101, 100, 100, 1)]) == [False, True, True, False]
    number, holds = limits.propose(Limits(100, 200, 301), by=by, now=NOW + DAY)
    assert not holds
    assert limits.current() == Limits(100, 200, 300)
    limits.put_in_force(number, approved_by=second, now=NOW + DAY)
    assert limits.current() == Limits(100, 200, 301)
    assert set(AuditRecord.objects.values_list("verb", flat=True)) == {
        "grantlimits.lowered", "grantlimits.proposed", "grantlimits.raised"
    }  # fmt: skip


@pytest.mark.parametrize(
    "wrong", [Limits(0, 1, 1), Limits(9, 8, 9), Limits(1, 9, 8), Limits(1, 1, 2**31), Limits(5_000, 20_000, 100_000)]
)
def test_limits_out_of_order_or_unchanged_are_refused(wrong: Limits) -> None:
    with pytest.raises(Problem):
        limits.propose(wrong, by=uuid4(), now=NOW)
    assert GrantLimits.objects.count() == 1


def test_the_database_says_the_same_again() -> None:
    by = uuid4()
    number, _holds = limits.propose(Limits(6_000, 20_000, 100_000), by=by, now=NOW)
    row = GrantLimits.objects.filter(pk=number)
    for change in ({"in_force_at": NOW}, {"in_force_at": NOW, "approved_by": by}):
        with pytest.raises(IntegrityError), transaction.atomic():
            row.update(**change)
    with pytest.raises(IntegrityError, match="exempt_by_two"), transaction.atomic():
        limits.exempt(uuid4(), made_by=by, approved_by=by, now=NOW)
    assert limits.current() == Limits(5_000, 20_000, 100_000)


def test_the_day_is_that_of_the_terms_in_force() -> None:
    one, by = holder(), uuid4()
    TermsVersion.objects.create(
        version=2, currency="EUR", timezone="Asia/Shanghai", point_value="0.01", expiry="never", starts_at=NOW,
        published_at=NOW - DAY,
    )  # fmt: skip
    before, after = datetime(2026, 6, 15, 15, 59, tzinfo=UTC), datetime(2026, 6, 15, 16, 1, tzinfo=UTC)
    assert posted([grant(one, 5_000, by, now=before) for _ in range(5)]) == [True] * 4 + [False]
    assert isinstance(grant(one, 5_000, by, now=after), Posted)
    assert limits.room(by, now=after).day == 15_000
