"""PINs of colleagues: kept slowly hashed behind a key of the server; tries are counted in PostgreSQL before they are compared."""

import itertools
import re
from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from django.contrib.auth.hashers import check_password, make_password
from django.db import connection, transaction
from django.db.models import F, Q, QuerySet
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from loyalty import auditing
from loyalty.problems import Fault, Problem
from members.models import Pin, Shift, StaffProfile

LABEL = "members.pin"
PIN = re.compile(r"\A[0-9]{4,6}\Z", re.ASCII)
TRIES = 5
WAIT = timedelta(minutes=15)
ROLES = (StaffProfile.Role.OWNER, StaffProfile.Role.MANAGER, StaffProfile.Role.CASHIER)
MANAGERS = (StaffProfile.Role.OWNER, StaffProfile.Role.MANAGER)

# One try more, or none while it waits; a hundred at once are five.
COUNT = """
update members_pin set tries = case when tries < %(most)s then tries + 1 else 1 end, tried_at = %(now)s
 where staff_id = %(staff)s and (tries < %(most)s or tried_at <= %(waited)s) returning tries
"""


def put(staff: StaffProfile, pin: str, *, by: UUID, now: datetime) -> None:
    """Set a colleague's PIN. Raises Problem when it is no number of 4 to 6 digits, or one that everybody tries first."""
    if not PIN.match(pin):
        raise _wrong(_("Choose 4 to 6 digits."))
    if is_easy(pin):
        raise _wrong(_("Everybody tries this one first. Choose another."))
    with transaction.atomic():
        given = {"digest": make_password(_keyed(staff.pk, pin)), "set_by": by, "set_at": now, "tries": 0, "tried_at": None}
        Pin.objects.update_or_create(staff=staff, defaults=given)
        Shift.objects.filter(staff=staff, ended_at=None).update(ended_at=now)  # whoever knew the old one types the new one
        auditing.record(by, "pin.set", LABEL, staff.pk)


def check(staff: int, pin: str, *, now: datetime) -> None:
    """Raises Problem unless it is the PIN, and says how many tries are left, or until when to wait. Not in a transaction."""
    with connection.cursor() as cursor:
        cursor.execute(COUNT, {"staff": staff, "now": now, "most": TRIES, "waited": now - WAIT})
        counted = cursor.fetchone()
    one = Pin.objects.filter(pk=staff).first()
    if one is None:
        raise Problem("not-found", _("This colleague has no PIN yet. A manager sets one in the admin."), status=404)
    if counted is None:
        assert one.tried_at, "whoever waits has tried"
        wait = max(int((one.tried_at + WAIT - now).total_seconds()), 0) // 60 + 1
        raise Problem("rate-limited", _waits(wait), status=429, retry_after=wait * 60)
    if check_password(_keyed(staff, pin), one.digest):
        Pin.objects.filter(pk=staff).update(tries=0, tried_at=None)
        return
    left = TRIES - counted[0]
    if not left:
        auditing.record(None, "pin.locked", LABEL, staff)
        raise _wrong(_waits(WAIT // timedelta(minutes=1)))
    text = ngettext("Wrong PIN. %(count)s try left.", "Wrong PIN. %(count)s tries left.", left)
    raise _wrong(text % {"count": left})


def _waits(minutes: int) -> str:
    text = ngettext(
        "Wrong five times. Wait %(count)s minute, or ask a manager for a new PIN.",
        "Wrong five times. Wait %(count)s minutes, or ask a manager for a new PIN.",
        minutes,
    )
    return text % {"count": minutes}


def colleagues(store: int) -> QuerySet[StaffProfile]:
    """Who may work at a till of this shop: with a PIN, a login that is let in, and bound to it or to none."""
    here = Q(stores=store) | Q(stores=None)
    rows = StaffProfile.objects.filter(here, role__in=ROLES, user__is_active=True, pin__isnull=False)
    return rows.select_related("user").distinct().order_by("name", "pk")


def managers(store: int, *, beside: int) -> QuerySet[StaffProfile]:
    """Who can vouch at a till of this shop for what somebody else may not do alone: with a PIN that nobody else has set."""
    return colleagues(store).filter(role__in=MANAGERS, pin__set_by=F("user__actor")).exclude(pk=beside)


def set_by_another(staff: StaffProfile) -> UUID | None:
    """Who has set this colleague's PIN, and so can be at a till in the colleague's name."""
    return Pin.objects.filter(pk=staff.pk).exclude(set_by=staff.user.actor).values_list("set_by", flat=True).first()


def may_set_for(staff: StaffProfile) -> QuerySet[StaffProfile]:
    """Whose PIN this colleague may set: their own; a manager also of the cashiers of their shops, an owner everybody's."""
    rows = StaffProfile.objects.filter(role__in=ROLES, user__is_active=True).select_related("user")
    if staff.role == StaffProfile.Role.OWNER:
        return rows.order_by("name", "pk")
    mine = Q(pk=staff.pk)
    if staff.role == StaffProfile.Role.MANAGER:
        shops: Sequence[int] = list(staff.stores.values_list("pk", flat=True))
        cashiers = Q(role=StaffProfile.Role.CASHIER)
        mine |= cashiers & Q(stores__in=shops) if shops else cashiers
    return rows.filter(mine).distinct().order_by("name", "pk")


def is_easy(pin: str) -> bool:
    """Whether its digits are all the same, or a row upwards or downwards."""
    steps = {int(b) - int(a) for a, b in itertools.pairwise(pin)}
    return len(steps) == 1 and steps <= {-1, 0, 1}


def _keyed(staff: int, pin: str) -> str:
    """So that whoever has the table alone cannot try ten thousand PINs."""
    return salted_hmac("members.pins", f"{staff}:{pin}", algorithm="sha256").hexdigest()


def _wrong(detail: str) -> Problem:
    return Problem("validation", detail, faults=[Fault("/pin", detail)])
