"""Reminders and greetings: each once, to whom it may go, in their language."""

from datetime import UTC, date, datetime, timedelta

import pytest
from django.core import mail
from django.db import connection
from django.test.utils import CaptureQueriesContext

from config import relay
from loyalty import posting, terms
from members import messaging, sending
from members.models import Consent, Message
from members.queries import with_birthday
from tests.factories import accrual, member

pytestmark = pytest.mark.django_db
MORNING = datetime(2026, 6, 15, 10, 0, tzinfo=UTC)


def ends_in(days: int) -> datetime:
    contract = terms.current(MORNING)
    return contract.midnight_after(contract.day_of(MORNING) + timedelta(days=days))


def test_who_loses_points_in_30_7_and_1_days_is_reminded_once_each() -> None:
    one = member(email="wei@example.com", verified=True, language="fr")
    grants = [
        accrual(one.holder, 10 * days, at=MORNING - timedelta(days=1), expires_at=ends_in(days)) for days in (30, 30, 7, 1, 45)
    ]
    posting.accrue(grants, now=MORNING)
    for _ in range(3):
        messaging.remind_of_expiry(now=MORNING)
        sending.send_due(now=MORNING)
    mails = Message.objects.filter(channel="email", kind="expiry_reminder").order_by("subject_key")
    assert sorted((one.facts["points"], one.subject_key[-3:].lstrip("0123456789-")) for one in mails) == [
        (10, ":1"),
        (70, ":7"),
        (600, ":30"),
    ]
    assert len(mail.outbox) == 3
    assert all("points" in sent.subject or "points" in sent.body for sent in mail.outbox)
    assert any("juillet 2026" in sent.body for sent in mail.outbox)
    assert {sent.extra_headers["Message-ID"] for sent in mail.outbox} == {f"<{one.pk}@localhost>" for one in mails}
    assert len(messaging.inbox(one)) == 3


def test_a_reminder_that_an_outage_held_up_still_goes_out() -> None:
    one = member(verified=True)
    posting.accrue([accrual(one.holder, 50, at=MORNING, expires_at=ends_in(30))], now=MORNING)
    messaging.remind_of_expiry(now=MORNING + timedelta(days=2))
    assert Message.objects.filter(channel="email").count() == 1
    messaging.remind_of_expiry(now=MORNING + timedelta(days=3))
    assert Message.objects.filter(channel="email").count() == 1


def test_mail_goes_only_to_verified_addresses_that_want_reminders() -> None:
    unverified, declined, phone_only = member(), member(verified=True), member(email=None, phone="+33612345678", verified=True)
    Consent.objects.create(member=declined, channel="email", purpose="service", granted=False, at=MORNING)
    news = [messaging.News(one, Message.Kind.BIRTHDAY, "2026") for one in (unverified, declined, phone_only)]
    messaging.queue(news, now=MORNING)
    assert set(Message.objects.values_list("channel", flat=True)) == {"inbox"}
    Consent.objects.create(member=declined, channel="email", purpose="service", granted=True, at=MORNING + timedelta(days=1))
    messaging.queue([messaging.News(declined, Message.Kind.BIRTHDAY, "2027")], now=MORNING)
    assert Message.objects.filter(channel="email").count() == 1


def test_birthdays_are_greeted_once_a_year_also_those_of_29_february() -> None:
    member(birthday="1990-06-15", verified=True)
    leap = member(birthday="--02-29")
    for hour in range(3):
        assert messaging.greet_birthdays(now=MORNING + timedelta(hours=hour)) == 1
    assert Message.objects.filter(kind="birthday", channel="email").count() == 1
    kept = [
        day for day in (date(2026, 2, 28), date(2028, 2, 28), date(2028, 2, 29), date(2100, 2, 28)) if leap in with_birthday(day)
    ]
    assert kept == [date(2026, 2, 28), date(2028, 2, 29), date(2100, 2, 28)]


def test_reminders_wait_for_the_morning() -> None:
    contract = terms.current(MORNING)
    night = datetime(2026, 6, 15, 1, 0, tzinfo=UTC)
    assert messaging.waking(night, contract) == datetime(2026, 6, 15, 7, 0, tzinfo=UTC)
    assert messaging.waking(MORNING, contract) == MORNING


def test_the_outbox_tells_of_joining_and_of_expired_points_once() -> None:
    one = member(now=MORNING)
    posting.accrue([accrual(one.holder, 40, at=MORNING, days=1)], now=MORNING)
    later = MORNING + timedelta(days=1)
    posting.expire(now=later)
    assert relay.drain(now=later) > 0
    assert relay.drain(now=later) == 0
    assert sorted(Message.objects.values_list("kind", flat=True)) == ["points_expired", "welcome"]
    assert Message.objects.get(kind="points_expired").facts["points"] == 40
    assert len(messaging.inbox(one)) == 2


def test_expired_points_of_a_day_are_told_whole_however_they_are_swept() -> None:
    one = member(now=MORNING, verified=True)
    posting.accrue([accrual(one.holder, points, at=MORNING, days=1) for points in (40, 60)], now=MORNING)
    later = MORNING + timedelta(days=1)
    for _ in range(2):
        posting.expire(now=later, limit=1)
        relay.drain(now=later)
        told = Message.objects.filter(kind="points_expired")
        assert [row.facts["points"] for row in told] == [100, 100], "portal and mail, from the first sweep on"


def test_points_that_expire_late_are_added_to_their_day() -> None:
    one = member(now=MORNING)
    later = MORNING + timedelta(days=1)
    for points in (40, 60):
        posting.accrue([accrual(one.holder, points, at=MORNING, days=1)], now=MORNING)
        posting.expire(now=later)
        relay.drain(now=later)
    assert Message.objects.get(kind="points_expired").facts["points"] == 100


def test_the_inbox_costs_the_same_queries_for_2_and_20_messages() -> None:
    one, costs = member(), []
    facts = {"points": 5, "on": "2026-06-15", "balance": 5}
    for count in (2, 20):
        messaging.queue(
            [messaging.News(one, Message.Kind.EXPIRY_REMINDER, str(number), facts) for number in range(count)], now=MORNING
        )
        with CaptureQueriesContext(connection) as queries:
            assert len(messaging.inbox(one)) == count
        costs.append(len(queries))
    assert costs[0] == costs[1]
