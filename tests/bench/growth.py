"""What may grow with the ledger and what must not: acts and pages at several sizes, then sealing and verifying the whole."""

import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median
from uuid import UUID

import psycopg
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from loyalty import posting, queries, sealing, verifying
from loyalty.acts import Accrual, Burn
from loyalty.proof import verify
from tests.bench.measuring import figure, timed
from tests.committing import Database, copied, default_is

BATCH = 10_000
EACH = 50  # postings of a wallet, at every size
START = datetime(2026, 1, 1, tzinfo=UTC)
READS, POSTS = 2_000, 500
# What a chain costs alone: every hash again from the posting's own columns and the hash before, and nothing joined.
CHAIN = """
select count(*) filter (where hash is distinct from sha256(
           coalesce(prev, '') || uuid_send(entry_id) || int8send(wallet_id) || int8send(seq) || int8send(points)
           || int8send(balance_after) || int8send(id) || convert_to(kind || contra || reference, 'UTF8')
           || timestamptz_send(occurred_at) || timestamptz_send(recorded_at) || int8send(coalesce(store_id, 0))))
  from (select *, lag(hash) over (partition by wallet_id order by seq) as prev from loyalty_posting) p"""


def growing(admin: psycopg.Connection, sizes: list[int]) -> tuple[list[list[str]], list[list[str]]]:
    """Rows of two tables: what an act costs at each size beside the smallest, and what the whole costs at the largest."""
    acts: list[list[str]] = []
    with copied(admin) as database, default_is(database):
        first: dict[str, float] = {}
        done = 0
        for size in sizes:
            fill(done, size)
            done = size
            with psycopg.connect(database.url("postgres"), autocommit=True) as superuser:
                superuser.execute("vacuum analyze")
            for name, rate in _costs(size).items():
                first.setdefault(name, rate)
                acts.append([name, f"{size:,}", figure(rate), f"{rate / first[name]:.2f}"])
        return acts, _whole(database, done)


def fill(done: int, size: int) -> None:
    """Bring a ledger of `done` postings to `size`: wallets with 50 postings each, every fourth a burn."""
    everybody = [UUID(int=0xB16 << 112 | n) for n in range(done // EACH, size // EACH)]
    for start in range(0, len(everybody), BATCH):
        part = everybody[start : start + BATCH]
        posting.open_wallets(part)
        for turn in range(EACH):
            at = START + timedelta(days=7 * turn)
            if turn % 4 == 3:
                posting.burn([Burn(key=f"b{turn}:{one.hex}", holder=one, points=20, occurred_at=at) for one in part], now=at)
            else:
                posting.accrue([accrual(f"a{turn}:{one.hex}", one, at) for one in part], now=at)


def accrual(key: str, holder: UUID, at: datetime) -> Accrual:
    return Accrual(
        key=key, holder=holder, points=10, occurred_at=at, available_at=at, expires_at=at + timedelta(days=730), reference=key[:9]
    )


def _costs(size: int) -> dict[str, float]:
    """Acts a second of each kind, over wallets spread through the whole ledger."""
    now, step = START + timedelta(days=400), max(size // EACH // READS, 1)
    holders = [UUID(int=0xB16 << 112 | n) for n in range(0, size // EACH, step)][:READS]
    turns = [holders[i % len(holders)] for i in range(READS)]

    def rate(act: Callable[[UUID], object], count: int) -> float:
        act(turns[0])
        return median(
            count / timed(lambda part=part: [act(one) for one in turns[part : part + count]])  # type: ignore[misc]
            for part in range(0, READS, count)
        )

    return {
        "accrue, 1 a batch": rate(lambda one: posting.accrue([accrual(f"{time.perf_counter_ns()}", one, now)], now=now), POSTS),
        "burn, 1 a batch": rate(
            lambda one: posting.burn([Burn(key=f"{time.perf_counter_ns()}", holder=one, points=1, occurred_at=now)], now=now),
            POSTS,
        ),
        "balance": rate(lambda one: queries.balances([one], now), POSTS),
        "statement, newest page of 20": rate(lambda one: queries.statement(one, limit=20), POSTS),
        "statement, a page further back": rate(lambda one: queries.statement(one, before=25, limit=20), POSTS),
    }


def _verified(folder: Path | None, public: Path | None) -> None:
    found = [one.bad_row for one in verifying.verify(folder, public) if one.bad_row]
    assert not found, found


def _whole(database: Database, size: int) -> list[list[str]]:
    key, rows = Ed25519PrivateKey.generate(), list[list[str]]()

    def tell(what: str, seconds: float, beside: float | None = None) -> None:
        ratio = f"{beside / seconds:.2f}" if beside else ""
        rows.append([what, f"{size:,}", f"{seconds:.1f} s", figure(size / seconds), ratio])

    with tempfile.TemporaryDirectory() as scratch, psycopg.connect(database.url("postgres"), autocommit=True) as superuser:
        folder, public = Path(scratch) / "checkpoints", Path(scratch) / "key.pub"
        public.write_text(key.public_key().public_bytes_raw().hex())
        tell("first checkpoint, of all wallets", timed(lambda: sealing.seal(folder, key)))
        at = START + timedelta(days=401)
        posting.accrue([accrual(f"late:{n}", UUID(int=0xB16 << 112 | n), at) for n in range(min(1000, size // EACH))], now=at)
        tell("checkpoint after 1,000 wallets changed", timed(lambda: sealing.seal(folder, key)))
        superuser.execute("vacuum analyze")
        chain = timed(lambda: superuser.execute(CHAIN))
        tell("floor: a chain in SQL, nothing joined", chain)
        tell("verify_ledger without checkpoints", timed(lambda: _verified(None, None)), chain)
        tell("verify_ledger with checkpoints", timed(lambda: _verified(folder, public)), chain)
        program = [sys.executable, verify.__file__, "--database-url", database.url("regulars_app")]
        program += ["--checkpoints", str(folder), "--public-key", str(public)]
        tell(
            "loyalty/proof/verify.py with checkpoints",
            timed(lambda: subprocess.run(program, check=True, capture_output=True)),
            chain,
        )
    return rows
