"""Goods come back: what the kept lines no longer earn is taken back, what was paid in points goes back (SEMANTICS 3 and 6).

Each return is worked out anew from the receipt as it was sold and from all that came back of it (campaigns/keeping.py),
by the rules, the place, the moment and the caps of then; so the order of returns never matters.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext as _

from campaigns import caps, keeping, sales
from campaigns.awarding import AHEAD
from campaigns.counting import Counters
from campaigns.keeping import Piece, TooMuch, UnknownLine, Wanted
from campaigns.models import ClawBack, Purchase, PurchaseReturn, PurchaseReturnLine
from campaigns.rounding import plain
from campaigns.sales import Sale
from campaigns.schemas import ReturnIn
from campaigns.tendering import NOTHING, Refund
from campaigns.values import Foreseen, Judgement, Line
from catalog import applying
from catalog.applying import Back
from loyalty import acts, bulk, documents, money, outbox, posting
from loyalty.acts import ClawBackPolicy, Posted, Refused, Restore
from loyalty.ids import uuid7
from loyalty.problems import Fault, Problem
from members import qualifying
from members.qualifying import TakeBack

KIND = "return"
# Points that paid for returned goods can be used so long, where they would have ended.
GRACE = timedelta(days=14)


@dataclass(frozen=True, slots=True)
class Claim:
    """A return of a purchase; `parked` is the row under which it waited for its sale."""

    purchase: UUID
    body: ReturnIn
    parked: UUID | None = None


@dataclass(frozen=True, slots=True)
class Taken:
    """The return stands as `id`; `replayed`: it stood there before and says the same."""

    id: UUID
    replayed: bool


@dataclass(frozen=True, slots=True)
class _Plan:
    """What a return does. `lines`, `before` and `after` are what is kept and what it earns."""

    id: UUID
    claim: Claim
    sale: Sale
    pieces: list[Piece]
    lines: list[Line]
    before: Judgement
    after: Judgement
    takings: list[int]
    refund: Refund

    @property
    def clawed(self) -> int:
        return sum(self.takings)

    @property
    def policy(self) -> ClawBackPolicy:
        return ClawBackPolicy(self.sale.contract.claw_back)

    def document(self) -> documents.Document:
        body, sale = self.claim.body, self.sale
        return documents.Document(sale.source, body.return_number, KIND, self.id, document_print(body, sale.receipt_number))


class _NotTaken(Exception):
    """The member has spent what would be taken back, and the terms say that then no return is taken."""


def take(claims: Sequence[Claim], *, now: datetime, actor: UUID | None = None) -> list[Taken | Problem]:
    """Take each return once; answers in order.

    A batch costs a constant number of statements; several returns of one receipt are taken in as many turns, and those whose
    terms refuse to take back spent points one by one. The same return again answers as `replayed`; the same number with
    other content is refused with `duplicate-document`.
    """
    answers: dict[int, Taken | Problem] = {}
    with transaction.atomic():
        posting.lock(sales.holders([one.purchase for one in claims]))
        waiting = list(range(len(claims)))
        while waiting:
            turn = {claims[place].purchase: place for place in reversed(waiting)}  # the first of each receipt
            places = sorted(turn.values())
            waiting = [place for place in waiting if turn[claims[place].purchase] != place]
            answers |= zip(places, _take([claims[place] for place in places], now=now, actor=actor), strict=True)
    return [answers[place] for place in range(len(claims))]


def foresee(claim: Claim, *, now: datetime) -> Foreseen | Problem:
    """What the return would do, by the plan that taking it carries out. Nothing is locked or written."""
    plan = _plan(claim, sales.read([claim.purchase], now)[claim.purchase], now)
    if isinstance(plan, Problem):
        return plan
    onto = applying.due_back(claim.purchase, _back(plan))
    return Foreseen(plan.clawed, plan.refund.points, plan.refund.money, _all_is_back(plan), plan.policy, onto)


def document_print(body: ReturnIn, receipt_number: str) -> bytes:
    """What is written on a return: the same for any order of its lines and any spelling of its numbers."""
    lines = sorted((one.line_id, _plain(one.quantity), _plain(one.net_amount)) for one in body.lines or ())
    at = body.occurred_at.astimezone(UTC).isoformat()
    return documents.fingerprint([receipt_number, at, lines, _plain(body.amount), body.goodwill, body.reason])


def number_taken() -> Problem:
    return Problem("duplicate-document", _("This return number was used for another return."), status=409)


def too_early(body: ReturnIn, now: datetime) -> Problem | None:
    if body.occurred_at > now + AHEAD:
        return _wrong("/occurred_at", _("The return is dated in the future."))
    return None


def _take(claims: Sequence[Claim], *, now: datetime, actor: UUID | None) -> list[Taken | Problem]:
    """Returns of different receipts, behind their wallets' locks."""
    found = sales.read([one.purchase for one in claims], now)
    numbers = [(found[one.purchase].source, one.body.return_number, KIND) for one in claims]
    known = documents.standing(numbers)
    answers: list[Taken | Problem | _Plan] = []
    for claim, number in zip(claims, numbers, strict=True):
        standing = None if claim.parked else known.get(number)
        if standing:
            same = standing[1] == document_print(claim.body, found[claim.purchase].receipt_number)
            answers.append(Taken(standing[0], replayed=True) if same else number_taken())
        else:
            answers.append(_plan(claim, found[claim.purchase], now))
    plans = [one for one in answers if isinstance(one, _Plan)]
    done = iter(_carry_out([one for one in plans if one.policy != ClawBackPolicy.REFUSE], now=now, actor=actor))
    alone = iter([_carry_out_or_refuse(one, now=now, actor=actor) for one in plans if one.policy == ClawBackPolicy.REFUSE])
    return [next(alone if one.policy == ClawBackPolicy.REFUSE else done) if isinstance(one, _Plan) else one for one in answers]


def _plan(claim: Claim, sale: Sale, now: datetime) -> _Plan | Problem:
    body = claim.body
    if problem := too_early(body, now):
        return problem
    if body.occurred_at < sale.occurred_at - AHEAD:
        return _wrong("/occurred_at", _("The return is dated before the purchase."))
    pieces = _pieces(body, sale)
    if isinstance(pieces, Problem):
        return pieces
    gone = [*sale.earning, *(() if body.goodwill else pieces)]
    lines = keeping.kept(sale.sold, gone, sale.contract)
    before = sale.judge(keeping.kept(sale.sold, sale.earning, sale.contract))
    after = before if body.goodwill else sale.judge(lines)
    targets = {one.rule.code: one.points for one in after.granted}
    takings = [0] * len(sale.awards) if body.goodwill else keeping.takings([one.held for one in sale.awards], targets)
    was = keeping.refunded(sale.sold, sale.gone, sale.contract)
    back = keeping.refunded(sale.sold, [*sale.gone, *pieces], sale.contract)
    return _Plan(
        id=claim.parked or uuid7(), claim=claim, sale=sale, pieces=pieces, lines=lines, before=before, after=after,
        takings=takings, refund=Refund(back.points - was.points, back.money - was.money),
    )  # fmt: skip


def _pieces(body: ReturnIn, sale: Sale) -> list[Piece] | Problem:
    coins = sale.contract.minor_units
    named = [(f"/lines/{place}/net_amount", one.net_amount) for place, one in enumerate(body.lines or ())]
    for pointer, amount in [*named, ("/amount", body.amount)]:
        if amount is not None and amount != round(amount, coins):
            return _wrong(pointer, _("Give at most %(count)d decimals.") % {"count": coins})
    try:
        if body.amount is not None:
            return keeping.pieces_of_amount(sale.sold, sale.gone, body.amount, sale.contract)
        wanted = [Wanted(one.line_id, one.quantity, one.net_amount) for one in body.lines or ()]
        return keeping.pieces(sale.sold, sale.gone, wanted, sale.contract)
    except UnknownLine as unknown:
        return _wrong("/lines", _("The receipt has no line %(line)s.") % {"line": unknown.args[0]})
    except TooMuch as short:
        return _too_much(short, sale)


def _too_much(short: TooMuch, sale: Sale) -> Problem:
    left = {"amount": money.text(short.net_amount, sale.currency), "quantity": plain(short.quantity), "line": short.line_id}
    extra: dict[str, object] = {"net_amount_left": money.plain(short.net_amount, sale.currency)}
    is_over = not (short.quantity or short.net_amount)
    if short.line_id is None:
        text = _("This receipt was returned already.") if is_over else _("Of this receipt %(amount)s is left to return.")
        return Problem("validation", text % left, status=409, extra=extra)
    text = _("Of line %(line)s a quantity of %(quantity)s for %(amount)s is left to return.")
    text = _("Line %(line)s was returned already.") if is_over else text
    extra |= {"line_id": short.line_id, "quantity_left": left["quantity"]}
    return Problem("validation", text % left, status=409, extra=extra)


def _carry_out_or_refuse(plan: _Plan, *, now: datetime, actor: UUID | None) -> Taken | Problem:
    try:
        with transaction.atomic():
            return _carry_out([plan], now=now, actor=actor)[0]
    except _NotTaken:
        detail = _("The points of this purchase are spent already, so it cannot be returned.")
        return Problem("insufficient-points", detail, status=409)


def _carry_out(plans: Sequence[_Plan], *, now: datetime, actor: UUID | None) -> list[Taken | Problem]:
    """Documents, then points, then counters. Raises _NotTaken with nothing kept of it where the caller holds a savepoint."""
    if not plans:
        return []
    asked = [one for one in plans if not one.claim.parked]
    taken = dict(zip([one.id for one in asked], documents.take([one.document() for one in asked]), strict=True))
    fresh = [one for one in plans if one.id not in taken or taken[one.id].fresh]
    restored = _give_back_tender(fresh, now=now, actor=actor)
    clawed = _claw_back(fresh, now=now, actor=actor)
    applying.give_back({one.sale.id: _back(one) for one in fresh}, now=now, actor=actor)
    _give_room_back(fresh)
    _count_less(fresh, now=now)
    _write(fresh, restored, clawed, now=now, actor=actor)
    return [_answer(one, taken.get(one.id)) for one in plans]


def _answer(plan: _Plan, taken: documents.Taken | None) -> Taken | Problem:
    if taken is None:
        return Taken(plan.id, replayed=False)
    return Taken(taken.id, replayed=not taken.fresh) if taken.same else number_taken()


def _give_back_tender(plans: Sequence[_Plan], *, now: datetime, actor: UUID | None) -> dict[UUID, UUID]:
    """The journal entry by which each return's points went back to the lots that had paid."""
    owed = [
        (plan, Restore(
            key=f"return:{plan.id}:tender", holder=plan.sale.holder, entry=plan.sale.tender_entry, points=plan.refund.points,
            occurred_at=plan.claim.body.occurred_at, grace_until=now + GRACE, store=plan.sale.store,
            reference=plan.claim.body.return_number, reason="return", terms=plan.sale.contract.id,
        ))
        for plan in plans
        if plan.refund.points and plan.sale.tender_entry
    ]  # fmt: skip
    entries = {}
    for (plan, _act), outcome in zip(owed, posting.restore([act for _plan, act in owed], now=now, actor=actor), strict=True):
        assert isinstance(outcome, Posted), "what was paid in points could not go back"
        entries[plan.id] = outcome.entry
    return entries


def _claw_back(plans: Sequence[_Plan], *, now: datetime, actor: UUID | None) -> dict[tuple[UUID, int], UUID]:
    """The journal entry that took points back, by return and award."""
    owed = [
        (plan.id, award.id, acts.ClawBack(
            key=f"return:{plan.id}:{award.held.rule}", holder=award.holder, entry=award.entry, points=points,
            own=tuple(one.entry for one in plan.sale.awards), policy=plan.policy, occurred_at=plan.claim.body.occurred_at,
            store=plan.sale.store, reference=plan.claim.body.return_number, reason="return", terms=plan.sale.contract.id,
            rule_version=award.version,
        ))
        for plan in plans
        for award, points in zip(plan.sale.awards, plan.takings, strict=True)
        if points
    ]  # fmt: skip
    entries = {}
    outcomes = posting.claw_back([act for *_names, act in owed], now=now, actor=actor)
    for (id_, award, act), outcome in zip(owed, outcomes, strict=True):
        if isinstance(outcome, Refused) and act.policy == ClawBackPolicy.REFUSE:
            raise _NotTaken
        assert isinstance(outcome, Posted), "a claw-back was refused"
        entries[id_, award] = outcome.entry
    return entries


def _back(plan: _Plan) -> Back:
    """How much of each line is back; the receipt is over when the member keeps nothing of it, whatever earned for it."""
    sale, gone = plan.sale, [*plan.sale.gone, *plan.pieces]
    receipt = sale.source, sale.receipt_number
    return Back(sale.member, receipt, keeping.shares_back(sale.sold, gone), sale.contract.coin, is_over=_all_is_back(plan))


def _all_is_back(plan: _Plan) -> bool:
    sale, gone = plan.sale, [*plan.sale.gone, *plan.pieces]
    return keeping.nothing_is_kept(sale.sold, keeping.kept(sale.sold, gone, sale.contract))


def _give_room_back(plans: Sequence[_Plan]) -> None:
    """What the rules gave less is room again on the counters of their caps, in the window it came from."""
    moved = [plan for plan in plans if plan.before.taken != plan.after.taken]
    needed = [each for plan in moved for each in caps.needed(plan.sale.sifted.holding, plan.sale.occasion(()))]
    touched = {counter for plan in moved for counter in (*plan.before.taken, *plan.after.taken)}
    counters = Counters((cap, counter) for cap, counter in needed if counter in touched)
    for plan in moved:
        counters.move(plan.before.taken, -1)
        counters.move(plan.after.taken)
    counters.save()


def _count_less(plans: Sequence[_Plan], *, now: datetime) -> None:
    """Take back what the goods counted for towards a tier. A visit stays while another receipt of its day is kept, and is its."""
    counting = [one for one in plans if one.sale.qualifying_left and not one.claim.body.goodwill]
    heirs = sales.others_of_the_day([one.sale for one in counting if keeping.nothing_is_kept(one.sale.sold, one.lines)])
    qualifying.take_back([_counted(one, is_inherited=one.sale.id in heirs) for one in counting], now=now)
    left = {one.sale.id: one.sale.qualifying_entry for one in counting}
    rows = [Purchase(pk=heir, qualifying_entry=left[gone]) for gone, heir in heirs.items()]
    Purchase.objects.bulk_update(rows, ["qualifying_entry"])


def _counted(plan: _Plan, *, is_inherited: bool) -> TakeBack:
    """What the goods that came back counted for towards a tier, never more than the receipt still does."""
    sale, left = plan.sale, plan.sale.qualifying_left
    spend = Decimal(plan.before.trace["basis"]) - Decimal(plan.after.trace["basis"])
    assert sale.qualifying_entry is not None, "nothing is left of nothing"
    return TakeBack(
        member=sale.member, holder=sale.holder, occurred_at=plan.claim.body.occurred_at, key=f"qualify:return:{plan.id}",
        base_points=min(plan.before.base_points - plan.after.base_points, left),
        spend=min(spend, Decimal(left).scaleb(-sale.contract.minor_units)),
        first_visit=not is_inherited and keeping.nothing_is_kept(sale.sold, plan.lines), store=sale.store,
        reference=plan.claim.body.return_number,
        minor_units=sale.contract.minor_units, entry=sale.qualifying_entry,
    )  # fmt: skip


def _write(
    plans: Sequence[_Plan],
    restored: dict[UUID, UUID],
    clawed: dict[tuple[UUID, int], UUID],
    *,
    now: datetime,
    actor: UUID | None,
) -> None:
    rows = [_row(plan, restored.get(plan.id), now, actor) for plan in plans]
    parked = {plan.id for plan in plans if plan.claim.parked}
    bulk.insert(PurchaseReturn, [row for row in rows if row["id"] not in parked])
    if parked:
        PurchaseReturn.objects.bulk_update([PurchaseReturn(**row) for row in rows if row["id"] in parked], _SETTLED)
    bulk.insert(PurchaseReturnLine, [row for plan in plans for row in _line_rows(plan)])
    bulk.insert(
        ClawBack,
        [
            {"purchase_return_id": plan.id, "award_id": award.id, "points": points, "entry": clawed[plan.id, award.id]}
            for plan in plans
            for award, points in zip(plan.sale.awards, plan.takings, strict=True)
            if points
        ],
    )
    empty = [plan.sale.id for plan in plans if keeping.nothing_is_kept(plan.sale.sold, plan.lines)]
    if empty:
        Purchase.objects.filter(pk__in=empty, returned_at=None).update(returned_at=now)
    outbox.tell(outbox.Event("purchase.returned", plan.sale.member, _facts(plan)) for plan in plans)


def _facts(plan: _Plan) -> dict[str, Any]:
    return {
        "purchase": str(plan.sale.id), "return": str(plan.id), "points": plan.clawed, "points_returned": plan.refund.points,
    }  # fmt: skip


# What of a parked row is known once its sale has come.
_SETTLED = (
    "purchase", "recorded_at", "currency", "net_amount", "money_back", "points_clawed_back", "points_returned", "points_kept",
    "tender_entry",
)  # fmt: skip


def _row(plan: _Plan, tender_entry: UUID | None, now: datetime, actor: UUID | None) -> dict[str, Any]:
    body, sale = plan.claim.body, plan.sale
    return {
        "id": plan.id, "source": sale.source, "return_number": body.return_number, "receipt_number": sale.receipt_number,
        "purchase_id": sale.id, "occurred_at": body.occurred_at, "recorded_at": now, "goodwill": body.goodwill,
        "reason": body.reason, "actor": actor, "content": body.model_dump(mode="json"), "problem": "", "currency": sale.currency,
        "net_amount": sum((one.net_amount for one in plan.pieces), NOTHING),
        "money_back": plan.refund.money, "points_clawed_back": plan.clawed,
        "points_returned": plan.refund.points, "points_kept": plan.after.points, "tender_entry": tender_entry,
    }  # fmt: skip


def _line_rows(plan: _Plan) -> list[dict[str, Any]]:
    shares = keeping.shares(plan.refund, plan.pieces, plan.sale.sold, plan.sale.contract)
    return [
        {
            "purchase_return_id": plan.id, "line_id": plan.sale.keys[one.line_id], "asked": one.asked.value,
            "quantity": one.quantity, "net_amount": one.net_amount, "money_back": back.money, "points_returned": back.points,
        }
        for one, back in zip(plan.pieces, shares, strict=True)
    ]  # fmt: skip


def _wrong(pointer: str, detail: str) -> Problem:
    return Problem("validation", detail, faults=[Fault(pointer, detail)])


def _plain(number: Decimal | None) -> str:
    return "" if number is None else plain(number)
