"""`python -m tests.reliability.stateful --operations N [--seed S] [--state FILE]`: the ledger against a reference (T1).

Posts random batches through the product's verbs and through a small Python model (reference.py), and compares what both
answer and hold after every step, everything every 10,000 operations. Works in chunks of 20,000 operations, each on a
database of its own and with the next seed, so that a failing chunk can be run alone. With --state it appends a line for each
chunk that ended well, and goes on after the last one when it is started again.
"""

import argparse
import json
import os
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from secrets import randbelow
from typing import Any
from uuid import UUID

import django
from django.apps import apps

if not apps.ready:  # a program of its own; under pytest, Django stands already
    os.environ["DJANGO_SETTINGS_MODULE"] = "tests.settings"
    django.setup()

import psycopg
from django.db import Error

from loyalty import posting
from loyalty.acts import Act, Outcome, Posted
from loyalty.models import Store
from tests.committing import copied, default_is
from tests.reliability.acting import Crowd
from tests.reliability.comparing import (
    Diverged,
    compare_all,
    compare_answers,
    compare_wallets,
    verify_independently,
)
from tests.reliability.reference import Ledger

CHUNK = 20_000
COMPARE_ALL = 10_000
STAFF = UUID(int=0x57AFF)
BY_STAFF = ("adjust", "reverse", "forgive", "transfer", "merge", "unmerge")


class Trial:
    """One seed's run on the default database, which must be empty and may commit."""

    def __init__(self, seed: int, ledger: Ledger) -> None:
        stores = [Store.objects.create(code=code, name=code, timezone="Europe/Paris").pk for code in ("T1", "T2")]
        self.ledger = ledger
        self.crowd = Crowd(seed, ledger, stores)
        self.operations = self.steps = 0
        self.open_wallets(self.crowd.random.choice([5, 40, 150]))

    def open_wallets(self, count: int) -> None:
        holders = self.crowd.arrive(count)
        posting.open_wallets(holders)
        self.ledger.open_wallets(holders)

    def run(self, operations: int) -> None:
        """That many operations, compared after each step. Raises Diverged, which says where."""
        verb = ""
        try:
            while self.operations < operations:
                self.steps += 1
                self.crowd.wait()
                verb = self.crowd.verb()
                before = self.operations
                self.expire() if verb == "expire" else self.post(verb)
                if self.crowd.random.random() < 0.01:
                    self.open_wallets(1)
                if before // COMPARE_ALL != self.operations // COMPARE_ALL:
                    compare_all(self.ledger, self.crowd.now)
            compare_all(self.ledger, self.crowd.now)
            verify_independently()
        except (Diverged, Error, AssertionError, ArithmeticError, LookupError, TypeError, ValueError) as error:
            what = error if isinstance(error, Diverged) else f"{type(error).__name__}: {error}"
            where = f"step {self.steps}, operation {self.operations}, {verb} at {self.crowd.now}"
            raise Diverged(f"{where}: {what}") from error

    def post(self, verb: str) -> None:
        """One call of a verb, compared."""
        acts, now = self.crowd.batch(verb), self.crowd.now
        call: Callable[..., list[Outcome]] = getattr(posting, verb)
        given: dict[str, Any] = {"actor": STAFF} if verb in BY_STAFF else {}
        outcomes = call(acts, now=now, **given)
        answers = self.ledger.post(acts, now)
        compare_answers(acts, outcomes, answers)
        self.name(acts, outcomes)
        compare_wallets(self.ledger, (holder for act in acts for holder in act.holders), now)
        self.operations += len(acts)

    def name(self, acts: Sequence[Act], outcomes: Sequence[Outcome]) -> None:
        """Tell the reference what the product calls each entry; a replay must call it the same."""
        for act, outcome in zip(acts, outcomes, strict=True):
            if not isinstance(outcome, Posted):
                self.crowd.remember(act, None)
                continue
            entry = self.ledger.entries[act.key]
            if outcome.replayed:
                if self.ledger.names.get(outcome.entry) is not entry:
                    raise Diverged(f"{act}: replayed as entry {outcome.entry}, which is another's")
                continue
            self.ledger.named(act.key, outcome.entry)
            self.crowd.remember(act, outcome.entry)

    def expire(self) -> None:
        """A sweep, of all or of a few lots; never so few that it must choose between lots that end at the same time."""
        now, ended = self.crowd.now, self.ledger.ended(self.crowd.now)
        limit = self.crowd.random.choice([10_000, 1, 3, 20])
        while limit < len(ended) and ended[limit].end() == ended[limit - 1].end():
            limit += 1
        wallets = [lot.wallet.holder for lot in ended]
        product, reference = posting.expire(now=now, limit=limit), self.ledger.expire(now, limit)
        if product != reference:
            raise Diverged(f"limit {limit}\n  product:   {product}\n  reference: {reference}")
        compare_wallets(self.ledger, wallets, now)
        self.operations += max(1, product[0])


def run_on_current_database(operations: int, seed: int, ledger: Ledger | None = None) -> Trial:
    """One chunk. Raises Diverged, whose text says how to see it again."""
    trial = Trial(seed, Ledger() if ledger is None else ledger)
    try:
        trial.run(operations)
    except Diverged as error:
        command = f"python -m tests.reliability.stateful --operations {operations} --seed {seed}"
        raise Diverged(f"{command}\n{error}") from error
    return trial


@dataclass(frozen=True, slots=True)
class Chunk:
    """A line of the state file: a chunk that ended without a divergence."""

    seed: int
    operations: int
    steps: int
    seconds: float


def finished(state: Path | None) -> list[Chunk]:
    if state is None or not state.exists():
        return []
    return [Chunk(**json.loads(line)) for line in state.read_text().splitlines() if line.endswith("}")]


def say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def main() -> int:
    """Run chunk after chunk until the number of operations is reached."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--operations", type=int, default=CHUNK)
    parser.add_argument("--seed", type=int)
    parser.add_argument("--state", type=Path)
    asked = parser.parse_args()
    chunks = finished(asked.state)
    seed = chunks[0].seed if chunks else randbelow(10**6) * 1000 if asked.seed is None else asked.seed
    if asked.seed not in (None, seed):
        parser.error(f"{asked.state} is of a run with seed {seed}")
    say(f"seed {seed}, {sum(chunk.operations for chunk in chunks):,} of {asked.operations:,} operations done before")
    with psycopg.connect(os.environ["REGULARS_TEST_ADMIN_URL"], autocommit=True) as admin:
        while (left := asked.operations - sum(chunk.operations for chunk in chunks)) > 0:
            started = time.perf_counter()
            next_seed = seed + len(chunks)
            try:
                with copied(admin) as database, default_is(database):
                    trial = run_on_current_database(min(CHUNK, left), next_seed)
            except Diverged as error:
                say(f"DIVERGED\n{error}")
                return 1
            seconds = time.perf_counter() - started
            chunks.append(Chunk(next_seed, trial.operations, trial.steps, round(seconds, 1)))
            if asked.state:
                with asked.state.open("a") as file:
                    file.write(json.dumps(asdict(chunks[-1])) + "\n")
            rate = trial.operations / seconds
            say(f"seed {next_seed}: {trial.operations:,} operations in {trial.steps:,} steps, {rate:,.0f} a second")
    done, seconds = sum(chunk.operations for chunk in chunks), sum(chunk.seconds for chunk in chunks)
    say(f"seed {seed}: {done:,} operations, 0 divergences, {done / max(seconds, 0.1):,.0f} a second")
    return 0


if __name__ == "__main__":
    sys.exit(main())
