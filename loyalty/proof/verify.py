"""Check a Regulars ledger, or a member's statement, without trusting the program that made it.

    python verify.py --database-url URL [--checkpoints FOLDER --public-key KEY]
    python verify.py --statement FILE [--public-key KEY]

KEY is the sealer's public key: 64 hex digits, or a file that holds them. A statement needs Python alone, a database
psycopg too. Written from docs/ledger.md; shares no line with the application. Ends with 1 when something does not hold.
"""

import argparse
import hashlib
import json
import re
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from functools import cache
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from struct import pack
from typing import Any
from uuid import UUID

try:
    import psycopg
except ImportError:  # enough for a statement
    psycopg = None  # type: ignore[assignment]

WALLET = ("id", "holder", "point_type", "opened_at", "balance", "deficit", "seq", "head", "idle_expires_at")
# What a posting's hash covers, in this order: of the posting (p), its entry (e) and the lot it opened (l); ? may be absent.
PAYLOAD = (
    "p.wallet_id p.seq p.id e.id e.key e.actor? e.reason e.terms_id? e.rule_version? e.undoes? p.kind p.points p.contra "
    "p.balance_after p.occurred_at p.recorded_at p.store_id? p.reference p.idle_until?"
)
LOT = "l.id l.points l.available_at l.expires_at? l.earned_at l.store_id? l.rule_version?"
COLUMNS = [f"w.{name}" for name in WALLET] + f"{PAYLOAD} p.hash {LOT} l.remaining l.open u.uses".replace("?", "").split()
RANGES = {
    "documentguard": ("id", "id, source, number, kind, document, encode(fingerprint, 'hex')"),
    "auditrecord": ("number", "number, id, at, actor, verb, object_type, object_id, changes"),
}
TERMS = """id, version, currency, timezone, point_value, expiry, expiry_months, expiry_round_up, expiry_month, expiry_day,
  pending_days, return_days, claw_back, starts_at, published_at, published_by"""  # sealed by a checkpoint that names no columns
ORPHANS = """
select 'entry ' || id || ': no posting' from (select id from loyalty_journalentry except select entry_id from loyalty_posting) r
union select 'lot of wallet ' || r || ': no posting' from (
    select (wallet_id, seq) r from loyalty_lot except select (wallet_id, seq) from loyalty_posting) r
union select 'lot uses of posting ' || r || ': no posting' from (
    select (wallet_id, seq) r from loyalty_lotuse except select (wallet_id, seq) from loyalty_posting) r
union select 'wallet ' || r || ': missing' from (select wallet_id r from loyalty_posting except select id from loyalty_wallet) r
"""
CONTRA = {
    "earn": "issued", "bonus": "issued", "import": "opening", "burn": "burned", "restore": "burned", "expire": "expired",
    "return": "returned", "adjust": "adjusted", "forgive": "forgiven", "transfer": "clearing", "merge": "clearing",
    "exchange_in": "partner", "exchange_out": "partner",
}  # fmt: skip
parsed = cache(lambda names: [(name.removesuffix("?"), b"\1" * (name[-1] == "?")) for name in names.split()])
EPOCH, MICROSECOND = datetime(2000, 1, 1, tzinfo=UTC), timedelta(microseconds=1)
type Row = dict[str, Any]
type Point = tuple[int, int]
type Uses = list[tuple[int, int]]
type Reader = Callable[[str], Iterator[tuple[Any, ...]]]


class BadError(Exception):
    """Something does not hold; says what and where."""


def plain(value: Any) -> bytes:
    if isinstance(value, int):
        return pack(">q", value)
    if isinstance(value, str):
        return pack(">i", len(value.encode())) + value.encode()
    return value.bytes if isinstance(value, UUID) else pack(">q", (value - EPOCH) // MICROSECOND)


def fields(row: Row, names: str) -> bytes:
    return b"".join([b"\0" if (value := row[name]) is None else mark + plain(value) for name, mark in parsed(names)])


def genesis(row: Row) -> bytes:
    return hashlib.sha256(b"\0" + fields(row, "w.id w.holder w.point_type w.opened_at")).digest()


class Walk:
    """One wallet's chain from its first posting to its last."""

    def __init__(self, wallet: Row) -> None:
        self.wallet, self.hash, self.seq, self.net = wallet, genesis(wallet), 0, 0
        self.left: dict[int, int] = {}
        self.lots: dict[int, Row] = {}
        self.idle: datetime | None = None

    def step(self, row: Row) -> None:
        self.seq, self.net, uses = self.seq + 1, self.net + row["p.points"], row["u.uses"] or []
        if row["p.seq"] != self.seq or row["e.id"] is None:
            raise self.bad(f"it or its entry is missing; the next one there is number {row['p.seq']}")
        lot = b"\0" if row["l.id"] is None else b"\1" + fields(row, LOT)
        whole = self.hash + b"\1" + fields(row, PAYLOAD) + lot + b"".join(pack(">qq", *use) for use in uses)
        self.hash = hashlib.sha256(whole).digest()
        if self.hash != row["p.hash"]:
            raise self.bad("the hash does not fit the row")
        if row["p.balance_after"] != self.net:
            raise self.bad(f"balance_after is {row['p.balance_after']}, the postings give {self.net}")
        self.move(row, uses, row["p.kind"], row["p.points"])
        self.idle = max((at for at in (self.idle, row["p.idle_until"]) if at), default=None)

    def move(self, row: Row, uses: Uses, kind: str, points: int) -> None:
        if CONTRA.get(kind, row["p.contra"] if kind == "reverse" else None) != row["p.contra"]:
            raise self.bad(f"{kind} against {row['p.contra']}")
        if row["l.id"] is not None:
            if row["l.points"] > points or (row["l.points"] < points and kind != "restore"):
                raise self.bad(f"did not grant the {row['l.points']} points of its lot")
            self.lots[self.seq], self.left[self.seq] = row, row["l.points"]
        if any(number not in self.left for number, _ in uses):
            raise self.bad("takes from a lot that is not there")
        for number, taken in uses:
            self.left[number] -= taken
        if kind in ("burn", "expire", "exchange_out") and sum(taken for _, taken in uses) != -points:
            raise self.bad(f"the lots did not give its {-points} points")

    def bad(self, what: str) -> BadError:
        return BadError(f"wallet {self.wallet['w.id']}, posting number {self.seq}: {what}")

    def end(self) -> None:
        """Compare the wallet's and the lots' own columns with what the postings gave."""
        balance, head = sum(self.left.values()), self.hash if self.seq else b""
        told = {"seq": self.seq, "head": head, "balance": balance, "deficit": balance - self.net, "idle_expires_at": self.idle}
        for name, value in told.items():
            if (stands := self.wallet[f"w.{name}"]) != value:
                raise BadError(f"wallet {self.wallet['w.id']}: {name} is {stands!r}, its postings give {value!r}")
        for number, left in self.left.items():
            lot = self.lots[number]
            if not 0 <= left <= lot["l.points"] or (lot["l.remaining"], lot["l.open"]) != (left, left > 0):
                stands = f"remaining {lot['l.remaining']}, open {lot['l.open']}"
                raise BadError(f"wallet {self.wallet['w.id']}, lot {number}: {stands}, its uses give {left}")


class Checkpoints:
    """Checkpoints of a folder, and what the walk finds of what they sealed.

    Each names the digest of the file before it, so the last signature vouches for all.
    """

    def __init__(self, folder: Path, key: bytes) -> None:
        self.bodies: list[Row] = []
        self.sealed: dict[int, list[tuple[int, str, int]]] = {}  # wallet: number, hash, checkpoint
        before, signature = "0" * 64, b""
        for number, path in enumerate(sorted(folder.glob("checkpoint-*.json"), key=lambda path: int(path.stem[11:])), 1):
            content = path.read_bytes()
            found = json.loads(content)
            body, heads = found["body"], found["heads"]
            if body["number"] != number or body["previous"] != before:
                raise BadError(f"{path.name} does not follow the checkpoint before it")
            if (body["heads"], body["heads_root"]) != (len(heads), merkle(heads)):
                raise BadError(f"the heads listed in {path.name} are not the ones signed")
            for wallet, seq, head in heads:
                self.sealed.setdefault(wallet, []).append((seq, head, number))
            before, signature = hashlib.sha256(content).hexdigest(), bytes.fromhex(found["signature"])
            self.bodies.append(body)
        self.last: Row = self.bodies[-1] if self.bodies else {"number": 0}
        if not signed(key, canonical(self.last), signature):
            raise BadError(f"checkpoint {self.last['number']} is not signed by this key")
        self.totals, self.entries = Counter[str](), set[UUID]()
        if (len(self.sealed), self.root()) != (self.last["wallets"], self.last["root"]):
            raise BadError(f"checkpoint {self.last['number']}: its root is not that of the heads listed")

    def root(self) -> str:
        """The digest over the last sealed head of every wallet, 65,536 wallet ids at a time."""
        everything = hashlib.sha256()
        for bucket, wallets in groupby(sorted(self.sealed), key=lambda wallet: wallet >> 16):
            heads = ((wallet, *self.sealed[wallet][-1]) for wallet in wallets)
            leaves = b"".join(plain(wallet) + plain(seq) + bytes.fromhex(head) for wallet, seq, head, _ in heads)
            everything.update(plain(bucket) + hashlib.sha256(leaves).digest())
        return everything.hexdigest()

    def see(self, row: Row) -> None:
        """Count a posting that the newest checkpoint covers; no other may be as old as these."""
        sealed = self.sealed.get(row["p.wallet_id"])
        if sealed is None or row["p.seq"] > sealed[-1][0]:
            if row["p.id"] <= self.last["settled_posting_id"]:
                what = f"was not there at checkpoint {self.last['number']}, and claims to be older"
                raise BadError(f"wallet {row['p.wallet_id']}, posting number {row['p.seq']}: {what}")
            return
        self.totals.update({"posting": 1, "lot": row["l.id"] is not None, "lotuse": len(row["u.uses"] or ())})
        self.totals[f"sum of {row['p.contra']}"] += row["p.points"]
        self.entries.add(row["e.id"])

    def compare(self, wallet: int, hashes: dict[int, bytes]) -> None:
        good = 0
        for seq, head, number in self.sealed.get(wallet, []):
            if how := "missing" if seq not in hashes else "rewritten" if hashes[seq].hex() != head else "":
                raise BadError(f"wallet {wallet}: {how} from posting number {good + 1} to {seq}, by checkpoint {number}")
            good = seq

    def end(self) -> None:
        for wallet in sorted(self.sealed):
            self.compare(wallet, {})
        rows = {name: self.last["rows"][name] for name in ("posting", "lot", "lotuse", "journalentry")}
        sums = {f"sum of {contra}": points for contra, points in self.last["sums"].items()}
        sealed = Counter(rows | sums)
        self.totals["journalentry"] = len(self.entries)
        for name in sorted(name for name in sealed | self.totals if sealed[name] != self.totals[name]):
            raise BadError(f"checkpoint {self.last['number']} sealed {name} {sealed[name]}, {self.totals[name]} is there")


def signed(key: bytes, message: bytes, signature: bytes) -> bool:
    """Ed25519 (RFC 8032, 5.1.7) with points as they stand in the curve's equation: slow, and enough for one signature."""
    p, q = 2**255 - 19, 2**252 + 27742317777372353535851937790883648493
    d = -121665 * pow(121666, -1, p) % p

    def add(a: Point, b: Point) -> Point:
        t = d * a[0] * b[0] * a[1] * b[1] % p
        return (a[0] * b[1] + b[0] * a[1]) * pow(1 + t, -1, p) % p, (a[1] * b[1] + a[0] * b[0]) * pow(1 - t, -1, p) % p

    def times(n: int, point: Point) -> Point:
        return add(times(n >> 1, add(point, point)), point if n & 1 else (0, 1)) if n else (0, 1)

    def decoded(raw: bytes) -> Point | None:
        y = int.from_bytes(raw, "little") & (2**255 - 1)
        square = (y * y - 1) * pow(d * y * y + 1, -1, p) % p
        x = pow(square, (p + 3) // 8, p)
        x = x if (x * x - square) % p == 0 else x * pow(2, (p - 1) // 4, p) % p
        if y >= p or (x * x - square) % p or (x == 0 and raw[31] >> 7):
            return None
        return (x if x & 1 == raw[31] >> 7 else p - x), y

    if len(signature) != 64 or len(key) != 32:
        return False
    base, a, r = decoded(b"\x58" + b"\x66" * 31), decoded(key), decoded(signature[:32])
    s = int.from_bytes(signature[32:], "little")
    if base is None or a is None or r is None or s >= q:
        return False
    k = int.from_bytes(hashlib.sha512(signature[:32] + key + message).digest(), "little") % q
    return times(s, base) == add(r, times(k, a))


def canonical(value: Any) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode()


def leaf(wallet: int, seq: int, head: str) -> bytes:
    return hashlib.sha256(b"\0" + plain(wallet) + plain(seq) + bytes.fromhex(head)).digest()


def merkle(heads: list[tuple[int, int, str]]) -> str:
    """The tree hash of RFC 6962."""
    level = [leaf(*head) for head in heads] or [hashlib.sha256(b"").digest()]
    while len(level) > 1:
        pairs = (level[i : i + 2] for i in range(0, len(level), 2))
        level = [hashlib.sha256(b"\1" + b"".join(pair)).digest() if len(pair) == 2 else pair[0] for pair in pairs]
    return level[0].hex()


def check_wallet(rows: list[Row], sealed: Checkpoints | None) -> None:
    """One wallet's chain, and its part of the checkpoints. A wallet without postings has one row."""
    one = Walk(rows[0])
    rows = [row for row in rows if row["p.id"] is not None]
    if sealed:  # first, for it can name the whole range that a bad row belongs to
        sealed.compare(one.wallet["w.id"], {0: genesis(one.wallet)} | {row["p.seq"]: row["p.hash"] for row in rows})
    for row in rows:
        one.step(row)
        if sealed:
            sealed.see(row)
    one.end()
    if sealed:
        sealed.sealed.pop(one.wallet["w.id"], None)


def check_wallets(read: Reader, sealed: Checkpoints | None) -> int:
    count = 0
    everything = read(
        f"select {', '.join(COLUMNS)} from loyalty_wallet w left join loyalty_posting p on p.wallet_id = w.id "  # noqa: S608
        "left join loyalty_journalentry e on e.id = p.entry_id left join loyalty_lot l on (l.wallet_id, l.seq) = (w.id, p.seq) "
        "left join (select wallet_id, seq, array_agg(array[lot_seq, points] order by lot_seq) as uses "
        "from loyalty_lotuse group by 1, 2) u on (u.wallet_id, u.seq) = (w.id, p.seq) order by w.id, p.seq"
    )
    for _, group in groupby(everything, key=itemgetter(0)):
        rows = [dict(zip(COLUMNS, row, strict=True)) for row in group]
        check_wallet(rows, sealed)
        count += len(rows) - (rows[0]["p.id"] is None)
    return count


def check_others(read: Reader, sealed: Checkpoints | None) -> None:
    """Rows without a posting; and what has no chain of its own against what checkpoints sealed of it."""
    for (orphan,) in read(ORPHANS):
        raise BadError(orphan)
    if sealed is None:
        return
    now: dict[str, dict[str, str]] = {}
    rows = {
        table: read(f"select {number}, jsonb_build_array({columns})::text from loyalty_{table} order by 1")  # noqa: S608
        for table, (number, columns) in RANGES.items()
    }
    ahead = {table: next(found, None) for table, found in rows.items()}
    for body in sealed.bodies:
        if (columns := ", ".join(body.get("terms_columns", ())) or TERMS) not in now and re.fullmatch(r"[\w,\s]+", columns):
            terms = read(f"select version::text, jsonb_build_array({columns})::text from loyalty_termsversion")  # noqa: S608
            now[columns] = {version: hashlib.sha256(row.encode()).hexdigest() for version, row in terms}
        for version in (version for version, digest in body["terms"].items() if now[columns].get(version) != digest):
            raise BadError(f"terms version {version}: not as checkpoint {body['number']} sealed them")
        for table, said in body["ranges"].items():
            digest, count = hashlib.sha256(), 0
            while (row := ahead[table]) and row[0] <= said["upto"]:
                digest.update(hashlib.sha256(row[1].encode()).digest())
                ahead[table], count = next(rows[table], None), count + 1
            if (count, digest.hexdigest()) != (said["rows"], said["digest"]):
                raise BadError(f"{table} {said['after'] + 1} to {said['upto']}: not as checkpoint {body['number']} sealed them")
    sealed.end()


def check_database(connection: Any, sealed: Checkpoints | None) -> str:
    """The whole ledger, in words; BadError at the first thing that does not hold. One transaction, one snapshot."""
    connection.execute("set local timezone = 'UTC'; set local statement_timeout = 0")
    with ExitStack() as cursors:

        def read(statement: str) -> Iterator[tuple[Any, ...]]:
            cursor = cursors.enter_context(connection.cursor(name=f"rows_{hash(statement)}", binary=True))
            cursor.itersize = 5000
            cursor.execute(statement)
            return iter(cursor)

        count = check_wallets(read, sealed)
        check_others(read, sealed)
    return f"{count:,} postings hold, " + (f"and checkpoints up to {sealed.last['at']}." if sealed else "without checkpoints.")


def check_statement(file: Path, key: bytes | None) -> str:
    found = json.loads(file.read_text())
    entries, lots = {one["id"]: one for one in found["entries"]}, {one["seq"]: one for one in found["lots"]}
    wallet, rows = {f"w.{name}": typed(name, value) for name, value in found["wallet"].items()}, list[Row]()
    used = groupby(sorted(found["lot_uses"], key=itemgetter("seq", "lot_seq")), key=itemgetter("seq"))
    uses = {seq: [(use["lot_seq"], use["points"]) for use in part] for seq, part in used}
    for posting in found["postings"]:
        parts = (("p", posting), ("e", entries[posting["entry_id"]]), ("l", lots.get(posting["seq"]) or {"id": None}))
        row = {f"{part}.{name}": typed(name, value) for part, one in parts for name, value in one.items()}
        rows.append(wallet | row | {"u.uses": uses.pop(posting["seq"], None)})
    check_wallet(rows or [wallet | {"p.id": None}], None)
    if uses:
        raise BadError(f"lot uses of posting number {min(uses)}, which is not there")
    said = f"{len(rows):,} lines hold; balance {wallet['w.balance']:,}."
    if not (sealed := found["checkpoint"]):
        return f"{said} No checkpoint has sealed them yet."
    (number, seq, head), digest, body = sealed["head"], leaf(*sealed["head"]), sealed["body"]
    for side, other in sealed["path"]:
        both = bytes.fromhex(other) + digest if side == "left" else digest + bytes.fromhex(other)
        digest = hashlib.sha256(b"\1" + both).digest()
    found_head = ([genesis(wallet)] + [row["p.hash"] for row in rows])[: seq + 1][-1].hex()
    if number != wallet["w.id"] or seq > len(rows) or found_head != head or digest.hex() != body["heads_root"]:
        raise BadError(f"checkpoint {body['number']} did not seal these lines")
    if key is None:
        return f"{said} The checkpoint fits; its signature was not checked: give --public-key."
    if not signed(key, canonical(body), bytes.fromhex(sealed["signature"])):
        raise BadError(f"checkpoint {body['number']} is not signed by this key")
    return f"{said} Checkpoint {body['number']} of {body['at']} seals the first {seq:,} of them."


def typed(name: str, value: Any) -> Any:
    if not isinstance(value, str) or name in ("key", "reason", "reference", "kind", "contra", "point_type"):
        return value
    if name.endswith(("_at", "_until")):
        return datetime.fromisoformat(value)
    return bytes.fromhex(value) if name in ("hash", "head") else UUID(value)


def public_key(given: str) -> bytes:
    return bytes.fromhex(given if re.fullmatch("[0-9a-fA-F]{64}", given) else Path(given).read_text())


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--database-url")
    for name, kind in (("--checkpoints", Path), ("--statement", Path), ("--public-key", str)):
        parser.add_argument(name, type=kind)
    asked = parser.parse_args()
    keyless, driver = asked.checkpoints and not asked.public_key, asked.statement or psycopg
    if keyless or not driver or bool(asked.statement) == bool(asked.database_url):
        parser.error("give --statement, or --database-url, which needs psycopg; --checkpoints needs --public-key")
    try:
        key = public_key(asked.public_key) if asked.public_key else None
        if asked.statement:
            said = check_statement(asked.statement, key)
        else:
            sealed = Checkpoints(asked.checkpoints, key) if asked.checkpoints and key else None
            with psycopg.connect(asked.database_url) as connection:
                connection.isolation_level, connection.read_only = psycopg.IsolationLevel.REPEATABLE_READ, True
                said = check_database(connection, sealed)
    except BadError as error:
        said = f"BROKEN: {error}"
    except (OSError, ValueError, KeyError) as error:  # no such file, or no file of ours
        parser.error(f"cannot be read: {error}")
    sys.stdout.write(f"{said}\n")
    return int(said.startswith("BROKEN"))


if __name__ == "__main__":
    sys.exit(main())
