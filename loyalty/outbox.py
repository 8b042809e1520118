"""The outbox: facts written in the transaction that made them true. The broker is only the doorbell; polling is the guarantee."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction

from loyalty import bulk
from loyalty.models import OutboxEvent


@dataclass(frozen=True, slots=True)
class Event:
    """`type` as in the webhooks list; `subject` is the id of what it is about; `facts` hold no personal data."""

    type: str
    subject: UUID
    facts: dict[str, Any]


def tell(events: Iterable[Event]) -> None:
    bulk.insert(OutboxEvent, [{"type": one.type, "subject": one.subject, "payload": one.facts} for one in events])


def hand_on(handle: Callable[[Sequence[Event]], None], *, now: datetime, limit: int = 1000) -> int:
    """Give up to `limit` waiting events to `handle`, oldest first, and mark them in the same transaction.

    A handler writes rows only (messages, webhook deliveries), so a crash gives the events out again and the rows'
    unique keys keep the second time without effect. Two relays never hold the same event. Returns how many.
    """
    with transaction.atomic():
        waiting = list(OutboxEvent.objects.select_for_update(skip_locked=True).filter(handled_at=None).order_by("id")[:limit])
        if waiting:
            handle([Event(one.type, one.subject, one.payload) for one in waiting])
            OutboxEvent.objects.filter(id__in=[one.pk for one in waiting]).update(handled_at=now)
        return len(waiting)
