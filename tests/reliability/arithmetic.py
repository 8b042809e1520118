"""`python -m tests.reliability.arithmetic [--full] [--seed N] [--only PART]`: T16, arithmetic and time.

Prints for each part how much was compared and what was wrong, and at the end what the second verifier says of the ledger
that the round trips wrote. Ends with 1 when something is wrong. A part throws the same dice alone and after others.
"""

import argparse
import os
import secrets
import subprocess
import sys
import time
from collections.abc import Callable
from random import Random

import django
from django.apps import apps

if not apps.ready:  # a program of its own; under pytest, Django stands already
    os.environ["DJANGO_SETTINGS_MODULE"] = "tests.settings"
    django.setup()

import psycopg

from loyalty.proof import verify
from tests.committing import copied, default_is
from tests.reliability import expiries, roundtrips, splits

# Each takes dice and a number, and answers how much it compared and what was wrong.
PARTS: dict[str, Callable[[Random, int], tuple[int, list[str]]]] = {
    "expiries": expiries.check,
    "splits": splits.check,
    "roundtrips": roundtrips.check,
}
# Days of each zone, splits, rounds of each trip.
QUICK = {"expiries": 2, "splits": 3000, "roundtrips": 20}
FULL = {"expiries": 26, "splits": 250_000, "roundtrips": 2000}
SHOWN = 10


def dice(seed: int, part: str) -> Random:
    """What a part decides by."""
    return Random(f"{seed}:{part}")


def main() -> int:
    """The parts asked for, one after the other, on a database of their own."""
    parser = argparse.ArgumentParser(description="T16: arithmetic and time")
    parser.add_argument("--full", action="store_true")
    parser.add_argument("--seed", type=int, default=secrets.randbits(32))
    parser.add_argument("--only", choices=PARTS)
    given = parser.parse_args()
    tier = FULL if given.full else QUICK
    say(f"seed {given.seed}, {'full' if given.full else 'quick'} tier")
    failed = False
    with (
        psycopg.connect(os.environ["REGULARS_TEST_ADMIN_URL"], autocommit=True) as admin,
        copied(admin) as database,
        default_is(database),
    ):
        for part in [given.only] if given.only else PARTS:
            started = time.perf_counter()
            done, wrong = PARTS[part](dice(given.seed, part), tier[part])
            say(f"{part}: {done:,} compared, {len(wrong):,} wrong, {time.perf_counter() - started:.1f} s", *wrong[:SHOWN])
            failed = failed or bool(wrong)
        second = subprocess.run([sys.executable, verify.__file__, "--database-url", database.url()], check=False)
    return int(failed or second.returncode != 0)


def say(*lines: str) -> None:
    """Print at once."""
    sys.stdout.writelines(f"{line}\n" for line in lines)
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
