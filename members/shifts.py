"""Who is at a till: from a right PIN until it is locked, by hand or after three minutes without an act."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.core import signing
from django.db import transaction
from django.utils.translation import gettext as _

from loyalty.problems import Problem
from members import pins
from members.models import Device, Shift

IDLE = timedelta(minutes=3)
SEEN_PRECISION = timedelta(seconds=5)
# How long after a right PIN a till may go on taking receipts without a connection, and how late it may send them.
OFFLINE = timedelta(hours=12)
SENT_WITHIN = timedelta(days=7)
SALT = "till-proof"


@dataclass(frozen=True, slots=True)
class Proof:
    """That this colleague was at this till at `at`."""

    shift: Shift
    at: datetime


def unlock(device: Device, staff: int, pin: str, *, now: datetime) -> Shift:
    """Begin a shift. Raises Problem as members.pins.check, or when the colleague does not work in this shop."""
    colleague = pins.colleagues(device.store_id).filter(pk=staff).first()
    if colleague is None:
        raise Problem("not-eligible", _("Choose your name. Who is not listed does not work in this shop."), status=409)
    pins.check(colleague.pk, pin, now=now)
    with transaction.atomic():
        Device.objects.select_for_update().get(pk=device.pk)
        Shift.objects.filter(device=device, ended_at=None).update(ended_at=now)
        return Shift.objects.create(device=device, staff=colleague, started_at=now, seen_at=now)


def current(device: Device, *, now: datetime) -> Shift | None:
    """The shift that is open at this till; one that was idle too long is none."""
    shift = Shift.objects.select_related("staff__user", "device__store").filter(device=device, ended_at=None).first()
    if shift is None or now - shift.seen_at >= IDLE or not shift.staff.user.is_active:
        return None
    if now - shift.seen_at > SEEN_PRECISION:
        Shift.objects.filter(pk=shift.pk).update(seen_at=now)
    return shift


def lock(device: Device, *, now: datetime) -> None:
    Shift.objects.filter(device=device, ended_at=None).update(ended_at=now)


def last_colleague(device: Device) -> int | None:
    """Who was at this till last."""
    return Shift.objects.filter(device=device).order_by("-started_at").values_list("staff", flat=True).first()


def proof(shift: Shift, *, now: datetime) -> str:
    """A signed token that this colleague was let in here; a till that loses its connection shows it later."""
    return signing.dumps([str(shift.pk), now.isoformat()], salt=SALT)


def proved(text: str, device: Device, *, now: datetime) -> Proof:
    """Raises Problem unless the proof is ours, of this till, recent enough, and its colleague still works here."""
    try:
        shift, at = signing.loads(text, salt=SALT)
    except signing.BadSignature:
        raise _unproved() from None
    found = Shift.objects.select_related("staff__user", "device__store").filter(pk=UUID(shift), device=device).first()
    if found is None or not found.staff.user.is_active or now >= datetime.fromisoformat(at) + OFFLINE + SENT_WITHIN:
        raise _unproved()
    return Proof(found, datetime.fromisoformat(at))


def _unproved() -> Problem:
    detail = _("Nobody who works here now answers for this sale. A manager has to enter it.")
    return Problem("forbidden-scope", detail, status=403)
