"""`python -m tests.reliability.arithmetic [--full] [--seed N] [--only PART]`: T16, arithmetic and time.

Prints what was compared and the seed; ends with 1 and the first wrong ones when something is wrong. The tests' own servers
are started for it. `REGULARS_TEST_PROFILE=durable` gives them production's promises.
"""

import argparse
import os
import secrets
import sys
import time

import django
import psycopg

os.environ["DJANGO_SETTINGS_MODULE"] = "tests.settings"
django.setup()

from tests.committing import copied, default_is  # noqa: E402
from tests.reliability.tiers import FULL, PARTS, QUICK, dice  # noqa: E402

SHOWN = 10


def main() -> int:
    """The parts asked for, one after the other."""
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
    return int(failed)


def say(*lines: str) -> None:
    sys.stdout.writelines(f"{line}\n" for line in lines)
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
