"""Vouchers on receipts: checked, spread over the lines, and used with the receipt that they come with."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from fractions import Fraction
from uuid import UUID

from django.db.models import F, Q
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
    """A voucher and what it took off the lines of a receipt; `remaining` is what it left of one that keeps its rest."""

    voucher: Voucher
    basket: Basket
    by_line: Sequence[Decimal]
    remaining: Decimal | None

    @property
    def amount(self) -> Decimal:
        return sum(self.by_line, discounts.NOTHING)


@dataclass(frozen=True, slots=True)
class _Held:
    """Vouchers by their codes, and on which receipts they were used by themselves before: id, source, number."""

    by_code: dict[str, Voucher]
    used: set[tuple[UUID, str, str]]


def apply(baskets: Sequence[Basket], *, now: datetime, actor: UUID | None = None) -> list[list[Decimal]]:
    """Use the vouchers of each receipt, and say what they take off each of its lines.

    Runs inside the caller's transaction, behind the members' wallets; a constant number of statements. Raises Problem when
    one cannot be used: the caller rolls back.
    """
    held = _held(baskets, lock=True)
    planned = [_planned(held, basket, now) for basket in baskets]
    if uses := [one for some in planned for one in some]:
        bulk.insert(VoucherUse, [_row(one, now, actor) for one in uses])
        issuing.write({one.voucher.pk: one.voucher for one in uses}.values(), now=now, actor=actor)
        outbox.tell(_event(one) for one in uses)
    return [_by_line(some, basket) for some, basket in zip(planned, baskets, strict=True)]


def foresee(basket: Basket, *, now: datetime) -> list[Decimal]:
    """What `apply` would take off each line; nothing is locked or used. Raises Problem when one cannot be used."""
    return _by_line(_planned(_held([basket], lock=False), basket, now), basket)


def would_apply(member: UUID, store: StoreFacts, items: Sequence[Item], coin: Decimal, *, now: datetime) -> list[str]:
    """The codes of the member's vouchers that could be used on such a receipt now, each by itself; soonest end first."""
    mine = Voucher.objects.filter(member=member, ended_at=None, valid_from__lte=now, valid_until__gt=now, used__lt=F("uses"))
    return [
        one.code
        for one in mine.select_related("redemption__reward", "member").order_by("valid_until", "pk")
        if _fits(one, store, items, now) and any(discounts.spread([_benefit(one)], items, coin)[0])
    ]


def used_on(purchase: UUID) -> list[str]:
    """The codes of the vouchers that count as used with it."""
    uses = VoucherUse.objects.filter(purchase=purchase, released_at=None).order_by("id")
    return list(uses.values_list("voucher__code", flat=True))


@dataclass(frozen=True, slots=True)
class Back:
    """Of each line of a member's receipt the share that came back by now; `is_over`: nothing of the receipt is kept."""

    member: UUID
    receipt: tuple[str, str]
    shares: Sequence[Fraction]
    coin: Decimal
    is_over: bool


def give_back(returned: Mapping[UUID, Back], *, now: datetime, actor: UUID | None = None) -> None:
    """The member's vouchers of receipts that were wholly returned are free again; a second time changes nothing.

    Whether they were used with the purchase, or by themselves under its number. To one that keeps its rest the part that its
    goods bore goes back with them, rounded down to coins until all is back. Runs behind the members' wallets.
    """
    rows = VoucherUse.objects.filter(purchase__in=list(returned), released_at=None).order_by("id")
    freed, parts = _used_alone([one for one in returned.values() if one.is_over]), []
    for use in rows:
        back = returned[use.purchase]  # type: ignore[index]
        due = None if use.taken is None else _due_back(use, back)
        if back.is_over and (due is None or use.given_back + due == use.taken):
            freed.append(use)
        elif due:
            parts.append((use, due))
    ids = {one.voucher_id for one in (*freed, *(use for use, _due in parts))}
    if ids:
        held = list(Voucher.objects.filter(pk__in=ids).order_by("pk").select_for_update())
        issuing.free(held, freed, parts, now=now, actor=actor)


def due_back(purchase: UUID, back: Back) -> dict[UUID, Decimal]:
    """What `give_back` would put back onto each voucher that keeps its rest; nothing is locked or written."""
    uses = list(VoucherUse.objects.filter(purchase=purchase, taken__isnull=False, released_at=None))
    if not back.is_over:
        return {one.voucher_id: _due_back(one, back) for one in uses}
    alone = [one for one in _used_alone([back]) if one.taken is not None]
    return {one.voucher_id: one.taken - one.given_back for one in (*uses, *alone) if one.taken is not None}


def _used_alone(whole: Collection[Back]) -> list[VoucherUse]:
    """Uses by themselves that name the receipt of their own member."""
    receipts = {(one.member, *one.receipt) for one in whole}
    if not receipts:
        return []
    members, _sources, numbers = zip(*receipts, strict=True)
    rows = VoucherUse.objects.filter(purchase=None, released_at=None, voucher__member__in=members, receipt_number__in=numbers)
    return [one for one in rows.select_related("voucher") if (one.voucher.member_id, one.source, one.receipt_number) in receipts]


def _due_back(use: VoucherUse, back: Back) -> Decimal:
    """What of a use is to go back now, after what went before."""
    assert use.by_line is not None, "what took an amount says from which lines"
    coins = (int(Decimal(part) / back.coin) * share for part, share in zip(use.by_line, back.shares, strict=True))
    return sum(coins, Fraction(0)) // 1 * back.coin - use.given_back


def _planned(held: _Held, basket: Basket, now: datetime) -> list[_Used]:
    """What each voucher takes off, in the order they are named, counted on the vouchers that are `held`."""
    vouchers = [_insisted(held, place, basket, now) for place in range(len(basket.codes))]
    parts = discounts.spread([_benefit(one) for one in vouchers], basket.items, basket.coin)
    planned = []
    for place, (one, part) in enumerate(zip(vouchers, parts, strict=True)):
        if not any(part):
            raise _refused(place, issuing.nothing_for_it())
        issuing.spend(one, sum(part, discounts.NOTHING))
        planned.append(_Used(one, basket, part, one.remaining))
    return planned


def _held(baskets: Sequence[Basket], *, lock: bool) -> _Held:
    """Locked in one order by all receipts."""
    wanted = {parsed for one in baskets for code in one.codes if (parsed := issuing.parse(code))}
    if not wanted:
        return _Held({}, set())
    own = Q(code__in=wanted, member__in={one.member for one in baskets})  # whose wallets are held; nobody else's is locked
    rows = Voucher.objects.filter(own).order_by("pk").select_related("redemption__reward", "member")
    held = {one.code: one for one in (rows.select_for_update(of=("self",)) if lock else rows)}
    before = VoucherUse.objects.filter(
        voucher__in=[one.pk for one in held.values()],
        receipt_number__in={one.receipt_number for one in baskets},
        released_at=None,
    )
    return _Held(held, set(before.values_list("voucher", "source", "receipt_number")))


def _insisted(held: _Held, place: int, basket: Basket, now: datetime) -> Voucher:
    code = issuing.parse(basket.codes[place]) or ""
    one = held.by_code.get(code)
    if one is None and not Voucher.objects.filter(code=code).exists():
        raise _refused(place, Problem("validation", _("There is no voucher with this code.")))
    if one is None or one.member_id != basket.member:
        raise _refused(place, Problem("not-eligible", _("This voucher is another member’s."), status=409))
    if (one.pk, basket.source, basket.receipt_number) in held.used:
        raise _refused(place, Problem("already-used", _("It was used on this receipt before."), status=409))
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
    value = one.value if one.remaining is None else one.remaining
    return Benefit(Kind(one.type), value, frozenset(one.categories), one.code)


def _by_line(uses: Sequence[_Used], basket: Basket) -> list[Decimal]:
    return [sum((one.by_line[line] for one in uses), discounts.NOTHING) for line in range(len(basket.items))]


def _row(one: _Used, now: datetime, actor: UUID | None) -> dict[str, object]:
    basket = one.basket
    return {
        "voucher_id": one.voucher.pk, "store_id": basket.store.id, "source": basket.source,
        "receipt_number": basket.receipt_number, "amount": one.amount, "at": now, "actor": actor, "purchase": basket.purchase,
        "taken": None if one.remaining is None else one.amount, "remaining": one.remaining,
        "by_line": None if one.remaining is None else [str(part) for part in one.by_line],
    }  # fmt: skip


def _event(one: _Used) -> outbox.Event:
    facts = {"voucher": str(one.voucher.pk), "store": one.basket.store.code, "purchase": str(one.basket.purchase)}
    return outbox.Event("voucher.used", one.voucher.member_id, facts)
