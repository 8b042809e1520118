"""A receipt becomes points: the one path for a live receipt, a till that was offline, an import of history."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.utils.formats import number_format
from django.utils.translation import gettext as _

from campaigns import awarding, goods, judging, parking, quoting, rules, tendering
from campaigns.awarding import AHEAD, Name, Occasion, Recorded, wrong
from campaigns.goods import Excluded
from campaigns.judging import Case, Judged
from campaigns.models import Purchase, PurchaseLine
from campaigns.schemas import BasketIn, PurchaseIn
from campaigns.tendering import LineTender
from campaigns.values import Judgement, Line
from catalog import applying
from catalog.discounts import Item
from loyalty import bulk, documents, outbox, posting, queries, terms
from loyalty.acts import Burn
from loyalty.ids import uuid7
from loyalty.problems import Fault, Problem
from loyalty.queries import StoreFacts
from loyalty.terms import Terms
from members import qualifying
from members.qualifying import Gain
from members.queries import MemberFacts, resolve

KIND = "purchase"
OLDEST = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Facts(awarding.Facts):
    """And the goods that stand outside the programme."""

    excluded: Excluded


@dataclass(frozen=True, slots=True)
class Preview:
    """What a basket would earn, what is left to pay, how many points could, and the codes of vouchers that would apply."""

    judgement: Judgement
    due: Decimal
    tender: tendering.Limits
    vouchers: list[str]


@dataclass(frozen=True, slots=True)
class _Ready:
    """A receipt that may be taken, to be judged by the rules of `at`; what it pays in points by the terms of `paid_at`."""

    id: UUID
    receipt: PurchaseIn
    store: StoreFacts
    member: MemberFacts
    terms: Terms
    at: datetime
    paid_at: datetime
    told_at: datetime
    alive_until: datetime | None

    @property
    def points_tender(self) -> int:
        return self.receipt.points_tender

    def document(self) -> documents.Document:
        one = self.receipt
        return documents.Document(one.source, one.receipt_number, KIND, self.id, document_print(one, self.member))

    def occasion(self) -> Occasion:
        one = self.receipt
        return Occasion(
            self.id, self.member.holder, one.occurred_at, self.told_at, self.terms, self.alive_until, self.store.id,
            one.receipt_number,
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Paid:
    """A receipt and how it was paid: `tender` line by line, `entry` of the points that went for it."""

    ready: _Ready
    lines: tuple[Line, ...]
    tender: list[LineTender]
    entry: UUID | None = None

    def case(self) -> Case:
        one = self.ready
        return Case(one.member, one.at, one.terms, one.store, self.lines, happened_at=one.receipt.occurred_at)

    @property
    def points_spent(self) -> int:
        return self.ready.points_tender


@dataclass(frozen=True, slots=True)
class _Judged:
    """A receipt with what it earns."""

    paid: _Paid
    judged: Judged

    @property
    def ready(self) -> _Ready:
        return self.paid.ready

    @property
    def points(self) -> int:
        return self.judged.judgement.points


def gather(receipts: Sequence[BasketIn], *, now: datetime) -> Facts:
    # A quote's moment goes by our clock, so a till whose clock is ahead must not hide what held then.
    first = min((one.occurred_at for one in receipts if one.occurred_at and one.occurred_at < now), default=now)
    return Facts(
        stores=queries.stores_by_code(one.store for one in receipts),
        members=resolve(one.member for one in receipts),
        terms=terms.published(),
        rules=rules.published(first - quoting.VALID),
        excluded=goods.excluded(),
    )


def preview(receipt: BasketIn, facts: Facts, at: datetime, *, vouchers: Sequence[str] = (), points: int = 0) -> Preview:
    """What the receipt would earn at `at`, with these vouchers and so many points paid; nothing moves.

    Raises Problem for a voucher or for points that would be refused.
    """
    member, store, contract = facts.members[receipt.member], facts.stores[receipt.store], terms.in_force(facts.terms, at)
    lines = _lines(receipt, at, facts.excluded)
    items = _items(lines)
    if vouchers:
        basket = applying.Basket(uuid7(), member.id, store, "", "", vouchers, items, contract.coin)
        lines = _with_discount(lines, applying.foresee(basket, now=at))
    available = queries.balances([member.holder], at)[member.holder].available if member.verified else 0
    paid = _with_tender(lines, _tender(member, points, lines, contract, available)) if points else lines
    [judged] = judging.judge([Case(member, at, contract, store, paid)], facts.rules, peek=True)
    return Preview(
        judged.judgement, sum((line.net_amount - line.discount - line.tender for line in paid), Decimal(0)),
        tendering.limits(lines, contract=contract, available=available),
        applying.would_apply(member.id, store, items, contract.coin, now=at),
    )  # fmt: skip


def refusal(receipt: BasketIn, facts: Facts, *, now: datetime, history: bool = False) -> Problem | None:
    """Why this receipt cannot be taken; None if it can. `history`: it may be older than a till's may."""
    at = receipt.occurred_at or now
    contract = terms.in_force(facts.terms, at)
    if problem := awarding.unwelcome(receipt.store, receipt.member, facts, at):
        return problem
    if receipt.currency != contract.currency:
        detail = _("The programme's currency is %(currency)s.") % {"currency": contract.currency}
        return wrong("validation", "/currency", detail)
    if at > now + AHEAD:
        return wrong("validation", "/occurred_at", _("The receipt is dated in the future."))
    if at < now - OLDEST and not history:
        return wrong("validation", "/occurred_at", _("The receipt is older than 30 days."))
    for i, line in enumerate(receipt.lines):
        if line.net_amount != round(line.net_amount, contract.minor_units):
            detail = _("Give at most %(count)d decimals.") % {"count": contract.minor_units}
            return wrong("validation", f"/lines/{i}/net_amount", detail)
    return None


def record(
    receipts: Sequence[PurchaseIn], *, now: datetime, history: bool = False, actor: UUID | None = None
) -> list[Recorded | Problem]:
    """Take each receipt once, judge it by the rules of its day and post what it earned; answers in order.

    A batch costs a constant number of statements. The same receipt again answers as `replayed`; the same number with
    other content is refused with `duplicate-document`. One refused receipt never spoils the others.
    """
    facts = gather(receipts, now=now)
    first = [refusal(one, facts, now=now, history=history) or _ready(one, facts, now, history=history) for one in receipts]
    return awarding.record(
        receipts, first, written=lambda one: _written(one, facts),
        together=lambda some: _take_together(some, facts, now=now, actor=actor),
    )  # fmt: skip


def _take_together(ready: Sequence[_Ready], facts: Facts, *, now: datetime, actor: UUID | None) -> list[Recorded | Problem]:
    """Raises Problem when the ledger refuses what a receipt pays in points or earns; then nothing of it may stand."""
    parking.sales_are_coming()
    posting.lock({one.member.holder for one in ready})
    taken = documents.take([one.document() for one in ready])
    fresh = [one for one, document in zip(ready, taken, strict=True) if document.fresh]
    paid = _pay(fresh, _discounted(fresh, facts, now=now, actor=actor), facts, now=now)
    judged = judging.judge([one.case() for one in paid], facts.rules)
    _write([_Judged(one, each) for one, each in zip(paid, judged, strict=True)], now=now, actor=actor)
    parking.sales_came({(one.receipt.source, one.receipt.receipt_number): one.id for one in fresh}, now=now)
    return [_answer(one) for one in taken]


def _discounted(fresh: Sequence[_Ready], facts: Facts, *, now: datetime, actor: UUID | None) -> list[tuple[Line, ...]]:
    """The lines of each receipt, with what its vouchers take off them; whether a voucher can be used is judged now."""
    lines = [_lines(one.receipt, one.at, facts.excluded) for one in fresh]
    bringing = [place for place, one in enumerate(fresh) if one.receipt.vouchers]
    baskets = [_basket(fresh[place], lines[place]) for place in bringing]
    for place, off in zip(bringing, applying.apply(baskets, now=now, actor=actor), strict=True):
        lines[place] = _with_discount(lines[place], off)
    return lines


def _basket(one: _Ready, lines: Sequence[Line]) -> applying.Basket:
    receipt = one.receipt
    return applying.Basket(
        purchase=one.id, member=one.member.id, store=one.store, source=receipt.source, receipt_number=receipt.receipt_number,
        codes=receipt.vouchers, items=_items(lines), coin=one.terms.coin,
    )  # fmt: skip


def _items(lines: Sequence[Line]) -> list[Item]:
    return [Item(line.net_amount, line.quantity, line.category, line.excluded) for line in lines]


def _pay(fresh: Sequence[_Ready], bought: Sequence[tuple[Line, ...]], facts: Facts, *, now: datetime) -> list[_Paid]:
    """Spend the points that receipts are paid with, before they earn any.

    Burning is judged now, whenever the receipt was written, or by the quote that it brings (SEMANTICS 1.7).
    """
    contracts = {one.id: terms.in_force(facts.terms, one.paid_at) for one in fresh}
    paying = [one for one in fresh if one.points_tender]
    available = queries.balances({one.member.holder for one in paying}, now) if paying else {}
    paid = []
    for one, lines in zip(fresh, bought, strict=True):
        payable = _payable(lines, _lines(one.receipt, one.paid_at, facts.excluded))
        there = available[one.member.holder].available if one.points_tender else 0
        tender = _tender(one.member, one.points_tender, payable, contracts[one.id], there) if one.points_tender else []
        paid.append(_Paid(one, _with_tender(lines, tender), tender))
    acts = [
        Burn(
            key=f"tender:{one.id}", holder=one.member.holder, points=one.points_tender, store=one.store.id,
            occurred_at=one.receipt.occurred_at, reference=one.receipt.receipt_number, reason="tender",
            terms=contracts[one.id].id, idle_until=one.alive_until,
        )
        for one in paying
    ]  # fmt: skip
    entries = iter([awarding.insist(outcome) for outcome in posting.burn(acts, now=now)] if acts else [])
    return [replace(one, entry=next(entries)) if one.points_spent else one for one in paid]


def _tender(member: MemberFacts, points: int, lines: Sequence[Line], contract: Terms, available: int) -> list[LineTender]:
    if not member.verified:
        raise Problem("not-eligible", _("The member's e-mail or phone has to be verified first."), status=409)
    within = tendering.limits(lines, contract=contract, available=available)
    if points > max(available, 0):
        detail = _("The member has %(count)s points to use now.") % {"count": number_format(max(available, 0))}
        raise Problem("insufficient-points", detail, status=409)
    if why := tendering.check(points, within):
        raise Problem("validation", why, faults=[Fault("/points_tender", why)])
    return tendering.spread(points, lines, contract)


def _payable(lines: Sequence[Line], now: Sequence[Line]) -> list[Line]:
    """Goods that are excluded when they are paid take no points, nor do those that were when they were bought."""
    return [replace(line, excluded=line.excluded or again.excluded) for line, again in zip(lines, now, strict=True)]


def _with_discount(lines: Sequence[Line], off: Sequence[Decimal]) -> tuple[Line, ...]:
    return tuple(replace(line, discount=part) for line, part in zip(lines, off, strict=True))


def _with_tender(lines: Sequence[Line], tender: Sequence[LineTender]) -> tuple[Line, ...]:
    if not tender:
        return tuple(lines)
    return tuple(replace(line, tender=part.amount) for line, part in zip(lines, tender, strict=True))


def _ready(receipt: PurchaseIn, facts: Facts, now: datetime, *, history: bool) -> _Ready | Problem:
    """To be judged by the rules of the receipt's moment, or of the quote that it brings."""
    member, at, paid_at = facts.members[receipt.member], receipt.occurred_at, now
    if receipt.quote is not None:
        quoted = quoting.moment(receipt.quote, store=receipt.store, member=str(member.id), now=now)
        if quoted is None:
            detail = _("The quote is over, or for another store or member. Ask for a new one.")
            return Problem("quote-expired", detail, status=409)
        at = paid_at = quoted
    contract, alive = terms.in_force(facts.terms, at), terms.alive_until(facts.terms, receipt.occurred_at)
    told_at = receipt.occurred_at if history else now
    return _Ready(uuid7(), receipt, facts.stores[receipt.store], member, contract, at, paid_at, told_at, alive)


def _lines(receipt: BasketIn, at: datetime, excluded: Excluded) -> tuple[Line, ...]:
    return tuple(
        Line(
            line.line_id, line.net_amount, line.quantity, line.sku, line.category, line.brand,
            excluded=excluded.holds(line.sku, line.category, at),
        )
        for line in receipt.lines
    )  # fmt: skip


def _written(one: PurchaseIn, facts: Facts) -> tuple[Name, bytes] | None:
    member = facts.members.get(one.member)
    return ((one.source, one.receipt_number, KIND), document_print(one, member)) if member else None


def document_print(receipt: PurchaseIn, member: MemberFacts) -> bytes:
    """What is written on a receipt: the same for any order of its lines and any spelling of its numbers."""
    lines = sorted(
        (line.line_id, line.sku, line.category, line.brand, _plain(line.quantity), _plain(line.net_amount))
        for line in receipt.lines
    )
    at = receipt.occurred_at.astimezone(UTC).isoformat()
    paid = [receipt.points_tender] if receipt.points_tender else []  # as it was before receipts were paid in points
    vouchers = [sorted(receipt.vouchers)] if receipt.vouchers else []
    return documents.fingerprint([receipt.store, str(member.id), at, receipt.currency, lines, *paid, *vouchers])


def _write(fresh: Sequence[_Judged], *, now: datetime, actor: UUID | None) -> None:
    if not fresh:
        return
    awarding.post(KIND, [(one.ready.occasion(), one.judged.judgement.granted) for one in fresh], now=now, actor=actor)
    qualified = qualifying.accrue([_gain(one) for one in fresh], now=now)
    bulk.insert(Purchase, [_purchase_row(one, entry, now) for one, entry in zip(fresh, qualified, strict=True)])
    bulk.insert(PurchaseLine, [row for one in fresh for row in _line_rows(one)])
    outbox.tell(
        outbox.Event("purchase.recorded", one.ready.member.id, {"purchase": str(one.ready.id), "points": one.points})
        for one in fresh
    )


def _gain(one: _Judged) -> Gain:
    """What the receipt counts for towards a tier."""
    ready = one.ready
    return Gain(
        member=ready.member.id, holder=ready.member.holder, occurred_at=ready.receipt.occurred_at, key=f"qualify:{ready.id}",
        base_points=one.judged.judgement.base_points, spend=sum((line.basis for line in one.paid.lines), Decimal(0)),
        first_visit=one.judged.occasion.standing.first_of_day, store=ready.store.id, reference=ready.receipt.receipt_number,
        minor_units=ready.terms.minor_units,
    )  # fmt: skip


def _purchase_row(one: _Judged, qualifying_entry: UUID | None, now: datetime) -> dict[str, Any]:
    ready, receipt = one.ready, one.ready.receipt
    return {
        "id": ready.id, "source": receipt.source, "receipt_number": receipt.receipt_number, "member_id": ready.member.id,
        "store_id": ready.store.id, "occurred_at": receipt.occurred_at, "recorded_at": now, "currency": receipt.currency,
        "net_amount": sum((line.net_amount for line in receipt.lines), Decimal(0)), "points_earned": one.points,
        "discount": sum((line.discount for line in one.paid.lines), Decimal(0)),
        "visit": one.judged.occasion.standing.visit, "points_spent": one.paid.points_spent,
        "tender_amount": sum((part.amount for part in one.paid.tender), Decimal(0)), "tender_entry": one.paid.entry,
        "qualifying_entry": qualifying_entry,
        "trace": one.judged.judgement.trace | {"terms": ready.terms.version, "at": ready.at.isoformat()},
    }  # fmt: skip


def _line_rows(one: _Judged) -> list[dict[str, Any]]:
    tender = one.paid.tender or [LineTender(0, Decimal(0))] * len(one.paid.lines)
    return [
        {
            "purchase_id": one.ready.id, "line_id": line.line_id, "sku": line.sku, "category": line.category,
            "brand": line.brand, "quantity": line.quantity, "net_amount": line.net_amount, "basis": line.basis,
            "excluded": line.excluded, "points": points, "discount": line.discount, "tender_points": part.points,
            "tender_amount": part.amount,
        }
        for line, points, part in zip(one.paid.lines, one.judged.judgement.line_points, tender, strict=True)
    ]  # fmt: skip


def _answer(taken: documents.Taken) -> Recorded | Problem:
    return Recorded(taken.id, replayed=not taken.fresh) if taken.same else number_taken()


def number_taken() -> Problem:
    return Problem("duplicate-document", _("This receipt number was used for another receipt."), status=409)


def _plain(number: Decimal) -> str:
    return f"{number.normalize():f}"
