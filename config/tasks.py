"""What Celery does for the house."""

from celery import shared_task
from django.utils import timezone

from config import relay, retention


@shared_task
def relay_outbox() -> int:
    return relay.drain(now=timezone.now())


@shared_task
def forget_old_rows() -> int:
    return retention.forget(now=timezone.now())
