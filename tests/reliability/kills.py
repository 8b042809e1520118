"""Kill a busy box again and again: nothing acknowledged may be lost or doubled (T4).

    python -m tests.reliability.kills --postgres 100 --web 200 --worker 200 --acknowledged 100000 --state FILE --seed S

A round opens a fresh box, as `manage.py up` does for a merchant, and puts tills (HTTP) and posters (the ledger's verbs) on
it. After every kill they must go on, and what they were told so far is looked up; when all has been acknowledged, both
verifiers compare the ledger with itself and with the checkpoints. Stopped, the same command goes on with the next round.
"""

import argparse
import secrets
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from random import Random

import psycopg

from tests.reliability import audit, box
from tests.reliability.box import Box
from tests.reliability.load import MEMBERS, Load
from tests.reliability.state import State

KINDS = ("postgres", "web", "worker")
# Kills of one kind in a round: the supervisor doubles its patience with a program that crashes all the time.
ROUND = {"postgres": 10, "web": 20, "worker": 20}
ROUND_SECONDS = 1200.0
# Where a process dies by itself: around the COMMIT that makes an act stand, and between any two statements.
PLACES = ("^before commit", "^after commit", "^before ", "^after ")
MOST_PASSING = 12


@dataclass(frozen=True, slots=True)
class Round:
    """What a round came to: figures, where the first fault was found, and what the verifiers said."""

    acknowledged: int
    resent: int
    faults: audit.Faults
    said: str


def strike(house: Box, kind: str, draw: Random) -> str:
    """Kill a process of that kind, at any moment or at a failpoint; says how."""
    ways: dict[str, list[tuple[str, Callable[[], None]]]] = {
        "postgres": [
            ("postmaster", lambda: house.kill(lambda: [house.postmaster()], draw)),
            ("backend", lambda: house.kill(house.backends, draw)),
            ("postmaster at a failpoint", lambda: _at_failpoint(house, _poster_or_web(draw), str(house.postmaster()), draw)),
            ("backend at a failpoint", lambda: _at_failpoint(house, _poster_or_web(draw), "backend", draw)),
        ],
        "web": [
            ("web worker", lambda: house.kill(house.web_workers, draw)),
            ("web worker at a failpoint", lambda: _at_failpoint(house, "granian", "self", draw)),
        ],
        "worker": [
            ("Celery", lambda: house.kill(_rung(house, house.celery_main), draw)),
            ("Celery's child", lambda: house.kill(_rung(house, house.celery_children), draw)),
            ("Celery's child at a failpoint", lambda: _at_failpoint(house, "celery", "self", draw)),
            ("Celery's child at a failpoint", lambda: _at_failpoint(house, "celery", "self", draw)),
        ],
    }
    name, kill = draw.choice(ways[kind])
    kill()
    return name


def _at_failpoint(house: Box, program: str, victim: str, draw: Random) -> None:
    pattern, passing = draw.choice(PLACES), draw.randrange(MOST_PASSING)
    house.kill_at_failpoint(program, victim=victim, pattern=pattern, passing=passing, meanwhile=house.ring)


def _poster_or_web(draw: Random) -> str:
    return draw.choice(["granian", "reliability"])


def _rung(house: Box, find: Callable[[], list[int]]) -> Callable[[], list[int]]:
    """Find whom to kill just after giving it work."""

    def found() -> list[int]:
        victims = find()
        if victims:
            house.ring()
        return victims

    return found


def play(folder: Path, seed: str, kills: dict[str, int], *, acknowledged: int, say: Callable[[str], None]) -> Round:
    """One round with so many kills of each kind, and at least so many acknowledged acts. It ends early at a fault.

    Fails when something does not go on after a kill, or when a verifier finds something.
    """
    draw, started = Random(seed), time.monotonic()
    order = [kind for kind, count in kills.items() for _ in range(count)]
    draw.shuffle(order)
    with box.opened(folder / "box") as house:
        with Load(house, seed, folder) as load:
            load.goes_on(box.BACK_SECONDS)
            for number, kind in enumerate(order, start=1):
                how = strike(house, kind, draw)
                say(f"  {number}: {how}; {len(load.told):,} acknowledged after {time.monotonic() - started:.0f} s")
                for told in (load.news(), load.goes_on(box.BACK_SECONDS)):
                    if faults := _looked(house, told):
                        return Round(len(load.told), load.resent, faults, f"found after kill {number}, {how}")
            while len(load.told) < acknowledged and time.monotonic() < started + ROUND_SECONDS:
                load.goes_on(box.BACK_SECONDS)
        with psycopg.connect(house.database, autocommit=True) as base:
            ends = audit.look(base, load.told), audit.nothing_else(base, load.told, seed=seed, members=MEMBERS)
            faults = audit.Faults([*ends[0].lost, *ends[1].lost], [*ends[0].doubled, *ends[1].doubled])
            _finish_work(house, base)
        house.seal()
        return Round(len(load.told), load.resent, faults, house.verify())


def _looked(house: Box, told: audit.Acknowledged) -> audit.Faults:
    """As soon as the database can be asked again."""
    deadline = time.monotonic() + box.BACK_SECONDS
    while True:
        try:
            with psycopg.connect(house.database) as base:
                return audit.look(base, told)
        except psycopg.OperationalError:
            assert time.monotonic() < deadline, "the database did not come back"
            time.sleep(0.05)


def _finish_work(house: Box, base: psycopg.Connection) -> None:
    """What the worker was killed over is done by its successors: events handed on, ended lots booked, members welcomed."""
    deadline, rung = time.monotonic() + box.BACK_SECONDS, 0.0
    while any(left := audit.work_left(base)):
        assert time.monotonic() < deadline, f"events, ended lots, members not welcomed: {left}"
        if time.monotonic() > rung + 2:  # the last lots may end only now
            house.ring()
            rung = time.monotonic()
        time.sleep(0.05)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.reliability.kills", description=__doc__.partition("\n")[0])
    for kind in KINDS:
        parser.add_argument(f"--{kind}", type=int, default=0, metavar="N", help=f"kills of {kind}")
    parser.add_argument("--acknowledged", type=int, default=0, metavar="N", help="go on until so many acts were acknowledged")
    parser.add_argument("--state", type=Path, metavar="FILE", help="where the run stands, to be resumed")
    parser.add_argument("--seed", type=int, default=None)
    asked = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda number, _frame: sys.exit(128 + number))  # what it has started ends with it
    seed = secrets.randbelow(1 << 32) if asked.seed is None else asked.seed
    wanted = {kind: getattr(asked, kind) for kind in KINDS}
    _say(f"{parser.prog} {' '.join(f'--{kind} {n}' for kind, n in wanted.items())} --seed {seed}")
    state = State.found(asked.state, seed)
    while left := {kind: count - state.done(kind) for kind, count in wanted.items() if state.done(kind) < count}:
        play_next(state, left, asked.acknowledged)
    _say(str(state))


def play_next(state: State, left: dict[str, int], acknowledged: int) -> None:
    """The next round, in a folder of its own, which stays when something is wrong. Ends the program at a fault."""
    kills = {kind: min(ROUND[kind], count) for kind, count in left.items()}
    share = (acknowledged - state.done("acknowledged")) * sum(kills.values()) // sum(left.values())
    folder = Path(tempfile.mkdtemp(prefix="regulars-kills-"))
    ended = play(folder, f"{state.seed}.{state.rounds}", kills, acknowledged=share, say=_say)
    faults = {"lost": len(ended.faults.lost), "doubled": len(ended.faults.doubled)}
    state.add(**kills, acknowledged=ended.acknowledged, resent=ended.resent, **faults)
    _say(f"round {state.rounds}: {state}. {ended.said}")
    if ended.faults:
        sys.exit(f"lost {ended.faults.lost[:10]}, doubled {ended.faults.doubled[:10]}; the box stays in {folder}")
    shutil.rmtree(folder)


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
