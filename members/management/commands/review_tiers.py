from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone

from members import requalifying


class Command(BaseCommand):
    """`manage.py review_tiers`."""

    help = "Decide every tier whose validity has ended, and tell who is about to lose one. Safe to repeat; the beat does it."

    def handle(self, *args: Any, **options: Any) -> None:
        done = requalifying.review(now=timezone.now())
        self.stdout.write(f"{done.decided:,} tiers reviewed, {done.moved:,} members moved by a new table.")
        self.stdout.write(f"{done.warned:,} members fall short of keeping their tier in 60 or 14 days.")
