"""Rewards, redemptions and vouchers for tills. A key that is bound to a store acts for that store alone."""

from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from ninja import P, QueryEx, Router, Status

from catalog import issuing, keeping, offers, redeeming, showing
from catalog.issuing import Use
from catalog.models import Redemption, Reward, Voucher
from catalog.offers import Priced
from catalog.redeeming import Ask
from catalog.redemptionschemas import CancelIn, ConfirmIn, RedemptionIn, ReleaseIn, UseIn
from loyalty import money, queries, terms
from loyalty.endpoints import write
from loyalty.paging import LIMIT_MAX, decode, page
from loyalty.problems import Fault, Problem
from loyalty.queries import StoreFacts
from loyalty.schemas import Nothing
from members.access import Key
from members.api import found
from members.models import ApiKey, Member
from members.queries import resolve

router = Router(tags=["Catalogue"])
POS, LOOK, SEE = Key("pos"), Key("pos", "read"), Key("pos", "read", "configure")
type Limit = QueryEx[int, P(ge=1, le=LIMIT_MAX)]
# Longer than any card number or id.
REFERENCE = 80


@router.get("/rewards", auth=SEE)
def rewards(
    request: HttpRequest,
    member: QueryEx[str | None, P(max_length=REFERENCE)] = None,
    store: QueryEx[str | None, P(max_length=REFERENCE)] = None,
    limit: Limit = 50,
    cursor: str | None = None,
) -> Any:
    """What can be had, cheapest first: at this member's price of now, or at the price that everybody pays.

    For a key of scope `configure` that names neither a member nor a store: all rewards as they were put.
    """
    if "configure" in _key(request).scopes and member is None and store is None:
        return _kept(limit, _after(cursor))
    _insist_on_prices(_key(request))
    now, place = timezone.now(), _store(_key(request), store)
    contract, rows = terms.current(now), offers.standing(after=_after(cursor), limit=limit + 1)
    asking = _member(member) if member is not None else None
    if asking:
        seen = offers.priced(rows, asking, now=now, zone=contract.zone, store=place)
    else:
        seen = offers.priced_for_all(rows, now=now, zone=contract.zone, store=place)
    language = asking.language if asking else None
    return page(seen, limit, _place, lambda one: showing.reward(one, contract.currency, language))


def _place(one: Priced) -> list[Any]:
    return [one.reward.points, one.reward.code]


def _kept(limit: int, after: tuple[int, str] | None) -> Any:
    """Every reward, withdrawn ones too."""
    contract = terms.current(timezone.now())
    rows = keeping.every(after=after, limit=limit + 1)
    return page(rows, limit, lambda one: [one.points, one.code], lambda one: showing.kept(one, contract))


def _insist_on_prices(key: ApiKey) -> None:
    if not set(LOOK.scopes) & set(key.scopes):
        raise Problem("forbidden-scope", "Prices of a member or in a store are for keys of scope pos or read.", status=403)


@router.post("/redemptions", auth=POS, response={201: Any})
def redeem(request: HttpRequest, response: HttpResponse, body: RedemptionIn) -> Status[Any]:
    """Take the points and set the reward aside for 15 minutes; with `confirm` make it final at once."""

    def act() -> tuple[int, Any]:
        key, now = _key(request), timezone.now()
        wanted = Reward.objects.filter(code=body.reward).select_related("code_pool").first()
        if wanted is None:
            raise _wrong("validation", "/reward", _("There is no reward %(code)s.") % {"code": body.reward})
        ask = Ask(_member(body.member), wanted, body.quantity, _store(key, body.store), body.points, body.money)
        one = redeeming.reserve(ask, now=now, actor=key.pk)
        if body.confirm:
            one = redeeming.confirm(one.pk, keep=body.keep, now=now, actor=key.pk)
        return 201, _told(one.pk)

    return write(request, response, act)


@router.get("/redemptions/{uuid:redemption}", auth=LOOK)
def read(request: HttpRequest, redemption: UUID) -> Any:
    return _told(_mine(request, redemption), codes="pos" in _key(request).scopes)


@router.post("/redemptions/{uuid:redemption}/confirm", auth=POS, response={200: Any})
def confirm(request: HttpRequest, response: HttpResponse, redemption: UUID, body: ConfirmIn | None = None) -> Status[Any]:
    """Make it final: the voucher is issued, a partner's code is shown."""

    def act() -> tuple[int, Any]:
        keep = body.keep if body else True
        redeeming.confirm(_mine(request, redemption), keep=keep, now=timezone.now(), actor=_key(request).pk)
        return 200, _told(redemption)

    return write(request, response, act)


@router.post("/redemptions/{uuid:redemption}/cancel", auth=POS, response={200: Any})
def cancel(request: HttpRequest, response: HttpResponse, redemption: UUID, body: CancelIn) -> Status[Any]:
    """Give the points back to where they came from."""

    def act() -> tuple[int, Any]:
        by_merchant = body.by == "merchant"
        redeeming.cancel(
            _mine(request, redemption), by_merchant=by_merchant, reason=body.reason, now=timezone.now(), actor=_key(request).pk
        )
        return 200, _told(redemption)

    return write(request, response, act)


@router.post("/redemptions/{uuid:redemption}/fulfil", auth=POS, response={200: Any})
def fulfil(request: HttpRequest, response: HttpResponse, redemption: UUID, body: Nothing | None = None) -> Status[Any]:
    """It was handed over."""

    def act() -> tuple[int, Any]:
        redeeming.fulfil(_mine(request, redemption), now=timezone.now(), actor=_key(request).pk)
        return 200, _told(redemption)

    return write(request, response, act)


@router.get("/vouchers/{code}", auth=LOOK)
def voucher(request: HttpRequest, code: str) -> Any:
    return _shown(issuing.found(code))


@router.post("/vouchers/{code}/use", auth=POS, response={200: Any})
def use(request: HttpRequest, response: HttpResponse, code: str, body: UseIn) -> Status[Any]:
    """Use it once, on this receipt; the same receipt again answers the same. `taken`: of a voucher that keeps its rest."""

    def act() -> tuple[int, Any]:
        key = _key(request)
        place = _store(key, body.store)
        if place is None:
            raise _wrong("validation", "/store", _("Say in which shop it is used."))
        given = Use(place, body.source, body.receipt_number, body.amount, most=body.amount)
        one = issuing.use(code, given, now=timezone.now(), actor=key.pk)
        return 200, _shown(one) | {"taken": _taken(one, body)}

    return write(request, response, act)


@router.post("/vouchers/{code}/release", auth=POS, response={200: Any})
def release(request: HttpRequest, response: HttpResponse, code: str, body: ReleaseIn) -> Status[Any]:
    """Give the use on this receipt back, because it was returned or never rung up."""

    def act() -> tuple[int, Any]:
        key, now = _key(request), timezone.now()
        place = _store(key, body.store)
        store = place.id if place else None
        return 200, _shown(issuing.release(code, body.source, body.receipt_number, store=store, now=now, actor=key.pk))

    return write(request, response, act)


@router.get("/members/{uuid:member}/vouchers", auth=LOOK, tags=["Members"])
def vouchers(request: HttpRequest, member: UUID, limit: Limit = 50, cursor: str | None = None) -> Any:
    """The newest first, used and ended ones too."""
    now, position = timezone.now(), decode(cursor, 1)
    contract = terms.current(now)
    rows = Voucher.objects.filter(member=found(member)).order_by("-id")
    if position:
        rows = rows.filter(pk__lt=_id_in(position[0]))
    return page(
        list(rows[: limit + 1]), limit, lambda one: [str(one.pk)], lambda one: showing.voucher(one, contract.currency, now)
    )


def _told(redemption: UUID, *, codes: bool = True) -> dict[str, Any]:
    now = timezone.now()
    one = Redemption.objects.select_related("member", "reward", "store").get(pk=redemption)
    return showing.redemption(one, terms.current(now).currency, now, codes=codes)


def _shown(one: Voucher) -> dict[str, Any]:
    now = timezone.now()
    return showing.voucher(one, terms.current(now).currency, now)


def _taken(one: Voucher, body: UseIn) -> str | None:
    amount = issuing.taken(one, body.source, body.receipt_number)
    return None if amount is None else money.plain(amount, terms.current(timezone.now()).currency)


def _mine(request: HttpRequest, redemption: UUID) -> UUID:
    """The redemption, if it is of this key's store or of no store in particular. Raises Problem."""
    store = _key(request).store_id
    row = Redemption.objects.filter(pk=redemption).values_list("store").first()
    if row is None or (store is not None and row[0] not in (None, store)):
        raise Problem("not-found", _("There is no such redemption."), status=404)
    return redemption


def _store(key: ApiKey, code: str | None) -> StoreFacts | None:
    """The store that is named, or the key's own; None where neither says one. Raises Problem."""
    if key.store is not None:
        if code not in (None, key.store.code):
            raise Problem("forbidden-scope", f"This key is bound to store {key.store.code}.", status=403)
        code = key.store.code
    if code is None:
        return None
    one = queries.stores_by_code([code.replace("\0", "")]).get(code)
    if one is None or (one.closed_at and timezone.now() >= one.closed_at):
        detail = _("The store %(code)s is closed.") if one else _("There is no store %(code)s.")
        raise _wrong("unknown-store", "/store", detail % {"code": code})
    return one


def _member(reference: str) -> Member:
    known = resolve([reference.replace("\0", "")]).get(reference)
    if known is None:
        raise _wrong("unknown-member", "/member", _("No member has the card or id %(text)s.") % {"text": reference})
    return Member.objects.get(pk=known.id)


def _after(cursor: str | None) -> tuple[int, str] | None:
    position = decode(cursor, 2)
    if position is None:
        return None
    points, code = position
    if not (isinstance(points, int) and isinstance(code, str)) or abs(points) >= 2**63 or "\0" in code:
        raise _no_cursor()
    return points, code


def _id_in(text: Any) -> UUID:
    try:
        return UUID(text)
    except (ValueError, TypeError, AttributeError):
        raise _no_cursor() from None


def _no_cursor() -> Problem:
    return Problem("validation", "The cursor is not one that a list answered.")


def _wrong(slug: str, pointer: str, detail: str) -> Problem:
    return Problem(slug, detail, faults=[Fault(pointer, detail)])


def _key(request: HttpRequest) -> ApiKey:
    return request.auth  # type: ignore[attr-defined,no-any-return]
