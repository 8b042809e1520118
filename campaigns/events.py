"""An act of a member earns points, once: the one path for the API, the portal and the house itself (SEMANTICS 1.9)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

from django.db import connection
from django.utils.translation import gettext as _

from campaigns import awarding, eventkinds, judging, rules, streaks
from campaigns.awarding import AHEAD, Facts, Name, Occasion, Recorded, wrong
from campaigns.judging import Case, Judged
from campaigns.models import Event
from campaigns.purchases import OLDEST
from campaigns.streaks import Act
from campaigns.values import Judgement
from loyalty import bulk, documents, posting, queries, terms
from loyalty.ids import uuid7
from loyalty.problems import Problem
from loyalty.queries import StoreFacts
from loyalty.terms import Terms
from members.queries import MemberFacts, resolve

KIND = "event"
# Where acts come from: keys of the API (ids of all keys are one set, so that a new key pays nothing again), the member's own
# page, and the house. An act of the latter two is told by its number alone, whenever it is told.
API, PORTAL, HOUSE = "api", "portal", "house"
# What counts once that stands already.
STANDING = """
select e.member_id, e.once from campaigns_event e
  join unnest(%s::uuid[], %s::text[]) as asked (member, once) on e.member_id = asked.member and e.once = asked.once
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Happened:
    """An act as it is told. `promised_at`: the moment whose rules judge it, where that is not its own."""

    source: str
    number: str
    type: str
    member: str
    occurred_at: datetime
    store: str | None = None
    data: Mapping[str, Any] = field(default_factory=dict)
    promised_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class _Ready:
    """An act that may be taken."""

    id: UUID
    told: Happened
    store: StoreFacts | None
    member: MemberFacts
    terms: Terms
    told_at: datetime
    alive_until: datetime | None

    @property
    def day(self) -> date:
        return self.terms.day_of(self.told.occurred_at)

    @property
    def once(self) -> str:
        return eventkinds.once(self.told.type, self.day, self.told.data)

    @property
    def act(self) -> Act:
        return Act(self.member.id, self.told.type, self.day)

    def case(self) -> Case:
        return Case(
            self.member, self.told.promised_at or self.told.occurred_at, self.terms, self.store, event_type=self.told.type,
            happened_at=self.told.occurred_at,
        )  # fmt: skip

    def document(self) -> documents.Document:
        return documents.Document(self.told.source, self.told.number, KIND, self.id, document_print(self.told, self.member))

    def occasion(self) -> Occasion:
        number, store = self.told.number if self.told.source == API else "", self.store.id if self.store else None
        at = self.told.occurred_at
        return Occasion(self.id, self.member.holder, at, self.told_at, self.terms, self.alive_until, store, number)


@dataclass(frozen=True, slots=True)
class _Judged:
    """An act with what it earns; `counts` is False for a repetition of what counts once."""

    ready: _Ready
    judgement: Judgement
    streak: int
    counts: bool


def gather(told: Sequence[Happened]) -> Facts:
    return Facts(
        stores=queries.stores_by_code(one.store for one in told if one.store),
        members=resolve(one.member for one in told),
        terms=terms.published(),
        rules=rules.published(min((one.promised_at or one.occurred_at for one in told), default=rules.BEGINNING)),
    )


def preview(member: MemberFacts, type_: str, contract: Terms, published: Sequence[rules.Published], at: datetime) -> Judged:
    """What such an act would earn at `at`; nothing moves."""
    [judged] = judging.judge([Case(member, at, contract, event_type=type_)], published, peek=True)
    return judged


def refusal(told: Happened, facts: Facts, *, now: datetime) -> Problem | None:
    """Why this act cannot be taken; None if it can."""
    if problem := awarding.unwelcome(told.store or None, told.member, facts, told.occurred_at):
        return problem
    if told.occurred_at > now + AHEAD:
        return wrong("validation", "/occurred_at", _("The event is dated in the future."))
    if told.occurred_at < now - OLDEST:
        return wrong("validation", "/occurred_at", _("The event is older than 30 days."))
    return None


def record(told: Sequence[Happened], *, now: datetime, actor: UUID | None = None) -> list[Recorded | Problem]:
    """Take each act once, judge it by the rules of its moment and post what it earned; answers in order.

    A batch costs a constant number of statements. The same act again answers as `replayed`; the same number with other
    content is refused with `duplicate-document`. What counts once and stands already is kept and earns nothing. One
    refused act never spoils the others.
    """
    facts = gather(told)
    first = [refusal(one, facts, now=now) or _ready(one, facts, now) for one in told]
    return awarding.record(
        told, first, written=lambda one: _written(one, facts),
        together=lambda some: _take_together(some, facts, now=now, actor=actor),
    )  # fmt: skip


def _take_together(ready: Sequence[_Ready], facts: Facts, *, now: datetime, actor: UUID | None) -> list[Recorded | Problem]:
    """Raises Problem when the ledger refuses what an act earns; then nothing of it may stand."""
    posting.lock({one.member.holder for one in ready})
    taken = documents.take([one.document() for one in ready])
    fresh = [one for one, document in zip(ready, taken, strict=True) if document.fresh]
    _write(_judge(fresh, facts), now=now, actor=actor)
    return [_answer(one) for one in taken]


def document_print(told: Happened, member: MemberFacts) -> bytes:
    """What is told of an act: the same for any spelling of its moment."""
    if told.source != API:
        return documents.fingerprint([told.type, str(member.id)])
    at = told.occurred_at.astimezone(UTC).isoformat()
    return documents.fingerprint([told.type, str(member.id), at, told.store, dict(told.data)])


def _ready(told: Happened, facts: Facts, now: datetime) -> _Ready:
    store = facts.stores[told.store] if told.store else None
    contract = terms.in_force(facts.terms, told.occurred_at)
    alive = terms.alive_until(facts.terms, told.occurred_at)
    return _Ready(uuid7(), told, store, facts.members[told.member], contract, now, alive)


def _written(one: Happened, facts: Facts) -> tuple[Name, bytes] | None:
    member = facts.members.get(one.member)
    return ((one.source, one.number, KIND), document_print(one, member)) if member else None


def _judge(fresh: Sequence[_Ready], facts: Facts) -> list[_Judged]:
    """In the order of their moments; of what counts once the first counts."""
    ordered = sorted(fresh, key=lambda one: one.told.occurred_at)
    gone = _standing([one for one in ordered if one.once])
    counted: list[_Ready] = []
    repeated: list[_Ready] = []
    for one in ordered:
        name = (one.member.id, one.once)
        (repeated if one.once and name in gone else counted).append(one)
        gone.add(name)
    judged = judging.judge([one.case() for one in counted], facts.rules)
    return [
        *(
            _Judged(one, each.judgement, each.occasion.standing.streak, counts=True)
            for one, each in zip(counted, judged, strict=True)
        ),
        *(_Judged(one, _nothing(), 0, counts=False) for one in repeated),
    ]


def _standing(asked: Sequence[_Ready]) -> set[tuple[UUID, str]]:
    if not asked:
        return set()
    with connection.cursor() as cursor:
        cursor.execute(STANDING, [[one.member.id for one in asked], [one.once for one in asked]])
        return set(cursor.fetchall())


def _nothing() -> Judgement:
    trace = {"basis": "0", "rules": [], "rejected": [], "raw": "0", "points": 0, "used": [], "again": True}
    return Judgement(0, 0, [], [], {}, trace)


def _write(fresh: Sequence[_Judged], *, now: datetime, actor: UUID | None) -> None:
    if not fresh:
        return
    awarding.post(KIND, [(one.ready.occasion(), one.judgement.granted) for one in fresh], now=now, actor=actor)
    bulk.insert(Event, [_row(one, now) for one in fresh])
    streaks.lengthen([(one.ready.act, one.streak) for one in fresh if one.counts])


def _row(one: _Judged, now: datetime) -> dict[str, Any]:
    ready, told = one.ready, one.ready.told
    about = {"event": told.type, "streak": one.streak, "terms": ready.terms.version, "at": ready.case().at.isoformat()}
    return {
        "id": ready.id, "source": told.source, "number": told.number, "member_id": ready.member.id, "type": told.type,
        "occurred_at": told.occurred_at, "recorded_at": now, "day": ready.day,
        "store_id": ready.store.id if ready.store else None,
        "points_earned": one.judgement.points, "once": ready.once if one.counts else "", "streak": one.streak,
        "trace": one.judgement.trace | about, "data": dict(told.data),
    }  # fmt: skip


def _answer(taken: documents.Taken) -> Recorded | Problem:
    if taken.same:
        return Recorded(taken.id, replayed=not taken.fresh)
    return Problem("duplicate-document", _("This event id was used for another event."), status=409)
