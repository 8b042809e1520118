"""Recompute the ledger from its postings and name the first row that disagrees.

Each check is one statement that returns the first bad row, in words; none returned means the check holds. With the
checkpoints kept outside, it is compared with them too (loyalty/comparing.py).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter

from django.db import connection, transaction

from loyalty import checkpoints
from loyalty.comparing import Comparison

CHECKS = Path(__file__).parent / "sql" / "checks.sql"


@dataclass(frozen=True, slots=True)
class Finding:
    """What one check found: `bad_row` names the first row that disagrees, None if none does."""

    check: str
    bad_row: str | None
    seconds: float


def checks() -> list[tuple[str, str]]:
    """(name, statement) of each check in sql/checks.sql, where a line `-- check: name` starts each."""
    parts = CHECKS.read_text().split("-- check: ")[1:]
    return [(name.strip(), statement) for name, _, statement in (part.partition("\n") for part in parts)]


def verify(folder: Path | None = None, public_key: Path | None = None) -> Iterator[Finding]:
    """Run every check over the whole ledger, each as it is asked for; with a folder, those against its checkpoints too."""
    if folder and public_key:
        started = perf_counter()
        for name, wrong in Comparison(folder, checkpoints.load_public_key(public_key)).checks():
            yield Finding(name, wrong, perf_counter() - started)
            started = perf_counter()
    for name, statement in checks():
        started = perf_counter()
        with transaction.atomic(), connection.cursor() as cursor:
            # A sound ledger has no bad row; the planner expects many, and would look up row by row until it meets one.
            cursor.execute("set local statement_timeout = 0; set local enable_nestloop = off")
            cursor.execute(statement)
            row = cursor.fetchone()
        yield Finding(name, row[0] if row else None, perf_counter() - started)


def size() -> int:
    """How many postings there are to verify."""
    with connection.cursor() as cursor:
        cursor.execute("select count(*) from loyalty_posting")
        return int(cursor.fetchone()[0])
