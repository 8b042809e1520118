"""Drains the outbox: hands each waiting event to its subscribers."""

from collections.abc import Sequence
from datetime import datetime

from config.subscriptions import SUBSCRIPTIONS
from loyalty import outbox
from loyalty.outbox import Event, Handed


def drain(*, now: datetime) -> int:
    """Hand on all that waits; returns how many events. What failed, or was left by a crash, is given out next time."""
    total, after = 0, 0
    while handed := hand_on_once(now=now, after=after):
        total, after = total + handed.events, handed.last
    return total


def hand_on_once(*, now: datetime, after: int = 0) -> Handed | None:
    """One batch, in a transaction of its own; None when nothing waits behind number `after`."""

    def handle(events: Sequence[Event]) -> None:
        for handler in SUBSCRIPTIONS.get(events[0].type, ()):
            handler(events, now=now)

    return outbox.hand_on(handle, now=now, after=after)
