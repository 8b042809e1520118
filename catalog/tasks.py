"""What Celery does for the catalogue. Each looks up what is due, so a lost, late or doubled run changes nothing."""

from celery import shared_task
from django.utils import timezone

from catalog import lowwater, redeeming, sweeping, telling


@shared_task
def give_back_what_is_over() -> int:
    """Points of reservations that lapsed and of vouchers that ended unused."""
    now, total = timezone.now(), 0
    while some := redeeming.lapse(now=now) + redeeming.return_unused(now=now):
        total += some
    return total


@shared_task
def tell_of_rewards() -> int:
    now = timezone.now()
    return telling.remind_of_vouchers(now=now) + telling.tell_who_waits(now=now) + lowwater.tell(now=now)


@shared_task
def sweep_pictures() -> int:
    return sweeping.sweep(now=timezone.now())
