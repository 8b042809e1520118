"""Mails: each once, to whom it may go when it goes; one that fails stops no other."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from unittest import mock

import pytest
from django.core import mail
from django.core.mail import EmailMultiAlternatives
from structlog.testing import capture_logs

from members import messaging, sending
from members.models import Consent, Member, Message
from tests.factories import member

pytestmark = pytest.mark.django_db
MORNING = datetime(2026, 6, 15, 10, 0, tzinfo=UTC)
SEND = "django.core.mail.backends.locmem.EmailBackend.send_messages"


def greet(*people: Member) -> None:
    messaging.queue([messaging.News(one, Message.Kind.BIRTHDAY, "2026") for one in people], now=MORNING)


def minutes(count: float) -> datetime:
    return MORNING + timedelta(minutes=count)


def row(of: Member) -> Message:
    return Message.objects.get(member=of, channel="email")


def test_a_mail_server_that_fails_is_tried_again_with_the_same_message_id() -> None:
    one = member(verified=True)
    greet(one)
    with mock.patch(SEND, side_effect=OSError("refused")):
        assert sending.send_due(now=MORNING).sent == 0
    assert sending.send_due(now=minutes(5)).claimed == 0, "another sender may still hold it"
    assert sending.send_due(now=minutes(11)).sent == 1
    assert sending.send_due(now=minutes(60)).claimed == 0
    assert [sent.extra_headers["Message-ID"] for sent in mail.outbox] == [f"<{row(one).pk}@localhost>"]
    assert row(one).tries == 2


@pytest.mark.parametrize("name", ["Wei\nBcc: all@example.com", "Wei\r\n", "Wei\x0b\x1f\x85\u2028Lin"])
def test_a_name_with_control_characters_makes_one_line(name: str) -> None:
    greet(member(given_name=name, verified=True))
    assert sending.send_due(now=MORNING).sent == 1
    assert mail.outbox[0].subject == "Happy birthday, " + " ".join(name.replace("\x1f", " ").split())


def test_one_message_that_cannot_be_sent_is_logged_given_up_and_stops_no_other() -> None:
    bad, good = member(verified=True), member(verified=True)
    greet(bad)
    Message.objects.filter(member=bad).update(facts={"on": "never"})
    greet(good)
    with capture_logs() as logs:
        for hour in range(sending.TRIES + 2):
            sending.send_due(now=MORNING + timedelta(hours=hour))
    assert [one.to for one in mail.outbox] == [[good.email]]
    assert (row(bad).tries, row(bad).sent_at) == (sending.TRIES, None)
    assert row(bad).failed_at is not None
    assert len(logs) == sending.TRIES
    assert logs[0]["message"] == str(row(bad).pk)
    assert bad.email not in str(logs)


def test_a_slow_server_makes_no_second_sender_send_the_same_mail() -> None:
    greet(*(member(verified=True) for _ in range(4)))
    real, clock, second = EmailMultiAlternatives.send, [0.0], []

    def slow(letter: EmailMultiAlternatives) -> int:
        clock[0] += 6 * 60
        if clock[0] == 12 * 60:  # the beat comes by while the second mail is on its way, and our first claim is over
            with mock.patch.object(EmailMultiAlternatives, "send", real):
                second.append(sending.send_due(now=minutes(12)).sent)
        return real(letter)

    with mock.patch.object(EmailMultiAlternatives, "send", slow), mock.patch("time.monotonic", side_effect=lambda: clock[0]):
        first = sending.send_due(now=MORNING).sent
    assert (first, second) == (2, [2])
    assert len({one.extra_headers["Message-ID"] for one in mail.outbox}) == len(mail.outbox) == 4


def withdraw(one: Member) -> None:
    Consent.objects.create(member=one, channel="email", purpose="service", granted=False, at=MORNING)


def changed(**to: object) -> Callable[[Member], object]:
    return lambda one: Member.objects.filter(pk=one.pk).update(**to)


@pytest.mark.parametrize(
    "meanwhile",
    [
        withdraw,
        changed(status="blocked"),
        changed(status="closed"),
        changed(email="somebody.else@example.com", email_verified_at=None),
        changed(email=""),
    ],
    ids=["consent", "blocked", "closed", "unverified", "no address"],
)
def test_who_cannot_be_reached_any_more_gets_no_mail_and_the_row_is_given_up(meanwhile: Callable[[Member], object]) -> None:
    one = member(verified=True)
    greet(one)
    meanwhile(one)
    assert sending.send_due(now=MORNING) == sending.Batch(claimed=1, sent=0)
    assert mail.outbox == []
    assert row(one).sent_at is None
    assert row(one).failed_at is not None
    assert sending.send_due(now=minutes(60)).claimed == 0
