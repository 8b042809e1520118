from collections.abc import Sequence
from pathlib import Path
from typing import Any

from django.utils import timezone

from loyalty.csvfiles import Load, Report
from loyalty.loading import LoadCommand
from members import balances


class Command(LoadCommand):
    """`manage.py import_balances FILE`."""

    help = "Bring balances from a CSV file: whole or not at all, or with --skip-bad the good rows. Safe to repeat."
    noun = "balances"
    run: balances.Bringing

    def load(self, file: Path, **options: Any) -> Load[Any]:
        self.run = one = balances.Bringing(file, timezone.now)
        return Load(file, balances.LAYOUT, balances.parse, one.judge, one.write, begin=one.begin, end=one.end, **options)

    def remarks(self, report: Report) -> Sequence[str]:
        """The sum to be compared with the other system's."""
        tally, would = self.run.tally, "" if report.written else "would be "
        sums = f"{tally.points:,} points for {len(tally.members):,} members; {tally.new_points:,} of them {would}new."
        return [sums]
