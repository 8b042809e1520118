from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from loyalty import checkpoints, verifying
from loyalty.models import Checkpoint


class Command(BaseCommand):
    """`manage.py verify_ledger`."""

    help = (
        "Recompute every balance, lot and hash from the postings, and compare with the signed checkpoints. Names the first "
        "row, wallet or range that disagrees; ends with 1 then."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--checkpoints", type=Path, default=settings.SEAL_FOLDER, metavar="FOLDER", help="signed checkpoints")
        parser.add_argument("--public-key", type=Path, default=settings.SEAL_PUBLIC_KEY, metavar="FILE", help="the sealer's key")

    def handle(self, *args: Any, **options: Any) -> None:
        folder, public_key = options["checkpoints"], options["public_key"]
        if folder and not public_key:
            raise CommandError("Checkpoints need a key to check their signatures: --public-key FILE.")
        if folder == settings.SEAL_FOLDER and folder and not checkpoints.files(folder) and not Checkpoint.objects.exists():
            folder = None  # nothing was sealed yet
        compared = f" and the checkpoints in {folder}" if folder else ", without checkpoints: a cut tail would not be seen"
        self.stdout.write(f"Verifying {verifying.size():,} postings{compared}.")
        broken = 0
        for finding in verifying.verify(folder, public_key):
            broken += finding.bad_row is not None
            self.stdout.write(f"{'BROKEN' if finding.bad_row else 'holds':6}  {finding.seconds:7.2f} s  {finding.check}")
            if finding.bad_row:
                self.stdout.write(f"        first: {finding.bad_row}")
        if broken:
            raise CommandError(f"The ledger does not add up: {broken} of the checks above found a bad row.")
        self.stdout.write("The ledger adds up.")
