"""Sales that a till's page sends itself: taken exactly once, by the proof of a PIN, within what a shop may take offline."""

import threading
from datetime import datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.test import Client
from django.utils import timezone

from campaigns.models import Purchase
from loyalty import queries
from members import devices, shifts
from members.models import Card, Device, Member, Shift, TillAct, TillLimits, User
from tests.committing import Database
from tests.config.tills import PIN, bound, unlocked
from tests.factories import member


def has(one: Member) -> int:
    return queries.net_balances([one.holder])[one.holder]


def sale(
    one: Member, number: str = "TABCDEFGH1", *, at: datetime | None = None, amount: str = "18.60", **given: Any
) -> dict[str, Any]:
    """As the page keeps it while the colleague is there."""
    proof = shifts.proof(Shift.objects.get(ended_at=None), now=timezone.now())
    moment = (at or timezone.now()).isoformat()
    return {"number": number, "member": str(one.pk), "amount": amount, "at": moment, "proof": proof} | given


def send(till: Client, *sales: dict[str, Any]) -> list[dict[str, Any]]:
    answer = till.post("/till/sales/", {"sales": list(sales)}, content_type="application/json")
    assert answer.status_code == 200, answer.content
    told: list[dict[str, Any]] = answer.json()["answers"]
    return told


@pytest.mark.django_db
def test_a_sale_is_taken_once_however_often_it_is_sent() -> None:
    till, one = unlocked(), member()
    given = sale(one)
    [first], [second] = send(till, given), send(till, given)
    assert first == second
    assert (first["taken"], first["heading"]) == (True, "18 points given to Wei")
    assert (has(one), Purchase.objects.count(), TillAct.objects.get().offline) == (18, 1, False)
    [other] = send(till, given | {"amount": "18.61"})
    assert (other["taken"], other["reason"]) == (False, "duplicate-document")


@pytest.mark.django_db
def test_it_is_still_taken_after_the_pin_expired_the_till_was_locked_and_a_day_passed() -> None:
    till, one = unlocked(), member()
    given, by_card = sale(one), sale(one, "TABCDEFGH2", member=Card.objects.get(member=one).number.lower())
    till.post("/till/lock/", {"lock": "1"})
    with time_machine.travel(timezone.now() + timedelta(days=1)):
        assert [answer["taken"] for _ in range(2) for answer in send(till, given, by_card)] == [True] * 4
    assert (has(one), Purchase.objects.count()) == (36, 2)
    assert all(act.offline for act in TillAct.objects.all())
    assert till.get("/till/")["Location"].startswith("/till/lock/"), "sending opens nothing"


@pytest.mark.django_db
def test_what_was_noted_while_it_was_locked_is_taken_by_whoever_answers_for_it_within_the_offline_limits() -> None:
    till, one = unlocked(), member()
    before = timezone.now() - timedelta(hours=2)
    [unproved] = send(till, sale(one, at=before))
    [taken] = send(till, sale(one, at=before, vouched=True))
    act = TillAct.objects.get()
    assert (unproved["taken"], taken["taken"], act.offline, act.shift.staff.name) == (False, True, True, "Aïcha")
    TillLimits.objects.update(amount=10)
    [large] = send(till, sale(one, "TABCDEFGH2", at=timezone.now(), vouched=True))
    [old] = send(
        till, sale(one, "TABCDEFGH3", at=timezone.now() - shifts.OFFLINE - timedelta(minutes=1), vouched=True, amount="5")
    )
    assert (large["reason"], old["reason"], has(one)) == ("limit-reached-offline", "not-eligible", 18)


@pytest.mark.django_db
def test_without_a_proof_of_that_moment_and_that_till_nothing_is_taken() -> None:
    till, one, now = unlocked(), member(), timezone.now()
    told = send(
        till,
        sale(one, "TABCDEFGH1", proof="made-up"),
        sale(one, "TABCDEFGH2", at=now - timedelta(minutes=6)),
        sale(one, "TABCDEFGH3", at=now + timedelta(hours=13)),
        sale(one, "TABCDEFGH4", amount="0"),
        sale(one, "TABCDEFGH5", member="0000000000"),
        sale(one, "short"),
        {"number": 7},
    )
    assert [answer["taken"] for answer in told] == [False] * 7
    assert {told[0]["reason"], told[1]["reason"], told[4]["reason"]} == {"forbidden-scope", "not-eligible", "unknown-member"}
    other, stolen = bound(), sale(one, "TABCDEFGH6")
    assert [answer["taken"] for answer in send(other, stolen)] == [False]
    assert Client().post("/till/sales/", {"sales": [stolen]}, content_type="application/json").status_code == 403
    assert till.post("/till/sales/", b"{", content_type="application/json").status_code == 422
    assert (has(one), Purchase.objects.count()) == (0, 0)


@pytest.mark.django_db
def test_a_revoked_till_and_a_colleague_who_left_have_nothing_taken() -> None:
    till, one = unlocked(), member()
    given = sale(one)
    User.objects.filter(staff__name="Aïcha").update(is_active=False)
    assert send(till, given)[0]["reason"] == "forbidden-scope"
    User.objects.update(is_active=True)
    devices.revoke(Device.objects.get().pk, now=timezone.now())
    assert till.post("/till/sales/", {"sales": [given]}, content_type="application/json").status_code == 403
    assert has(one) == 0


@pytest.mark.django_db
def test_a_shop_takes_offline_no_more_and_nothing_larger_than_it_may_whatever_the_page_says() -> None:
    till, one = unlocked(), member()
    TillLimits.objects.create(store=Device.objects.get().store, receipts=2, amount=50)
    sales = [sale(one, f"TABCDEFGH{i}", amount=f"{10 + i}.00") for i in range(3)]
    large = sale(one, "TABCDEFGH9", amount="50.01")
    with time_machine.travel(timezone.now() + timedelta(minutes=4)):
        told = send(till, large, *sales)
        assert [answer["taken"] for answer in told] == [False, True, True, False]
        assert told[0]["detail"] == "Offline at most €50.00 is taken. A manager has to enter it."
        assert [answer["taken"] for answer in send(till, *sales)] == [True, True, False]
    assert has(one) == 21


@pytest.mark.django_db
def test_the_same_amount_at_once_is_asked_about_by_the_page() -> None:
    till, one = unlocked(), member()
    send(till, sale(one))
    assert send(till, sale(one, "TABCDEFGH2"))[0]["reason"] == "twice"
    assert send(till, sale(one, "TABCDEFGH2", again=True))[0]["taken"]
    assert has(one) == 36


def test_twenty_at_once_are_one(committing_db: Database) -> None:
    till, one = unlocked(), member()
    given, cookies = sale(one), till.cookies
    told: list[bool] = []

    def push() -> None:
        client = Client()
        client.cookies = cookies
        told.extend(answer["taken"] for answer in send(client, given))
        connection.close()

    threads = [threading.Thread(target=push) for _ in range(20)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert told == [True] * 20
    assert (has(one), Purchase.objects.count(), TillAct.objects.count()) == (18, 1, 1)


@pytest.mark.django_db
def test_the_page_without_a_connection_and_its_worker_show_nothing_of_anybody() -> None:
    till = unlocked()
    assert PIN not in till.get("/till/offline/").content.decode()
    worker = till.get("/till/worker.js")
    assert worker["Content-Type"].startswith("text/javascript")
    assert b"/till/offline/" in worker.content
    for page in ("/till/offline/", "/till/worker.js"):
        plain = Client().get(page)
        assert plain.status_code == 200
        assert "Aïcha" not in plain.content.decode()
        assert plain["Cache-Control"] == "no-cache"
