"""What the commands that load CSV files share: their options, their progress, their last line."""

import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from loyalty.csvfiles import Load, Report
from loyalty.problems import Problem


class LoadCommand(BaseCommand):
    """A command `import_… FILE`; subclasses make the Load."""

    noun = "records"

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path, help="CSV file in UTF-8 whose first line names the columns")
        parser.add_argument("--dry-run", action="store_true", help="judge every row, write nothing")
        parser.add_argument("--skip-bad", action="store_true", help="write the good rows even when there are bad ones")

    def load(self, file: Path, **options: Any) -> Load[Any]:
        """The run over `file`."""
        raise NotImplementedError

    def remarks(self, report: Report) -> Sequence[str]:
        """What else is to be said about the run."""
        return ()

    def handle(self, *args: Any, **options: Any) -> None:
        file: Path = options["file"]
        if not file.is_file():
            raise CommandError(f"There is no file {file}.")
        started, seen = time.monotonic(), 0

        def progress(records: int, share: float) -> None:
            nonlocal started, seen
            if records < seen:  # judged, and read once more to be written
                started = time.monotonic()
            seen = records
            rate = records / max(time.monotonic() - started, 0.001)
            self.stderr.write(
                f"\r{records:,} {self.noun}, {share:.0%}, {rate:,.0f} a second", ending="" if sys.stderr.isatty() else "\n"
            )

        load = self.load(file, dry_run=options["dry_run"], skip_bad=options["skip_bad"], progress=progress)
        try:
            report = load.run()
        except Problem as problem:
            raise CommandError(problem.detail) from None
        verb = "" if report.written else "would be "
        done = f"{report.new:,} {verb}new, {report.known:,} known already, {report.bad:,} bad"
        self.stdout.write(f"\n{self.noun.capitalize()}: {done}.")
        for line in self.remarks(report):
            self.stdout.write(line)
        if report.error_file:
            self.stdout.write(f"What is wrong stands in {report.error_file}.")
        if not report.written:
            self.stdout.write("Dry run: nothing was written." if options["dry_run"] else "Nothing was written.")
        if report.bad and not options["skip_bad"]:
            raise CommandError("Mend the bad rows and run again, or add --skip-bad to write the good ones.")
