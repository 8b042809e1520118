import time
from datetime import datetime
from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone

from campaigns.queries import has_receipts_of
from config import environment, relay
from config.demo import counter, filling, menu
from members.staffing import employ


class Command(BaseCommand):
    """`manage.py demo`."""

    help = "Fill a chain of coffee shops with regulars and a year of receipts, through the public services. Safe to repeat."

    def handle(self, *args: Any, **options: Any) -> None:
        started, now = time.monotonic(), timezone.now()
        if has_receipts_of(filling.SOURCE):
            self.stdout.write("The demo shop is there already.")
        else:
            filling.fill(now=now, tell=self.stdout.write)
            relay.drain(now=now)
            self.stdout.write(f"Filled in {time.monotonic() - started:.0f} s.")
        self.stdout.write(self._logins())
        self.stdout.write(self._till(now))

    def _logins(self) -> str:
        """The logins as they were written the first time; made now if the file is gone."""
        file = environment.data_folder() / "demo-logins.txt"
        if not file.is_file():
            lines = [self._login(role, name) for role, name in menu.STAFF.items()]
            hint = "sign in with a code; the owner reads it at /admin/mail/"
            lines += [f"{'member':10} {email:22} {hint}" for email in menu.MEMBERS]
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text("\n".join(lines) + "\n")
        return file.read_text()

    def _till(self, now: datetime) -> str:
        """PINs as they were given the first time, and a new code for a browser."""
        file = environment.data_folder() / "demo-till.txt"
        known = [line for line in (file.read_text().splitlines() if file.is_file() else []) if line.startswith("PIN")]
        lines = [*known, *counter.give_pins(now=now), counter.code(now=now)]
        file.write_text("\n".join(lines) + "\n")
        return file.read_text()

    def _login(self, role: str, name: str) -> str:
        email, stores = f"{role}@demo.example", ["harbour"] if role in ("manager", "cashier") else []
        return f"{role:10} {email:22} {employ(email, role=role, name=name, stores=stores)}"
