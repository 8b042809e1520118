"""How many points one person may grant alone: for one act, in a day of the programme's zone, in 30 such days.

`within` stands in every verb of loyalty/posting.py that grants points with an actor: an act over a limit is refused with
`Refusal.NEEDS_APPROVAL` and moves nothing. Whoever is not known here is limited. No actor is the system itself. A key
counts as whoever made it (`stand_in`); one that two persons let be (`exempt`) is not counted for documents, and still is for
what it does by hand. What a second person approved is not counted. The counting is one call of sql/limits.sql.
"""

from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import connection, transaction
from django.utils.translation import gettext as _

from loyalty import auditing, terms
from loyalty.acts import Act, Outcome, Posted, Refusal, Refused
from loyalty.documents import fingerprint
from loyalty.models import GrantCount, GrantDeputy, GrantExemption, GrantLimits, JournalEntry
from loyalty.problems import Fault, Problem

LABEL, VERB = "loyalty.grantlimits", "limits.raise"
NAMES = ("single_points", "day_points", "month_points")
# A column of whole numbers counts no further.
MOST = 2**31 - 1
# As in sql/limits.sql: today and the days before it.
DAYS = 30
ALLOWED = "select grants_allowed(%s, %s, %s, %s::bigint[])"


@dataclass(frozen=True, slots=True)
class Limits:
    """Points that one person may grant alone."""

    single: int
    day: int
    month: int


@dataclass(frozen=True, slots=True)
class Grantor:
    """Who grants, when, and who agreed to it. `by_hand`: no document stands behind it, so no machine is exempt."""

    actor: UUID | None
    now: datetime
    approved_by: UUID | None = None
    by_hand: bool = True


def within[A: Act](
    acts: Sequence[A],
    post: Callable[[Sequence[A]], list[Outcome]],
    *,
    by: Grantor,
    points: Callable[[A], int],
    together: Sequence[Hashable] | None = None,
) -> list[Outcome]:
    """Post what stays within the limits of somebody who is counted; the rest is refused. `points` tells what an act grants.

    Runs inside the transaction of the posting, behind the locks of the wallets. Acts with the same name in `together` (one
    for each act: the receipt behind it) are one act for the limits. An act that stands already answers as it stands.
    """
    known = set(JournalEntry.objects.filter(key__in=[act.key for act in acts]).values_list("key", flat=True))
    # Of acts with one key the first decides, so the others count with it, and nothing.
    names: dict[str, Hashable] = {}
    for act, name in zip(acts, together or [act.key for act in acts], strict=True):
        names.setdefault(act.key, name)
    asked: dict[Hashable, int] = dict.fromkeys(names.values(), 0)
    counted = {act.key: points(act) for act in reversed(acts) if act.key not in known}
    for key, number in counted.items():
        asked[names[key]] += number
    allowed = dict(zip(asked, _allowed(by, list(asked.values())), strict=True))
    answers = iter(post([act for act in acts if act.key in known or allowed[names[act.key]]]))
    outcomes = [next(answers) if act.key in known or allowed[names[act.key]] else Refused(Refusal.NEEDS_APPROVAL) for act in acts]
    fresh = {act.key for act, said in zip(acts, outcomes, strict=True) if isinstance(said, Posted) and not said.replayed}
    back = sum(number for key, number in counted.items() if allowed[names[key]] and key not in fresh)
    if back:
        _allowed(by, [-back])
    return outcomes


def counts_too(person: UUID, points: int, *, now: datetime) -> bool:
    """Count what somebody else has granted as granted by `person` also, who may be both; False when it is more than that lets.

    Runs inside the transaction of the posting, which does not stand then.
    """
    return _allowed(Grantor(person, now), [points])[0]


def is_counted(by: Grantor) -> bool:
    """Whether limits hold for what is granted so: always, but for the system and, if not by hand, an exempt machine."""
    return by.actor is not None and (by.by_hand or not exempted([by.actor]))


def current() -> Limits:
    """What holds now."""
    one = _in_force()
    return Limits(one.single_points, one.day_points, one.month_points)


def number() -> int:
    """The number of the setting that holds now."""
    return _in_force().pk


def room(actor: UUID, *, now: datetime) -> Limits:
    """What `actor` could still grant alone, for pages that say so beforehand; the posting decides anew."""
    most, today = current(), terms.current(now).day_of(now)
    person = persons([actor]).get(actor, actor)
    counted = GrantCount.objects.filter(person=person).values_list("days", flat=True).first() or {}
    first = (today - timedelta(days=DAYS - 1)).isoformat()
    month = max(most.month - sum(points for day, points in counted.items() if day >= first), 0)
    day = min(max(most.day - counted.get(today.isoformat(), 0), 0), month)
    return Limits(min(most.single, day), day, month)


def stand_in(actor: UUID, person: UUID) -> None:
    """From now on what `actor`, a key, grants counts as granted by `person`."""
    GrantDeputy.objects.create(actor=actor, person=person)


def exempt(actor: UUID, *, made_by: UUID | None, approved_by: UUID | None, now: datetime) -> None:
    """Let a machine grant points for documents without being counted: by two persons, or from the server's shell (neither)."""
    GrantExemption.objects.create(actor=actor, since=now, made_by=made_by, approved_by=approved_by)


def exempted(actors: Sequence[UUID]) -> dict[UUID, datetime]:
    """Since when each of these is exempt, of those that are."""
    return dict(GrantExemption.objects.filter(actor__in=actors).values_list("actor", "since"))


def persons(actors: Sequence[UUID]) -> dict[UUID, UUID]:
    """Who stands behind each of these keys, of those that stand in for somebody."""
    return dict(GrantDeputy.objects.filter(actor__in=actors).values_list("actor", "person"))


def propose(given: Limits, *, by: UUID, now: datetime) -> tuple[int, bool]:
    """New limits, by their number: in force at once where none is higher than before, else a proposal for a second person.

    Raises Problem: limits out of order, or nothing that changes.
    """
    _insist_on_order(given)
    with transaction.atomic():
        before = _in_force(lock=True)
        standing = Limits(before.single_points, before.day_points, before.month_points)
        if given == standing:
            raise Problem("validation", _("These are the limits that hold now."), status=409)
        higher = given.single > standing.single or given.day > standing.day or given.month > standing.month
        one = GrantLimits.objects.create(
            single_points=given.single, day_points=given.day, month_points=given.month, set_by=by, set_at=now,
            in_force_at=None if higher else now,
        )  # fmt: skip
        verb = "grantlimits.proposed" if higher else "grantlimits.lowered"
        auditing.record(by, verb, LABEL, one.pk, _changes(before, one))
    return one.pk, not higher


def put_in_force(number: int, *, approved_by: UUID, now: datetime) -> None:
    """Let a proposal hold. Raises Problem when it holds already, or others took its place."""
    with transaction.atomic():
        before, one = _in_force(lock=True), proposal(number)
        if one.pk < before.pk:
            raise _changed()
        GrantLimits.objects.filter(pk=one.pk).update(approved_by=approved_by, in_force_at=now)
        auditing.record(approved_by, "grantlimits.raised", LABEL, one.pk, _changes(before, one))


def proposal(number: int) -> GrantLimits:
    """The proposal with this number. Raises Problem when there is none, or it holds already."""
    one = GrantLimits.objects.filter(pk=number, in_force_at=None).first()
    if one is None:
        raise _changed()
    return one


def of(numbers: Iterable[str]) -> dict[str, Limits]:
    """What these settings say, by their numbers."""
    rows = GrantLimits.objects.filter(pk__in=list(numbers)).values_list("pk", *NAMES)
    return {str(pk): Limits(*points) for pk, *points in rows}


def author(number: int) -> UUID | None:
    """Who proposed it."""
    return GrantLimits.objects.filter(pk=number).values_list("set_by", flat=True).first()


def signature(number: int) -> str:
    """What an approval is bound to: the proposal, and the limits that it would replace."""
    one = proposal(number)
    return fingerprint([LABEL, one.pk, *(getattr(one, name) for name in NAMES), str(one.set_by), _in_force().pk]).hex()


def compared(number: int) -> list[tuple[str, int, int]]:
    """Field, what holds now, what is proposed."""
    one, before = proposal(number), _in_force()
    return [(name, getattr(before, name), getattr(one, name)) for name in NAMES]


def _allowed(by: Grantor, asked: list[int]) -> list[bool]:
    with connection.cursor() as cursor:
        cursor.execute(ALLOWED, [by.actor, by.approved_by, by.now, asked])
        answers: list[bool] = cursor.fetchone()[0]
    assert len(answers) == len(asked), "an act was not judged"
    return answers


def _in_force(*, lock: bool = False) -> GrantLimits:
    rows = GrantLimits.objects.exclude(in_force_at=None).order_by("-id")
    return (rows.select_for_update() if lock else rows)[0]


def _insist_on_order(given: Limits) -> None:
    faults = []
    if given.single < 1:
        faults.append(Fault("/single_points", _("Give at least one point.")))
    if given.day < given.single:
        faults.append(Fault("/day_points", _("A day cannot hold less than one act.")))
    if not given.day <= given.month <= MOST:
        faults.append(Fault("/month_points", _("30 days cannot hold less than one day.")))
    if faults:
        raise Problem("validation", faults[0].detail, faults=faults)


def _changed() -> Problem:
    return Problem("not-eligible", _("This has changed or was decided meanwhile. Look at it again."), status=409)


def _changes(before: GrantLimits, after: GrantLimits) -> dict[str, Any]:
    return {name: [getattr(before, name), getattr(after, name)] for name in NAMES}
