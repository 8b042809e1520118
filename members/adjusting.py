"""Corrections by hand: posted at once within the limits of whoever asks, else by a second person, once."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from loyalty import acts, auditing, limits, posting, queries, terms
from loyalty.acts import Posted, Refusal
from loyalty.documents import fingerprint
from loyalty.ids import uuid7
from loyalty.problems import Fault, Problem
from members import approving
from members.approving import Act
from members.models import Adjustment, Member, User

LABEL, VERB = "members.adjustment", "adjustment.post"
Reason, Status = Adjustment.Reason, Adjustment.Status


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """A correction of `points` ≠ 0; `reason` is one of Reason's codes. `expires_at` None: as the terms say."""

    member: UUID
    points: int
    reason: str
    words: str = ""
    note: str = ""
    store: str | None = None
    receipt: str = ""
    expires_at: datetime | None = None


def adjust(wanted: Wanted, *, by: UUID, now: datetime, alone: bool = True, id_: UUID | None = None) -> Adjustment:
    """Post it, or let it wait for a second person: over the limits of `by`, or where `by` may not post `alone`.

    The same `id_` again answers as it stands. Raises Problem, and nothing is kept: an unknown store, a member who is not
    active, points that the member has not got, one's own card.
    """
    with transaction.atomic():
        posting.lock(Member.objects.filter(pk=wanted.member).values_list("holder", flat=True))  # a twin waits here
        if id_ and (known := Adjustment.objects.filter(pk=id_).first()):
            return known
        member = insist(wanted, by=by, now=now)
        one = Adjustment(
            id=id_ or uuid7(), member=member, points=wanted.points, reason=wanted.reason, words=wanted.words, note=wanted.note,
            store_id=_store(wanted.store), receipt=wanted.receipt, expires_at=wanted.expires_at, requested_by=by,
            requested_at=now,
        )  # fmt: skip
        if alone and -one.points <= limits.current().single:
            one.entry = _posted(one, actor=by, approved_by=None, now=now)
        one.status = Status.POSTED if one.entry else Status.AWAITING
        one.save(force_insert=True)
        if one.entry:
            auditing.record(by, "adjustment.posted", LABEL, one.pk, {"points": one.points, "reason": one.reason})
        else:
            approving.ask(act_of(one), by=by, now=now)
    return one


def would_wait(points: int, *, by: UUID, alone: bool, now: datetime) -> bool:
    """Whether `by` would need a second person for so many points, as it looks now."""
    most = limits.room(by, now=now).single if points > 0 else limits.current().single
    return not alone or abs(points) > most


def signature(id_: str) -> str:
    """What an approval is bound to. Raises Problem when it does not wait."""
    return act_of(_waiting(id_)).fingerprint


def approve(id_: str, *, by: UUID, now: datetime) -> None:
    """Post what waited, as a second person agreed. Raises Problem as `adjust` does, also for `by`'s own card."""
    one = _waiting(id_)
    insist(_wanted(one), by=by, now=now)
    entry = _posted(one, actor=one.requested_by, approved_by=by, now=now)
    if entry is None:
        raise Problem("not-eligible", _("Somebody else has to decide: you wrote it or asked for it."), status=409)
    Adjustment.objects.filter(pk=one.pk).update(status=Status.POSTED, entry=entry, decided_by=by, decided_at=now)
    changes = {"points": one.points, "reason": one.reason, "approved_by": str(by)}
    auditing.record(one.requested_by, "adjustment.posted", LABEL, one.pk, changes)


def refuse(id_: str, *, by: UUID, now: datetime) -> None:
    """What waited stays undone."""
    Adjustment.objects.filter(pk=_waiting(id_).pk).update(status=Status.REFUSED, decided_by=by, decided_at=now)


def act_of(one: Adjustment) -> Act:
    said = [
        str(one.pk), str(one.member_id), one.points, one.reason, one.words, one.note, one.store_id, one.receipt,
        one.expires_at and one.expires_at.isoformat(), str(one.requested_by),
    ]  # fmt: skip
    return Act(VERB, LABEL, str(one.pk), fingerprint(said).hex())


def titles(entries: Iterable[UUID]) -> dict[UUID, str]:
    """What each entry that is a correction is called on a statement."""
    asked = list(entries)
    found = Adjustment.objects.filter(entry__in=asked).values_list("entry", "reason", "words") if asked else ()
    return {entry: title(reason, words) for entry, reason, words in found if entry}


def title(reason: str, words: str) -> str:
    if reason == Reason.OTHER and not words:
        return _("Corrected by the shop")
    return pgettext("statement", "Correction by the shop: %(reason)s") % {"reason": words or Reason(reason).label}


def reason_of(text: str) -> tuple[str, str]:
    """Code and words of a reason as another system gives it: one of our codes, or its own words, which the member reads."""
    code = text.strip().lower()
    return (code, "") if code in Reason.values else (Reason.OTHER, text.strip())


def _waiting(id_: str) -> Adjustment:
    one = Adjustment.objects.select_for_update().filter(pk=id_, status=Status.AWAITING).first()
    if one is None:
        raise Problem("not-eligible", _("This has changed or was decided meanwhile. Look at it again."), status=409)
    return one


def _wanted(one: Adjustment) -> Wanted:
    return Wanted(member=one.member_id, points=one.points, reason=one.reason, expires_at=one.expires_at)


def insist(wanted: Wanted, *, by: UUID, now: datetime) -> Member:
    member = Member.objects.get(pk=wanted.member)
    if member.status != Member.Status.ACTIVE:
        raise Problem("not-eligible", _("This card is blocked or closed; its points stay as they are."), status=409)
    if _is(member, by):
        raise Problem("not-eligible", _("This card is your own: a colleague has to correct it."), status=409)
    if wanted.expires_at and wanted.points < 0:
        raise _wrong("/expires_at", _("Points that are taken have no end. Leave it out."))
    if wanted.expires_at and wanted.expires_at <= now:
        raise _wrong("/expires_at", _("The points would have ended already."))
    if wanted.points < 0 and queries.balances([member.holder], now)[member.holder].available < -wanted.points:
        raise _too_few(Refusal.INSUFFICIENT_POINTS)
    return member


def _is(member: Member, actor: UUID) -> bool:
    """Whether whoever acts is the member: by the same login, or the same e-mail address."""
    people = User.objects.filter(actor__in=approving.people_behind(actor)).values_list("pk", "email")
    return any(login == member.user_id or email.lower() == member.email.lower() for login, email in people)


def _store(code: str | None) -> int | None:
    if code is None:
        return None
    store = queries.store_in_use(code)
    if store is None:
        detail = _("There is no store %(code)s.") % {"code": code}
        raise Problem("unknown-store", detail, faults=[Fault("/store", detail)])
    return store.id


def _posted(one: Adjustment, *, actor: UUID, approved_by: UUID | None, now: datetime) -> UUID | None:
    """The entry; None where a second person is needed. Raises Problem when the points are not there."""
    versions = terms.published()
    contract = terms.in_force(versions, now)
    act = acts.Adjustment(
        key=f"adjustment:{one.pk}", holder=one.member.holder, points=one.points, occurred_at=now, store=one.store_id,
        reference=one.receipt, reason=one.reason, terms=contract.id, idle_until=terms.alive_until(versions, now),
        expires_at=(one.expires_at or contract.ends(now)) if one.points > 0 else None,
    )  # fmt: skip
    [outcome] = posting.adjust([act], now=now, actor=actor, approved_by=approved_by)
    if isinstance(outcome, Posted):
        return outcome.entry
    if outcome.reason == Refusal.NEEDS_APPROVAL:
        return None
    raise _too_few(outcome.reason)


def _too_few(reason: Refusal) -> Problem:
    return Problem(reason.value, _("The member has fewer points than that to take."), status=409)


def _wrong(pointer: str, detail: str) -> Problem:
    return Problem("validation", detail, faults=[Fault(pointer, detail)])
