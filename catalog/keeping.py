"""How the merchant keeps the catalogue: rewards put, withdrawn and restocked, each act with its line in the audit trail.

Rows are locked in the one order of the catalogue: the reward without its key, which redemptions refer to, then its stock.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext as _

from catalog import pictures
from catalog.models import Category, CodePool, Reward, RewardPrice, Stock
from catalog.schemas import NamedIn, PriceIn, RewardIn, VoucherIn, WindowIn, WordsIn
from loyalty import auditing, queries, terms
from loyalty.problems import Fault, Problem
from loyalty.validators import CODE
from members.queries import tier_tables
from members.wording import called

LABEL = "catalog.reward"
# What is written as it is said.
PLAIN = ("title", "description", "kind", "points", "money", "cost", "fulfilment", "low_water", "per_member", "picture_text")


@dataclass(frozen=True, slots=True)
class Picture:
    """The picture that a reward is to have, none with an empty name; its text stands with the reward's."""

    name: str


def put(
    code: str, given: RewardIn, *, actor: UUID, now: datetime, picture: Picture | None = None, must_be_new: bool = False
) -> tuple[Reward, bool]:
    """Write the reward in place of the one that is there; whether it is new. Without a `picture` it keeps the one it has.

    Raises Problem, with nothing written.
    """
    insist(code, given, now=now)
    with transaction.atomic():
        # Of two who make it at once the second finds it.
        _made, is_new = Reward.objects.get_or_create(code=code, defaults=_said(given))
        if must_be_new and not is_new:
            raise taken()
        one = _held(code)
        was = {} if is_new else _told(one)
        _write(one, given, picture, now)
        one.stores.set(_store_ids(given.stores).values())
        _price(one, given.prices)
        _count(one, _counts(one, given))
        fresh = find(code)
        becomes = _told(fresh)
        changed = {name: [was.get(name), stands] for name, stands in becomes.items() if was.get(name) != stands}
        if changed:
            auditing.record(actor, "reward.added" if is_new else "reward.changed", LABEL, one.pk, changed)
    return fresh, is_new


def withdraw(code: str, *, actor: UUID, now: datetime) -> Reward:
    """Offer it no more; what was redeemed stays. A second time changes nothing. Raises Problem."""
    return _turn(code, now, "reward.withdrawn", actor)


def offer_again(code: str, *, actor: UUID) -> Reward:
    """Undo a withdrawal. Raises Problem."""
    return _turn(code, None, "reward.offered", actor)


def count(code: str, wanted: Mapping[str | None, int | None], *, actor: UUID) -> Reward:
    """Set what is left, by store and in all (None); no number: nobody counts there any more. Raises Problem."""
    with transaction.atomic():
        one = _held(code)
        was = {store: row.left for store, row in _rows(one).items()}
        _count(one, wanted)
        changed = {_place(store): [was.get(store), left] for store, left in wanted.items() if was.get(store) != left}
        if changed:
            auditing.record(actor, "reward.counted", LABEL, one.pk, changed)
    return find(code)


def restock(code: str, changes: Mapping[str | None, int], *, actor: UUID) -> Reward:
    """Add to what is left, or take away, by store and in all (None). Raises Problem where fewer are left or nobody counts."""
    with transaction.atomic():
        one = _held(code)
        rows = _rows(one)
        was = {store: row.left for store, row in rows.items()}
        for store, by in changes.items():
            row = rows.get(store)
            if row is None or row.left + by < 0:
                detail = _("There are only %(left)s left by now.") % {"left": row.left if row else 0}
                raise Problem("out-of-stock", detail, status=409, faults=[Fault(_place(store), detail)])
            row.left += by
            row.save(update_fields=["left"])
        moved = {_place(store): [was[store], row.left] for store, row in rows.items() if was[store] != row.left}
        if moved:
            auditing.record(actor, "reward.restocked", LABEL, one.pk, moved)
    return find(code)


def find(code: str) -> Reward:
    """The reward with all that its document says, in a constant number of statements. Raises Problem."""
    rows = Reward.objects.select_related("category", "code_pool").prefetch_related("prices", "stores", "stock__store")
    found = rows.filter(code=code.replace("\0", "")).first()
    if found is None:
        raise unknown()
    return found


def every(*, after: tuple[int, str] | None = None, limit: int | None = None) -> list[Reward]:
    """All rewards, withdrawn ones too, with all that their documents say; in the order and with the marks of offers.standing."""
    rows = Reward.objects.order_by("points", "code").select_related("category", "code_pool")
    if after:
        rows = rows.filter(Q(points__gt=after[0]) | Q(points=after[0], code__gt=after[1]))
    return list(rows.prefetch_related("prices", "stores", "stock__store")[:limit])


def document(one: Reward, decimals: int) -> dict[str, Any]:
    """A reward in the words of the API, in values of JSON; `decimals` are those of the programme's currency."""
    return {
        "code": one.code, "title": one.title, "description": one.description, "kind": one.kind,
        "category": one.category.code if one.category else None, "points": one.points, "money": plain(one.money, decimals),
        "cost": None if one.cost is None else plain(one.cost, decimals), "fulfilment": one.fulfilment, **_stock(one),
        "low_water": one.low_water, "per_member": one.per_member,
        "stores": sorted(each.code for each in one.stores.all()), "tiers": one.tiers,
        "available": _window(one), "voucher": one.voucher and {"keeps_rest": False} | one.voucher,
        "code_pool": one.code_pool.code if one.code_pool else None,
        "prices": [_priced(each, decimals) for each in one.prices.all()], "translations": one.translations,
        "picture_text": one.picture_text, "withdrawn": one.withdrawn_at is not None,
    }  # fmt: skip


def insist(code: str, given: RewardIn, *, now: datetime) -> None:
    """Raises Problem with each fault at its place: what cannot be said together, and what is named and not there."""
    try:
        CODE(code)
    except ValidationError as error:
        raise Problem("validation", error.messages[0], faults=[Fault("/code", error.messages[0])]) from error
    faults = [Fault(pointer, detail) for pointer, detail in given.misfits()]
    if given.code not in (None, code):
        faults.append(Fault("/code", _("The code is another one than in the address.")))
    faults += [*_unknown(given), *_uneven(given, now)]
    if faults:
        raise Problem("validation", " ".join(one.detail for one in faults), faults=faults)


def tiers() -> dict[str, str]:
    """The names of the tiers that there are or will be, by code."""
    return {one.code: called(one) for table in reversed(tier_tables()) for one in table.levels}


def taken() -> Problem:
    detail = _("A reward has this code already.")
    return Problem("duplicate-document", detail, status=409, faults=[Fault("/code", detail)])


def unknown() -> Problem:
    return Problem("not-found", _("There is no reward with this code."), status=404)


def plain(amount: Decimal, decimals: int) -> str:
    """As the API writes money; an amount with more decimals than its currency keeps them."""
    return f"{amount:.{decimals}f}" if amount == round(amount, decimals) else f"{amount.normalize():f}"


def _turn(code: str, withdrawn_at: datetime | None, verb: str, actor: UUID) -> Reward:
    with transaction.atomic():
        one = _held(code)
        if (one.withdrawn_at is None) != (withdrawn_at is None):
            one.withdrawn_at = withdrawn_at
            one.save(update_fields=["withdrawn_at"])
            auditing.record(actor, verb, LABEL, one.pk, {"code": code})
    return find(code)


def _held(code: str) -> Reward:
    """The reward, locked without its key, to which redemptions refer while they hold its stock."""
    found = Reward.objects.select_for_update(no_key=True).filter(code=code.replace("\0", "")).first()
    if found is None:
        raise unknown()
    return found


def _rows(one: Reward) -> dict[str | None, Stock]:
    """What is counted, by the code of the store, None for all."""
    rows = Stock.objects.select_for_update(of=("self",)).select_related("store").filter(reward=one).order_by("id")
    return {row.store.code if row.store else None: row for row in rows}


def _write(one: Reward, given: RewardIn, picture: Picture | None, now: datetime) -> None:
    spoken = one.picture_text
    for name, value in _said(given).items():
        setattr(one, name, value)
    if picture is not None:
        one.picture = picture.name
    elif "picture_text" not in given.model_fields_set:
        one.picture_text = spoken  # it belongs to the picture, which stays
    if one.picture and not one.picture_text:
        detail = _("Say what the picture shows, for those who cannot see it.")
        raise Problem("validation", detail, faults=[Fault("/picture_text", detail)])
    one.withdrawn_at = (one.withdrawn_at or now) if given.withdrawn else None
    one.save()
    if picture and picture.name and not pictures.is_kept(picture.name):  # swept away before the row was written
        detail = _("The picture is not there any more. Upload it again.")
        raise Problem("validation", detail, faults=[Fault("/picture", detail)])


def _said(given: RewardIn) -> dict[str, Any]:
    """What stands in the reward's own row."""
    return {
        **{name: getattr(given, name) for name in PLAIN}, **_times(given.available),
        "category": Category.objects.get(code=given.category) if given.category else None,
        "code_pool": CodePool.objects.get(code=given.code_pool) if given.code_pool else None,
        "tiers": sorted(set(given.tiers)),
        "voucher": _voucher(given.voucher) if given.voucher else None,
        "translations": _words(given.translations),
    }  # fmt: skip


def _words(given: Mapping[str, WordsIn | NamedIn]) -> dict[str, dict[str, str]]:
    """What was written in each language; a language in which nothing was is left out."""
    words = {language: each.model_dump(exclude_defaults=True) for language, each in sorted(given.items())}
    return {language: said for language, said in words.items() if said}


def _times(given: WindowIn) -> dict[str, Any]:
    return {
        "starts_at": given.starts_at, "ends_at": given.ends_at, "weekdays": sorted(set(given.weekdays)), "hours": given.hours,
    }  # fmt: skip


def _voucher(given: VoucherIn) -> dict[str, Any]:
    """As it is kept: amounts as text, so that no cent is lost."""
    said = given.model_dump(exclude={"amount", "minimum_spend"}) | {"minimum_spend": plain(given.minimum_spend, 2)}
    return said if given.type == "item" else said | {"amount": plain(given.amount, 2)}


def _price(one: Reward, prices: list[PriceIn]) -> None:
    """Set all other prices; when they stay as they are, so do their rows."""
    rows = [
        RewardPrice(
            reward=one, name=each.name, points=each.points, money=each.money, tier=each.tier or "",
            birthday_month=each.birthday_month, translations=_words(each.translations), **_times(each),
        )
        for each in prices
    ]  # fmt: skip
    wanted, standing = (sorted(str(_priced(row, 3)) for row in every) for every in (rows, one.prices.all()))
    if wanted != standing:
        one.prices.all().delete()
        RewardPrice.objects.bulk_create(rows)


def _counts(one: Reward, given: RewardIn) -> dict[str | None, int | None]:
    """What was said to be left, by store and in all (None); no number means that nobody counts. What was left out stays."""
    wanted: dict[str | None, int | None] = {None: given.stock} if "stock" in given.model_fields_set else {}
    if "stock_by_store" in given.model_fields_set:
        wanted |= {code: given.stock_by_store.get(code) for code in {*filter(None, _rows(one)), *given.stock_by_store}}
    return wanted


def _count(one: Reward, wanted: Mapping[str | None, int | None]) -> None:
    rows, stores = _rows(one), _store_ids(code for code in wanted if code)
    for code, left in wanted.items():
        row = rows.get(code)
        if left is None:
            if row:
                row.delete()
        elif row is None:
            Stock.objects.create(reward=one, store_id=stores[code] if code else None, left=left)
        elif row.left != left:
            row.left = left
            row.save(update_fields=["left"])


def _store_ids(codes: Iterable[str]) -> dict[str, int]:
    return {code: one.id for code, one in queries.stores_by_code(codes).items()}


def _told(one: Reward) -> dict[str, Any]:
    """For the audit trail, with the picture's name."""
    return document(one, 2) | {"picture": one.picture.name or ""}


def _stock(one: Reward) -> dict[str, Any]:
    rows = {row.store.code if row.store else None: row.left for row in one.stock.all()}
    return {"stock": rows.pop(None, None), "stock_by_store": dict(sorted(rows.items(), key=lambda row: str(row[0])))}


def _place(store: str | None) -> str:
    return f"/stock_by_store/{store}" if store else "/stock"


def _window(one: Reward | RewardPrice) -> dict[str, Any]:
    starts, ends = (at and at.isoformat() for at in (one.starts_at, one.ends_at))
    return {"starts_at": starts, "ends_at": ends, "weekdays": one.weekdays, "hours": one.hours}


def _priced(one: RewardPrice, decimals: int) -> dict[str, Any]:
    said = {"name": one.name, "points": one.points, "money": plain(one.money, decimals), "tier": one.tier or None}
    return said | {"birthday_month": one.birthday_month, "translations": one.translations} | _window(one)


def _unknown(given: RewardIn) -> Iterator[Fault]:
    """What it names that is not there."""
    counted, levels = sorted(given.stock_by_store), tiers()
    stores = queries.stores_by_code([*given.stores, *counted])
    if lost := sorted(set(given.stores) - set(stores)):
        yield Fault("/stores", _("There is no store %(codes)s.") % {"codes": ", ".join(lost)})
    for code in counted:
        if code not in stores:
            yield Fault(_place(code), _("There is no store %(codes)s.") % {"codes": code})
    if strange := sorted(set(given.tiers) - set(levels)):
        yield Fault("/tiers", _("There is no tier %(codes)s.") % {"codes": ", ".join(strange)})
    for place, price in enumerate(given.prices):
        if price.tier and price.tier not in levels:
            yield Fault(f"/prices/{place}/tier", _("There is no tier %(codes)s.") % {"codes": price.tier})
    if given.category and not Category.objects.filter(code=given.category).exists():
        yield Fault("/category", _("There is no category %(code)s.") % {"code": given.category})
    if given.code_pool and not CodePool.objects.filter(code=given.code_pool).exists():
        yield Fault("/code_pool", _("There is no pool of codes %(code)s.") % {"code": given.code_pool})


def _uneven(given: RewardIn, now: datetime) -> Iterator[Fault]:
    """Money with more decimals than its currency has."""
    contract = terms.current(now)
    amounts = [("/money", given.money), ("/cost", given.cost or Decimal(0))]
    amounts += [(f"/prices/{place}/money", price.money) for place, price in enumerate(given.prices)]
    if given.voucher:
        amounts += [("/voucher/minimum_spend", given.voucher.minimum_spend)]
        amounts += [("/voucher/amount", given.voucher.amount)] if given.voucher.type == "amount" else []
    for pointer, amount in amounts:
        if amount != round(amount, contract.minor_units):
            detail = _("%(currency)s has %(decimals)s decimals.")
            yield Fault(pointer, detail % {"currency": contract.currency, "decimals": contract.minor_units})
