"""A redemption from reservation to delivery, or back (SEMANTICS 7).

Reserve is one transaction: the wallet is locked, then the stock, then the points are burned. Whatever comes to nothing
restores them to the same lots. Each step is one conditional update, so that two tills cannot both take it.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from uuid import UUID

import structlog
from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from catalog import issuing, offers, steps, stock
from catalog.models import Code, Redemption, Reward, Voucher
from catalog.pricing import Why
from loyalty import money, posting, terms
from loyalty.acts import Burn, Posted, Refusal, Restore
from loyalty.ids import uuid7
from loyalty.problems import Fault, Problem
from loyalty.queries import StoreFacts
from loyalty.terms import Terms
from members.models import Member

Status = Redemption.Status
RESERVED_FOR = timedelta(minutes=15)
# How long points live on that come back after their own end: when the merchant cancelled; when a voucher was not used.
GRACE_OF_MERCHANT = timedelta(days=14)
GRACE_OF_VOUCHER = timedelta(days=7)
log = structlog.get_logger(__name__)

SAID = {
    Why.WITHDRAWN: ("not-eligible", gettext_lazy("This reward is not offered any more.")),
    Why.NOT_YET: ("not-eligible", gettext_lazy("This reward is not offered yet.")),
    Why.ENDED: ("expired", gettext_lazy("This reward is not offered any more.")),
    Why.NOT_NOW: ("not-eligible", gettext_lazy("This reward can be had on other days or at other hours.")),
    Why.TIER: ("not-eligible", gettext_lazy("This reward is for another tier.")),
    Why.STORE: ("not-eligible", gettext_lazy("This reward is for other shops.")),
    Why.LIMIT: ("limit-reached", gettext_lazy("The member has had this reward as often as it can be had.")),
    Why.STOCK: ("out-of-stock", gettext_lazy("Out of stock at the moment. The points are still the member’s.")),
    Why.POINTS: ("insufficient-points", gettext_lazy("The member has fewer points than that.")),
    Why.DEFICIT: ("deficit", gettext_lazy("The member owes points of a return; none can be used until that is made up.")),
    Why.BLOCKED: ("not-eligible", gettext_lazy("This card is blocked or closed; nothing can be had for it.")),
    Why.UNVERIFIED: ("not-eligible", gettext_lazy("The member’s e-mail or phone has to be verified first.")),
}
REFUSED = {Refusal.INSUFFICIENT_POINTS: Why.POINTS, Refusal.DEFICIT: Why.DEFICIT}


@dataclass(frozen=True, slots=True)
class Ask:
    """`points` and `money`: what the member was told it costs in all; another price refuses it.

    `id`: which redemption it becomes, for whoever may ask twice. Asked again, or while one of the same reward still waits
    for its confirmation, it answers that one.
    """

    member: Member
    reward: Reward
    quantity: int = 1
    store: StoreFacts | None = None
    points: int | None = None
    money: Decimal | None = None
    id: UUID | None = None


def reserve(ask: Ask, *, now: datetime, actor: UUID | None = None) -> Redemption:
    """Take the points and set the reward aside for 15 minutes. Raises Problem, with nothing moved."""
    contract = terms.current(now)
    with transaction.atomic():
        posting.lock([ask.member.holder])
        if ask.id and (same := _same(ask, ask.id, now)):
            return same
        _lapse_own(ask, now)
        # Asked before the stock is taken: of the last one nothing is left then, and that would hide what else is in the way.
        [seen] = offers.priced([ask.reward], ask.member, now=now, zone=contract.zone, store=ask.store, quantity=ask.quantity)
        if seen.quoted.because:
            raise refusal(seen.quoted.because)
        _take_stock(ask)
        price = seen.quoted.price
        points = price.points * ask.quantity
        _insist_on_price(ask, points, price.money * ask.quantity, contract)
        one = Redemption.objects.create(
            id=ask.id or uuid7(), member=ask.member, reward=ask.reward, quantity=ask.quantity, points=points,
            money=price.money * ask.quantity, store_id=ask.store.id if ask.store else None, reserved_at=now,
            reserved_until=now + RESERVED_FOR, gives=ask.reward.voucher,
        )  # fmt: skip
        if ask.reward.code_pool_id and not stock.take_codes(ask.reward.code_pool_id, one.pk, ask.quantity, now=now):
            raise refusal(Why.STOCK)
        one.entry = _burn(one, contract.id, terms.alive_until(terms.published(), now), now=now, actor=actor)
        one.save(update_fields=["entry"])
        steps.move([one], Status.RESERVED, now=now, actor=actor)
    return one


def _take_stock(ask: Ask) -> None:
    try:
        taken = stock.take(ask.reward.pk, ask.store.id if ask.store else None, ask.quantity)
    except stock.StoreNeeded:
        detail = _("Say in which shop: this reward is counted shop by shop.")
        raise Problem("validation", detail, faults=[Fault("/store", detail)]) from None
    if not taken:
        raise refusal(Why.STOCK)


def _insist_on_price(ask: Ask, points: int, due: Decimal, contract: Terms) -> None:
    if ask.points in (None, points) and ask.money in (None, due):
        return
    said = _("The price has changed: it is %(points)s points now.") % {"points": points}
    if due:
        price = {"points": points, "amount": money.text(due, contract.currency)}
        said = _("The price has changed: it is %(points)s points and %(amount)s now.") % price
    raise Problem("quote-expired", said, status=409, extra={"points": points, "money": money.plain(due, contract.currency)})


def confirm(redemption: UUID, *, now: datetime, keep: bool = True, actor: UUID | None = None) -> Redemption:
    """Make it final: the voucher is issued, a partner's code is shown. A second confirmation answers the same.

    `keep`: as long as the reward says; else for 15 minutes. Raises Problem when it has lapsed or was cancelled.
    """
    with transaction.atomic():
        one = _locked(redemption)
        if one.status in (Status.CONFIRMED, Status.FULFILLED):
            return one
        if one.status != Status.RESERVED or now >= one.reserved_until:
            raise Problem("expired", _("The reservation is over; the points are back. Redeem it again."), status=409)
        if one.member.status != Member.Status.ACTIVE:
            raise refusal(Why.BLOCKED)
        steps.move([one], Status.CONFIRMED, now=now, actor=actor)
        Code.objects.filter(redemption=one).update(shown_at=now)
        issuing.issue(one, keep=keep, now=now)
        if one.reward.kind in (Reward.Kind.CODE, Reward.Kind.DONATION) or one.reward.fulfilment == Reward.Fulfilment.AT_ONCE:
            steps.move([one], Status.FULFILLED, now=now, actor=actor)
    return one


def fulfil(redemption: UUID, *, now: datetime, actor: UUID | None = None) -> Redemption:
    """It was handed over, or sent. Raises Problem when it was before (and says when), or cannot be any more.

    Of what was fetched in part with its voucher the rest is handed over; money that is left on a voucher is for the till.
    """
    with transaction.atomic():
        one = _locked(redemption)
        if one.status == Status.FULFILLED:
            at = one.steps.filter(status=Status.FULFILLED).order_by("-id")[0].at
            raise Problem("already-used", _("This was handed over before."), status=409, extra={"at": at.isoformat()})
        if one.status != Status.CONFIRMED:
            raise Problem("not-eligible", _("Only a confirmed redemption can be handed over."), status=409)
        held = _voucher(one)
        if held and held.is_begun and held.type != Voucher.Type.ITEM:
            raise Problem("already-used", _("The voucher of this redemption was used at a till."), status=409)
        steps.move([one], Status.FULFILLED, now=now, actor=actor)
        if held:
            held.ended_at = held.ended_at or now
            held.used = held.uses if held.is_begun else 0
            held.save(update_fields=["ended_at", "used"])
    return one


def cancel(redemption: UUID, *, by_merchant: bool, reason: str = "", now: datetime, actor: UUID | None = None) -> Redemption:
    """Give the points back, unless it was handed over, its voucher was used or its code was shown."""
    with transaction.atomic():
        one = _locked(redemption)
        if one.status == Status.CANCELLED:
            return one
        held = _voucher(one)
        if held and held.is_begun:
            raise Problem("already-used", _("The voucher was used; it cannot be taken back."), status=409)
        if one.status not in (Status.RESERVED, Status.CONFIRMED):
            raise Problem("not-eligible", _("This redemption is over; it cannot be cancelled."), status=409)
        if Code.objects.filter(redemption=one).exclude(shown_at=None).exists():
            raise Problem("not-eligible", _("The code was shown; it cannot be taken back."), status=409)
        grace, by = (GRACE_OF_MERCHANT, "merchant") if by_merchant else (timedelta(0), "member")
        if held and now >= held.valid_until:  # its time was over before anybody gave the points back
            grace = max(grace, GRACE_OF_VOUCHER)
        _give_back(one, Status.CANCELLED, grace=grace, reason=reason, now=now, actor=actor, by=by)
    return one


def lapse(*, now: datetime, limit: int = 500) -> int:
    """Give back the points of reservations whose time is over; returns how many."""
    due = Redemption.objects.filter(status=Status.RESERVED, reserved_until__lte=now).order_by("reserved_until")
    return _each(due.values_list("pk", flat=True)[:limit], lambda one: _lapse(one, now=now))


def return_unused(*, now: datetime, limit: int = 500) -> int:
    """Give back the points of vouchers bought with points that ended unused, once; returns how many ended.

    A voucher that was used in part gives nothing back: what it bought counts as had.
    """
    due = Voucher.objects.filter(ended_at=None, valid_until__lte=now).order_by("valid_until")
    return _each(due.values_list("pk", flat=True)[:limit], lambda one: _return(one, now=now))


def refusal(why: Why) -> Problem:
    slug, said = SAID[why]
    return Problem(slug, str(said), status=409)


def _each(ids: Iterable[UUID], act: Callable[[UUID], bool]) -> int:
    """Each in a transaction of its own; one that fails is logged, and the others go on."""
    done = 0
    for one in list(ids):
        try:
            done += act(one)
        except Exception as error:
            log.exception("not given back", id=str(one), error=type(error).__name__)
    return done


def _lapse(redemption: UUID, *, now: datetime) -> bool:
    with transaction.atomic():
        one = _locked(redemption)
        if one.status != Status.RESERVED or now < one.reserved_until:
            return False
        _give_back(one, Status.LAPSED, grace=timedelta(0), now=now)
    return True


def _lapse_own(ask: Ask, now: datetime) -> None:
    """What the member's own reservations hold counts as back from the end of their time on, however late the sweep is.

    The stock of all of them and of what is asked for is locked at once: somebody else may take it the other way round.
    """
    mine = Redemption.objects.filter(member=ask.member, status=Status.RESERVED, reserved_until__lte=now)
    over = list(mine.select_for_update(of=("self",)).select_related("member", "reward").order_by("pk"))
    if over:
        stock.lock({ask.reward.pk, *(one.reward_id for one in over)})
    for one in over:
        _give_back(one, Status.LAPSED, grace=timedelta(0), now=now)


def _return(voucher: UUID, *, now: datetime) -> bool:
    with transaction.atomic():
        bought: UUID | None = Voucher.objects.values_list("redemption", flat=True).get(pk=voucher)
        one = _locked(bought) if bought is not None else None
        held = Voucher.objects.select_for_update().get(pk=voucher)
        if held.ended_at or now < held.valid_until:
            return False
        Voucher.objects.filter(pk=voucher).update(ended_at=now)
        if one and one.status == Status.CONFIRMED:
            if held.is_begun:
                steps.move([one], Status.FULFILLED, now=now)
            else:
                _give_back(one, Status.RETURNED, grace=GRACE_OF_VOUCHER, now=now)
    return True


def _same(ask: Ask, id_: UUID, now: datetime) -> Redemption | None:
    """What was made of this ask before, or what of the same reward waits. Another member's id is nobody's."""
    known = Redemption.objects.filter(pk=id_).first()
    if known and known.member_id != ask.member.pk:
        raise Problem("not-found", _("There is no such redemption."), status=404)
    waits = Redemption.objects.filter(member=ask.member, reward=ask.reward, status=Status.RESERVED, reserved_until__gt=now)
    return known or waits.first()


def _locked(redemption: UUID) -> Redemption:
    """The redemption behind its member's wallet, in the one order of locks."""
    known = Redemption.objects.select_related("member").filter(pk=redemption).first()
    if known is None:
        raise Problem("not-found", _("There is no such redemption."), status=404)
    posting.lock([known.member.holder])
    held = Redemption.objects.select_for_update(of=("self",)).select_related("member", "reward", "reward__code_pool")
    return held.get(pk=redemption)


def _voucher(one: Redemption) -> Voucher | None:
    """Locked, so that no till uses it meanwhile."""
    return Voucher.objects.select_for_update().filter(redemption=one).first()


def _burn(one: Redemption, contract: int, alive: datetime | None, *, now: datetime, actor: UUID | None) -> UUID | None:
    if not one.points:
        return None
    act = Burn(
        key=f"redemption:{one.pk}", holder=one.member.holder, points=one.points, occurred_at=now, store=one.store_id,
        reason="redemption", reference=one.reward.code, terms=contract, idle_until=alive,
    )  # fmt: skip
    [outcome] = posting.burn([act], now=now, actor=actor)
    if not isinstance(outcome, Posted):
        raise refusal(REFUSED[outcome.reason])
    return outcome.entry


def _give_back(
    one: Redemption,
    status: Status,
    *,
    grace: timedelta,
    now: datetime,
    reason: str = "",
    actor: UUID | None = None,
    by: str | None = None,
) -> None:
    """Points to their lots, the reward to its stock, codes that nobody saw to their pool."""
    if one.entry:
        act = Restore(
            key=f"redemption-back:{one.pk}", holder=one.member.holder, points=one.points, entry=one.entry, occurred_at=now,
            store=one.store_id, reason=status, reference=one.reward.code, grace_until=now + grace if grace else None,
        )  # fmt: skip
        [outcome] = posting.restore([act], now=now, actor=actor)
        assert isinstance(outcome, Posted), "points of a redemption could not be given back"
    stock.put_back(one.reward_id, one.store_id, one.quantity)
    stock.put_codes_back(one)
    Voucher.objects.filter(redemption=one, ended_at=None).update(ended_at=now)
    steps.move([one], status, now=now, actor=actor, reason=reason, by=by)
