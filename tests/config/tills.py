"""A till as a shop has one: a browser that was bound by its code, and colleagues with PINs."""

from collections.abc import Sequence

from django.test import Client
from django.utils import timezone

from members import devices, pins
from members.models import Device, StaffProfile, TillLimits, User
from members.staffing import employ
from tests.factories import StoreFactory

PIN = "2580"
BOSS_PIN = "9137"


def colleague(name: str = "Aïcha", *, role: str = "cashier", pin: str = PIN, stores: Sequence[str] = ("S1",)) -> StaffProfile:
    """Somebody who works in the shop, with a PIN."""
    email = f"{name.encode('ascii', 'ignore').decode().lower()}@shop.example"
    employ(email, role=role, name=name, stores=stores)
    profile = StaffProfile.objects.get(user__email=email)
    pins.put(profile, pin, by=User.objects.get(email=email).actor, now=timezone.now())
    return profile


def code(name: str = "Counter 1", *, store: str = "S1") -> str:
    """A till that waits for its browser."""
    made = Device.objects.create(name=name, store=StoreFactory.create(code=store))
    return devices.new_code(made.pk, by=None, now=timezone.now())


def bound(*, store: str = "S1") -> Client:
    """A browser that is a till, and is locked."""
    client = Client()
    answer = client.post("/till/register/", {"code": code(store=store)})
    assert answer["Location"] == "/till/"
    return client


def trusted(points: int = 100_000) -> None:
    """Staff may use so many of a member's points without a code."""
    TillLimits.objects.update_or_create(store=StoreFactory.create(), defaults={"points": points})


def unlocked(*, store: str = "S1", name: str = "Aïcha", role: str = "cashier") -> Client:
    """A till where a colleague has typed the PIN."""
    client = bound(store=store)
    unlock(client, colleague(name, role=role, stores=[store]))
    return client


def unlock(client: Client, profile: StaffProfile, pin: str = PIN) -> None:
    answer = client.post("/till/lock/", {"staff": profile.pk, "pin": pin})
    assert (answer.status_code, answer["Location"]) == (302, "/till/")
