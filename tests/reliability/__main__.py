"""`python -m tests.reliability WHAT …`: the full tiers that need no box, on a PostgreSQL with production's promises.

Each goes round by round, on fresh databases; with `--state FILE` the same command goes on where it was stopped.
"""

import argparse
import logging
import os
import secrets
import signal
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import django
import psycopg
from django.test.utils import setup_test_environment

if "DATABASE_URL" in os.environ:
    sys.exit("This starts its own servers: unset DATABASE_URL and run it again.")
os.environ["REGULARS_TEST_PROFILE"] = "durable"
os.environ["DJANGO_SETTINGS_MODULE"] = "tests.settings"
django.setup()
setup_test_environment()
logging.disable(logging.WARNING)  # refusals are what some of it is about

from tests.committing import Database, copied, default_is  # noqa: E402
from tests.reliability import broker, budgets, contention, items, keys, returning  # noqa: E402
from tests.reliability.state import State  # noqa: E402

# A round's seed, how much of the work it does, its database, and a folder of its own; the answer is a figure to add up.
type Round = Callable[[str, int, Database, Path], int]
TIERS: dict[str, tuple[str, int, str, Round]] = {
    "points": ("trials", 100, "scenarios", lambda seed, count, _base, _folder: contention.play(seed, count)),
    "items": ("trials", 20, "scenarios", lambda seed, count, _base, _folder: items.play(seed, count)),
    "budgets": ("trials", 50, "receipts", lambda seed, count, _base, _folder: budgets.play(seed, count)),
    "keys": ("keys", 500, "effects", lambda seed, count, _base, _folder: keys.play(seed, count)),
    "broker": ("reminders", 1000, "acknowledged", broker.play),
    "returns": ("receipts", 2500, "returns", lambda seed, count, _base, _folder: returning.play(seed, count)),
}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.reliability", description=__doc__)
    tiers = parser.add_subparsers(dest="tier", required=True)
    for name, (unit, *_rest) in TIERS.items():
        tier = tiers.add_parser(name)
        tier.add_argument(f"--{unit}", type=int, required=True, dest="count", metavar="N")
        tier.add_argument("--seed", type=int, default=secrets.randbelow(1 << 32))
        tier.add_argument("--state", type=Path, metavar="FILE", help="where the run stands, to be resumed")
    asked = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda number, _frame: sys.exit(128 + number))  # what it has started ends with it
    unit, most, figure, play = TIERS[asked.tier]
    say(f"python -m tests.reliability {asked.tier} --{unit} {asked.count} --seed {asked.seed}")
    state = State.found(asked.state, asked.seed)
    with psycopg.connect(os.environ["REGULARS_TEST_ADMIN_URL"], autocommit=True) as admin:
        while (left := asked.count - state.done(unit)) > 0:
            count, started = min(most, left), time.monotonic()
            with tempfile.TemporaryDirectory(prefix="regulars-") as folder, copied(admin) as base, default_is(base):
                reached = play(f"{state.seed}.{state.rounds}", count, base, Path(folder))
            state.add(**{unit: count, figure: reached, "seconds": round(time.monotonic() - started)})
            say(f"round {state.rounds}: {state}")
    say(f"{state}; nothing lost, nothing doubled, both verifiers hold")


def say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
