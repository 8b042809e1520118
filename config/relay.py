"""Drains the outbox: hands each waiting event to its subscribers."""

from collections.abc import Sequence
from datetime import datetime

from config.subscriptions import SUBSCRIPTIONS
from loyalty import outbox
from loyalty.outbox import Event


def drain(*, now: datetime) -> int:
    """Hand on all that waits; returns how many events. A crash half-way gives the rest out next time."""

    def handle(events: Sequence[Event]) -> None:
        for type_, handlers in SUBSCRIPTIONS.items():
            mine = [event for event in events if event.type == type_]
            for handler in handlers if mine else ():
                handler(mine, now=now)

    total = 0
    while handed := outbox.hand_on(handle, now=now):
        total += handed
    return total
