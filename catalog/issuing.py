"""Vouchers: issued to members, checked and used at tills (SEMANTICS 7.6).

Whoever uses one or gives a use back holds its member's wallet: what the voucher bought is had with its last use.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from uuid import UUID

from django.db import connection, transaction
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from catalog import steps, stock
from catalog.models import Redemption, Reward, Voucher, VoucherUse
from loyalty import money, outbox, posting, terms
from loyalty.problems import Fault, Problem
from loyalty.queries import StoreFacts
from loyalty.spans import later
from loyalty.terms import Terms
from members import cards
from members.models import Member

# 60 random bits.
SYMBOLS = 12
USE_NOW = timedelta(minutes=15)
# How long a voucher lives whose reward does not say.
KEPT = "P30D"
# Of redemptions that have a voucher, those whose points did not come back.
STANDING = (Redemption.Status.CONFIRMED, Redemption.Status.FULFILLED)
# Of all vouchers of a batch at once; their rows are locked.
WRITE = """
update catalog_voucher v set used = n.used, remaining = n.remaining, ended_at = n.ended_at
  from unnest(%s::uuid[], %s::int[], %s::numeric[], %s::timestamptz[]) as n (id, used, remaining, ended_at) where v.id = n.id
"""


@dataclass(frozen=True, slots=True)
class Use:
    """At which till, on which receipt; `amount` is what the goods that it is for cost.

    `most`: so much at most may be taken from a voucher that keeps its rest; one is not used without it.
    """

    store: StoreFacts
    source: str
    receipt_number: str
    amount: Decimal | None = None
    most: Decimal | None = None


def parse(text: str) -> str | None:
    """The code in what a person typed or a scanner read, None if it is no voucher's."""
    return cards.parse(text, SYMBOLS)


def issue(redemption: Redemption, *, keep: bool, now: datetime) -> Voucher | None:
    """The voucher of a redemption, None for what needs none."""
    reward = redemption.reward
    if not needs_voucher(reward):
        return None
    given = redemption.gives or reward.voucher or {"type": Voucher.Type.ITEM}
    lasts = keep or is_bit_by_bit(redemption)
    until = _until(terms.current(now), now, given.get("valid_for", KEPT)) if lasts else now + USE_NOW
    value, uses = Decimal(given.get("amount", 0)), given.get("uses", 1) * redemption.quantity
    if keeps_rest := bool(given.get("keeps_rest")):  # several of them are one with as much on it
        value, uses = value * redemption.quantity, 1
    voucher = Voucher.objects.create(
        code=cards.new_number(SYMBOLS), member=redemption.member, redemption=redemption, type=given["type"],
        title=reward.title, value=value, remaining=value if keeps_rest else None,
        minimum_spend=Decimal(given.get("minimum_spend", 0)), stores=_only_in(redemption),
        categories=given.get("categories", []), valid_from=now, valid_until=until, uses=uses,
    )  # fmt: skip
    outbox.tell([outbox.Event("voucher.issued", redemption.member_id, {"voucher": str(voucher.pk)})])
    return voucher


def is_bit_by_bit(redemption: Redemption) -> bool:
    """Whether its voucher is used more than once: in a quarter of an hour the member would lose what is left on it."""
    given = redemption.gives or redemption.reward.voucher or {}
    return bool(given.get("keeps_rest")) or given.get("uses", 1) * redemption.quantity > 1


def _only_in(redemption: Redemption) -> list[str]:
    """Where it can be used; what is counted shop by shop is fetched where it was taken from."""
    reward = redemption.reward
    if redemption.store and stock.counted_by_store([reward.pk]):
        return [redemption.store.code]
    return [one.code for one in reward.stores.all()]


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
        part = None if one.remaining is None else _part(one.remaining, given.most, terms.current(now).coin)
        spend(one, part or Decimal(0))
        VoucherUse.objects.create(
            voucher=one, store_id=given.store.id, source=given.source, receipt_number=given.receipt_number,
            amount=given.amount, at=now, actor=actor, taken=part, remaining=one.remaining,
        )  # fmt: skip
        write([one], now=now, actor=actor)
        outbox.tell([outbox.Event("voucher.used", one.member_id, {"voucher": str(one.pk), "store": given.store.code})])
    return one


def _part(remaining: Decimal, most: Decimal | None, coin: Decimal) -> Decimal:
    """What a receipt takes of what remains. Raises Problem where the till does not say how much it may be, or it is nothing."""
    if most is None:
        detail = _("This voucher keeps what is not used: say how much the goods cost.")
        raise Problem("validation", detail, faults=[Fault("/amount", detail)])
    part = min(remaining, most // coin * coin)
    if not part:
        raise nothing_for_it()
    return part


def is_taken_off(one: Voucher) -> bool:
    """Whether it takes money off any goods, so that a till which knows what they cost, and no more, can take it off."""
    return one.type in (Voucher.Type.AMOUNT, Voucher.Type.PERCENT) and not one.categories


def nothing_for_it() -> Problem:
    return Problem("not-eligible", _("Nothing on this receipt is what the voucher is for."), status=409)


def spend(one: Voucher, amount: Decimal) -> None:
    """Count a use; `amount` is what it takes of a voucher that keeps its rest. `write` makes it last."""
    if one.remaining is None:
        one.used += 1
    else:
        one.remaining -= amount
        one.used = int(not one.remaining)
    assert one.used <= one.uses, "a voucher was used more often than it can be"


def write(vouchers: Collection[Voucher], *, now: datetime, actor: UUID | None = None) -> None:
    """Keep what was counted on locked vouchers, in a constant number of statements.

    What a voucher bought is had with its last use, and is not any more when that use is given back in time.
    """
    rows = [(one.pk, one.used, one.remaining, one.ended_at) for one in vouchers]
    with connection.cursor() as cursor:
        cursor.execute(WRITE, [list(column) for column in zip(*rows, strict=True)])
    by_id, status = {one.redemption_id: one for one in vouchers if one.redemption_id}, Redemption.Status
    bought = Redemption.objects.filter(pk__in=by_id, status__in=STANDING).select_related("reward")
    had, again = [], []
    for one in bought if by_id else ():
        voucher = by_id[one.pk]
        is_over = voucher.used >= voucher.uses
        if is_over and one.status == status.CONFIRMED:
            had.append(one)
        elif not (is_over or voucher.ended_at) and one.status == status.FULFILLED:
            again.append(one)
    steps.move(had, status.FULFILLED, now=now, actor=actor)
    steps.move(again, status.CONFIRMED, now=now, actor=actor)


def taken(one: Voucher, source: str, receipt_number: str) -> Decimal | None:
    """What this receipt took of a voucher that keeps its rest."""
    uses = VoucherUse.objects.filter(voucher=one, source=source, receipt_number=receipt_number, released_at=None)
    return uses.values_list("taken", flat=True).first()


def release(
    code: str, source: str, receipt_number: str, *, now: datetime, store: int | None = None, actor: UUID | None = None
) -> Voucher:
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
        free([one], [used], now=now, actor=actor)
    return one


def free(
    vouchers: Collection[Voucher],
    uses: Sequence[VoucherUse],
    parts: Sequence[tuple[VoucherUse, Decimal]] = (),
    *,
    now: datetime,
    actor: UUID | None = None,
) -> None:
    """Uses of locked vouchers that count no more give back what they took; `parts` of others come back while they count.

    A voucher whose time went by while it was used has not been used in time: its points come back like those of others.
    """
    held = {one.pk: one for one in vouchers}
    VoucherUse.objects.filter(pk__in=[one.pk for one in uses]).update(released_at=now)
    for use in uses:
        if use.taken is None:
            held[use.voucher_id].used -= 1
        else:
            _refill(held[use.voucher_id], use.taken - use.given_back)
    for use, amount in parts:
        use.given_back += amount
        _refill(held[use.voucher_id], amount)
    VoucherUse.objects.bulk_update([use for use, _amount in parts], ["given_back"])
    unused = {one.redemption_id: one for one in held.values() if one.redemption_id and one.ended_at and not one.is_begun}
    for bought in Redemption.objects.filter(pk__in=unused, status__in=STANDING).values_list("pk", flat=True):
        unused[bought].ended_at = None  # what gave its points back stays over
    write(held.values(), now=now, actor=actor)


def _refill(one: Voucher, amount: Decimal) -> None:
    assert one.remaining is not None, "only a voucher that keeps its rest is refilled"
    one.remaining += amount
    one.used = int(not one.remaining)


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
        said = _("Used on %(day)s at %(store)s.") if last else _("This was handed over before.")
        raise Problem("already-used", said % ({"day": _day(last.at), "store": last.store.name} if last else {}), status=409)
    if one.ended_at and one.redemption and one.redemption.status == Redemption.Status.FULFILLED and not one.is_begun:
        raise Problem("already-used", _("This was handed over before."), status=409)
    if one.ended_at or now >= one.valid_until:
        ended = one.ended_at if one.ended_at and one.ended_at < one.valid_until else None
        day = _day(ended) if ended else _last_day(one.valid_until)
        raise Problem("expired", _("It ended on %(day)s.") % {"day": day}, status=409)
    if one.member.status != Member.Status.ACTIVE:
        raise Problem("not-eligible", _("This card is blocked or closed; nothing can be had for it."), status=409)
    if now < one.valid_from:
        raise Problem("not-eligible", _("It is valid from %(day)s on.") % {"day": _day(one.valid_from)}, status=409)
    if one.stores and store not in one.stores:
        raise Problem("not-eligible", _("It is for other shops: %(stores)s.") % {"stores": ", ".join(one.stores)}, status=409)
    if amount is not None and amount < one.minimum_spend:
        least = money.text(one.minimum_spend, terms.current(now).currency)
        raise Problem("not-eligible", _("The receipt has to come to %(amount)s.") % {"amount": least}, status=409)


def status(one: Voucher, now: datetime) -> str:
    """`used`, `expired`, `waiting` for its first day, or `ready`."""
    if one.used >= one.uses:
        return "used"
    if one.ended_at or now >= one.valid_until:
        return "expired"
    return "waiting" if now < one.valid_from else "ready"


def _held(code: str) -> Voucher:
    """The voucher, locked behind its member's wallet."""
    known = found(code)
    posting.lock([known.member.holder])
    return Voucher.objects.select_for_update(of=("self",)).select_related("member").get(pk=known.pk)


def _no_voucher() -> Problem:
    return Problem("not-found", _("There is no such voucher."), status=404)


def _until(contract: Terms, now: datetime, duration: str) -> datetime:
    return contract.midnight_after(later(contract.day_of(now), duration))


def _day(at: datetime) -> str:
    day: date = terms.current(at).day_of(at)
    return date_format(day, "DATE_FORMAT")


def _last_day(end: datetime) -> str:
    return date_format(terms.current(end).last_day(end), "DATE_FORMAT")
