"""Base rates are terms wherever they are edited; and every point carries the terms and the rate it was earned under."""

from datetime import date, timedelta
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from campaigns import drafting
from campaigns import publishing as rates
from campaigns.models import Award, EarnRule, RuleVersion
from campaigns.purchases import record
from campaigns.ruleschemas import RuleIn
from campaigns.values import Kind
from loyalty import publishing, queries, terms
from loyalty.models import AuditRecord, JournalEntry, Lot, OutboxEvent
from loyalty.notice import Approval
from loyalty.problems import Problem
from tests.factories import NOW, ReceiptFactory, StoreFactory, holder, member

pytestmark = pytest.mark.django_db
OWNER, FINANCE = uuid4(), uuid4()


def refused(act: Any) -> str:
    before = list(RuleVersion.objects.order_by("pk").values()), OutboxEvent.objects.count(), AuditRecord.objects.count()
    with pytest.raises(Problem) as caught:
        act()
    assert (list(RuleVersion.objects.order_by("pk").values()), OutboxEvent.objects.count(), AuditRecord.objects.count()) == before
    return caught.value.detail


def publish(draft: RuleVersion, *, now: Any = NOW, approved: bool = False) -> rates.Outcome:
    approval = Approval(FINANCE, rates.review(draft.pk, now=now).fingerprint) if approved else None
    return rates.publish(draft.pk, actor=OWNER, approval=approval, now=now)


def test_a_higher_rate_starts_at_once_a_lower_one_after_the_notice_and_with_a_second_person() -> None:
    holder()
    better = publish(drafting.draft("base", Decimal(2), actor=OWNER))
    assert (better.version.starts_at, better.version.detriment) == (NOW, False)
    worse = drafting.draft("base", Decimal("1.5"), starts_at=NOW + timedelta(days=59), actor=OWNER)
    assert "needs 60 days of notice: it can start on 15 August 2026" in refused(lambda: publish(worse, approved=True))
    drafting.revise(worse.pk, RuleIn(kind=Kind.BASE, value=Decimal("1.5")), actor=OWNER)
    assert "second person" in refused(lambda: publish(worse))
    done = publish(worse, approved=True)
    assert (done.version.version, done.version.detriment, done.version.approved_by) == (3, True, FINANCE)
    assert done.version.starts_at == terms.current(NOW).midnight_after((NOW + timedelta(days=60)).date())
    told = [one.payload for one in OutboxEvent.objects.filter(type="terms.published").order_by("id")]
    assert [(one["rate_before"], one["rate"], one["detriment"]) for one in told] == [("1", "2", False), ("2", "1.5", True)]


def test_the_same_rate_is_not_published_again() -> None:
    assert not publish(drafting.draft("base", Decimal("1.000"), actor=OWNER)).published
    assert not OutboxEvent.objects.filter(type="terms.published").exists()


def test_what_is_no_rate_no_rule_or_no_draft_is_refused() -> None:
    assert "at least 0" in refused(lambda: drafting.draft("base", Decimal(-1), actor=OWNER))
    assert "no rule with this code" in refused(lambda: drafting.draft("none", Decimal(1), actor=OWNER))
    first = RuleVersion.objects.get()
    for act in (
        lambda: drafting.revise(first.pk, RuleIn(kind=Kind.BASE, value=Decimal(2)), actor=OWNER),
        lambda: drafting.discard(first.pk, actor=OWNER),
        lambda: rates.publish(first.pk, actor=OWNER, now=NOW),
        lambda: rates.review(uuid4(), now=NOW),
    ):
        assert "published version stays" in refused(act)


def test_a_draft_can_be_deleted_and_one_that_was_overtaken_is_drafted_anew() -> None:
    overtaken, newer = (drafting.draft("base", Decimal(rate), actor=OWNER) for rate in (2, 3))
    publish(newer)
    assert "Version 3 was published since" in refused(lambda: publish(overtaken))
    drafting.discard(overtaken.pk, actor=OWNER)
    assert [one.version for one in RuleVersion.objects.order_by("version")] == [1, 3]


def test_the_database_says_the_same_again() -> None:
    holder()
    draft = drafting.draft("base", Decimal("0.5"), actor=OWNER)
    row = RuleVersion.objects.filter(pk=draft.pk)
    for fields, complaint in (
        ({"starts_at": NOW}, "is worse and does not say so"),
        ({"starts_at": NOW, "detriment": True, "approved_by": FINANCE}, "before the notice ends"),
        ({"starts_at": NOW + timedelta(days=60), "detriment": True}, "rule_detriment_is_approved"),
    ):
        with pytest.raises(IntegrityError, match=complaint), transaction.atomic():
            row.update(published_at=NOW, **fields)
    assert row.get().published_at is None


def test_points_carry_the_terms_and_the_rate_they_were_earned_under_and_keep_their_expiry() -> None:
    StoreFactory.create()
    buyer, now = member(), timezone.now()
    old = record([ReceiptFactory.build(member=str(buyer.pk), occurred_at=now - timedelta(days=2))], now=now - timedelta(days=2))
    before = Lot.objects.get().expires_at
    version = publishing.draft({"expiry_months": 24}, actor=OWNER).version
    publishing.publish(version, actor=OWNER, now=now - timedelta(days=1))
    publish(drafting.draft("base", Decimal(3), actor=OWNER), now=now - timedelta(days=1))
    new = record([ReceiptFactory.build(member=str(buyer.pk), occurred_at=now)], now=now)
    late = record([ReceiptFactory.build(member=str(buyer.pk), occurred_at=now - timedelta(days=2))], now=now)
    by_version = {one.version: one.id for one in terms.published()}
    [base] = EarnRule.objects.all()
    of_rule = {one.version: one.pk for one in base.versions.all()}
    for [purchase], terms_version, rate_version, points in ((old, 1, 1, 18), (new, 2, 2, 55), (late, 1, 1, 18)):
        assert not isinstance(purchase, Problem)
        award = Award.objects.get(purchase=purchase.id)
        entry = JournalEntry.objects.get(pk=award.entry)
        assert (award.points, award.rule_version_id) == (points, of_rule[rate_version])
        assert (entry.terms_id, entry.rule_version) == (by_version[terms_version], of_rule[rate_version])
    ends = [one.expires_at for one in Lot.objects.order_by("id")]
    assert ends[0] == before
    assert before
    assert ends[1]
    assert ends[1] > before + timedelta(days=300)


def test_under_inactivity_each_receipt_keeps_all_points_also_when_later_terms_give_dates() -> None:
    StoreFactory.create()
    started = NOW - timedelta(days=400)
    for given, at in (({"expiry": "inactivity", "expiry_months": 6}, started), ({"expiry": "months"}, NOW - timedelta(days=100))):
        version = publishing.draft(given | {"expiry_months": 6}, actor=OWNER).version
        seen = publishing.review(version, now=at)
        publishing.publish(version, actor=OWNER, approval=Approval(FINANCE, seen.fingerprint), now=at)
    one = member(now=NOW)
    for days in (120, 20, 0):
        assert not isinstance(
            record([ReceiptFactory.build(member=str(one.pk), occurred_at=NOW - timedelta(days=days))], now=NOW, history=True)[0],
            Problem,
        )
    [end] = {lot.expires_at for lot in queries.open_lots(one.holder, NOW) if lot.earned_at == NOW - timedelta(days=120)}
    assert end == terms.current(NOW).midnight_after(date(2026, 12, 15))
    assert (
        queries.balances([one.holder], end)[one.holder].available
        < queries.balances([one.holder], end - timedelta(seconds=1))[one.holder].available
    )
