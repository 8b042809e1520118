"""What Celery does for members. Each looks up what is due, so a lost, late or doubled run changes nothing."""

from celery import shared_task
from django.utils import timezone

from members import messaging, requalifying, sending


@shared_task
def remind_of_expiry() -> int:
    return messaging.remind_of_expiry(now=timezone.now())


@shared_task
def greet_birthdays() -> int:
    return messaging.greet_birthdays(now=timezone.now())


@shared_task
def review_tiers() -> None:
    requalifying.review(now=timezone.now())


@shared_task
def send_messages() -> int:
    return sending.send_due(now=timezone.now()).sent
