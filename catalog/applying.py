"""Vouchers on receipts: checked, spread over the lines, and used with the receipt that they come with."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from django.db.models import F
from django.utils.translation import gettext as _

from catalog import discounts, issuing
from catalog.discounts import Benefit, Item, Kind
from catalog.models import Reward, Voucher, VoucherUse
from loyalty import bulk, outbox
from loyalty.problems import Fault, Problem
from loyalty.queries import StoreFacts


@dataclass(frozen=True, slots=True)
class Basket:
    """A receipt that brings vouchers. `coin` is the smallest of its currency; `purchase` the id that it will have."""

    purchase: UUID
    member: UUID
    store: StoreFacts
    source: str
    receipt_number: str
    codes: Sequence[str]
    items: Sequence[Item]
    coin: Decimal


@dataclass(frozen=True, slots=True)
class _Used:
    """A voucher that took `amount` off a receipt."""

    voucher: Voucher
    basket: Basket
    amount: Decimal


def apply(baskets: Sequence[Basket], *, now: datetime, actor: UUID | None = None) -> list[list[Decimal]]:
    """Use the vouchers of each receipt, and say what they take off each of its lines.

    Runs inside the caller's transaction, behind the members' wallets; a constant number of statements. Raises Problem when
    one cannot be used: the caller rolls back.
    """
    held = _held(code for one in baskets for code in one.codes)
    taken: list[list[Decimal]] = []
    uses: list[_Used] = []
    for basket in baskets:
        vouchers = [_insisted(held, place, basket, now) for place in range(len(basket.codes))]
        parts = discounts.spread([_benefit(one) for one in vouchers], basket.items, basket.coin)
        for place, (one, part) in enumerate(zip(vouchers, parts, strict=True)):
            if not any(part):
                raise _refused(
                    place, Problem("not-eligible", _("Nothing on this receipt is what the voucher is for."), status=409)
                )
            one.used += 1
            uses.append(_Used(one, basket, sum(part, discounts.NOTHING)))
        taken.append(_by_line(parts, len(basket.items)))
    bulk.insert(VoucherUse, [_row(one, now, actor) for one in uses])
    for times, ids in issuing.by_count(one.voucher.pk for one in uses).items():
        Voucher.objects.filter(pk__in=ids).update(used=F("used") + times)
    outbox.tell(_event(one) for one in uses)
    return taken


def would_apply(member: UUID, store: StoreFacts, items: Sequence[Item], coin: Decimal, *, now: datetime) -> list[str]:
    """The codes of the member's vouchers that could be used on such a receipt now, each by itself; soonest end first."""
    mine = Voucher.objects.filter(member=member, ended_at=None, valid_from__lte=now, valid_until__gt=now, used__lt=F("uses"))
    return [
        one.code
        for one in mine.select_related("redemption__reward").order_by("valid_until", "pk")
        if _fits(one, store, items, now) and any(discounts.spread([_benefit(one)], items, coin)[0])
    ]


def used_on(purchase: UUID) -> list[str]:
    """The codes of the vouchers that count as used with it."""
    uses = VoucherUse.objects.filter(purchase=purchase, released_at=None).order_by("id")
    return list(uses.values_list("voucher__code", flat=True))


def give_back(purchases: Iterable[UUID], *, now: datetime) -> None:
    """The vouchers of receipts that were wholly returned are free again; a second time changes nothing."""
    uses = VoucherUse.objects.filter(purchase__in=list(purchases), released_at=None)
    held = list(Voucher.objects.filter(pk__in=uses.values("voucher")).order_by("pk").select_for_update())
    if held:
        issuing.free(list(uses), now=now)


def _held(codes: Iterable[str]) -> dict[str, Voucher]:
    """Locked in one order by all receipts."""
    wanted = {parsed for code in codes if (parsed := issuing.parse(code))}
    rows = Voucher.objects.select_for_update(of=("self",)).filter(code__in=wanted).order_by("pk")
    return {one.code: one for one in rows.select_related("redemption__reward")}


def _insisted(held: dict[str, Voucher], place: int, basket: Basket, now: datetime) -> Voucher:
    one = held.get(issuing.parse(basket.codes[place]) or "")
    if one is None:
        raise _refused(place, Problem("validation", _("There is no voucher with this code.")))
    if one.member_id != basket.member:
        raise _refused(place, Problem("not-eligible", _("This voucher is another member’s."), status=409))
    if _is_handed_over(one):
        detail = _("This is handed over by itself: use it without the receipt.")
        raise _refused(place, Problem("not-eligible", detail, status=409))
    try:
        issuing.insist(one, basket.store.code, discounts.worth(_benefit(one), basket.items), now=now)
    except Problem as problem:
        raise _refused(place, problem) from None
    return one


def _fits(one: Voucher, store: StoreFacts, items: Sequence[Item], now: datetime) -> bool:
    try:
        issuing.insist(one, store.code, discounts.worth(_benefit(one), items), now=now)
    except Problem:
        return False
    return not _is_handed_over(one)


def _is_handed_over(one: Voucher) -> bool:
    """Goods bought with points stand on no receipt; without a category nobody could tell which line they are."""
    bought = one.redemption is not None and one.redemption.reward.kind != Reward.Kind.VOUCHER
    return bought and one.type == Voucher.Type.ITEM and not one.categories


def _refused(place: int, problem: Problem) -> Problem:
    problem.faults = [Fault(f"/vouchers/{place}", problem.detail)]
    return problem


def _benefit(one: Voucher) -> Benefit:
    return Benefit(Kind(one.type), one.value, frozenset(one.categories), one.code)


def _by_line(parts: Sequence[Sequence[Decimal]], lines: int) -> list[Decimal]:
    return [sum((part[line] for part in parts), discounts.NOTHING) for line in range(lines)]


def _row(one: _Used, now: datetime, actor: UUID | None) -> dict[str, object]:
    basket = one.basket
    return {
        "voucher_id": one.voucher.pk, "store_id": basket.store.id, "source": basket.source,
        "receipt_number": basket.receipt_number, "amount": one.amount, "at": now, "actor": actor, "purchase": basket.purchase,
    }  # fmt: skip


def _event(one: _Used) -> outbox.Event:
    facts = {"voucher": str(one.voucher.pk), "store": one.basket.store.code, "purchase": str(one.basket.purchase)}
    return outbox.Event("voucher.used", one.voucher.member_id, facts)
