"""A receipt becomes points: the one path for a live receipt, a till that was offline, an import of history."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext as _

from campaigns import engine, quoting, rules
from campaigns.models import Award, Purchase, PurchaseLine
from campaigns.schemas import BasketIn, PurchaseIn
from loyalty import bulk, documents, outbox, posting, queries, terms
from loyalty.acts import Accrual, Posted
from loyalty.ids import uuid7
from loyalty.problems import Fault, Problem
from loyalty.queries import StoreFacts
from loyalty.terms import Terms
from members.models import Member
from members.queries import MemberFacts, resolve

KIND = "purchase"
OLDEST = timedelta(days=30)
# A till's clock may run ahead by this much.
AHEAD = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Recorded:
    """The receipt stands as purchase `id`; `replayed`: it stood there before and says the same."""

    id: UUID
    replayed: bool


@dataclass(frozen=True, slots=True)
class Facts:
    """All that judging a batch of receipts needs, read in a constant number of statements."""

    stores: dict[str, StoreFacts]
    members: dict[str, MemberFacts]
    terms: list[Terms]
    rules: list[rules.Published]


@dataclass(frozen=True, slots=True)
class _Judged:
    """A receipt that may be taken, with what it earns."""

    id: UUID
    receipt: PurchaseIn
    store: StoreFacts
    member: MemberFacts
    terms: Terms
    alive_until: datetime | None
    judgement: engine.Judgement

    def document(self) -> documents.Document:
        one = self.receipt
        return documents.Document(one.source, one.receipt_number, KIND, self.id, document_print(one, self.member))


def gather(receipts: Sequence[BasketIn]) -> Facts:
    return Facts(
        stores=queries.stores_by_code(one.store for one in receipts),
        members=resolve(one.member for one in receipts),
        terms=terms.published(),
        rules=rules.published(),
    )


def judge(receipt: BasketIn, facts: Facts, at: datetime) -> engine.Judgement:
    """What the receipt earns under the rules of `at`."""
    lines = [engine.Line(line.line_id, line.net_amount) for line in receipt.lines]
    return engine.judge(lines, rules.in_force(facts.rules, at))


def refusal(receipt: BasketIn, facts: Facts, *, now: datetime, history: bool = False) -> Problem | None:
    """Why this receipt cannot be taken; None if it can. `history`: it may be older than a till's may."""
    at = receipt.occurred_at or now
    contract = terms.in_force(facts.terms, at)
    member = facts.members.get(receipt.member)
    store = facts.stores.get(receipt.store)
    if store is None or (store.closed_at and at >= store.closed_at):
        detail = _("The store %(code)s is closed.") if store else _("There is no store %(code)s.")
        return _wrong("unknown-store", "/store", detail % {"code": receipt.store})
    if member is None:
        return _wrong("unknown-member", "/member", _("No member has the card or id %(text)s.") % {"text": receipt.member})
    if member.status != Member.Status.ACTIVE:
        return Problem("not-eligible", _("This card is blocked or closed; it earns no points."), status=409)
    if receipt.currency != contract.currency:
        detail = _("The programme's currency is %(currency)s.") % {"currency": contract.currency}
        return _wrong("validation", "/currency", detail)
    if at > now + AHEAD:
        return _wrong("validation", "/occurred_at", _("The receipt is dated in the future."))
    if at < now - OLDEST and not history:
        return _wrong("validation", "/occurred_at", _("The receipt is older than 30 days."))
    for i, line in enumerate(receipt.lines):
        if line.net_amount != round(line.net_amount, contract.minor_units):
            detail = _("Give at most %(count)d decimals.") % {"count": contract.minor_units}
            return _wrong("validation", f"/lines/{i}/net_amount", detail)
    return None


def record(receipts: Sequence[PurchaseIn], *, now: datetime, history: bool = False) -> list[Recorded | Problem]:
    """Take each receipt once, judge it by the rules of its day and post what it earned; answers in order.

    A batch costs a constant number of statements. The same receipt again answers as `replayed`; the same number with
    other content is refused with `duplicate-document`. One refused receipt never spoils the others.
    """
    facts = gather(receipts)
    first = [refusal(one, facts, now=now, history=history) or _judged(one, facts, now) for one in receipts]
    answers = _known_first(receipts, first, facts)
    judged = [one for one in answers if isinstance(one, _Judged)]
    with transaction.atomic():
        posting.lock({one.member.holder for one in judged})
        taken = documents.take([one.document() for one in judged])
        fresh = [one for one, document in zip(judged, taken, strict=True) if document.fresh]
        _write(fresh, now=now)
    standing = iter(taken)
    return [_answer(next(standing)) if isinstance(one, _Judged) else one for one in answers]


def _judged(receipt: PurchaseIn, facts: Facts, now: datetime) -> _Judged | Problem:
    """By the rules of the receipt's moment, or of the quote that it brings."""
    member, at = facts.members[receipt.member], receipt.occurred_at
    if receipt.quote is not None:
        quoted = quoting.moment(receipt.quote, store=receipt.store, member=str(member.id), now=now)
        if quoted is None:
            detail = _("The quote is over, or for another store or member. Ask for a new one.")
            return Problem("quote-expired", detail, status=409)
        at = quoted
    contract, alive = terms.in_force(facts.terms, at), terms.alive_until(facts.terms, receipt.occurred_at)
    return _Judged(uuid7(), receipt, facts.stores[receipt.store], member, contract, alive, judge(receipt, facts, at))


def _known_first(
    receipts: Sequence[PurchaseIn], answers: list[_Judged | Problem], facts: Facts
) -> list[Recorded | _Judged | Problem]:
    """A receipt that stands already answers as it stands, whatever would refuse it today: a blocked card, its age."""
    asked = {
        i: (one.source, one.receipt_number, document_print(one, facts.members[one.member]))
        for i, (one, answer) in enumerate(zip(receipts, answers, strict=True))
        if isinstance(answer, Problem) and one.member in facts.members
    }
    known = documents.standing([(source, number, KIND) for source, number, _print in asked.values()]) if asked else {}
    told: list[Recorded | _Judged | Problem] = list(answers)
    for i, (source, number, print_) in asked.items():
        standing = known.get((source, number, KIND))
        if standing and standing[1] == print_:
            told[i] = Recorded(standing[0], replayed=True)
    return told


def document_print(receipt: PurchaseIn, member: MemberFacts) -> bytes:
    """What is written on a receipt: the same for any order of its lines and any spelling of its numbers."""
    lines = sorted(
        (line.line_id, line.sku, line.category, line.brand, _plain(line.quantity), _plain(line.net_amount))
        for line in receipt.lines
    )
    at = receipt.occurred_at.astimezone(UTC).isoformat()
    return documents.fingerprint([receipt.store, str(member.id), at, receipt.currency, lines])


def _write(fresh: Sequence[_Judged], *, now: datetime) -> None:
    owed = [(one.id, act) for one in fresh for act in _accruals(one)]
    outcomes = posting.accrue([act for _, act in owed], now=now)
    entries = [outcome.entry for outcome in outcomes if isinstance(outcome, Posted)]
    assert len(entries) == len(owed), "a fresh receipt's points were refused"
    bulk.insert(Purchase, [_purchase_row(one, now) for one in fresh])
    bulk.insert(PurchaseLine, [row for one in fresh for row in _line_rows(one)])
    bulk.insert(
        Award,
        [
            {"purchase_id": id_, "rule_version_id": act.rule_version, "points": act.points, "entry": entry,
             "available_at": act.available_at, "expires_at": act.expires_at}
            for (id_, act), entry in zip(owed, entries, strict=True)
        ],
    )  # fmt: skip
    outbox.tell(
        outbox.Event("purchase.recorded", one.member.id, {"purchase": str(one.id), "points": one.judgement.points})
        for one in fresh
    )


def _accruals(one: _Judged) -> list[Accrual]:
    at = one.receipt.occurred_at
    usable = one.terms.usable_from(at)
    return [
        Accrual(
            key=f"purchase:{one.id}:{granted.rule.code}", holder=one.member.holder, points=granted.points,
            occurred_at=at, available_at=usable, expires_at=one.terms.ends(usable), store=one.store.id,
            reference=one.receipt.receipt_number, reason=granted.rule.code, terms=one.terms.id,
            rule_version=granted.rule.version, idle_until=one.alive_until,
        )
        for granted in one.judgement.granted
    ]  # fmt: skip


def _purchase_row(one: _Judged, now: datetime) -> dict[str, Any]:
    receipt = one.receipt
    return {
        "id": one.id, "source": receipt.source, "receipt_number": receipt.receipt_number, "member_id": one.member.id,
        "store_id": one.store.id, "occurred_at": receipt.occurred_at, "recorded_at": now, "currency": receipt.currency,
        "net_amount": sum((line.net_amount for line in receipt.lines), Decimal(0)), "points_earned": one.judgement.points,
        "trace": one.judgement.trace | {"terms": one.terms.version},
    }  # fmt: skip


def _line_rows(one: _Judged) -> list[dict[str, Any]]:
    return [
        {
            "purchase_id": one.id, "line_id": line.line_id, "sku": line.sku, "category": line.category, "brand": line.brand,
            "quantity": line.quantity, "net_amount": line.net_amount, "basis": line.net_amount, "points": points,
        }
        for line, points in zip(one.receipt.lines, one.judgement.line_points, strict=True)
    ]  # fmt: skip


def _answer(taken: documents.Taken) -> Recorded | Problem:
    return Recorded(taken.id, replayed=not taken.fresh) if taken.same else number_taken()


def number_taken() -> Problem:
    return Problem("duplicate-document", _("This receipt number was used for another receipt."), status=409)


def _wrong(slug: str, pointer: str, detail: str) -> Problem:
    return Problem(slug, detail, faults=[Fault(pointer, detail)])


def _plain(number: Decimal) -> str:
    return f"{number.normalize():f}"
