from pathlib import Path
from typing import Any

from campaigns import importing
from loyalty.csvfiles import Load
from loyalty.loading import LoadCommand


class Command(LoadCommand):
    """`manage.py import_purchases FILE`."""

    help = "Bring receipts from a CSV file: whole or not at all, or with --skip-bad the good rows. Safe to repeat."
    noun = "receipts"

    def load(self, file: Path, **options: Any) -> Load[Any]:
        return Load(file, importing.LAYOUT, importing.parse, importing.judging(), importing.write, **options)
