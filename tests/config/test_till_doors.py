"""Who gets to a till: a browser bound by a code, a colleague by a PIN; for how long, and what is kept meanwhile."""

import threading
from datetime import timedelta

import pytest
import time_machine
from django.db import connection
from django.test import Client
from django.utils import timezone

from loyalty.models import AuditRecord
from loyalty.problems import Problem
from members import devices, pins, shifts
from members.models import Device, Pin, Shift, User
from tests.committing import Database
from tests.config.tills import PIN, bound, code, colleague, unlock, unlocked
from tests.factories import StoreFactory, member
from tests.staff import signed_in, text


@pytest.mark.django_db
def test_a_stranger_is_asked_to_register_and_a_code_binds_one_browser_once() -> None:
    for path in ("/till/", "/till/lock/", "/till/report/", f"/till/member/{member().pk}/"):
        assert Client().get(path)["Location"] == "/till/register/"
    given = code()
    wrong = text(Client().post("/till/register/", {"code": "0000000000"}))
    assert wrong.count("No till has this code now.") == 2
    client = Client()
    answer = client.post("/till/register/", {"code": given.lower()})
    cookie = answer.cookies["till"]
    assert (cookie["httponly"], cookie["samesite"], answer["Location"]) == (True, "Strict", "/till/")
    assert client.get("/till/")["Location"].startswith("/till/lock/")
    assert "No till has this code" in text(Client().post("/till/register/", {"code": given}))
    kept = bytes(Device.objects.get().secret or b"")
    assert cookie.value.encode() not in kept


@pytest.mark.django_db
def test_a_code_ends_after_a_quarter_of_an_hour_and_a_new_one_voids_it() -> None:
    now = timezone.now()
    device = Device.objects.create(name="Counter 1", store=StoreFactory.create())
    first, second = (devices.new_code(device.pk, by=None, now=now) for _ in range(2))
    with pytest.raises(Problem):
        devices.bind(first, now=now)
    with pytest.raises(Problem):
        devices.bind(second, now=now + timedelta(minutes=15))
    assert devices.bind(second, now=now + timedelta(minutes=14))


@pytest.mark.django_db
def test_a_revoked_till_and_a_closed_shop_are_strangers() -> None:
    client = unlocked()
    assert client.get("/till/").status_code == 200
    device = Device.objects.get()
    devices.revoke(device.pk, now=timezone.now())
    assert client.get("/till/")["Location"] == "/till/register/"
    other = unlocked(store="S2", name="Paul")
    StoreFactory.create(code="S2")
    Device.objects.get(revoked_at=None).store.__class__.objects.filter(code="S2").update(closed_at=timezone.now())
    assert other.get("/till/")["Location"] == "/till/register/"


@pytest.mark.django_db
def test_a_pin_opens_the_till_and_five_wrong_ones_make_everybody_wait() -> None:
    client, one = bound(), colleague()
    assert "Aïcha" in text(client.get("/till/lock/"))
    for said in (*(f"Wrong PIN. {left} " for left in (4, 3, 2, 1)), "Wait 15 minutes"):
        page = text(client.post("/till/lock/", {"staff": one.pk, "pin": "1111"}))
        assert said in page
        assert "<title>Error: " in page
    assert "Wait 15 minutes" in text(client.post("/till/lock/", {"staff": one.pk, "pin": PIN}))
    assert AuditRecord.objects.filter(verb="pin.locked").count() == 1
    with time_machine.travel(timezone.now() + timedelta(minutes=15, seconds=1)):
        unlock(client, one)
    assert Pin.objects.get().tries == 0


@pytest.mark.django_db
def test_only_colleagues_of_the_shop_with_a_login_and_a_pin_are_let_in() -> None:
    StoreFactory.create(code="S2")
    client, stranger = bound(), colleague("Paul", stores=["S2"])
    gone, marketer = colleague("Rose"), signed_in("marketer")
    User.objects.filter(pk=gone.user_id).update(is_active=False)
    for one in (stranger, gone):
        assert "Choose your name" in text(client.post("/till/lock/", {"staff": one.pk, "pin": PIN}))
    assert not Shift.objects.exists()
    assert marketer.get("/admin/till-pin/").status_code == 404


@pytest.mark.django_db
def test_three_idle_minutes_lock_the_till_and_keep_what_was_begun() -> None:
    client, one, who = bound(), colleague(), member()
    unlock(client, one)
    with time_machine.travel(timezone.now() + timedelta(minutes=2, seconds=59)):
        assert client.get("/till/").status_code == 200
    with time_machine.travel(timezone.now() + timedelta(minutes=5, seconds=59)):
        answer = client.post(f"/till/member/{who.pk}/", {"amount": "18.60", "number": "T1"})
        assert answer["Location"] == f"/till/lock/?next=%2Ftill%2Fmember%2F{who.pk}%2F%3Famount%3D18.60"
        page = client.get(answer["Location"])
        assert "What was begun is kept." in text(page)
        back = client.post("/till/lock/", {"staff": one.pk, "pin": PIN, "next": page.context["next"]})
        kept = text(client.get(back["Location"]))
        assert 'value="18.60"' in kept
        assert "Gives 18 points. New balance 18." in kept


@pytest.mark.django_db
def test_the_lock_leads_back_to_the_till_alone() -> None:
    client, one = bound(), colleague()
    for address in ("https://evil.example/", "//evil.example/till/", "/admin/", "/till/lock/", "/till/\\evil"):
        answer = client.post("/till/lock/", {"staff": one.pk, "pin": PIN, "next": address})
        assert answer["Location"] in ("/till/", "/till/%5Cevil")
    assert "/till/lock/" in client.post("/till/lock/", {"lock": "1"})["Location"]
    assert client.get("/till/")["Location"].startswith("/till/lock/")


@pytest.mark.django_db
def test_staff_set_their_own_pin_and_managers_those_of_their_cashiers() -> None:
    StoreFactory.create()
    StoreFactory.create(code="S2")
    cashier, other = colleague("Ana"), colleague("Paul", stores=["S2"])
    boss = signed_in("manager", stores=["S1"])
    names = [name for _pk, name in boss.get("/admin/till-pin/").context["form"].fields["staff"].choices]
    assert names == ["Manager", "Ana"]
    for pin, said in (("1234", "Everybody tries this one first."), ("12a4", "Choose 4 to 6 digits."), ("0000", "Everybody")):
        assert said in text(boss.post("/admin/till-pin/", {"staff": cashier.pk, "pin": pin, "again": pin}))
    assert "The two differ." in text(boss.post("/admin/till-pin/", {"staff": cashier.pk, "pin": "2929", "again": "2928"}))
    assert boss.post("/admin/till-pin/", {"staff": cashier.pk, "pin": "2929", "again": "2929"}).status_code == 302
    assert boss.post("/admin/till-pin/", {"staff": other.pk, "pin": "2929", "again": "2929"}).status_code == 200
    pins.check(cashier.pk, "2929", now=timezone.now())
    record = AuditRecord.objects.filter(verb="pin.set", object_id=str(cashier.pk)).latest("at")
    assert record.actor == User.objects.get(email="manager@shop.example").actor


@pytest.mark.django_db
def test_a_manager_makes_a_till_of_the_own_shop_alone_and_revokes_it() -> None:
    mine, other = StoreFactory.create(), StoreFactory.create(code="S2")
    boss = signed_in("manager", stores=["S1"])
    page = boss.post("/admin/members/device/add/", {"name": "Counter 1", "store": mine.pk})
    assert page.status_code == 200
    assert Client().post("/till/register/", {"code": page.context["code"]})["Location"] == "/till/"
    assert boss.post("/admin/members/device/add/", {"name": "Theirs", "store": other.pk}).status_code == 200
    assert [one.name for one in Device.objects.all()] == ["Counter 1"]
    device = Device.objects.get()
    assert "live" in text(boss.get(f"/admin/members/device/{device.pk}/change/"))
    boss.post("/admin/members/device/", {"action": "revoke", "_selected_action": str(device.pk), "confirmed": "1"})
    device.refresh_from_db()
    assert device.revoked_at
    assert signed_in("support").get("/admin/members/device/").status_code == 403


def test_a_hundred_parallel_wrong_pins_are_five(committing_db: Database) -> None:
    StoreFactory.create()
    staff, now, told = colleague().pk, timezone.now(), []

    def guess() -> None:
        try:
            pins.check(staff, "1111", now=now)
        except Problem as problem:
            told.append(problem.slug)
        finally:
            connection.close()

    threads = [threading.Thread(target=guess) for _ in range(40)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert (told.count("validation"), told.count("rate-limited")) == (5, 35)
    with pytest.raises(Problem, match="Wait"):
        pins.check(staff, PIN, now=now)


@pytest.mark.django_db
def test_a_proof_is_of_its_till_alone_and_ends() -> None:
    unlocked()
    shift, now = Shift.objects.get(), timezone.now()
    given = shifts.proof(shift, now=now)
    assert shifts.proved(given, shift.device, now=now + timedelta(hours=13)).shift == shift
    bound()
    other = Device.objects.exclude(pk=shift.device_id).get()
    for device, text_, at in (
        (other, given, now),
        (shift.device, given + "x", now),
        (shift.device, given, now + timedelta(days=8)),
    ):
        with pytest.raises(Problem, match="Nobody who works here"):
            shifts.proved(text_, device, now=at)
