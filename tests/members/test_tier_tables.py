"""Tier tables are terms: frozen, judged, announced; what counts stays; the database says the same."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from django.db import IntegrityError, transaction

from config import relay
from loyalty.models import OutboxEvent
from loyalty.problems import Problem
from members import messaging, publishing
from members.models import Message, Tier, TierTable
from members.queries import tier_tables, tiers_at
from members.tiers import Level
from tests.factories import member
from tests.members.tiering import LEVELS, OWNER, publish

NOW = datetime(2026, 6, 15, 12, 0, tzinfo=UTC)
HARDER = [*LEVELS[:2], Level("gold", "Gold", 3000, 100)]

pytestmark = pytest.mark.django_db


def test_a_first_table_starts_at_once_though_there_are_members() -> None:
    one = member(now=NOW)
    assert tiers_at([(one.pk, NOW)]) == [None]
    assert publish(now=NOW).starts_at == NOW
    assert tiers_at([(one.pk, NOW), (one.pk, NOW - timedelta(days=400))]) == ["regular", "regular"]


def test_a_harder_table_waits_for_notice_and_a_second_person() -> None:
    member(now=NOW)
    publish(now=NOW)
    draft = publishing.draft({}, HARDER, actor=OWNER)
    with pytest.raises(Problem, match="second person"):
        publishing.publish(draft.version, actor=OWNER, now=NOW)
    soon = publishing.draft({}, HARDER, starts_at=NOW + timedelta(days=30), actor=OWNER)
    with pytest.raises(Problem, match="60 days of notice: it can start on 15 August 2026"):
        publishing.publish(soon.version, actor=OWNER, now=NOW)
    assert [one.version for one in tier_tables()] == [1]
    table = publish(HARDER, now=NOW)
    assert table.detriment
    assert table.starts_at == datetime(2026, 8, 14, 22, tzinfo=UTC)


def test_every_member_is_told_of_a_harder_table_and_nobody_of_a_better_one() -> None:
    one = member(now=NOW, language="zh-hans")
    publish(now=NOW)
    publish(now=NOW, grace_days=14)
    relay.drain(now=NOW)
    assert not Message.objects.filter(kind="terms_change").exists()
    publish(HARDER, now=NOW)
    for _ in range(2):
        OutboxEvent.objects.filter(type="terms.published").update(handled_at=None)
        relay.drain(now=NOW)
    [row] = Message.objects.filter(kind="terms_change", channel="inbox")
    assert row.subject_key == "tiers:3"
    [told] = [shown for shown in messaging.inbox(one) if shown["kind"] == "terms_change"]
    assert "1,000" in told["body"]
    assert "3,000" in told["body"]


def test_what_counts_stays_and_the_refusal_says_why() -> None:
    publish(now=NOW)
    with pytest.raises(Problem, match="What counts stays as it is once a table was published"):
        publishing.draft({"basis": "spend"}, actor=OWNER)
    assert TierTable.objects.count() == 1


@pytest.mark.parametrize(
    "levels",
    [
        [Level("a", "A", 0, 10)], [Level("a", "A", 5), Level("b", "B", 5)], [Level("a", "A", 5), Level("a", "B", 6)],
        [Level("a b", "A", 5)], [Level("a", " ", 5)], [Level("a", "A", -1)], [Level("a", "A", 5, -1)], [Level("a", "A" * 61, 5)],
    ],
)  # fmt: skip
def test_a_table_that_makes_no_sense_is_refused(levels: list[Level]) -> None:
    with pytest.raises(Problem):
        publishing.draft({}, levels, actor=OWNER)
    assert not TierTable.objects.exists()


def test_rewards_that_one_receipt_may_bring_together_wait_for_a_second_person() -> None:
    member(now=NOW)
    many = [Level(f"t{n}", f"T{n}", n, 1_300) for n in range(1, 5)]
    draft = publishing.draft({}, many, actor=OWNER)
    assert publishing.review(draft.version, now=NOW).generous
    with pytest.raises(Problem, match="second person"):
        publishing.publish(draft.version, actor=OWNER, now=NOW)
    draft = publishing.draft({}, many[:3], actor=OWNER)
    assert publishing.publish(draft.version, actor=OWNER, now=NOW).published


def test_a_table_without_tiers_is_not_published() -> None:
    draft = publishing.draft({}, actor=OWNER)
    with pytest.raises(Problem):
        publishing.publish(draft.version, actor=OWNER, now=NOW)


def test_a_change_of_a_draft_voids_what_was_seen_of_it() -> None:
    publish(now=NOW)
    draft = publishing.draft({"grace_days": 5}, actor=OWNER)
    seen = publishing.content(draft)
    publishing.edit(draft.version, {"grace_days": 6}, LEVELS, starts_at=None, actor=OWNER, seen=seen)
    with pytest.raises(Problem, match="changed"):
        publishing.edit(draft.version, {"grace_days": 7}, LEVELS, starts_at=None, actor=OWNER, seen=seen)
    publishing.discard(draft.version, actor=OWNER)
    assert TierTable.objects.count() == 1


def test_an_unchanged_table_is_no_publication() -> None:
    publish(now=NOW)
    draft = publishing.draft({}, actor=OWNER)
    assert not publishing.publish(draft.version, actor=uuid4(), now=NOW).published


def test_the_database_freezes_what_is_published() -> None:
    member(now=NOW)
    table = publish(now=NOW)
    for act in (
        lambda: TierTable.objects.filter(pk=table.pk).update(grace_days=9),
        lambda: Tier.objects.filter(table=table, code="gold").update(threshold=1),
        lambda: Tier.objects.create(table=table, code="new", name="New", threshold=7),
        lambda: Tier.objects.filter(table=table).delete(),
    ):
        with pytest.raises(IntegrityError, match="frozen"), transaction.atomic():
            act()


def test_the_database_refuses_a_worse_table_that_does_not_say_so() -> None:
    member(now=NOW)
    publish(now=NOW)
    for levels, given in ((HARDER, {}), (LEVELS[:2], {}), (LEVELS, {"window": "rolling"})):
        draft = publishing.draft(given, levels, actor=OWNER)
        rows = TierTable.objects.filter(pk=draft.pk)
        with pytest.raises(IntegrityError, match="does not say so"), transaction.atomic():
            rows.update(published_at=NOW, starts_at=NOW, published_by=OWNER)
        with pytest.raises(IntegrityError, match="before the notice ends"), transaction.atomic():
            rows.update(published_at=NOW, starts_at=NOW, published_by=OWNER, detriment=True, approved_by=uuid4())
    draft = publishing.draft({}, actor=OWNER)
    with pytest.raises(IntegrityError, match="what counts"), transaction.atomic():
        TierTable.objects.filter(pk=draft.pk).update(basis="visits", published_at=NOW, starts_at=NOW)
