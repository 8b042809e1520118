"""Tiers set by hand: a reason, an end, a second person where it lifts, the trail, and what comes after."""

from datetime import UTC, date, datetime, timedelta
from uuid import UUID, uuid4

import pytest

from loyalty import queries
from loyalty.models import AuditRecord
from loyalty.problems import Problem
from members import overriding, requalifying
from members.models import ApprovalRequest, Member, TierMembership, TierOverride, User
from members.queries import tiers_at
from tests.factories import member
from tests.members.tiering import earn, gain, history, publish, standing

NOW = datetime(2026, 6, 15, 12, 0, tzinfo=UTC)
LAST = date(2026, 9, 30)
END = datetime(2026, 9, 30, 22, 0, tzinfo=UTC)
SUPPORT, OWNER = uuid4(), uuid4()

pytestmark = pytest.mark.django_db


def by_hand(
    one: Member, tier: str = "gold", *, last: date = LAST, why: str = "moved from the old card", by: UUID = SUPPORT
) -> TierOverride:
    return overriding.write(one.pk, tier, last=last, why=why, actor=by, now=NOW)


def test_one_that_lifts_waits_for_a_second_person() -> None:
    publish(now=NOW)
    one = member(now=NOW)
    override = by_hand(one)
    assert (history(one), overriding.is_waiting(override)) == ([], True)
    with pytest.raises(Problem, match="Somebody else"):
        overriding.decide(override.pk, approved=True, by=SUPPORT, now=NOW)
    assert history(one) == []
    decided = overriding.decide(override.pk, approved=True, by=OWNER, now=NOW)
    assert (decided.applied_at, decided.approved_by) == (NOW, OWNER)
    row = standing(one)
    assert (row.tier, row.until, row.reason, row.by) == ("gold", END, "override", SUPPORT)
    assert queries.balances([one.holder], NOW)[one.holder].balance == 0, "nothing was reached"
    written = AuditRecord.objects.get(verb="member.tier_set")
    assert (written.actor, written.changes["tier"], written.changes["approved_by"]) == (SUPPORT, ["regular", "gold"], str(OWNER))
    with pytest.raises(Problem):
        overriding.decide(override.pk, approved=True, by=OWNER, now=NOW)


def test_one_that_is_refused_changes_nothing() -> None:
    publish(now=NOW)
    one = member(now=NOW)
    override = overriding.decide(by_hand(one).pk, approved=False, by=OWNER, now=NOW)
    assert (override.refused_at, history(one)) == (NOW, [])


def test_one_that_lowers_or_shortens_holds_at_once() -> None:
    publish(now=NOW)
    one = member(now=NOW)
    earn(gain(one, 1000, at=NOW), now=NOW)
    assert by_hand(one, "silver").applied_at == NOW
    assert standing(one).tier == "silver"
    assert not ApprovalRequest.objects.exists()
    assert overriding.is_waiting(by_hand(one, "silver", last=LAST + timedelta(days=1))), "the same for longer is worth money"


def test_less_for_longer_is_worth_money_too() -> None:
    publish(now=NOW)
    one = member(now=NOW)
    earn(gain(one, 1000, at=NOW), now=NOW)
    assert overriding.is_waiting(by_hand(one, "silver", last=date(2028, 1, 1)))
    assert by_hand(one, "regular", last=date(2028, 1, 1)).applied_at == NOW


def test_the_member_does_not_set_or_approve_the_own_tier() -> None:
    publish(now=NOW)
    user = User.objects.create_user("wei@shop.example")
    one = member(now=NOW)
    Member.objects.filter(pk=one.pk).update(user=user)
    with pytest.raises(Problem, match="their own tier"):
        by_hand(one, by=user.actor)
    override = by_hand(one)
    with pytest.raises(Problem, match="their own tier"):
        overriding.decide(override.pk, approved=True, by=user.actor, now=NOW)


@pytest.mark.parametrize(
    ("tier", "last", "why"),
    [("none", LAST, "x"), ("gold", date(2026, 6, 14), "x"), ("gold", LAST, " "), ("gold", LAST, "x" * 201)],
)
def test_what_is_refused(tier: str, last: date, why: str) -> None:
    publish(now=NOW)
    one = member(now=NOW)
    with pytest.raises(Problem):
        by_hand(one, tier, last=last, why=why)
    assert not TierOverride.objects.exists()


def test_without_tiers_there_is_none_to_set() -> None:
    with pytest.raises(Problem, match="no tiers yet"):
        by_hand(member(now=NOW))


@pytest.mark.parametrize(
    ("earned", "meanwhile", "after"),
    [(0, 0, "regular"), (600, 0, "silver"), (0, 600, "silver"), (600, 400, "gold")],
)
def test_at_its_end_the_member_has_what_was_reached(earned: int, meanwhile: int, after: str) -> None:
    publish(now=NOW)
    one = member(now=NOW)
    if earned:
        earn(gain(one, earned, at=NOW), now=NOW)
    overriding.decide(by_hand(one).pk, approved=True, by=OWNER, now=NOW)
    if meanwhile:
        earn(gain(one, meanwhile, at=NOW), now=NOW + timedelta(days=1))
    assert tiers_at([(one.pk, NOW + timedelta(days=2))]) == ["gold"]
    assert requalifying.review(now=END - timedelta(seconds=1)).decided == 0
    assert requalifying.review(now=END).decided == 1
    assert tiers_at([(one.pk, END)]) == [after]
    assert TierMembership.objects.filter(member=one, ended_at=None).count() == 1
