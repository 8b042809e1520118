"""The demo's till: PINs of those who work at the counter, and a code that binds a browser to the shop."""

import secrets
from datetime import datetime, timedelta

from config.demo.menu import ACTOR
from loyalty import queries
from members import cards, devices, pins
from members.models import Device, Pin, StaffProfile

SHOP, NAME = "harbour", "Demo counter"
CODE_VALID = timedelta(days=1)
DIGITS = 4


def give_pins(*, now: datetime) -> list[str]:
    """Lines that tell the PIN of each colleague of the shop who has none yet."""
    shop = queries.stores_by_code([SHOP])[SHOP]
    without = StaffProfile.objects.filter(stores=shop.id, role__in=pins.ROLES).exclude(pk__in=Pin.objects.values("staff"))
    told = []
    for profile in without.select_related("user").order_by("role"):
        pin = _drawn()
        pins.put(profile, pin, by=profile.user.actor, now=now)
        told.append(f"{'PIN':10} {profile.name:22} {pin}")
    return told


def code(*, now: datetime) -> str:
    """A line with a code for one browser; a till that still waits for its browser gets a new one."""
    waiting = Device.objects.filter(name=NAME, registered_at=None, revoked_at=None).first()
    if waiting is None:
        store = queries.stores_by_code([SHOP])[SHOP]
        waiting = Device.objects.create(name=NAME, store_id=store.id, made_by=ACTOR)
        waiting = Device.objects.get(pk=waiting.pk)
    made = devices.new_code(waiting.pk, by=ACTOR, now=now, valid=CODE_VALID)
    return f"{'till':10} {'/till/':22} {cards.grouped(made)}  (binds one browser, within a day)"


def _drawn() -> str:
    """A PIN that is not too easy."""
    while pins.is_easy(pin := "".join(secrets.choice("0123456789") for _ in range(DIGITS))):
        pass
    return pin
