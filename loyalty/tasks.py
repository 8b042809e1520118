"""What Celery does for the ledger."""

from celery import shared_task
from django.utils import timezone

from loyalty import posting

BATCH = 10_000


@shared_task
def expire_points() -> int:
    """Book every lot that has ended; a second sweep at the same time finds nothing left."""
    now, total = timezone.now(), 0
    while expired := posting.expire(now=now, limit=BATCH)[0]:
        total += expired
    return total
