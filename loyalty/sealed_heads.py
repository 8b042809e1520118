"""What the checkpoints so far have sealed, wallet by wallet: an index beside the files, made again from them if it is lost."""

import sqlite3
from collections.abc import Iterable, Sequence
from contextlib import closing
from pathlib import Path
from types import TracebackType
from typing import Self

from loyalty import checkpoints
from loyalty.checkpoints import Head, Sealed

TABLES = """
create table if not exists head (
    wallet integer primary key, seq integer not null, head text not null, checkpoint integer not null);
create table if not exists mark (name text primary key, value integer not null);
"""
CHUNK = 500  # SQLite takes a few hundred parameters at least


class SealedHeads:
    """The last sealed head of each wallet, and the transaction number from which the next checkpoint looks for changes."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._base = sqlite3.connect(folder / "heads.sqlite", isolation_level=None)
        self._base.executescript(TABLES)

    def __enter__(self) -> Self:
        self._catch_up()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._base.close()

    @property
    def changes_from(self) -> int | None:
        """No wallet row older than this transaction has changed since; None when nothing is known."""
        return self._mark("xmin")

    def totals(self) -> tuple[int, int]:
        """Wallets sealed, and postings in them."""
        wallets, postings = self._base.execute("select count(*), coalesce(sum(seq), 0) from head").fetchone()
        return wallets, postings

    def of(self, wallets: Sequence[int]) -> dict[int, Head]:
        found: dict[int, Head] = {}
        for start in range(0, len(wallets), CHUNK):
            part = wallets[start : start + CHUNK]
            marks = ",".join("?" * len(part))
            rows = self._base.execute(f"select wallet, seq, head from head where wallet in ({marks})", part)  # noqa: S608  question marks
            found |= {row[0]: row for row in rows}
        return found

    def add(self, sealed: Sealed, *, changes_from: int | None) -> None:
        """Take in the heads of a checkpoint whose file stands."""
        self._base.execute("begin")
        rows: Iterable[tuple[int, int, str, int]] = ((*head, sealed.number) for head in sealed.heads)
        self._base.executemany("insert or replace into head values (?, ?, ?, ?)", rows)
        marks = {"number": sealed.number} | ({} if changes_from is None else {"xmin": changes_from})
        self._base.executemany("insert or replace into mark values (?, ?)", marks.items())
        self._base.execute("commit")

    def _catch_up(self) -> None:
        """Read the files that are not in here yet, all of them if they are not the ones that are."""
        found, known = checkpoints.files(self._folder), self._mark("number") or 0
        if known > len(found):
            self._base.executescript("delete from head; delete from mark")
            known = 0
        for path in found[known:]:
            self.add(checkpoints.read(path), changes_from=None)

    def _mark(self, name: str) -> int | None:
        row = self._base.execute("select value from mark where name = ?", [name]).fetchone()
        return row[0] if row else None


def last_sealed(folder: Path, wallet: int) -> int | None:
    """The number of the newest checkpoint that lists this wallet's head; None when there is none."""
    file = folder / "heads.sqlite"
    if not file.exists():
        return None
    with closing(sqlite3.connect(f"{file.absolute().as_uri()}?mode=ro", uri=True)) as base:
        row = base.execute("select checkpoint from head where wallet = ?", [wallet]).fetchone()
    return row[0] if row else None
