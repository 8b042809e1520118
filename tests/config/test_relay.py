"""The relay hands on what can be handled; what fails waits and stops nothing. Old rows are forgotten."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.utils import timezone
from structlog.testing import capture_logs

from config import relay, retention
from config.subscriptions import SUBSCRIPTIONS
from loyalty import idempotency, outbox
from loyalty.models import IdempotencyRecord, OutboxEvent
from loyalty.outbox import Event
from members.models import CodeAttempt

pytestmark = pytest.mark.django_db
NOW = timezone.now()


class Handler:
    """Writes down whom it was told of, and raises at those in `bad`."""

    def __init__(self) -> None:
        self.bad: set[UUID] = set()
        self.told: list[UUID] = []

    def __call__(self, events: Sequence[Event], *, now: datetime) -> None:
        assert not self.bad & {one.subject for one in events}
        self.told += [one.subject for one in events]


@pytest.fixture
def handlers(monkeypatch: pytest.MonkeyPatch) -> dict[str, Handler]:
    made = {"member.joined": Handler(), "points.changed": Handler()}
    for type_, handler in made.items():
        monkeypatch.setitem(SUBSCRIPTIONS, type_, [handler])
    return made


def tell(type_: str, count: int) -> list[UUID]:
    subjects = [uuid4() for _ in range(count)]
    outbox.tell([Event(type_, subject, {}) for subject in subjects])
    return subjects


def waiting() -> list[Any]:
    return list(OutboxEvent.objects.filter(handled_at=None).order_by("id").values_list("id", "subject"))


def test_an_event_that_fails_waits_alone_and_is_tried_again(handlers: dict[str, Handler]) -> None:
    joined, changed = tell("member.joined", 20), tell("points.changed", 3)
    handlers["member.joined"].bad = {joined[0], joined[13]}
    with capture_logs() as logs:
        assert relay.drain(now=NOW) == 21
    assert [subject for _, subject in waiting()] == [joined[0], joined[13]]
    assert [one["events"] for one in logs] == [[id_ for id_, _ in waiting()]]
    assert sorted(handlers["member.joined"].told) == sorted(set(joined) - handlers["member.joined"].bad)
    assert handlers["points.changed"].told == changed
    handlers["member.joined"].bad = set()
    assert relay.drain(now=NOW) == 2
    assert waiting() == []


def test_a_handler_that_always_fails_starves_nobody(handlers: dict[str, Handler]) -> None:
    joined = tell("member.joined", 1100)
    handlers["member.joined"].bad = set(joined)
    changed = tell("points.changed", 1)
    assert relay.drain(now=NOW) == 1
    assert handlers["points.changed"].told == changed
    assert len(waiting()) == 1100


def test_old_rows_are_forgotten_and_what_waits_is_kept() -> None:
    tell("member.joined", 3)
    first, second, third = OutboxEvent.objects.order_by("id")
    OutboxEvent.objects.filter(pk=first.pk).update(handled_at=NOW - timedelta(days=31))
    OutboxEvent.objects.filter(pk=second.pk).update(handled_at=NOW - timedelta(days=29))
    OutboxEvent.objects.filter(pk=third.pk).update(created_at=NOW - timedelta(days=400))
    for hours in (23, 25):
        CodeAttempt.objects.create(code=str(hours), tries=1, at=NOW - timedelta(hours=hours))
    caller = uuid4()
    for days in (89, 91):
        idempotency.once(caller, str(days), ["POST"], lambda: (200, {}))
        IdempotencyRecord.objects.filter(key=str(days)).update(created_at=NOW - timedelta(days=days))
    assert retention.forget(now=NOW) == 3
    assert retention.forget(now=NOW) == 0
    assert set(OutboxEvent.objects.values_list("id", flat=True)) == {second.pk, third.pk}
    assert CodeAttempt.objects.get().code == "23"
    assert IdempotencyRecord.objects.get().key == "89"
