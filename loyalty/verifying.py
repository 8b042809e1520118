"""Recompute the ledger from its postings and name the first row that disagrees.

Each check is one statement that returns the first bad row, in words; none returned means the check holds. Most look at
a range of wallets at a time, on as many connections as there are processors. With the checkpoints kept outside, the
ledger is compared with them too (loyalty/comparing.py).
"""

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter

from django.db import connection, transaction

from loyalty import checkpoints
from loyalty.comparing import Comparison

CHECKS = Path(__file__).parent / "sql" / "checks.sql"
# About so many postings are looked at by one statement.
PART = 250_000
LOWEST, HIGHEST = -(2**63), 2**63 - 1
# The last wallet of each part; a cache decides no more than the parts' sizes.
ENDS = """
select max(id) from (select id, div(sum(seq) over (order by id), %s) as part from loyalty_wallet) w group by part order by 1
"""
# A sound ledger has no bad row; the planner expects many, and would look up row by row until it meets one. The parts keep
# all processors busy; helpers would only take them from one another.
SETTINGS = """
set local statement_timeout = 0; set local enable_nestloop = off; set local work_mem = '256MB';
set local max_parallel_workers_per_gather = 0
"""


@dataclass(frozen=True, slots=True)
class Finding:
    """What one check found: `bad_row` names the first row that disagrees, None if none does; `seconds` on all connections."""

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
    parts = _parts()
    # Others do not see what the transaction that we are in has written.
    here = connection.in_atomic_block
    with ThreadPoolExecutor(1 if here else os.cpu_count()) as threads:
        for name, statement in checks():
            asked = [(statement, part) for part in (parts if "%(first)s" in statement else parts[:1])]
            found = [_found(*one) for one in asked] if here else list(threads.map(_found_elsewhere, *zip(*asked, strict=True)))
            yield Finding(name, next((bad for bad, _ in found if bad), None), sum(seconds for _, seconds in found))


def size() -> int:
    """How many postings there are to verify."""
    with connection.cursor() as cursor:
        cursor.execute("select count(*) from loyalty_posting")
        return int(cursor.fetchone()[0])


def _parts() -> list[dict[str, int]]:
    """Ranges of wallets that together leave out none, also none that is missing."""
    with connection.cursor() as cursor:
        cursor.execute(ENDS, [PART])
        ends = [*(row[0] for row in cursor.fetchall()[:-1]), HIGHEST]
    firsts = [LOWEST, *(end + 1 for end in ends[:-1])]
    return [{"first": first, "last": last} for first, last in zip(firsts, ends, strict=True)]


def _found(statement: str, part: dict[str, int]) -> tuple[str | None, float]:
    """The first bad row of a part, and the seconds that it took."""
    started = perf_counter()
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(SETTINGS)
        cursor.execute(statement, part)
        row = cursor.fetchone()
    return row[0] if row else None, perf_counter() - started


def _found_elsewhere(statement: str, part: dict[str, int]) -> tuple[str | None, float]:
    """The same on a connection of its own, which a thread may not keep."""
    try:
        return _found(statement, part)
    finally:
        connection.close()
