"""Twins that grant at the same moment, on real connections: the room is given once."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from threading import Barrier
from uuid import UUID, uuid4

import pytest
from django.db import connection

from loyalty import limits, posting, queries
from loyalty.acts import Adjustment, Outcome, Posted
from tests.factories import NOW, accrual, holder

pytestmark = pytest.mark.usefixtures("committing_db")


def together(acts: Sequence[Callable[[], list[Outcome]]]) -> int:
    """How many were posted; all begin at the same moment."""
    start = Barrier(len(acts))

    def run(act: Callable[[], list[Outcome]]) -> bool:
        try:
            start.wait(timeout=30)
            return isinstance(act()[0], Posted)
        finally:
            connection.close()

    with ThreadPoolExecutor(len(acts)) as pool:
        return sum(pool.map(run, acts))


def adjust(to: UUID, by: UUID, key: str = "") -> Callable[[], list[Outcome]]:
    act = Adjustment(key=key or f"adjustment:{uuid4()}", holder=to, points=5_000, occurred_at=NOW, reason="goodwill")
    return partial(posting.adjust, [act], now=NOW, actor=by)


def test_of_many_twins_as_many_are_posted_as_a_day_holds() -> None:
    maker, keys = uuid4(), [uuid4(), uuid4()]
    for key in keys:
        limits.stand_in(key, maker)
    wallets = [holder() for _ in range(12)]
    acts = [adjust(to, (maker, *keys)[number % 3]) for number, to in enumerate(wallets)]
    acts[::4] = [partial(posting.accrue, [accrual(to, 5_000)], now=NOW, actor=keys[0]) for to in wallets[::4]]
    assert together(acts) == 4
    assert sum(queries.net_balances(wallets).values()) == 20_000
    assert limits.room(maker, now=NOW).day == 0


def test_one_key_sent_many_times_at_once_counts_once() -> None:
    to, by = holder(), uuid4()
    assert together([adjust(to, by, "adjustment:same")] * 8) == 8
    assert queries.net_balances([to])[to] == 5_000
    assert limits.room(by, now=NOW).day == 15_000
