from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone

from loyalty import posting
from loyalty.tasks import BATCH


class Command(BaseCommand):
    """`manage.py expire_points`."""

    help = "Book every lot that has ended by now. The beat does this every ten minutes."

    def handle(self, *args: Any, **options: Any) -> None:
        now, lots, points = timezone.now(), 0, 0
        while (batch := posting.expire(now=now, limit=BATCH))[0]:
            lots, points = lots + batch[0], points + batch[1]
            self.stdout.write(f"{lots:,} lots, {points:,} points expired")
        self.stdout.write("Nothing more has ended.")
