from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone

from members import messaging, sending


class Command(BaseCommand):
    """`manage.py send_reminders`."""

    help = "Remind of points that end in 30, 7 and 1 days, greet birthdays, send what is due. Safe to repeat; the beat does it."

    def handle(self, *args: Any, **options: Any) -> None:
        now = timezone.now()
        self.stdout.write(f"{messaging.remind_of_expiry(now=now):,} members lose points in 30, 7 or 1 days.")
        self.stdout.write(f"{messaging.greet_birthdays(now=now):,} have their birthday today.")
        sent = 0
        while (batch := sending.send_due(now=timezone.now())).claimed:
            sent += batch.sent
        self.stdout.write(f"{sent:,} mails sent.")
