"""CSV files of any size into the product: streamed, judged row by row, written in batches, safe to repeat.

A file is written whole or not at all, unless bad records may be skipped. Whatever is wrong stands in an error file
beside it: line, field, reason and the record itself, ready to be mended and loaded again.
"""

import csv
from collections.abc import Callable, Iterator, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field
from itertools import batched
from pathlib import Path
from typing import TextIO

from django.db import transaction
from django.utils.translation import gettext as _
from pydantic import ValidationError

from loyalty.problems import Fault, Problem

csv.field_size_limit(1_000_000)


@dataclass(frozen=True, slots=True)
class Layout:
    """The columns a file must and may have; neighbouring rows that agree on `group` form one record."""

    required: tuple[str, ...]
    optional: tuple[str, ...] = ()
    group: tuple[str, ...] = ()


@dataclass(slots=True)
class Record:
    """Rows that belong together; `line` is where they begin in the file."""

    line: int
    rows: list[dict[str, str]]


@dataclass(slots=True)
class Report:
    """How many records were new, known already, and bad."""

    new: int = 0
    known: int = 0
    bad: int = 0
    written: bool = True
    error_file: Path | None = None


@dataclass(slots=True)
class Load[T]:
    """One run over a file.

    `parse` makes a value of a record or raises; `write` takes a batch of values and answers each with True (new),
    False (known already) or the Problem.
    """

    file: Path
    layout: Layout
    parse: Callable[[Record], T]
    write: Callable[[Sequence[T]], Sequence[bool | Problem]]
    dry_run: bool = False
    skip_bad: bool = False
    batch: int = 1000
    progress: Callable[[int, float], None] = lambda _records, _share: None
    report: Report = field(default_factory=Report)

    def run(self) -> Report:
        """Load the file. Raises Problem when it is no CSV file of this layout."""
        whole = self.dry_run or not self.skip_bad
        with (
            self.file.open(encoding="utf-8-sig", errors="surrogateescape", newline="") as source,
            transaction.atomic() if whole else nullcontext(),
        ):
            self._all(source)
            if self.dry_run or (self.report.bad and not self.skip_bad):
                transaction.set_rollback(True)
                self.report.written = False
        return self.report

    def _all(self, source: TextIO) -> None:
        size, done = max(self.file.stat().st_size, 1), 0
        for records in batched(read(source, self.layout), self.batch):
            self._batch(records)
            done += len(records)
            self.progress(done, min(source.buffer.tell() / size, 1.0))

    def _batch(self, records: Sequence[Record]) -> None:
        good: list[tuple[Record, T]] = []
        for record in records:
            try:
                good.append((record, self.parse(record)))
            except (ValidationError, Problem) as error:
                self._bad(record, error if isinstance(error, Problem) else problem_of(error))
        with transaction.atomic():
            outcomes = self.write([value for _record, value in good])
        for (record, _value), outcome in zip(good, outcomes, strict=True):
            if isinstance(outcome, Problem):
                self._bad(record, outcome)
            elif outcome:
                self.report.new += 1
            else:
                self.report.known += 1

    def _bad(self, record: Record, problem: Problem) -> None:
        report = self.report
        if report.error_file is None:
            report.error_file = self.file.with_name(f"{self.file.stem}.errors.csv")
            self._write_error(["line", "field", "reason", *record.rows[0]], mode="w")
        report.bad += 1
        faults = problem.faults or [Fault("", problem.detail)]
        for row in record.rows:
            values = [value.encode("utf-8", "replace").decode() for value in row.values()]
            self._write_error([str(record.line), faults[0].pointer.strip("/"), "; ".join(one.detail for one in faults), *values])

    def _write_error(self, values: list[str], mode: str = "a") -> None:
        assert self.report.error_file
        with self.report.error_file.open(mode, encoding="utf-8", newline="") as out:
            csv.writer(out).writerow(values)


def read(source: TextIO, layout: Layout) -> Iterator[Record]:
    """The records of an open file. Raises Problem for a header that does not fit."""
    rows = csv.DictReader(source, restkey="", strict=True)
    check_header(rows.fieldnames or [], layout)
    current: Record | None = None
    key: tuple[str, ...] = ()
    try:
        for row in rows:
            row.pop("", None)
            filled = {name: value or "" for name, value in row.items()}
            this = tuple(filled[name] for name in layout.group)
            if current is not None and layout.group and this == key:
                current.rows.append(filled)
                continue
            if current is not None:
                yield current
            current, key = Record(rows.line_num, [filled]), this
    except csv.Error as error:
        detail = _("Line %(line)d is no CSV: %(error)s") % {"line": rows.line_num, "error": error}
        raise Problem("validation", detail) from error
    if current is not None:
        yield current


def problem_of(error: ValidationError) -> Problem:
    """Each wrong field with its reason."""
    faults = [
        Fault("/" + "/".join(str(part) for part in one["loc"]), one["msg"].removeprefix("Value error, "))
        for one in error.errors()
    ]
    return Problem("validation", "Some fields need another value.", faults=faults)


def text_only(row: dict[str, str]) -> None:
    """Raises Problem for a field that is not UTF-8."""
    for name, value in row.items():
        if not value.isprintable() and any("\ud800" <= letter <= "\udfff" or letter == "\0" for letter in value):
            raise Problem(
                "validation", "", faults=[Fault(f"/{name}", _("Save the file as UTF-8: this field holds other bytes."))]
            )


def check_header(names: Sequence[str], layout: Layout) -> None:
    """Raises Problem for columns that are missing or unknown."""
    missing = [name for name in layout.required if name not in names]
    unknown = [name for name in names if name not in layout.required + layout.optional]
    known = ", ".join(layout.required + layout.optional)
    if missing:
        detail = _("The file has no column %(names)s. Its first line names the columns: %(known)s.")
        raise Problem("validation", detail % {"names": ", ".join(missing), "known": known})
    if unknown:
        detail = _("The column %(names)s is not known. Columns can be: %(known)s.")
        raise Problem("validation", detail % {"names": ", ".join(unknown), "known": known})
