"""Every member is told of rules that become worse: once, in their language, with the rule before and after."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest
from django.core import mail
from django.db import connection
from django.test.utils import CaptureQueriesContext

from campaigns import drafting
from campaigns import publishing as rates
from config import relay
from loyalty import publishing
from loyalty.models import OutboxEvent
from loyalty.notice import Approval
from members import messaging, sending
from members.models import Member, Message
from tests.factories import ApplicationFactory, member, members

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 6, 15, 10, 0, tzinfo=UTC)
OWNER, FINANCE = uuid4(), uuid4()


def worse_terms() -> None:
    change({"point_value": Decimal("0.008"), "return_days": 45})


def change(given: dict[str, Any]) -> None:
    version = publishing.draft(given, actor=OWNER).version
    approval = Approval(FINANCE, publishing.review(version, now=NOW).fingerprint)
    publishing.publish(version, actor=OWNER, approval=approval, now=NOW)


def test_a_change_for_the_worse_is_told_once_to_every_member() -> None:
    reached = member(email="wei@example.com", verified=True, language="fr")
    silent = member()
    closed = member()
    Member.objects.filter(pk=closed.pk).update(status=Member.Status.CLOSED)
    worse_terms()
    for _ in range(2):
        OutboxEvent.objects.filter(type="terms.published").update(handled_at=None)
        relay.drain(now=NOW)
        sending.send_due(now=NOW)
    rows = Message.objects.filter(kind="terms_change").order_by("channel", "member")
    assert {(one.member_id, one.channel, one.subject_key) for one in rows} == {
        (reached.pk, "email", "terms:2"), (reached.pk, "inbox", "terms:2"), (silent.pk, "inbox", "terms:2"),
    }  # fmt: skip
    [sent] = mail.outbox
    assert "15 août 2026" in sent.subject
    for said in ("100 points valent 1,00", "100 points valent 0,80", "30 jours", "45 jours", "/rules/"):
        assert said in sent.body.replace("\N{NO-BREAK SPACE}", " ").replace("\N{NARROW NO-BREAK SPACE}", " ")
    [shown] = messaging.inbox(silent)[:1]
    assert shown["subject"] == "The rules for your points change on 15 August 2026"
    assert "Value of points (worse)" in shown["body"]
    assert "Time for returns (better)" in shown["body"]


def test_a_lower_rate_is_told_as_well() -> None:
    one = member(verified=True)
    draft = drafting.draft("base", Decimal("0.5"), actor=OWNER)
    approval = Approval(FINANCE, rates.review(draft.pk, now=NOW).fingerprint)
    rates.publish(draft.pk, actor=OWNER, approval=approval, now=NOW)
    relay.drain(now=NOW)
    assert "From then on: 0.5 points per €1.00." in messaging.inbox(one)[0]["body"]
    assert Message.objects.get(kind="terms_change", channel="email").subject_key == f"rate:{draft.pk}"


def test_what_takes_the_place_of_an_announcement_is_told_beside_what_holds_until_then() -> None:
    one = member()
    change({"point_value": Decimal("0.008"), "return_days": 45})
    change({"point_value": Decimal("0.02")})
    relay.drain(now=NOW)
    newest, before = messaging.inbox(one)[:2]
    assert "Until then: 100 points are worth €1.00." in newest["body"]
    assert "From then on: 100 points are worth €2.00." in newest["body"]
    assert "Time for returns (better)" in newest["body"], "what was announced with it still comes"
    assert "takes the place of what we announced" in newest["body"]
    assert "takes the place" not in before["body"]


def test_an_announcement_that_is_taken_back_is_told() -> None:
    one = member()
    for value in (Decimal("0.008"), Decimal("0.01")):
        change({"point_value": value})
    for rate in (Decimal("0.5"), Decimal(1)):
        draft = drafting.draft("base", rate, actor=OWNER)
        approval = Approval(FINANCE, rates.review(draft.pk, now=NOW).fingerprint)
        rates.publish(draft.pk, actor=OWNER, approval=approval, now=NOW)
    relay.drain(now=NOW)
    told = [shown for shown in messaging.inbox(one) if shown["kind"] == "terms_change"]
    stay = [shown for shown in told if shown["subject"] == "The rules for your points stay as they are on 15 August 2026"]
    assert (len(told), len(stay)) == (4, 2)
    assert all("does not happen. Your rules stay as they are." in shown["body"] for shown in stay)


def test_nobody_is_told_of_what_gets_better() -> None:
    member(verified=True)
    version = publishing.draft({"point_value": Decimal("0.02")}, actor=OWNER).version
    publishing.publish(version, actor=OWNER, now=NOW)
    relay.drain(now=NOW)
    assert not Message.objects.filter(kind="terms_change").exists()


def test_members_are_told_in_batches_that_each_commit_and_cost_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    everyone = members([ApplicationFactory.build(verified=True) for _ in range(7)])
    relay.drain(now=NOW)
    worse_terms()
    monkeypatch.setattr(messaging, "TOLD_AT_ONCE", 3)
    costs = []
    while OutboxEvent.objects.filter(handled_at=None).exists():
        waiting = OutboxEvent.objects.get(handled_at=None)
        told = Message.objects.filter(kind="terms_change", channel="email").count()
        # A crash here loses nothing: the event that waits goes on where the last batch ended.
        with CaptureQueriesContext(connection) as asked:
            relay.hand_on_once(now=NOW)
        more = Message.objects.filter(kind="terms_change", channel="email").count() - told
        costs.append((waiting.type, more, len(asked)))
    assert [(kind, more) for kind, more, _cost in costs] == [
        ("terms.published", 3), ("terms.announcing", 3), ("terms.announcing", 1),
    ]  # fmt: skip
    assert costs[0][2] == costs[1][2] >= costs[2][2]
    assert Message.objects.filter(kind="terms_change", channel="inbox").count() == len(everyone)
