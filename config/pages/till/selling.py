"""A sale at a till: one line without goods, taken once under its number, with the vouchers that were handed over with it."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from django.db import transaction
from django.utils.formats import number_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from pydantic import ValidationError

from campaigns import parking, purchases, queries
from campaigns.models import Purchase
from campaigns.schemas import BasketIn, LineIn, PurchaseIn
from catalog import issuing
from catalog.issuing import Use
from catalog.models import Voucher
from config.pages.till import paying
from loyalty import auditing, limits, money, terms
from loyalty import queries as ledger
from loyalty.acts import Refusal
from loyalty.problems import Problem, problem_of
from loyalty.queries import StoreFacts
from loyalty.terms import Terms
from members import pins, spending, tilling
from members.models import Member, Shift, StaffProfile, TillAct
from members.tilling import Done, Kind

LINE = "1"


@dataclass(frozen=True, slots=True)
class Sale:
    """`number` is that of the receipt, or one that the till made; `at` the moment of the sale.

    `amount` is what the goods cost, before vouchers and points. `code` is what the member read out, when points are used.
    """

    member: Member
    amount: Decimal
    number: str
    at: datetime
    points: int = 0
    vouchers: Sequence[UUID] = field(default_factory=list)
    offline: bool = False
    code: str = ""


@dataclass(frozen=True, slots=True)
class Promise:
    """What a sale would give, the balance after it, and what is left to pay."""

    points: int
    balance: int
    due: str

    def sentence(self) -> str:
        """Gives 186 points. New balance 1,426."""
        text = ngettext(
            "Gives %(points)s point. New balance %(balance)s.", "Gives %(points)s points. New balance %(balance)s.", self.points
        )
        return text % {"points": number_format(self.points), "balance": number_format(self.balance)}


def shop_of(shift: Shift) -> StoreFacts:
    return ledger.stores_by_code([shift.device.store.code])[shift.device.store.code]


def promise(shift: Shift, sale: Sale, *, now: datetime) -> Promise:
    """What it would give now; nothing moves. Raises Problem when its points or vouchers cannot be used."""
    member, contract = sale.member, terms.current(now)
    if sale.points:
        _insist_on_verified(member)
    basket = BasketIn(
        store=shift.device.store.code, member=str(member.pk), occurred_at=now, currency=contract.currency,
        lines=[LineIn(line_id=LINE, net_amount=sale.amount)],
    )  # fmt: skip
    facts = purchases.gather([basket], now=now)
    if problem := purchases.refusal(basket, facts, now=now):
        raise problem
    taken_off = [one.code for one in _brought(sale) if issuing.is_taken_off(one)]
    seen = purchases.preview(basket, facts, now, vouchers=taken_off, points=sale.points)
    given = seen.judgement.points
    before = ledger.net_balances([member.holder])[member.holder]
    return Promise(given, before - sale.points + given, money.text(seen.due, contract.currency))


def sell(shift: Shift, sale: Sale, *, now: datetime, manager: StaffProfile | None = None) -> TillAct:
    """Take the sale and use its vouchers, all or nothing; the same number again answers as it stands. Raises Problem.

    With a `manager`, whose PIN was right, the points are granted by the manager, within the manager's limits; the act stays
    that of whoever is at the till.
    """
    shop, actor = shop_of(shift), (manager or shift.staff).user.actor
    if known := tilling.standing(shop.id, sale.number, Kind.SALE):
        return same(known, sale)
    for one in (shift.staff, manager):
        if one:
            _insist_on_another(sale.member, one)
    if sale.points:
        _insist_on_verified(sale.member)
    code = spending.check(sale.member, shop.id, sale.points, sale.code, now=now) if sale.points and sale.code else None
    with transaction.atomic():
        parking.sales_are_coming()
        if known := tilling.done_meanwhile(sale.member, shop.id, sale.number, Kind.SALE):
            return same(known, sale)
        if sale.points:
            spending.settle(sale.member, shop.id, sale.points, code, now=now)
        purchase = _bought(sale, shop, now=now, actor=actor)
        _insist_on_one_limit(manager or shift.staff, purchase.points_earned, now)
        done = Done(
            Kind.SALE, sale.member.pk, purchase.pk, sale.number, points=purchase.points_earned - purchase.points_spent,
            amount=sale.amount, unproved=0 if code else purchase.points_spent,
            vouched_by=actor if manager else None,
        )  # fmt: skip
        act = tilling.write(shift, done, at=sale.at, offline=sale.offline)
        if manager:
            facts = {"staff": str(shift.staff.user.actor), "points": done.points, "number": sale.number}
            auditing.record(actor, "till.vouched", "members.tillact", act.pk, facts)
        return act


def _bought(sale: Sale, shop: StoreFacts, *, now: datetime, actor: UUID) -> Purchase:
    """The receipt is taken, and what is handed over with it. Raises Problem."""
    vouchers = _brought(sale)
    [answer] = purchases.record([_receipt(sale, shop.code, vouchers)], now=now, actor=actor)
    if isinstance(answer, Problem):
        raise answer
    use = Use(shop, tilling.source(shop.code), sale.number, sale.amount)
    for handed in [one.code for one in vouchers if not issuing.is_taken_off(one)]:
        issuing.use(handed, use, now=now, actor=actor)
    return queries.purchases([answer.id])[answer.id]


def same(known: TillAct, sale: Sale) -> TillAct:
    """The act that stands under the sale's number. Raises Problem when it is another sale."""
    if (known.member_id, known.amount) != (sale.member.pk, sale.amount):
        raise purchases.number_taken()
    return known


def called(one: Voucher, contract: Terms) -> str:
    """What a cashier ticks."""
    return " · ".join(part for part in (one.title, takes_off(one, contract), paying.to_pay(one, contract)) if part)


def takes_off(one: Voucher, contract: Terms) -> str:
    """What it takes off a bill; nothing for what is handed over."""
    if one.remaining is not None:
        return _("Take up to %(amount)s off.") % {"amount": money.text(one.remaining, contract.currency)}
    if one.type == Voucher.Type.AMOUNT:
        return _("Take %(amount)s off.") % {"amount": money.text(one.value, contract.currency)}
    if one.type == Voucher.Type.PERCENT:
        return _("Take %(percent)s %% off.") % {"percent": f"{one.value.normalize():f}"}
    return ""


def _brought(sale: Sale) -> list[Voucher]:
    return list(Voucher.objects.filter(pk__in=sale.vouchers, member=sale.member).order_by("pk")) if sale.vouchers else []


def _receipt(sale: Sale, store: str, vouchers: Sequence[Voucher]) -> PurchaseIn:
    try:
        return PurchaseIn(
            source=tilling.source(store), receipt_number=sale.number, store=store, member=str(sale.member.pk),
            occurred_at=sale.at, currency=terms.current(sale.at).currency, points_tender=sale.points,
            lines=[LineIn(line_id=LINE, net_amount=sale.amount)],
            vouchers=[one.code for one in vouchers if issuing.is_taken_off(one)],
        )  # fmt: skip
    except ValidationError as error:
        raise problem_of(error) from error


def _insist_on_another(member: Member, staff: StaffProfile) -> None:
    user = staff.user
    if member.user_id == user.pk or (member.email and member.email.lower() == user.email.lower()):
        raise Problem("not-eligible", _("This card is your own: a colleague has to give the points."), status=409)


def _insist_on_one_limit(staff: StaffProfile, points: int, now: datetime) -> None:
    """Whoever has set somebody's PIN may be that one too, and has not two persons' limits."""
    other = pins.set_by_another(staff)
    if other and not limits.counts_too(other, points, now=now):
        raise Problem(Refusal.NEEDS_APPROVAL, _("This is more than you may give alone. A manager can give it."), status=409)


def _insist_on_verified(member: Member) -> None:
    if not member.is_verified:
        detail = _("Points can be used once the phone number or the e-mail address is confirmed.")
        raise Problem("not-eligible", detail, status=409)
