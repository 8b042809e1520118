"""A process that posts by the ledger's verbs, without HTTP, until SIGTERM; one of those that keep a box under load.

    python -m tests.reliability.poster open MEMBERS HOLDERS              prints a key, members and holders, as JSON
    python -m tests.reliability.poster post SEED ACKNOWLEDGED HOLDER…    appends a line to ACKNOWLEDGED for each act answered

What it posts follows from its seed. An act that was not answered is sent again, under its key, until it is.
"""

import json
import signal
import sys
import time
from collections.abc import Callable, Sequence
from datetime import timedelta
from pathlib import Path
from random import Random
from uuid import UUID, uuid4

import django

django.setup()

from django.db import InterfaceError, OperationalError, connection  # noqa: E402
from django.utils import timezone  # noqa: E402

from loyalty import posting  # noqa: E402
from loyalty.acts import Accrual, Act, Burn, Outcome, Posted, Transfer  # noqa: E402
from loyalty.places import NewStore, open_stores  # noqa: E402
from members.access import create_key  # noqa: E402
from members.enrolling import Enrolled, enrol  # noqa: E402
from members.schemas import MemberIn  # noqa: E402

BATCH = 20
ANSWER_SECONDS = 90.0
PAUSE_SECONDS = 0.1  # others need the processors too


def main() -> None:
    if sys.argv[1] == "open":
        sys.stdout.write(json.dumps(open_house(int(sys.argv[2]), int(sys.argv[3]))))
        return
    seed, file, *holders = sys.argv[2:]
    stopping: list[int] = []
    signal.signal(signal.SIGTERM, lambda number, _frame: stopping.append(number))
    with Path(file).open("a") as acknowledged:
        number = 0
        while not stopping:
            acts, post = plan(f"{seed}:{number}", [UUID(one) for one in holders])
            outcomes = until_answered(post)
            acknowledged.writelines(f"{json.dumps(told(act, outcome))}\n" for act, outcome in zip(acts, outcomes, strict=True))
            acknowledged.flush()
            number += 1
            time.sleep(PAUSE_SECONDS)


def open_house(members: int, holders: int) -> dict[str, object]:
    """A store, people, a till's key, and wallets for the posters."""
    open_stores([NewStore("S1", "Harbour shop", "Europe/Paris")])
    applications = [MemberIn(external_id=f"kills-{number}") for number in range(members)]
    joined = [one for one in enrol(applications, now=timezone.now()) if isinstance(one, Enrolled)]
    others = [uuid4() for _ in range(holders)]
    posting.open_wallets(others)
    keys = [create_key(f"kills {number}", ["pos"])[1] for number in range(2)]
    return {"keys": keys, "members": [str(one.member) for one in joined], "holders": [str(one) for one in others]}


def plan(seed: str, holders: Sequence[UUID]) -> tuple[Sequence[Act], Callable[[], list[Outcome]]]:
    """A batch of acts of one verb, and how to post it. Every tenth accrual ends within seconds, for the sweep."""
    draw, now = Random(seed), timezone.now()
    verb, count = draw.choice(["accrue", "accrue", "burn", "transfer"]), draw.choice([1, 1, BATCH])
    keys = [f"{seed}:{place}" for place in range(count)]
    if verb == "accrue":
        grants = [
            Accrual(key=key, holder=draw.choice(holders), points=draw.randint(1, 500), occurred_at=now, available_at=now,
                    expires_at=now + (timedelta(seconds=2) if draw.random() < 0.1 else timedelta(days=365)))
            for key in keys
        ]  # fmt: skip
        return grants, lambda: posting.accrue(grants, now=timezone.now())
    if verb == "burn":
        burns = [Burn(key=key, holder=draw.choice(holders), points=draw.randint(1, 300), occurred_at=now) for key in keys]
        return burns, lambda: posting.burn(burns, now=timezone.now())
    moves = []
    for key in keys:
        one, other = draw.sample(holders, 2)
        moves.append(Transfer(key=key, holder=one, to=other, points=draw.randint(1, 100), occurred_at=now))
    return moves, lambda: posting.transfer(moves, now=timezone.now(), actor=None)


def until_answered(post: Callable[[], list[Outcome]]) -> list[Outcome]:
    """Post again, on a new line, until the server has answered."""
    deadline = time.monotonic() + ANSWER_SECONDS
    while True:
        try:
            return post()
        except (OperationalError, InterfaceError):
            if time.monotonic() > deadline:
                raise
            connection.close()
            time.sleep(0.05)


def told(act: Act, outcome: Outcome) -> list[object]:
    """Key, entry, points of the first line; no entry for what was refused."""
    points = getattr(act, "points", 0) * (1 if isinstance(act, Accrual) else -1)
    return [act.key, str(outcome.entry) if isinstance(outcome, Posted) else None, points]


if __name__ == "__main__":
    main()
