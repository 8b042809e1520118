"""A form that is sent twice at the same moment is one act: the second waits for the first, and finds it done."""

import threading
import time
from typing import Any

import psycopg
import pytest
from django.core.cache import cache
from django.db import connection
from django.test import Client

from campaigns import parking
from campaigns.models import Purchase
from catalog.models import Redemption
from members.models import Member, SpendCode, TillAct
from tests.committing import Database
from tests.config.test_till import has, rich
from tests.config.test_till_codes import goods, mailed, redeem
from tests.config.tills import unlocked

WAITING = "select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'"


def until(eye: psycopg.Connection, waiting: int) -> None:
    """So many wait for a lock, or have had the time to."""
    for _ in range(400):
        found = eye.execute(WAITING).fetchone()
        if found and found[0] >= waiting:
            return
        time.sleep(0.01)


def send(till: Client, path: str, form: dict[str, Any], answers: list[int | str]) -> None:
    """From a browser of the till, in a thread of its own."""
    browser = Client()
    browser.cookies = till.cookies
    answer = browser.post(path, form)
    answers.append(answer.headers.get("Location", answer.status_code))
    connection.close()


def twice(till: Client, one: Member, database: Database, path: str, form: dict[str, Any]) -> list[int | str]:
    """Where each of two answers leads, or its status; both wait for the wallet before the first goes on."""
    answers: list[int | str] = []
    threads = [threading.Thread(target=send, args=(till, path, form, answers)) for _ in range(2)]
    url = database.url("postgres")
    with psycopg.connect(url) as other, psycopg.connect(url, autocommit=True) as eye:
        other.execute("select from loyalty_wallet where holder = %s for update", [one.holder])
        for each in threads:
            each.start()
        until(eye, len(threads))
    for each in threads:
        each.join(60)
    return answers


@pytest.fixture
def till(committing_db: Database) -> Client:
    cache.clear()
    return unlocked()


def test_a_reward_is_redeemed_once(till: Client, committing_db: Database) -> None:
    one, beans = rich(), goods(100)
    form = {"reward": beans.code, "points": "100", "number": "N-1"}
    first, second = twice(till, one, committing_db, f"/till/member/{one.pk}/rewards/", form)
    assert first == second
    assert (Redemption.objects.count(), TillAct.objects.count(), has(one)) == (1, 1, 900)


def test_a_reward_that_took_a_code_is_redeemed_once(till: Client, committing_db: Database) -> None:
    one, beans = rich(), goods(400)
    redeem(till, one, beans, number="N-1")
    form = {"reward": beans.code, "points": "400", "number": "N-1", "member_code": mailed()}
    first, second = twice(till, one, committing_db, f"/till/member/{one.pk}/rewards/", form)
    assert first == second
    assert (Redemption.objects.count(), has(one)) == (1, 600)


def test_a_sale_that_points_pay_is_one_and_nobody_is_asked_for_a_code_afterwards(till: Client, committing_db: Database) -> None:
    one = rich()
    form = {"amount": "18.60", "number": "T-1", "points": "150"}
    first, second = twice(till, one, committing_db, f"/till/member/{one.pk}/", form)
    assert first == second
    assert (Purchase.objects.count(), SpendCode.objects.count()) == (1, 0)


def test_a_refund_is_one(till: Client, committing_db: Database) -> None:
    one = rich()
    till.post(f"/till/member/{one.pk}/", {"amount": "18.60", "number": "T-1"})
    form = {"amount": "8.60", "number": "R-1"}
    first, second = twice(till, one, committing_db, f"/till/refund/{Purchase.objects.get().pk}/", form)
    assert first == second
    assert has(one) == 1010


def test_a_sale_that_points_pay_locks_nobody_out_who_has_begun_to_write_sales(till: Client, committing_db: Database) -> None:
    """Sales before wallets: else a sale, a return that is parked and this one wait for each other in a ring."""
    one, url = rich(), committing_db.url("postgres")
    with psycopg.connect(url) as sale, psycopg.connect(url) as parked, psycopg.connect(url, autocommit=True) as eye:
        sale.execute("select pg_advisory_xact_lock_shared(%s)", [parking.LOCK])
        form = {"amount": "18.60", "number": "T-1", "points": "150"}
        parks = threading.Thread(target=lambda: parked.execute("select pg_advisory_xact_lock(%s)", [parking.LOCK]))
        sells = threading.Thread(target=send, args=(till, f"/till/member/{one.pk}/", form, []))
        for waiting, each in enumerate((parks, sells), 1):
            each.start()
            until(eye, waiting)
        sale.execute("select from loyalty_wallet where holder = %s for update nowait", [one.holder])
        sale.rollback()
        parks.join(60)
        parked.rollback()
        sells.join(60)
    assert Purchase.objects.count() == 1
