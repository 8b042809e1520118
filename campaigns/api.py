"""Purchases and events through the API."""

from decimal import Decimal
from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from ninja import Router, Schema, Status
from pydantic import ValidationError

from campaigns import events, explaining, parking, purchases, quoting, returns, rules
from campaigns.awarding import Recorded
from campaigns.eventschemas import EventIn, EventOut
from campaigns.models import Award, Purchase, PurchaseReturn
from campaigns.queries import events as events_of
from campaigns.queries import purchases as read_purchases
from campaigns.queries import returns as read_returns
from campaigns.queries import returns_of
from campaigns.returns import Claim
from campaigns.schemas import (
    NUMBER_LENGTH,
    BasketIn,
    BatchIn,
    PurchaseIn,
    PurchaseOut,
    ReceiptReturnIn,
    ReturnIn,
    ReturnOut,
    WaitingOut,
)
from catalog import applying
from catalog.models import VoucherUse
from catalog.queries import vouchers_on
from loyalty import money, queries
from loyalty.endpoints import write
from loyalty.problems import Problem, problem_of
from members.access import Key
from members.models import ApiKey

router = Router(tags=["Purchases"])
acts = Router(tags=["Events"])
POS = Key("pos")


class BatchOut(Schema):
    results: list[dict[str, Any]]


@router.post("/purchases", auth=POS, response={201: PurchaseOut})
def record(request: HttpRequest, response: HttpResponse, body: PurchaseIn) -> Status[Any]:
    """A receipt earns points, once."""

    def act() -> tuple[int, Any]:
        _only_its_store(request, body)
        [outcome] = purchases.record([body], now=timezone.now(), actor=_key(request).pk)
        if isinstance(outcome, Problem):
            raise outcome
        return 201, answers([outcome.id])[outcome.id]

    return write(request, response, act)


@router.post("/purchases/quote", auth=POS)
def quote(request: HttpRequest, response: HttpResponse, body: BasketIn) -> Status[Any]:
    """What the basket would earn now; no points move. `quote` holds these rules for this store and member for 15 minutes."""
    return write(request, response, lambda: (200, _quoted(request, body)))


def _quoted(request: HttpRequest, body: BasketIn) -> dict[str, Any]:
    now = timezone.now()
    _only_its_store(request, body)
    facts = purchases.gather([body], now=now)
    if problem := purchases.refusal(body, facts, now=now):
        raise problem
    seen = purchases.preview(body, facts, now)
    judgement, tender = seen.judgement, seen.tender
    return {
        "quote": quoting.token(now, body.store, str(facts.members[body.member].id)),
        "valid_until": (now + quoting.VALID).isoformat(),
        "points_to_earn": judgement.points,
        "awards": [
            {"rule": step["rule"], "campaign": None, "points": step["points"],
             "explanation": explaining.rule_sentence(step, judgement.trace, body.currency)}
            for step in judgement.trace["rules"]
        ],
        "trace": judgement.trace,
        "points_tender": {
            "min": tender.min, "max": tender.max, "step": tender.step,
            "value_per_point": f"{tender.value_per_point.normalize():f}",
        },
        "vouchers": seen.vouchers,
    }  # fmt: skip


@router.post("/purchases/batch", auth=POS, response=BatchOut)
def batch(request: HttpRequest, response: HttpResponse, body: BatchIn) -> Status[Any]:
    """Up to 1,000 receipts of a till that was offline; one bad item never spoils the others."""
    return write(request, response, lambda: (200, {"results": _batch(request, body)}))


@router.get("/purchases/{uuid:purchase}", auth=Key("pos", "read"))
def read(request: HttpRequest, purchase: UUID) -> Any:
    one = _found(request, purchase)
    return answers([one.pk])[one.pk] | {
        "source": one.source,
        "receipt_number": one.receipt_number,
        "store": one.store.code,
        "member": str(one.member_id),
        "occurred_at": one.occurred_at.isoformat(),
        "recorded_at": one.recorded_at.isoformat(),
        "lines": _lines(one),
        "vouchers": applying.used_on(one.pk),
        "returns": [_returned(each) for each in returns_of(one.pk)],
    }


def _lines(one: Purchase) -> list[dict[str, Any]]:
    return [
        {"line_id": line.line_id, "sku": line.sku, "category": line.category, "brand": line.brand,
         "quantity": f"{line.quantity:f}", "net_amount": money.plain(line.net_amount, one.currency),
         "discount": money.plain(line.discount, one.currency), "points": line.points}
        for line in one.lines.order_by("id")
    ]  # fmt: skip


@router.post("/purchases/{uuid:purchase}/returns", auth=POS, response={201: ReturnOut, 202: WaitingOut})
def take_back(request: HttpRequest, response: HttpResponse, purchase: UUID, body: ReturnIn) -> Status[Any]:
    """Goods of a purchase come back: what the kept ones no longer earn is taken back, what was paid in points goes back."""

    def act() -> tuple[int, Any]:
        _may_be_generous(request, body)
        [outcome] = returns.take([Claim(_found(request, purchase).pk, body)], now=timezone.now(), actor=_key(request).pk)
        return _taken_back(outcome)

    return write(request, response, act)


@router.post("/returns", auth=POS, response={201: ReturnOut, 202: WaitingOut})
def take_back_by_number(request: HttpRequest, response: HttpResponse, body: ReceiptReturnIn) -> Status[Any]:
    """The same by the number of the receipt: one that is not known yet waits for its sale (202)."""

    def act() -> tuple[int, Any]:
        _may_be_generous(request, body)
        outcome = parking.take(_of_its_store(request, body), now=timezone.now(), actor=_key(request).pk)
        return _taken_back(outcome)

    return write(request, response, act)


def _taken_back(outcome: returns.Taken | Problem) -> tuple[int, Any]:
    if isinstance(outcome, Problem):
        raise outcome
    one = read_returns([outcome.id])[outcome.id]
    if one.purchase is None:
        return 202, {"id": str(one.pk), "status": "problem" if one.problem else "parked", "detail": one.problem}
    holder = one.purchase.member.holder
    return 201, _figures(one) | {"balance": queries.net_balances([holder])[holder]}


def _figures(one: PurchaseReturn) -> dict[str, Any]:
    return {
        "id": str(one.pk),
        "points_clawed_back": one.points_clawed_back,
        "points_returned": one.points_returned,
        "money_back": money.plain(one.money_back, one.currency),
    }


def _returned(one: PurchaseReturn) -> dict[str, Any]:
    """A return as it stands with its purchase."""
    lines = [
        {"line_id": line.line.line_id, "quantity": f"{line.quantity:f}", "net_amount": money.plain(line.net_amount, one.currency),
         "money_back": money.plain(line.money_back, one.currency), "points_returned": line.points_returned}
        for line in one.lines.all()
    ]  # fmt: skip
    return _figures(one) | {
        "return_number": one.return_number,
        "occurred_at": one.occurred_at.isoformat(),
        "recorded_at": one.recorded_at.isoformat(),
        "goodwill": one.goodwill,
        "reason": one.reason,
        "lines": lines,
    }


def _may_be_generous(request: HttpRequest, body: ReturnIn) -> None:
    """Letting a member keep the points of returned goods is a gift, which a till alone does not make."""
    if body.goodwill and not {"adjust", "configure"} & set(_key(request).scopes):
        raise Problem("forbidden-scope", "A goodwill return needs the scope adjust or configure too.", status=403)


def _of_its_store(request: HttpRequest, body: ReceiptReturnIn) -> ReceiptReturnIn:
    """A key that is bound to a store takes back what that store sold."""
    store = _key(request).store
    if store is None:
        return body
    if body.store not in (None, store.code):
        raise Problem("forbidden-scope", f"This key is bound to store {store.code}.", status=403)
    return body.model_copy(update={"store": store.code})


@router.get("/purchases/{uuid:purchase}/trace", auth=Key("pos", "read"))
def trace(request: HttpRequest, purchase: UUID) -> Any:
    """How the points came about: basis by line, each rule with its arithmetic, rounding, terms; in words and numbers."""
    one = _found(request, purchase)
    lines = [
        {"line_id": line.line_id, "basis": money.plain(line.basis, one.currency), "points": line.points,
         "excluded": line.excluded, "paid_in_points": money.plain(line.tender_amount, one.currency)}
        for line in one.lines.order_by("id")
    ]  # fmt: skip
    names = rules.names()
    said = explaining.sentences(one.trace, one.currency, names) + explaining.reasons(one.trace, names)
    return {"id": str(one.pk), "explanation": said, "lines": lines, **one.trace}


def answers(ids: list[UUID]) -> dict[UUID, dict[str, Any]]:
    """The answer that each purchase is told with, in a constant number of statements."""
    now, found = timezone.now(), read_purchases(ids)
    balances = queries.net_balances(one.member.holder for one in found.values())
    uses = vouchers_on(found)
    return {
        id_: _answer(one, balances[one.member.holder], now)
        | {"voucher_uses": [_used(use, one.currency) for use in uses.get(id_, ())]}
        for id_, one in found.items()
    }


def _used(use: VoucherUse, currency: str) -> dict[str, str | None]:
    """`remaining` is what this receipt left on a voucher that keeps its rest, none of others."""
    left = use.remaining
    return {
        "code": use.voucher.code, "amount": money.plain(use.amount or Decimal(0), currency),
        "remaining": None if left is None else money.plain(left, currency),
    }  # fmt: skip


def _answer(one: Purchase, balance: int, now: Any) -> dict[str, Any]:
    awards = list(one.awards.all())
    return {
        "id": str(one.pk),
        "points_earned": one.points_earned,
        "points_pending": sum(award.points for award in awards if award.available_at > now),
        "points_spent": one.points_spent,
        "discount": money.plain(one.discount, one.currency),
        "money_due": money.plain(one.net_amount - one.discount - one.tender_amount, one.currency),
        "currency": one.currency,
        "awards": [
            {
                "rule": award.rule_version.rule.code, "campaign": None, "points": award.points,
                "available_at": award.available_at.isoformat(),
                "expires_at": award.expires_at and award.expires_at.isoformat(),
                "explanation": explaining.award_sentence(str(award.rule_version_id), one.trace, one.currency),
            }
            for award in awards
        ],
        "balance": balance,
    }  # fmt: skip


def _batch(request: HttpRequest, body: BatchIn) -> list[dict[str, Any]]:
    judged: list[PurchaseIn | Problem] = [_parsed(request, item) for item in body.purchases]
    good = [one for one in judged if isinstance(one, PurchaseIn)]
    outcomes = iter(purchases.record(good, now=timezone.now(), actor=_key(request).pk))
    results = [one if isinstance(one, Problem) else next(outcomes) for one in judged]
    told = answers([one.id for one in results if isinstance(one, Recorded)])
    return [_result(item, one, told) for item, one in zip(body.purchases, results, strict=True)]


def _parsed(request: HttpRequest, item: dict[str, Any]) -> PurchaseIn | Problem:
    try:
        one = PurchaseIn.model_validate(item)
        _only_its_store(request, one)
    except ValidationError as error:
        return problem_of(error)
    except Problem as problem:
        return problem
    return one


def _result(item: dict[str, Any], one: Recorded | Problem, told: dict[UUID, dict[str, Any]]) -> dict[str, Any]:
    number = item.get("receipt_number")
    if not (isinstance(number, str) and number.isprintable() and len(number) <= NUMBER_LENGTH):
        number = None
    if isinstance(one, Problem):
        wrong = [{"pointer": fault.pointer, "detail": fault.detail} for fault in one.faults]
        problem = {"type": one.slug, "title": one.title, "status": one.status, "detail": one.detail, "errors": wrong}
        return {"receipt_number": number, "status": one.status, "problem": problem}
    return {"receipt_number": number, "status": 201, "id": str(one.id), "points_earned": told[one.id]["points_earned"]}


def _only_its_store(request: HttpRequest, body: BasketIn | EventIn) -> None:
    key = _key(request)
    if key.store is not None and body.store not in (None, key.store.code):
        raise Problem("forbidden-scope", f"This key is bound to store {key.store.code}.", status=403)


def _found(request: HttpRequest, purchase: UUID) -> Purchase:
    key = _key(request)
    one = read_purchases([purchase]).get(purchase)
    if one is None or (key.store_id is not None and key.store_id != one.store_id):
        raise Problem("not-found", "No purchase has this id.", status=404)
    return one


@acts.post("/events", auth=POS, response={201: EventOut})
def record_event(request: HttpRequest, response: HttpResponse, body: EventIn) -> Status[Any]:
    """What a member did beside buying earns points, once."""

    def act() -> tuple[int, Any]:
        _only_its_store(request, body)
        [outcome] = events.record([body.happened()], now=timezone.now(), actor=_key(request).pk)
        if isinstance(outcome, Problem):
            raise outcome
        return 201, event_answer(outcome.id)

    return write(request, response, act)


def event_answer(id_: UUID) -> dict[str, Any]:
    """What an event that stands is told with."""
    one, names = events_of([id_])[id_], rules.names()
    return {
        "id": str(one.pk),
        "points_earned": one.points_earned,
        "awards": [_award(award) for award in one.awards.all()],
        "explanation": explaining.sentences(one.trace, "", names) + explaining.reasons(one.trace, names),
        "balance": queries.net_balances([one.member.holder])[one.member.holder],
    }


def _award(award: Award) -> dict[str, Any]:
    return {
        "rule": award.rule_version.rule.code, "campaign": None, "points": award.points,
        "available_at": award.available_at.isoformat(),
        "expires_at": award.expires_at and award.expires_at.isoformat(),
        "explanation": explaining.award_sentence(str(award.rule_version_id), award.cause.trace, award.currency),
    }  # fmt: skip


def _key(request: HttpRequest) -> ApiKey:
    return request.auth  # type: ignore[attr-defined,no-any-return]
