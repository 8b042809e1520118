from typing import Any

from django.core.management.base import BaseCommand

from catalog import tasks


class Command(BaseCommand):
    """`manage.py keep_catalogue`."""

    help = "Give back points of lapsed reservations and unused vouchers, and send what is due to be told. The beat does this."

    def handle(self, *args: Any, **options: Any) -> None:
        self.stdout.write(f"{tasks.give_back_what_is_over():,} reservations and vouchers are over.")
        self.stdout.write(f"{tasks.tell_of_rewards():,} members are told.")
