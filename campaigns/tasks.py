"""What Celery does for campaigns. Each looks up what is due, so a lost, late or doubled run changes nothing."""

from celery import shared_task
from django.utils import timezone

from campaigns import greeting


@shared_task
def keep_birthdays() -> int:
    return greeting.keep_birthdays(now=timezone.now())
