from typing import Any

from django.core.management.base import BaseCommand, CommandError

from loyalty import verifying


class Command(BaseCommand):
    """`manage.py verify_ledger`."""

    help = "Recompute every balance, lot and hash from the postings. Names the first row that disagrees; ends with 1 then."

    def handle(self, *args: Any, **options: Any) -> None:
        self.stdout.write(f"Verifying {verifying.size():,} postings.")
        broken = 0
        for finding in verifying.verify():
            broken += finding.bad_row is not None
            self.stdout.write(f"{'BROKEN' if finding.bad_row else 'holds':6}  {finding.seconds:7.2f} s  {finding.check}")
            if finding.bad_row:
                self.stdout.write(f"        first: {finding.bad_row}")
        if broken:
            raise CommandError(f"The ledger does not add up: {broken} of the checks above found a bad row.")
        self.stdout.write("The ledger adds up.")
