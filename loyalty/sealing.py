"""Seal the ledger: a signed checkpoint of all chain heads, written to a folder outside the database.

Only the process that seals holds the key. A checkpoint costs one pass over the wallets and, for each wallet that
changed, its new postings; nothing in it grows with the ledger's length.
"""

import fcntl
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import batched
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.db import connection, transaction

from loyalty import checkpoints
from loyalty.checkpoints import NOTHING, Head, Sealed
from loyalty.models import Checkpoint, TermsVersion
from loyalty.sealed_heads import SealedHeads

SETTLING_SECONDS = 3.0  # how long a checkpoint waits for the transactions that run when it begins
CHUNK = 20_000  # wallets whose new postings are summed by one statement
QUIET = timedelta(hours=1)  # without a change, a checkpoint an hour is enough

# Rows that have no chain of their own are sealed in ranges of their numbers, each row as one JSON text.
NUMBERED = {
    "documentguard": ("id", "jsonb_build_array(id, source, number, kind, document, encode(fingerprint, 'hex'))"),
    "auditrecord": ("number", "jsonb_build_array(number, id, at, actor, verb, object_type, object_id, changes)"),
}
TERMS_COLUMNS = [str(field.column) for field in TermsVersion._meta.concrete_fields]
# What checkpoints sealed of terms before they named the columns.
FIRST_TERMS_COLUMNS = [
    "id", "version", "currency", "timezone", "point_value", "expiry", "expiry_months", "expiry_round_up", "expiry_month",
    "expiry_day", "pending_days", "return_days", "claw_back", "starts_at", "published_at", "published_by",
]  # fmt: skip
HEAD = "case when seq = 0 then ledger_genesis(id, holder, point_type, opened_at) else head end"
ROOT = f"""
select coalesce(sum(n), 0)::bigint, coalesce(sum(postings), 0)::bigint,
       encode(sha256(coalesce(string_agg(int8send(bucket) || digest, ''::bytea order by bucket), '')), 'hex')
  from (select id >> {checkpoints.BUCKET_BITS} as bucket, count(*) as n, sum(seq) as postings,
               sha256(string_agg(int8send(id) || int8send(seq) || {HEAD}, ''::bytea order by id)) as digest
          from loyalty_wallet group by 1) buckets
"""  # noqa: S608  constants
# Both ages are counted from the same next transaction number, so they survive its wrapping around.
CHANGED = f"""
select id, seq, encode({HEAD}, 'hex') from loyalty_wallet
 where %(since)s::bigint is null or age(xmin) <= age(((%(since)s::bigint) %% 4294967296)::text::xid) order by id
"""  # noqa: S608  constants
GONE = """
select h.wallet, h.seq from unnest(%s::bigint[], %s::bigint[], %s::text[]) h (wallet, seq, head)
  left join loyalty_posting p on p.wallet_id = h.wallet and p.seq = h.seq
 where h.seq > 0 and p.hash is distinct from decode(h.head, 'hex') order by h.wallet limit 1
"""
NEW = """
with new as materialized (
    select p.* from unnest(%s::bigint[], %s::bigint[]) h (wallet, seq)
      join loyalty_posting p on p.wallet_id = h.wallet and p.seq > h.seq)
select 'sum', contra, sum(points)::bigint from new group by contra
union all select 'rows', 'posting', count(*) from new
union all select 'rows', 'journalentry', count(*) from new
           where not exists (select from loyalty_posting o where o.entry_id = new.entry_id and o.id < new.id)
union all select 'rows', 'lot', count(*) from new join loyalty_lot l on l.wallet_id = new.wallet_id and l.seq = new.seq
union all select 'rows', 'lotuse', count(*) from new join loyalty_lotuse u on u.wallet_id = new.wallet_id and u.seq = new.seq
union all select 'highest', 'posting', max(id) from new
"""


class TamperedError(Exception):
    """What an earlier checkpoint sealed does not stand any more."""


@dataclass(slots=True)
class Totals:
    """Rows and sums over everything sealed so far."""

    rows: dict[str, int] = field(default_factory=dict)
    sums: dict[str, int] = field(default_factory=dict)
    highest: int = 0

    def take(self, found: Sequence[tuple[str, str, int | None]]) -> None:
        for what, name, value in found:
            if what == "highest":
                self.highest = max(self.highest, value or 0)
            else:
                into = self.rows if what == "rows" else self.sums
                into[name] = into.get(name, 0) + (value or 0)


def seal(folder: Path, key: Ed25519PrivateKey) -> Sealed | None:
    """Write the next checkpoint; None when nothing has changed within the hour since the last one.

    Raises TamperedError, and seals nothing, when the last sealed posting of a changed wallet is not there any more.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    with _turn(folder), SealedHeads(folder) as known:
        written = checkpoints.files(folder)
        last = checkpoints.read(written[-1]) if written else None
        if last:
            _keep_row(last)
        bounds = _bounds()
        with _snapshot():
            xmin, settled = _settled(bounds, last)
            body, heads = _described(known, last, settled)
        if last and not heads and _quiet(body, last.body):
            return None
        sealed = checkpoints.write(folder, body, heads, key)
        known.add(sealed, changes_from=xmin)
    _keep_row(sealed)
    return sealed


@contextmanager
def _turn(folder: Path) -> Iterator[None]:
    """One sealer at a time: two would give one number to two checkpoints. The kernel lets go with the process."""
    with (folder / "seal.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def rows_of(table: str) -> tuple[str, str]:
    """The number and the sealed text of a row of a table that is sealed in ranges."""
    return NUMBERED[table]


def terms_of(columns: Sequence[str]) -> str:
    """The statement that reads version and digest of each published terms version, by these columns in this order."""
    assert all(column.isidentifier() for column in columns), columns
    return (
        f"select version::text, encode(sha256(convert_to(jsonb_build_array({', '.join(columns)})::text, 'UTF8')), 'hex') "  # noqa: S608
        "from loyalty_termsversion where published_at is not null"
    )


def _described(known: SealedHeads, last: Sealed | None, settled: Mapping[str, int]) -> tuple[dict[str, Any], list[Head]]:
    """The body of the next checkpoint and the heads it lists. Runs in one snapshot."""
    [(wallets, postings, root)] = _rows(ROOT)
    changed = _changes(known, _rows(CHANGED, {"since": known.changes_from}))
    before = known.totals()
    if _totals_with(before, changed) != (wallets, postings):  # the transaction numbers began anew: another server
        changed = _changes(known, _rows(CHANGED, {"since": None}))
        if _totals_with(before, changed) != (wallets, postings):
            raise TamperedError("A wallet that was sealed is gone. Run manage.py verify_ledger.")
    totals = Totals(dict(last.body["rows"]), dict(last.body["sums"]), last.body["posting_id"]) if last else Totals()
    for part in batched([old for old, _ in changed], CHUNK, strict=False):
        _still_stand(part)
        totals.take(_rows(NEW, [[head[0] for head in part], [head[1] for head in part]]))
    ranges = {table: _range(table, last, settled[table]) for table in NUMBERED}
    for table, one in ranges.items():
        totals.rows[table] = totals.rows.get(table, 0) + one["rows"]
    body = {
        "number": last.number + 1 if last else 1,
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "previous": last.digest if last else NOTHING,
        "wallets": wallets,
        "root": root,
        "rows": totals.rows,
        "sums": totals.sums,
        "posting_id": totals.highest,
        "settled_posting_id": settled["posting"],
        "ranges": ranges,
        "terms": dict(_rows(terms_of(TERMS_COLUMNS))),
        "terms_columns": TERMS_COLUMNS,
    }
    return body, [new for _, new in changed]


def _changes(known: SealedHeads, found: Sequence[Head]) -> list[tuple[Head, Head]]:
    """(sealed before, now) of each wallet whose head differs."""
    sealed = known.of([wallet for wallet, _, _ in found])
    pairs = [(sealed.get(head[0], (head[0], 0, "")), head) for head in found]
    for old, new in pairs:
        if old[2] and old[1] == new[1] and old[2] != new[2]:
            raise TamperedError(f"Wallet {old[0]} was sealed with another head at number {old[1]}. Run manage.py verify_ledger.")
    return [(old, new) for old, new in pairs if old != new]


def _totals_with(before: tuple[int, int], changed: Sequence[tuple[Head, Head]]) -> tuple[int, int]:
    new = sum(not old[2] for old, _ in changed)
    return before[0] + new, before[1] + sum(head[1] - old[1] for old, head in changed)


def _still_stand(heads: Sequence[Head]) -> None:
    gone = _rows(GONE, [[head[part] for head in heads] for part in range(3)])
    if gone:
        raise TamperedError(f"Wallet {gone[0][0]}: its sealed posting number {gone[0][1]} is gone. Run manage.py verify_ledger.")


def _range(table: str, last: Sealed | None, upto: int) -> dict[str, Any]:
    """What the rows after the last checkpoint's range, up to number `upto`, read."""
    number, text = rows_of(table)
    after = last.body["ranges"][table]["upto"] if last else 0
    [(rows, digest)] = _rows(
        f"select count(*), encode(sha256(coalesce(string_agg(sha256(convert_to({text}::text, 'UTF8')), ''::bytea "  # noqa: S608  constants
        f"order by {number}), '')), 'hex') from loyalty_{table} where {number} > %s and {number} <= %s",
        [after, upto],
    )
    return {"after": after, "upto": max(upto, after), "rows": rows, "digest": digest}


def _bounds() -> dict[str, int]:
    """The highest numbers given so far, and the next transaction number, read in this order."""
    sequences = " union all ".join(
        f"select '{name}', case when is_called then last_value else 0 end from loyalty_{name}_{column}_seq"  # noqa: S608  constants
        for name, column in (("posting", "id"), ("documentguard", "id"), ("auditrecord", "number"))
    )
    bounds = dict(_rows(sequences))
    return bounds | {"xmax": _next_transaction()}


def _next_transaction() -> int:
    """A number above those of all transactions that run. A snapshot's xmax is not: it is one above the last that has ended."""
    [(number,)] = _rows("select pg_current_xact_id()::text::bigint")
    return int(number)


def _settled(bounds: Mapping[str, int], last: Sealed | None) -> tuple[int, dict[str, int]]:
    """The snapshot's oldest running transaction, and up to which numbers no row can come any more.

    A number is given before its row can be seen. Once all transactions that ran when `bounds` were read have ended, rows
    up to them are final; while one still runs, the bounds of the last checkpoint stay.
    """
    [(xmin,)] = _rows("select pg_snapshot_xmin(pg_current_snapshot())::text::bigint")
    if xmin >= bounds["xmax"]:
        return xmin, {name: bounds[name] for name in ("posting", *NUMBERED)}
    ranges = {table: last.body["ranges"][table]["upto"] if last else 0 for table in NUMBERED}
    return xmin, ranges | {"posting": last.body["settled_posting_id"] if last else 0}


@contextmanager
def _snapshot() -> Iterator[None]:
    """Everything inside is read as of one instant, begun when the transactions running now have ended, or soon after."""
    _wait_for_running_transactions()
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("set transaction isolation level repeatable read, read only")
            cursor.execute("set local statement_timeout = 0")
            cursor.execute("set local timezone = 'UTC'")
        yield


def _wait_for_running_transactions() -> None:
    xmax = _next_transaction()
    deadline = time.monotonic() + SETTLING_SECONDS
    while time.monotonic() < deadline:
        [(xmin,)] = _rows("select pg_snapshot_xmin(pg_current_snapshot())::text::bigint")
        if xmin >= xmax:
            return
        time.sleep(0.05)


def _quiet(body: Mapping[str, Any], last: Mapping[str, Any]) -> bool:
    same = all(body[name] == last[name] for name in ("wallets", "root", "rows", "terms"))
    return same and datetime.fromisoformat(body["at"]) - datetime.fromisoformat(last["at"]) < QUIET


def _keep_row(sealed: Sealed) -> None:
    """The checkpoint's row for the admin, unless it stands."""
    names = ("number", "at", "previous", "wallets", "heads", "rows", "sums", "posting_id", "root")
    row = Checkpoint(digest=sealed.digest, signature=sealed.signature, **{name: sealed.body[name] for name in names})
    Checkpoint.objects.bulk_create([row], ignore_conflicts=True)


def _rows(statement: str, values: Any = None) -> list[Any]:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        found: list[Any] = cursor.fetchall()
    return found
