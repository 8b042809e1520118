"""Browsers bound to a shop's counter: by a one-time code from the admin, known from then on by a secret in a cookie."""

import hashlib
import secrets
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext as _

from loyalty import auditing
from loyalty.problems import Problem
from members import cards
from members.models import Device, Shift

LABEL = "members.device"
CODE_VALID = timedelta(minutes=15)
SEEN_PRECISION = timedelta(minutes=1)


def new_code(device: UUID, *, by: UUID | None, now: datetime, valid: timedelta = CODE_VALID) -> str:
    """A code of ten symbols (40 random bits) that binds one browser to the device, once; an older code is void.

    The browser that was bound before is let go when the code is used. Raises Problem for a device that was revoked.
    """
    code = cards.new_number()
    with transaction.atomic():
        rows = Device.objects.filter(pk=device, revoked_at=None)
        if not rows.update(code=_digest_of_code(code), code_until=now + valid):
            raise Problem("not-eligible", _("This till was revoked. Make a new one."), status=409)
        auditing.record(by, "device.code_made", LABEL, device)
    return code


def bind(typed: str, *, now: datetime) -> str:
    """Bind a browser by its code; the secret for its cookie, which is not kept. Raises Problem when the code is not one."""
    secret, code = secrets.token_urlsafe(32), cards.parse(typed)
    rows = Device.objects.filter(code=_digest_of_code(code or ""), code_until__gt=now, revoked_at=None)
    with transaction.atomic():
        device = rows.values_list("pk", flat=True).select_for_update().first()
        if device is None:
            detail = _("No till has this code now. Make a new one in the admin; it is valid for 15 minutes.")
            raise Problem("not-found", detail, status=404)
        Device.objects.filter(pk=device).update(secret=digest(secret), code=None, code_until=None, registered_at=now, seen_at=now)
        Shift.objects.filter(device=device, ended_at=None).update(ended_at=now)
        auditing.record(None, "device.registered", LABEL, device)
    return secret


def known(secret: str, *, now: datetime) -> Device | None:
    """The device whose cookie this is, unless it was revoked or its shop is closed."""
    if not secret:
        return None
    device = Device.objects.select_related("store").filter(secret=digest(secret), revoked_at=None, store__closed_at=None).first()
    if device and (device.seen_at is None or now - device.seen_at > SEEN_PRECISION):
        Device.objects.filter(pk=device.pk).update(seen_at=now)
    return device


def revoke(device: UUID, *, now: datetime) -> None:
    """Its browser is a stranger from now on, whatever it still wants to send."""
    with transaction.atomic():
        Device.objects.filter(pk=device, revoked_at=None).update(revoked_at=now, code=None, code_until=None)
        Shift.objects.filter(device=device, ended_at=None).update(ended_at=now)


def digest(secret: str) -> bytes:
    """Secrets carry 256 random bits, so a plain digest keeps them as safe as a slow one would."""
    return hashlib.sha256(secret.encode()).digest()


def _digest_of_code(code: str) -> bytes:
    """Keyed, for whoever reads the table could try all codes."""
    return salted_hmac("members.devices", code, algorithm="sha256").digest()
