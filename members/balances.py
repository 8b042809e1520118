"""Balances brought along from another system: each row of its list becomes one lot, once, however often it is loaded."""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext as _

from loyalty import auditing, documents, posting, queries, terms
from loyalty.acts import Accrual, Posted
from loyalty.csvfiles import Layout, Record, Report, text_only
from loyalty.ids import uuid7
from loyalty.kinds import Kind
from loyalty.problems import Fault, Problem
from loyalty.queries import StoreFacts
from loyalty.terms import Terms
from members.models import Member
from members.queries import MemberFacts, resolve
from members.schemas import NEVER, OpeningIn, When

LAYOUT = Layout(required=("id", "member", "points", "expires_at"), optional=("earned_at", "available_at", "store", "reference"))
SOURCE, KIND, REASON = "opening", "balance", "opening"
DAY_LONG = timedelta(days=1)


def parse(record: Record) -> OpeningIn:
    """Empty fields are left out."""
    [row] = record.rows
    text_only(row)
    return OpeningIn.model_validate({name: value.strip() for name, value in row.items() if value.strip()})


@dataclass(frozen=True, slots=True)
class Facts:
    """What judging a batch needs, read in a constant number of statements."""

    stores: dict[str, StoreFacts]
    members: dict[str, MemberFacts]


@dataclass(frozen=True, slots=True)
class Dates:
    """From when to when points of a row can be used, and how old they are."""

    earned_at: datetime
    available_at: datetime
    expires_at: datetime | None


@dataclass(slots=True)
class Tally:
    """What good rows come to: points in all, those of rows that were new, and whose they are."""

    points: int = 0
    new_points: int = 0
    members: set[UUID] = field(default_factory=set)


@dataclass(slots=True)
class Bringing:
    """One run over `file`; `clock` tells the time.

    The moment at which it starts decides for all its rows which terms hold and what has ended. Judging keeps what stands
    on each row, some 300 bytes.
    """

    file: Path
    clock: Callable[[], datetime]
    tally: Tally = field(default_factory=Tally)
    _at: datetime = field(init=False)
    _terms: Terms = field(init=False)
    _alive_until: datetime | None = field(init=False)
    _met: dict[str, bytes] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._at = self.clock()
        versions = terms.published()
        self._terms, self._alive_until = terms.in_force(versions, self._at), terms.alive_until(versions, self._at)

    def judge(self, rows: Sequence[OpeningIn]) -> list[bool | Problem]:
        """True: new; False: known already; else why not."""
        facts = _gather(rows)
        self._met |= _standing(rows)
        return self._counted(rows, facts, self._judged(rows, facts, self._met))

    def write(self, rows: Sequence[OpeningIn]) -> list[bool | Problem]:
        """Post each row that is new, all in one transaction; answers like `judge`."""
        facts = _gather(rows)
        answers = self._judged(rows, facts, _standing(rows))
        fresh = [row for row, answer in zip(rows, answers, strict=True) if answer is True]
        with transaction.atomic():
            posting.lock({facts.members[row.member].holder for row in fresh})
            taken = documents.take([_document(row, facts) for row in fresh])
            acts = [self._accrual(row, facts) for row, one in zip(fresh, taken, strict=True) if one.fresh]
            outcomes = posting.accrue(acts, now=self.clock(), actor=None)
            assert all(isinstance(one, Posted) for one in outcomes), "a fresh balance was refused"
        told = iter([one.fresh if one.same else _id_taken() for one in taken])
        return self._counted(rows, facts, [next(told) if answer is True else answer for answer in answers])

    def begin(self) -> None:
        """From here on it is written; the trail says so before the first row stands."""
        self._met, self.tally = {}, Tally()
        auditing.record(None, "balances.import_begun", "loyalty.wallet", "", {"file": self._digest()})

    def end(self, report: Report) -> None:
        changes = {"file": self._digest(), "new": report.new, "known": report.known, "bad": report.bad}
        auditing.record(
            None, "balances.imported", "loyalty.wallet", "",
            changes | {"points": self.tally.new_points, "points_in_all": self.tally.points, "members": len(self.tally.members)},
        )  # fmt: skip

    def _digest(self) -> str:
        with self.file.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()

    def _judged(self, rows: Sequence[OpeningIn], facts: Facts, standing: dict[str, bytes]) -> list[bool | Problem]:
        """What stands already answers as it stands, whatever would refuse it today. `standing` learns what is new."""
        answers: list[bool | Problem] = []
        for row in rows:
            known, print_ = standing.get(row.id), _print(row, facts)
            problem = self._refusal(row, facts)
            if known is not None and known == print_:
                answers.append(False)
            elif problem or print_ is None or known is not None:
                answers.append(problem or _id_taken())
            else:
                standing[row.id] = print_
                answers.append(True)
        return answers

    def _refusal(self, row: OpeningIn, facts: Facts) -> Problem | None:
        member, dates = facts.members.get(row.member), self._dates(row)
        if member is None:
            return _wrong("unknown-member", "member", _("No member has the card or id %(text)s.") % {"text": row.member})
        if member.status != Member.Status.ACTIVE:
            return _wrong("not-eligible", "member", _("This card is blocked or closed; it earns no points."))
        if row.store and row.store not in facts.stores:
            return _wrong("unknown-store", "store", _("There is no store %(code)s.") % {"code": row.store})
        if dates.earned_at > self._at:
            return _wrong("validation", "earned_at", _("The points cannot have been earned in the future."))
        if dates.expires_at and dates.expires_at <= self._at:
            return _wrong("validation", "expires_at", _("These points have expired already: leave the row out."))
        if dates.expires_at and dates.expires_at <= dates.available_at:
            return _wrong("validation", "available_at", _("The points would expire before they can be used."))
        return None

    def _dates(self, row: OpeningIn) -> Dates:
        """An end that is left empty is that of points that become usable today."""
        earned, usable = (self._begin_of(when) if when else self._at for when in (row.earned_at, row.available_at))
        if row.expires_at is None:
            end = self._terms.ends(max(usable, self._at))
        elif row.expires_at == NEVER:
            end = None
        else:
            end = row.expires_at if isinstance(row.expires_at, datetime) else self._terms.midnight_after(row.expires_at)
        return Dates(earned, usable, end)

    def _begin_of(self, when: When) -> datetime:
        return when if isinstance(when, datetime) else self._terms.midnight_after(when - DAY_LONG)

    def _accrual(self, row: OpeningIn, facts: Facts) -> Accrual:
        dates = self._dates(row)
        return Accrual(
            key=f"{SOURCE}:{row.id}", holder=facts.members[row.member].holder, points=row.points, kind=Kind.IMPORT,
            occurred_at=self._at, earned_at=dates.earned_at, available_at=dates.available_at, expires_at=dates.expires_at,
            store=facts.stores[row.store].id if row.store else None, reference=row.reference, reason=REASON,
            terms=self._terms.id, idle_until=self._alive_until,
        )  # fmt: skip

    def _counted(self, rows: Sequence[OpeningIn], facts: Facts, answers: list[bool | Problem]) -> list[bool | Problem]:
        for row, answer in zip(rows, answers, strict=True):
            if not isinstance(answer, Problem):
                self.tally.points += row.points
                self.tally.new_points += row.points if answer else 0
                self.tally.members.add(facts.members[row.member].id)
        return answers


def _gather(rows: Sequence[OpeningIn]) -> Facts:
    return Facts(queries.stores_by_code(row.store for row in rows), resolve(row.member for row in rows))


def _standing(rows: Sequence[OpeningIn]) -> dict[str, bytes]:
    """What is written on the rows of these ids that stand."""
    known = documents.standing([(SOURCE, row.id, KIND) for row in rows])
    return {id_: print_ for (_source, id_, _kind), (_document, print_) in known.items()}


def _document(row: OpeningIn, facts: Facts) -> documents.Document:
    print_ = _print(row, facts)
    assert print_ is not None, "a row without a member is refused"
    return documents.Document(SOURCE, row.id, KIND, uuid7(), print_)


def _print(row: OpeningIn, facts: Facts) -> bytes | None:
    """What is written on a row, the same for any way of naming the member; None while nobody is named."""
    member = facts.members.get(row.member)
    if member is None:
        return None
    dates = [_plain(when) for when in (row.expires_at, row.earned_at, row.available_at)]
    return documents.fingerprint([str(member.id), row.points, *dates, row.store, row.reference])


def _plain(when: When | str | None) -> str | None:
    return when.astimezone(UTC).isoformat() if isinstance(when, datetime) else str(when) if when else None


def _id_taken() -> Problem:
    return _wrong("duplicate-document", "id", _("This id was used for another balance."))


def _wrong(slug: str, name: str, detail: str) -> Problem:
    return Problem(slug, detail, faults=[Fault(f"/{name}", detail)])
