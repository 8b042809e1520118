"""What taking a receipt and taking an act have in common: each stands once, and its awards are posted with it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from campaigns import rules
from campaigns.models import Award
from campaigns.values import Granted, Kind
from loyalty import bulk, documents, posting
from loyalty.acts import Accrual, Outcome, Refusal, Refused
from loyalty.kinds import Kind as LedgerKind
from loyalty.problems import Fault, Problem
from loyalty.queries import StoreFacts
from loyalty.terms import Terms
from members.models import Member
from members.queries import MemberFacts

REFUSED: Mapping[Refusal, object] = {
    Refusal.DEFICIT: gettext_lazy("The member owes points of a return; none can be used until that is made up."),
    Refusal.INSUFFICIENT_POINTS: gettext_lazy("The member has fewer points than that."),
    Refusal.NEEDS_APPROVAL: gettext_lazy(
        "This is more than whoever made this key may grant alone. A second person has to trust the key."
    ),
}

# A till's clock may run ahead by this much.
AHEAD = timedelta(minutes=5)

type Name = tuple[str, str, str]
"""Source, number and kind of a document."""


@dataclass(frozen=True, slots=True)
class Facts:
    """All that judging a batch of receipts or acts needs, read in a constant number of statements."""

    stores: dict[str, StoreFacts]
    members: dict[str, MemberFacts]
    terms: list[Terms]
    rules: list[rules.Published]


@dataclass(frozen=True, slots=True)
class Recorded:
    """What was told stands under `id`; `replayed`: it stood there before and says the same."""

    id: UUID
    replayed: bool


@dataclass(frozen=True, slots=True)
class Occasion:
    """What the awards of one receipt or act have in common. `id` is its own; the ledger's keys are made of it.

    `told_at` is when it was told; of history, which was told elsewhere before, it is `at`.
    """

    id: UUID
    holder: UUID
    at: datetime
    told_at: datetime
    terms: Terms
    alive_until: datetime | None
    store: int | None
    reference: str


def unwelcome(store_code: str | None, member_code: str, facts: Facts, at: datetime) -> Problem | None:
    """Why nothing of this store or this member can be taken; None if it can. What has no store happened elsewhere."""
    store, member = facts.stores.get(store_code or ""), facts.members.get(member_code)
    if store_code is not None and (store is None or (store.closed_at and at >= store.closed_at)):
        detail = _("The store %(code)s is closed.") if store else _("There is no store %(code)s.")
        return wrong("unknown-store", "/store", detail % {"code": store_code})
    if member is None:
        return wrong("unknown-member", "/member", _("No member has the card or id %(text)s.") % {"text": member_code})
    if member.status != Member.Status.ACTIVE:
        return Problem("not-eligible", _("This card is blocked or closed; it earns no points."), status=409)
    return None


def wrong(slug: str, pointer: str, detail: str) -> Problem:
    """A fault at one place of a document."""
    return Problem(slug, detail, faults=[Fault(pointer, detail)])


def record[T, R](
    told: Sequence[T],
    answers: Sequence[R | Problem],
    *,
    written: Callable[[T], tuple[Name, bytes] | None],
    together: Callable[[Sequence[R]], list[Recorded | Problem]],
) -> list[Recorded | Problem]:
    """Take what is ready among the `answers` to all that was `told`; answers in order.

    What stands already answers as it stands, whatever would refuse it today: a blocked card, its age. `written` tells the
    name of a document and what is written on it; None for one of nobody.
    """
    places = [place for place, answer in enumerate(answers) if isinstance(answer, Problem)]
    asked = {place: document for place in places if (document := written(told[place]))}
    known = documents.standing([name for name, _print in asked.values()]) if asked else {}
    again = {
        place: Recorded(known[name][0], replayed=True)
        for place, (name, print_) in asked.items()
        if name in known and known[name][1] == print_
    }
    taken = iter(_take([one for one in answers if not isinstance(one, Problem)], together))
    return [again.get(place, one) if isinstance(one, Problem) else next(taken) for place, one in enumerate(answers)]


def _take[R](ready: Sequence[R], together: Callable[[Sequence[R]], list[Recorded | Problem]]) -> list[Recorded | Problem]:
    """All in one transaction; where `together` raises a Problem with one of them, in halves, so that the others stand."""
    try:
        with transaction.atomic():
            return together(ready)
    except Problem as refused:
        if len(ready) == 1:
            return [refused]
    half = len(ready) // 2
    return [answer for some in (ready[:half], ready[half:]) for answer in _take(some, together)]


def insist(outcome: Outcome) -> UUID:
    """The entry that was posted. Raises Problem when it was refused."""
    if isinstance(outcome, Refused):
        raise Problem(outcome.reason, str(REFUSED.get(outcome.reason, "")), status=409)
    return outcome.entry


def post(kind: str, granted: Sequence[tuple[Occasion, Sequence[Granted]]], *, now: datetime, actor: UUID | None) -> None:
    """Grant each occasion its awards and keep them; `kind` is `purchase` or `event`. Raises Problem when one is refused."""
    owed = [(occasion.id, act) for occasion, some in granted for act in _accruals(kind, occasion, some)]
    acts, together = [act for _id, act in owed], [id_ for id_, _act in owed]
    entries = [insist(outcome) for outcome in posting.accrue(acts, now=now, actor=actor, together=together)]
    bulk.insert(
        Award,
        [
            {f"{kind}_id": id_, "rule_version_id": act.rule_version, "points": act.points, "entry": entry,
             "available_at": act.available_at, "expires_at": act.expires_at}
            for (id_, act), entry in zip(owed, entries, strict=True)
        ],
    )  # fmt: skip


def _accruals(kind: str, one: Occasion, granted: Sequence[Granted]) -> list[Accrual]:
    acts = []
    for each in granted:
        usable, ends = rules.period(each.rule, one.terms, one.at, one.told_at)
        acts.append(Accrual(
            key=f"{kind}:{one.id}:{each.rule.code}", holder=one.holder, points=each.points,
            kind=LedgerKind.EARN if each.rule.kind is Kind.BASE else LedgerKind.BONUS, occurred_at=one.at, available_at=usable,
            expires_at=ends, store=one.store, reference=one.reference, reason=each.rule.code, terms=one.terms.id,
            rule_version=each.rule.version, idle_until=one.alive_until,
        ))  # fmt: skip
    return acts
