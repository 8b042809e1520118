"""A member's points that staff spend at a till: above a limit of the shop only with a code that was sent to the member.

So nobody at a counter can spend a stranger's points. Tries are counted in PostgreSQL before they are compared.
"""

import secrets
from datetime import datetime, timedelta
from uuid import UUID

from django.db.models import F, Sum
from django.utils.formats import number_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from loyalty import bulk, posting, queries, terms
from loyalty.problems import Fault, Problem
from members import codes, messaging, tilling
from members.models import Member, Message, Shift, SpendCode, TillAct

VALID = timedelta(minutes=10)
WINDOW = timedelta(hours=24)
TRIES = 5


def settle(member: Member, store: int, points: int, code: SpendCode | None, *, now: datetime) -> None:
    """Use the code up; without one, raises Problem `code-needed` when so many points cannot be used on the word of the staff.

    Points that the member has not are left to whoever takes them to refuse.
    In the transaction of what the points pay for: the wallet is locked, so that two tills together use no more than one.
    """
    posting.lock([member.holder])
    if code:
        if not SpendCode.objects.filter(pk=code.pk, used_at=None).update(used_at=now):
            raise _wrong(_("This code was used. Send another one."))
    elif points <= queries.balances([member.holder], now)[member.holder].available and _is_too_much(member, store, points, now):
        raise Problem("code-needed", _("So many points can be used with a code that is sent to the member."), status=409)


def _is_too_much(member: Member, store: int, points: int, now: datetime) -> bool:
    return used(member.pk, now=now) + points > tilling.limits(store).points


def used(member: UUID, *, now: datetime) -> int:
    """What was used without a code at any till in the last 24 hours."""
    rows = TillAct.objects.filter(member=member, at__gt=now - WINDOW, undone_at=None)
    total: int | None = rows.aggregate(total=Sum("unproved"))["total"]
    return total or 0


def send(member: Member, shift: Shift, points: int, *, now: datetime, anew: bool = False) -> SpendCode:
    """A code for so many points in this shop. One that waits is not sent again, unless `anew` is asked for. Raises Problem."""
    known = _waiting(member.pk, shift.device.store_id, now)
    if known and not anew and known.points >= points and known.tries < TRIES:
        return known
    if member.pk not in messaging.addressed([member]):
        limit = number_format(tilling.limits(shift.device.store_id).points, force_grouping=True)
        text = _("This member has no confirmed e-mail address for a code. %(points)s points a day can be used here without one.")
        raise Problem("not-eligible", text % {"points": limit}, status=409)
    codes.count_sending(member.email, now=now)
    made = SpendCode.objects.create(member=member, shift=shift, shop=shift.device.store, points=points, until=now + VALID)
    until = (now + VALID).astimezone(terms.current(now).zone)
    facts = {"spend_code": str(made.pk), "spent": points, "shop": shift.device.store.name, "until": until.strftime("%H:%M")}
    Message.objects.create(
        member=member, kind=Message.Kind.TILL_CODE, subject_key=str(made.pk), channel=Message.Channel.EMAIL, facts=facts,
        due_at=now,
    )  # fmt: skip
    return made


def check(member: Member, store: int, points: int, typed: str, *, now: datetime) -> SpendCode:
    """The code that was typed, for `settle` to use up. Raises Problem. Not in a transaction: a wrong try has to stay counted."""
    one = _waiting(member.pk, store, now)
    if one is None or one.points < points:
        raise _wrong(_("This code is over. Send another one."))
    if not SpendCode.objects.filter(pk=one.pk, tries__lt=TRIES).update(tries=F("tries") + 1):
        raise _wrong(_("Wrong five times. Send another code."))
    if not secrets.compare_digest(codes.to_spend(one.pk).encode(), "".join(typed.split()).encode()):
        raise _wrong(_("This is not the code. Ask the member to read it out once more."))
    return one


def asked(points: int) -> str:
    """What the till says beside the field for the code."""
    text = ngettext(
        "For %(points)s point ask the member for the code that was sent by e-mail.",
        "For %(points)s points ask the member for the code that was sent by e-mail.", points,
    )  # fmt: skip
    return text % {"points": number_format(points, force_grouping=True)}


def forget(before: datetime) -> int:
    """Delete codes that were sent before; how many."""
    return bulk.delete(SpendCode.objects.filter(sent_at__lt=before))


def _waiting(member: UUID, store: int, now: datetime) -> SpendCode | None:
    rows = SpendCode.objects.filter(member=member, shop=store, used_at=None, until__gt=now)
    return rows.order_by("-id").first()


def _wrong(detail: str) -> Problem:
    return Problem("code-wrong", detail, status=409, faults=[Fault("/member_code", detail)])
