"""Two at once: codes stand once, stock is moved and never set back, nobody waits in a ring."""

import threading
from collections.abc import Callable
from functools import partial

import pytest
from django.db import connection
from django.db.models import Count
from django.utils import timezone

from catalog import codes, keeping, redeeming
from catalog.models import Code, CodePool, Redemption, Stock
from catalog.redeeming import Ask
from catalog.schemas import RewardIn
from loyalty.ids import uuid7
from members.models import Member
from tests.catalog.selling import reward, rich
from tests.committing import Database
from tests.factories import give, member

pytestmark = pytest.mark.timeout(300)
PLAIN = RewardIn(title="Mug", kind="goods", points=1)


def apart(*acts: Callable[[], object]) -> None:
    """Each in a thread of its own, begun together; what one raises is raised here."""
    start, raised = threading.Barrier(len(acts)), list[BaseException]()

    def run(act: Callable[[], object]) -> None:
        start.wait(60)
        try:
            act()
        except BaseException as error:  # noqa: BLE001  told to the test
            raised.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(act,)) for act in acts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(240)
    assert raised == []


def test_the_same_codes_sent_twice_at_once_stand_once_and_are_all_accounted_for(committing_db: Database) -> None:
    pools = [CodePool.objects.create(code=code, name=code) for code in "AB"]
    listed = "\n".join(f"CODE-{n}" for n in range(2000))
    outcomes: list[codes.Filled] = []
    apart(*(lambda one=one: outcomes.append(codes.fill(one, listed, actor=uuid7())) for one in pools))
    assert sum(one.new for one in outcomes) == Code.objects.count() == 2000
    assert [one.new + len(one.skipped) for one in outcomes] == [2000, 2000]


def test_two_who_take_what_the_other_let_lapse_do_not_wait_for_each_other(committing_db: Database) -> None:
    now, people = timezone.now(), [rich(), rich()]
    mug, cup = (reward(points=1) for _ in range(2))
    for sold in (mug, cup):
        Stock.objects.create(reward=sold, left=50)
    for turn in range(10):
        at = now + turn * redeeming.RESERVED_FOR * 2
        for one, sold in zip(people, (mug, cup), strict=True):
            redeeming.reserve(Ask(one, sold), now=at)
        asks = [Ask(one, sold) for one, sold in zip(people, (cup, mug), strict=True)]
        apart(*(partial(redeeming.reserve, ask, now=at + redeeming.RESERVED_FOR) for ask in asks))
    assert set(Redemption.objects.values_list("status").annotate(n=Count("id"))) == {("lapsed", 38), ("reserved", 2)}


def test_putting_and_restocking_while_members_redeem_neither_hangs_nor_loses_count(committing_db: Database) -> None:
    one, now, actor = member(), timezone.now(), uuid7()
    Member.objects.filter(pk=one.pk).update(email_verified_at=now)
    one.refresh_from_db()
    give(one.holder, 1000, at=now)
    reward, _is_new = keeping.put("mug", RewardIn(title="Mug", kind="goods", points=1, stock=100), actor=actor, now=now)

    def redeem() -> None:
        for _ in range(15):
            redeeming.reserve(Ask(one, reward), now=now)

    def keep() -> None:
        for n in range(15):
            keeping.put("mug", PLAIN.model_copy(update={"points": 1, "description": f"{n}"}), actor=actor, now=now)
            keeping.restock("mug", {None: 2}, actor=actor)

    apart(redeem, keep)
    assert Redemption.objects.count() == 15
    assert Stock.objects.get().left == 100 - 15 + 30
