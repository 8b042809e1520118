"""How long the house keeps what it needs only for a while."""

from datetime import datetime, timedelta

from campaigns import counting
from loyalty import idempotency, outbox
from members import codes, forgetting, spending

KEPT = [
    (outbox.forget, timedelta(days=30)),
    (idempotency.forget, timedelta(days=90)),
    (forgetting.forget_code_attempts, timedelta(days=1)),
    (codes.forget, codes.LONG),
    (spending.forget, timedelta(days=30)),
    (counting.forget, timedelta(days=800)),
]


def forget(*, now: datetime) -> int:
    """Delete what is older than we keep it; returns how many rows. A second run finds nothing left."""
    return sum(purge(now - kept) for purge, kept in KEPT)
