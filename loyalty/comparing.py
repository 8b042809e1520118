"""Compare the ledger with the checkpoints outside: what a chain alone cannot tell, a cut tail and a rewritten chain."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import batched
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from django.db import connection, transaction

from loyalty import checkpoints, sealing
from loyalty.checkpoints import BrokenCheckpointError, Head, Sealed
from loyalty.models import Checkpoint

CHUNK = 20_000
BELOW_ALL = -(2**63)

# What stands where a head was sealed; a wallet without postings is compared by its genesis.
STANDING = """
select h.wallet, h.seq,
       encode(case when h.seq = 0 then ledger_genesis(w.id, w.holder, w.point_type, w.opened_at) else p.hash end, 'hex'),
       w.id is not null
  from unnest(%s::bigint[], %s::bigint[]) h (wallet, seq) left join loyalty_wallet w on w.id = h.wallet
  left join loyalty_posting p on p.wallet_id = h.wallet and p.seq = h.seq
"""
UNDER = """
with sealed as materialized (
    select p.* from unnest(%s::bigint[], %s::bigint[]) h (wallet, seq)
      join loyalty_posting p on p.wallet_id = h.wallet and p.seq <= h.seq)
select 'sum', contra, sum(points)::bigint from sealed group by contra
union all select 'rows', 'posting', count(*) from sealed
union all select 'rows', 'journalentry', count(*) from sealed
           where not exists (select from loyalty_posting o where o.entry_id = sealed.entry_id and o.id < sealed.id)
union all select 'rows', 'lot', count(*) from sealed s join loyalty_lot l on l.wallet_id = s.wallet_id and l.seq = s.seq
union all select 'rows', 'lotuse', count(*) from sealed s join loyalty_lotuse u on u.wallet_id = s.wallet_id and u.seq = s.seq
union all select 'highest', 'posting', max(id) from sealed
"""
LAST_OF_EACH_WALLET = "select wallet_id, max(seq) from loyalty_posting where id <= %s group by wallet_id order by wallet_id"


class Comparison:
    """The checkpoints of a folder against the ledger; each check gives the first thing that is wrong, in words, or None."""

    def __init__(self, folder: Path, public_key: Ed25519PublicKey) -> None:
        self._folder, self._public_key = folder, public_key
        self._bodies: list[Sealed] = []  # without their heads
        self._heads: dict[int, Head] = {}  # the last one sealed of each wallet
        self._broken: str | None = None
        self._missing: str | None = None

    def checks(self) -> Iterator[tuple[str, str | None]]:
        """(what is checked, what is wrong), as each is asked for."""
        self._read()
        yield "every checkpoint is signed, and names the one before", self._broken
        yield "every sealed head still stands", self._missing
        yield "the newest checkpoint's root, rows and sums are those of the rows it sealed", self.sums()
        yield "nothing was put below what is sealed", self.nothing_below()
        yield "sealed documents, audit records and published terms read as they were sealed", self.ranges() or self.terms()
        yield "every checkpoint's row says what its file says", self.rows()

    def _read(self) -> None:
        """Read file by file; what follows the first broken one is not believed."""
        try:
            for sealed in checkpoints.read_all(self._folder, self._public_key):
                missing = self._first_missing(sealed)
                self._missing = self._missing or missing
                self._heads |= {head[0]: head for head in sealed.heads}
                self._bodies.append(replace(sealed, heads=[]))
        except BrokenCheckpointError as error:
            self._broken = str(error)
        if not self._bodies and not self._broken:
            self._broken = f"no checkpoint in {self._folder}"

    def _first_missing(self, sealed: Sealed) -> str | None:
        """The first wallet whose sealed head is not there, and the range it lost."""
        for part in batched(sealed.heads, CHUNK, strict=False):
            found = {row[0]: row for row in _rows(STANDING, [[head[0] for head in part], [head[1] for head in part]])}
            for head in part:
                if found[head[0]][2] != head[2]:
                    return self._lost(sealed, head, found[head[0]])
        return None

    def _lost(self, sealed: Sealed, head: Head, found: tuple[int, int, str | None, bool]) -> str:
        wallet, seq, _ = head
        good = self._heads.get(wallet, (wallet, 0, ""))[1]
        lost, stands = f"postings number {good + 1} to {seq}", found[2] is not None
        if not found[3]:
            what = f"the wallet is gone, with {lost}" if seq else "the wallet is gone"
        elif not seq:
            what = "it is not what it was: its holder, type or opening changed"
        else:
            what = f"{lost} were rewritten" if stands else f"{lost} or a part of them are missing"
        return f"wallet {wallet}: {what} (checkpoint {sealed.number} sealed number {seq})"

    def sums(self) -> str | None:
        if not self._bodies:
            return None
        body = self._bodies[-1].body
        heads = [self._heads[wallet] for wallet in sorted(self._heads)]
        if (len(heads), checkpoints.root(heads)) != (body["wallets"], body["root"]):
            return f"checkpoint {body['number']}: its root is not that of the heads that the checkpoints list"
        totals = sealing.Totals()
        for part in batched(heads, CHUNK, strict=False):
            totals.take(_rows(UNDER, [[head[0] for head in part], [head[1] for head in part]]))
        sealed_rows = {name: count for name, count in body["rows"].items() if name in totals.rows}
        for what, said, found in (("rows", sealed_rows, totals.rows), ("points by account", body["sums"], totals.sums)):
            if {name: one for name, one in said.items() if one} != {name: one for name, one in found.items() if one}:
                return f"checkpoint {body['number']}: {what} {said} were sealed, {found} are there"
        if totals.highest != body["posting_id"]:
            return f"checkpoint {body['number']}: the highest posting was {body['posting_id']}, and is {totals.highest}"
        return None

    def nothing_below(self) -> str | None:
        """When the newest checkpoint was made, every posting up to an id had been sealed: no other may bear such an id."""
        if not self._bodies:
            return None
        body = self._bodies[-1].body
        for wallet, seq in _rows(LAST_OF_EACH_WALLET, [body["settled_posting_id"]]):
            sealed = self._heads.get(wallet, (wallet, 0, ""))[1]
            if seq > sealed:
                return f"wallet {wallet}: postings number {sealed + 1} to {seq} were not there at checkpoint {body['number']}"
        return None

    def ranges(self) -> str | None:
        for table in sealing.NUMBERED:
            sealed = [(one.number, one.body["ranges"][table]) for one in self._bodies]
            sealed = [(number, said) for number, said in sealed if said["upto"] > said["after"]]
            for part in batched(sealed, 1000, strict=False):
                bad = _first_bad_range(table, part)
                if bad:
                    return bad
        return None

    def terms(self) -> str | None:
        now: dict[tuple[str, ...], dict[str, str]] = {}
        for sealed in self._bodies:
            columns = tuple(sealed.body.get("terms_columns", sealing.FIRST_TERMS_COLUMNS))
            if columns not in now:
                now[columns] = dict(_rows(sealing.terms_of(columns)))
            for version, digest in sealed.body["terms"].items():
                if now[columns].get(version) != digest:
                    return f"terms version {version}: not as checkpoint {sealed.number} sealed them"
        return None

    def rows(self) -> str | None:
        found = {row.number: row for row in Checkpoint.objects.all()}
        said = ("previous", "wallets", "heads", "rows", "sums", "posting_id", "root")
        for sealed in self._bodies:
            row = found.pop(sealed.number, None)
            if row is None:
                return f"checkpoint {sealed.number} has no row"
            same = all(getattr(row, name) == sealed.body[name] for name in said) and row.at.isoformat() == sealed.body["at"]
            if not same or (row.digest, row.signature) != (sealed.digest, sealed.signature):
                return f"checkpoint {sealed.number}: its row and its file differ"
        return f"checkpoint {min(found)} has a row and no file" if found and not self._broken else None


def _first_bad_range(table: str, sealed: Sequence[tuple[int, dict[str, Any]]]) -> str | None:
    number, text = sealing.rows_of(table)
    found = _rows(
        f"""select r.i, count(t.{number}), encode(sha256(coalesce(string_agg(sha256(convert_to(t.text, 'UTF8')), ''::bytea
                   order by t.{number}), '')), 'hex')
              from unnest(%s::int[], %s::bigint[], %s::bigint[]) r (i, after, upto)
              left join (select {number}, {text}::text as text from loyalty_{table}) t
                on t.{number} > r.after and t.{number} <= r.upto
             group by r.i order by r.i""",  # noqa: S608  constants
        [
            [number for number, _ in sealed],
            [said["after"] or BELOW_ALL for _, said in sealed],  # nothing was there before the first range
            [said["upto"] for _, said in sealed],
        ],
    )
    for (checkpoint, said), (_, rows, digest) in zip(sealed, found, strict=True):
        if (rows, digest) != (said["rows"], said["digest"]):
            return (
                f"{table} {said['after'] + 1} to {said['upto']}: not as checkpoint {checkpoint} sealed them "
                f"({said['rows']} rows then, {rows} now)"
            )
    return None


def _rows(statement: str, values: Any = None) -> list[Any]:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("set local statement_timeout = 0; set local timezone = 'UTC'")
        cursor.execute(statement, values)
        found: list[Any] = cursor.fetchall()
    return found
