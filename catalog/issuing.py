"""Vouchers: issued to members, checked and used at tills (SEMANTICS 7.6)."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from uuid import UUID

from django.db import transaction
from django.db.models import F
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from catalog.models import Redemption, Reward, Voucher, VoucherUse
from loyalty import outbox, terms
from loyalty.problems import Problem
from loyalty.queries import StoreFacts
from loyalty.spans import later
from loyalty.terms import Terms
from members import cards

# 60 random bits.
SYMBOLS = 12
USE_NOW = timedelta(minutes=15)
# How long a voucher lives whose reward does not say.
KEPT = "P30D"


@dataclass(frozen=True, slots=True)
class Use:
    """At which till, on which receipt; `amount` is what the goods that it is for cost."""

    store: StoreFacts
    source: str
    receipt_number: str
    amount: Decimal | None = None


def parse(text: str) -> str | None:
    """The code in what a person typed or a scanner read, None if it is no voucher's."""
    return cards.parse(text, SYMBOLS)


def issue(redemption: Redemption, *, keep: bool, now: datetime) -> Voucher | None:
    """The voucher of a redemption, None for what needs none."""
    reward = redemption.reward
    if not needs_voucher(reward):
        return None
    given = reward.voucher or {"type": Voucher.Type.ITEM}
    until = kept_until(reward, terms.current(now), now) if keep else now + USE_NOW
    voucher = Voucher.objects.create(
        code=cards.new_number(SYMBOLS), member=redemption.member, redemption=redemption, type=given["type"],
        title=reward.title, value=Decimal(given.get("amount", 0)), minimum_spend=Decimal(given.get("minimum_spend", 0)),
        stores=[one.code for one in reward.stores.all()], categories=given.get("categories", []), valid_from=now,
        valid_until=until, uses=given.get("uses", 1) * redemption.quantity,
    )  # fmt: skip
    outbox.tell([outbox.Event("voucher.issued", redemption.member_id, {"voucher": str(voucher.pk)})])
    return voucher


def needs_voucher(reward: Reward) -> bool:
    """Whether it is handed over at a till against a code of ours."""
    return reward.kind not in (Reward.Kind.CODE, Reward.Kind.DONATION) and reward.fulfilment == Reward.Fulfilment.SHOP


def kept_until(reward: Reward, contract: Terms, now: datetime) -> datetime:
    """Until when a voucher of this reward that is kept from `now` on can be used."""
    return _until(contract, now, (reward.voucher or {}).get("valid_for", KEPT))


def use(code: str, given: Use, *, now: datetime, actor: UUID | None = None) -> Voucher:
    """Use it once on this receipt; the same receipt again answers the same. Raises Problem, with nothing used."""
    with transaction.atomic():
        one = _held(code)
        same = VoucherUse.objects.filter(voucher=one, source=given.source, receipt_number=given.receipt_number, released_at=None)
        if same.exists():
            return one
        insist(one, given.store.code, given.amount, now=now)
        taken = Voucher.objects.filter(pk=one.pk, used__lt=F("uses")).update(used=F("used") + 1)
        assert taken == 1, "a locked voucher was used meanwhile"
        one.used += 1
        VoucherUse.objects.create(
            voucher=one, store_id=given.store.id, source=given.source, receipt_number=given.receipt_number,
            amount=given.amount, at=now, actor=actor,
        )  # fmt: skip
        outbox.tell([outbox.Event("voucher.used", one.member_id, {"voucher": str(one.pk), "store": given.store.code})])
    return one


def release(code: str, source: str, receipt_number: str, *, now: datetime, store: int | None = None) -> Voucher:
    """Give the use on this receipt back, because it was returned; a second time changes nothing.

    `store`: only where it was used there. Raises Problem for a use that came with a purchase: its return gives it back.
    """
    with transaction.atomic():
        one = _held(code)
        uses = VoucherUse.objects.filter(voucher=one, source=source, receipt_number=receipt_number, released_at=None)
        used = (uses.filter(store=store) if store else uses).first()
        if used is None:
            return one
        if used.purchase:
            raise Problem("not-eligible", _("It was used with a purchase: return that, and it is free again."), status=409)
        free([used], now=now)
        one.refresh_from_db()
    return one


def free(uses: Sequence[VoucherUse], *, now: datetime) -> None:
    """Uses that count no more; their vouchers are locked by the caller.

    A voucher whose time went by while it was used has not been used in time: its points come back like those of others.
    """
    if not uses:
        return
    VoucherUse.objects.filter(pk__in=[one.pk for one in uses]).update(released_at=now)
    for times, vouchers in by_count(one.voucher_id for one in uses).items():
        Voucher.objects.filter(pk__in=vouchers).update(used=F("used") - times)
    waiting = Redemption.Status.CONFIRMED
    again = Voucher.objects.filter(pk__in={one.voucher_id for one in uses}, used=0, redemption__status=waiting)
    again.exclude(ended_at=None).update(ended_at=None)


def by_count[K](ids: Iterable[K]) -> dict[int, list[K]]:
    """Which occur how often."""
    counts: dict[int, list[K]] = {}
    for id_, times in Counter(ids).items():
        counts.setdefault(times, []).append(id_)
    return counts


def found(code: str) -> Voucher:
    """The voucher with that code as a person types it. Raises Problem, 404."""
    one = Voucher.objects.filter(code=parse(code) or "").first()
    if one is None:
        raise _no_voucher()
    return one


def insist(one: Voucher, store: str, amount: Decimal | None, *, now: datetime) -> None:
    """Raises Problem when the voucher cannot be used here and now, in words that a cashier can read out."""
    if one.used >= one.uses:
        last = one.use_set.filter(released_at=None).select_related("store").order_by("-at").first()
        place = {"store": last.store.name, "day": _day(last.at)} if last else {"store": "", "day": ""}
        raise Problem("already-used", _("Used on %(day)s at %(store)s.") % place, status=409)
    if one.ended_at or now >= one.valid_until:
        raise Problem("expired", _("It ended on %(day)s.") % {"day": _day(one.valid_until)}, status=409)
    if now < one.valid_from:
        raise Problem("not-eligible", _("It is valid from %(day)s on.") % {"day": _day(one.valid_from)}, status=409)
    if one.stores and store not in one.stores:
        raise Problem("not-eligible", _("It is for other shops: %(stores)s.") % {"stores": ", ".join(one.stores)}, status=409)
    if amount is not None and amount < one.minimum_spend:
        raise Problem("not-eligible", _("The receipt has to come to %(amount)s.") % {"amount": one.minimum_spend}, status=409)


def status(one: Voucher, now: datetime) -> str:
    """`used`, `expired`, `waiting` for its first day, or `ready`."""
    if one.used >= one.uses:
        return "used"
    if one.ended_at or now >= one.valid_until:
        return "expired"
    return "waiting" if now < one.valid_from else "ready"


def _held(code: str) -> Voucher:
    one = Voucher.objects.select_for_update().filter(code=parse(code) or "").first()
    if one is None:
        raise _no_voucher()
    return one


def _no_voucher() -> Problem:
    return Problem("not-found", _("There is no such voucher."), status=404)


def _until(contract: Terms, now: datetime, duration: str) -> datetime:
    return contract.midnight_after(later(contract.day_of(now), duration))


def _day(at: datetime) -> str:
    day: date = terms.current(at).day_of(at)
    return date_format(day, "DATE_FORMAT")
