"""A purchase at a till, step by step as its page asks for it: scan, the member, the live sentence, sending, the result."""

import random
import time
from collections import defaultdict
from collections.abc import Callable
from urllib.parse import urlsplit
from uuid import UUID

from django.conf import settings
from django.test import Client, override_settings
from django.utils import timezone

from loyalty.models import Store
from members import devices, pins, shifts
from members.cards import new_number
from members.models import Card, Device, Shift, StaffProfile, User
from members.staffing import employ
from tests.bench.measuring import percentile
from tests.bench.shop import Shop

WARM_UP = 20
PIN = "2580"
# Without the names that collectstatic makes: nothing is collected here, and looking a name up costs nothing.
PLAIN = {"staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}}
SEED = 20261127


@override_settings(STORAGES=settings.STORAGES | PLAIN)
def crediting(shop: Shop, calls: int) -> dict[str, tuple[float, float]]:
    """p50 and p95 in milliseconds of server time, of each step and of the whole job."""
    dice, till = random.Random(SEED), _till()  # noqa: S311
    waits: dict[str, list[float]] = defaultdict(list)
    for turn in range(WARM_UP + calls):
        took = _credit(till, dice.choice(shop.members).id, f"{dice.randint(100, 9999) / 100:.2f}")
        for name, wait in (*took.items(), ("the whole job", sum(took.values()))):
            if turn >= WARM_UP:
                waits[name].append(wait)
    return {name: (percentile(some, 0.5), percentile(some, 0.95)) for name, some in waits.items()}


def _credit(till: Client, member: UUID, amount: str) -> dict[str, float]:
    card = Card.objects.get(member=member).number
    page = f"/till/member/{member}/"
    sale = {
        "number": f"T{new_number()}", "member": str(member), "amount": amount, "at": timezone.now().isoformat(),
        "proof": shifts.proof(Shift.objects.get(ended_at=None), now=timezone.now()),
    }  # fmt: skip
    took = {
        "scan": _timed(lambda: till.get("/till/", {"code": card}), 302),
        "the member's page": _timed(lambda: till.get(page), 200),
        "the live sentence": _timed(lambda: till.get(f"{page}gives/", {"amount": amount}), 200),
    }
    told: list[str] = []

    def send() -> object:
        answer = till.post("/till/sales/", {"sales": [sale]}, content_type="application/json")
        told.extend(one["url"] for one in answer.json()["answers"])
        return answer

    took["give"] = _timed(send, 200)
    took["the result"] = _timed(lambda: till.get(told[0]), 200)
    return took


def _timed(ask: Callable[[], object], status: int) -> float:
    started = time.perf_counter()
    answer = ask()
    took = (time.perf_counter() - started) * 1000
    assert getattr(answer, "status_code", None) == status, answer
    return took


def _till() -> Client:
    """A browser that is a till, with a cashier at it."""
    store = Store.objects.get(code="S0")
    employ("counter@shop.example", role="cashier", name="Counter", stores=[store.code])
    staff = StaffProfile.objects.get(user__email="counter@shop.example")
    pins.put(staff, PIN, by=User.objects.get(email="counter@shop.example").actor, now=timezone.now())
    made = Device.objects.create(name="Counter", store=store)
    at = urlsplit(settings.ORIGIN)
    till = Client(headers={"host": at.netloc, "x-forwarded-proto": at.scheme})
    for path, given in (
        ("/till/register/", {"code": devices.new_code(made.pk, by=None, now=timezone.now())}),
        ("/till/lock/", {"staff": str(staff.pk), "pin": PIN}),
    ):
        answer = till.post(path, given)
        assert answer.status_code == 302, answer
    return till
