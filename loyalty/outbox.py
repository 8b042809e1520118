"""The outbox: facts written in the transaction that made them true. The broker is only the doorbell; polling is the guarantee."""

from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import structlog
from django.db import transaction

from loyalty import bulk
from loyalty.models import OutboxEvent

# So often the events of one type are given out in parts while we look for the events that make it fail.
PARTS = 200
log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Event:
    """`type` as in the webhooks list; `subject` is the id of what it is about; `facts` hold no personal data."""

    type: str
    subject: UUID
    facts: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Handed:
    """How many events were handled, and the number of the last one that was looked at."""

    events: int
    last: int


type Handle = Callable[[Sequence[Event]], None]


def tell(events: Iterable[Event]) -> None:
    bulk.insert(OutboxEvent, [{"type": one.type, "subject": one.subject, "payload": one.facts} for one in events])


def hand_on(handle: Handle, *, now: datetime, after: int = 0, limit: int = 1000) -> Handed | None:
    """Give up to `limit` waiting events with numbers above `after` to `handle`, oldest first, and mark them; None if none waits.

    `handle` gets events of one type. It writes rows only (messages, webhook deliveries), in the transaction of the mark,
    so a crash gives the events out again and the rows' unique keys keep the second time without effect. Events that
    make it raise leave nothing behind and stay waiting; the others go on. Two relays never hold the same event.
    """
    with transaction.atomic():
        rows = OutboxEvent.objects.select_for_update(skip_locked=True).filter(handled_at=None, id__gt=after)
        waiting = list(rows.order_by("id")[:limit])
        if not waiting:
            return None
        by_type: dict[str, list[OutboxEvent]] = {}
        for one in waiting:
            by_type.setdefault(one.type, []).append(one)
        done = [id_ for mine in by_type.values() for id_ in _handled(handle, mine)]
        OutboxEvent.objects.filter(id__in=done).update(handled_at=now)
        return Handed(len(done), waiting[-1].pk)


def _handled(handle: Handle, events: list[OutboxEvent]) -> list[int]:
    """Numbers of the events of one type that went through: all at once, or by halves without those that fail."""
    done: list[int] = []
    failed, left = "", deque([events])
    for _ in range(PARTS):
        if not left:
            break
        part = left.popleft()
        try:
            with transaction.atomic():
                handle([Event(one.type, one.subject, one.payload) for one in part])
        except Exception as error:  # noqa: BLE001 — one event that fails must not stop the house
            failed, half = type(error).__name__, len(part) // 2
            left += [part[:half], part[half:]] if half else []
        else:
            done += [one.pk for one in part]
    if failed:
        ids = sorted({one.pk for one in events} - set(done))
        log.error("events failed", type=events[0].type, error=failed, events=ids)
    return done


def forget(older_than: datetime) -> int:
    """Delete what was handled before; what still waits is kept, however old."""
    return bulk.delete(OutboxEvent.objects.filter(handled_at__lt=older_than).order_by("id"))
