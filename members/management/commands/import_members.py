from pathlib import Path
from typing import Any

from loyalty.csvfiles import Load
from loyalty.loading import LoadCommand
from members import importing


class Command(LoadCommand):
    """`manage.py import_members FILE`."""

    help = "Bring members from a CSV file: whole or not at all, or with --skip-bad the good rows. Safe to repeat."
    noun = "members"

    def load(self, file: Path, **options: Any) -> Load[Any]:
        return Load(file, importing.LAYOUT, importing.parse, importing.judging(), importing.write, **options)
