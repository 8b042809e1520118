"""CSV files of any size into the product: streamed, judged row by row, written in batches, safe to repeat.

The file is read twice: once to judge every record, which locks and writes nothing, and once to write, a transaction a
batch. It is not written at all when a record is bad, unless bad records may be skipped. Whatever is wrong stands in an
error file beside it: line, field, reason and the record itself, ready to be mended and loaded again as it is.
"""

import csv
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from io import TextIOWrapper
from itertools import batched
from pathlib import Path
from typing import TextIO

from django.utils.translation import gettext as _
from pydantic import ValidationError

from loyalty.problems import Fault, Problem, problem_of

csv.field_size_limit(1_000_000)
# What an error file has before the columns of the file that it came from.
ERROR_COLUMNS = ("line", "field", "reason")


@dataclass(frozen=True, slots=True)
class Layout:
    """The columns a file must and may have; neighbouring rows that agree on `group` form one record."""

    required: tuple[str, ...]
    optional: tuple[str, ...] = ()
    group: tuple[str, ...] = ()


@dataclass(slots=True)
class Record:
    """Rows that belong together; `line` is where they begin, `raw` how they stand in the file, `problem` a row's length."""

    line: int
    rows: list[dict[str, str]]
    raw: list[list[str]] = field(default_factory=list)
    problem: Problem | None = None


@dataclass(slots=True)
class Report:
    """How many records were new, known already, and bad."""

    new: int = 0
    known: int = 0
    bad: int = 0
    written: bool = False
    error_file: Path | None = None


type Answers = Sequence[bool | Problem]


@dataclass(slots=True)
class Load[T]:
    """One run over a file.

    `parse` makes a value of a record or raises. `judge` and `write` take a batch of values and answer each with True
    (new), False (known already) or the Problem; `judge` locks and writes nothing, and sees every value of the file
    once, in order; `write` keeps a batch whole or not at all. `progress` is told the records done of this reading and
    the share of the whole run. `begin` is called before anything is written, `end` when all is.
    """

    file: Path
    layout: Layout
    parse: Callable[[Record], T]
    judge: Callable[[Sequence[T]], Answers]
    write: Callable[[Sequence[T]], Answers]
    dry_run: bool = False
    skip_bad: bool = False
    batch: int = 1000
    progress: Callable[[int, float], None] = lambda _records, _share: None
    begin: Callable[[], None] = lambda: None
    end: Callable[[Report], None] = lambda _report: None
    report: Report = field(default_factory=Report)
    _bad_lines: set[int] = field(default_factory=set)

    def run(self) -> Report:
        """Load the file. Raises Problem when it is no CSV file of this layout."""
        self._error_file.unlink(missing_ok=True)
        self._read(self.judge, begin=0.0, share=1.0 if self.dry_run else 0.5)
        if not self.dry_run and (self.skip_bad or not self.report.bad):
            self.report.new = self.report.known = 0
            self.begin()
            self._read(self.write, begin=0.5, share=0.5)
            self.report.written = True
            self.end(self.report)
        return self.report

    def _read(self, act: Callable[[Sequence[T]], Answers], *, begin: float, share: float) -> None:
        size, done = max(self.file.stat().st_size, 1), 0
        with self.file.open("rb") as file:
            source = TextIOWrapper(file, encoding="utf-8-sig", errors="surrogateescape", newline="")
            for records in batched(read(source, self.layout), self.batch):
                self._batch([one for one in records if one.line not in self._bad_lines], act)
                done += len(records)
                self.progress(done, begin + share * min(file.tell() / size, 1.0))

    def _batch(self, records: Sequence[Record], act: Callable[[Sequence[T]], Answers]) -> None:
        good: list[tuple[Record, T]] = []
        for record in records:
            try:
                good.append((record, self._parsed(record)))
            except (ValidationError, Problem) as error:
                self._bad(record, error if isinstance(error, Problem) else problem_of(error))
        outcomes = act([value for _record, value in good])
        for (record, _value), outcome in zip(good, outcomes, strict=True):
            if isinstance(outcome, Problem):
                self._bad(record, outcome)
            elif outcome:
                self.report.new += 1
            else:
                self.report.known += 1

    def _parsed(self, record: Record) -> T:
        if record.problem:
            raise record.problem
        return self.parse(record)

    @property
    def _error_file(self) -> Path:
        return self.file.with_name(f"{self.file.stem}.errors.csv")

    def _bad(self, record: Record, problem: Problem) -> None:
        if self.report.error_file is None:
            self.report.error_file = self._error_file
            self._write_errors([[*ERROR_COLUMNS, *record.rows[0]]])
        self.report.bad += 1
        self._bad_lines.add(record.line)
        faults = problem.faults or [Fault("", problem.detail)]
        named = [one.pointer.strip("/") for one in faults]
        why = [str(record.line), ", ".join(named), "; ".join(one.detail for one in faults)]
        self._write_errors([why + [value.encode("utf-8", "replace").decode() for value in row] for row in record.raw])

    def _write_errors(self, rows: Sequence[Sequence[str]]) -> None:
        with self._error_file.open("a", encoding="utf-8", newline="") as out:
            csv.writer(out).writerows(rows)


def read(source: TextIO, layout: Layout) -> Iterator[Record]:
    """The records of an open file. Raises Problem for a header that does not fit, and for what is no CSV."""
    current: Record | None = None
    key: tuple[str, ...] = ()
    for row in _rows(source, layout):
        this = tuple(row.rows[0][name] for name in layout.group)
        if current is not None and layout.group and this == key:
            current.rows += row.rows
            current.raw += row.raw
            current.problem = current.problem or row.problem
            continue
        if current is not None:
            yield current
        current, key = row, this
    if current is not None:
        yield current


def _rows(source: TextIO, layout: Layout) -> Iterator[Record]:
    """Each row as a record of its own; the leading columns of an error file are left away."""
    lines = csv.reader(source, strict=True)
    try:
        names = next(lines, [])
        skipped = len(ERROR_COLUMNS) if tuple(names[:3]) == ERROR_COLUMNS else 0
        names = names[skipped:]
        check_header(names, layout)
        begin = lines.line_num + 1
        for values in lines:
            if values:
                raw = values[skipped:]
                row = dict.fromkeys(names, "") | dict(zip(names, raw, strict=False))
                yield Record(begin, [row], [raw], _length(len(raw), len(names)))
            begin = lines.line_num + 1
    except csv.Error as error:
        detail = _("Line %(line)d is no CSV: %(error)s") % {"line": lines.line_num, "error": error}
        raise Problem("validation", detail) from error


def _length(fields: int, columns: int) -> Problem | None:
    """A row of another length is bad: a comma in a value may have moved what follows."""
    if fields > columns:
        return Problem("validation", _("More fields than columns; put values that hold a comma in quotes."))
    if fields < columns:
        return Problem("validation", _("Fewer fields than columns."))
    return None


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
