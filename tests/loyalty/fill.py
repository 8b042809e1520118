"""`python -m tests.loyalty.fill WALLETS POSTINGS_EACH EMPTY`: a database full of postings, to measure what the proof costs.

Starts the tests' own servers, fills a copy of the template through the posting verbs, and times sealing, verify_ledger and
loyalty/proof/verify.py on it. Prints one line for each.
"""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import django

os.environ["DJANGO_SETTINGS_MODULE"] = "tests.settings"
django.setup()

import psycopg  # noqa: E402
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey  # noqa: E402

from loyalty import posting, sealing, verifying  # noqa: E402
from loyalty.acts import Accrual, Burn  # noqa: E402
from loyalty.proof import verify  # noqa: E402
from tests.committing import copied, default_is  # noqa: E402

BATCH = 5000
START = datetime(2026, 1, 1, tzinfo=UTC)


@contextmanager
def timed(what: str) -> Iterator[None]:
    """Print how long the body took."""
    started = time.perf_counter()
    yield
    sys.stdout.write(f"{time.perf_counter() - started:9.2f} s  {what}\n")
    sys.stdout.flush()


def fill(wallets: int, each: int, empty: int) -> None:
    """Rounds of accruals, every fourth a burn; and wallets without postings."""
    everybody = [UUID(int=0xB16 << 112 | n) for n in range(wallets + empty)]
    for start in range(0, len(everybody), 50_000):
        posting.open_wallets(everybody[start : start + 50_000])
    holders = everybody[:wallets]
    for turn in range(each):
        at = START + timedelta(hours=turn)
        for start in range(0, wallets, BATCH):
            part = holders[start : start + BATCH]
            if turn % 4 == 3:
                posting.burn([Burn(key=f"b{turn}:{one.hex}", holder=one, points=7, occurred_at=at) for one in part], now=at)
                continue
            ends = at + timedelta(days=365)
            posting.accrue(
                [
                    Accrual(key=f"a{turn}:{one.hex}", holder=one, points=10, occurred_at=at, available_at=at, expires_at=ends)
                    for one in part
                ],
                now=at,
            )


def spend(wallets: int, count: int) -> None:
    """One burn in each of the first wallets."""
    holders = [UUID(int=0xB16 << 112 | n) for n in range(min(wallets, count))]
    acts = [Burn(key=f"late:{one.hex}", holder=one, points=1, occurred_at=START + timedelta(days=9)) for one in holders]
    posting.burn(acts, now=START + timedelta(days=9))


def main() -> None:
    """Fill, then measure."""
    wallets, each, empty = (int(number) for number in sys.argv[1:])
    key = Ed25519PrivateKey.generate()
    with (
        psycopg.connect(os.environ["REGULARS_TEST_ADMIN_URL"], autocommit=True) as admin,
        copied(admin) as database,
        default_is(database),
        tempfile.TemporaryDirectory() as scratch,
    ):
        folder, public = Path(scratch) / "checkpoints", Path(scratch) / "key.pub"
        public.write_text(key.public_key().public_bytes_raw().hex())
        with timed(f"{wallets * each:,} postings in {wallets:,} wallets, and {empty:,} empty ones"):
            fill(wallets, each, empty)
        with psycopg.connect(database.url("postgres"), autocommit=True) as superuser:
            superuser.execute("vacuum analyze")
        with timed("first checkpoint, of all wallets"):
            sealing.seal(folder, key)
        spend(wallets, 1000)
        with timed("checkpoint after 1,000 wallets changed"):
            sealing.seal(folder, key)
        with timed("checkpoint attempt with no change"):
            sealing.seal(folder, key)
        with timed("manage.py verify_ledger, with checkpoints"):
            for finding in verifying.verify(folder, public):
                sys.stdout.write(f"{'BROKEN' if finding.bad_row else '':6} {finding.seconds:9.2f} s    {finding.check}\n")
        program = [sys.executable, verify.__file__, "--database-url", database.url("regulars_app")]
        with timed("proof/verify.py, without checkpoints"):
            subprocess.run(program, check=True)
        with timed("proof/verify.py, with checkpoints"):
            subprocess.run([*program, "--checkpoints", str(folder), "--public-key", str(public)], check=True)


if __name__ == "__main__":
    main()
