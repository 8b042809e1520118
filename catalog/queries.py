"""What pages ask about redemptions and vouchers."""

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from uuid import UUID

from django.db.models import F, Q, QuerySet

from catalog.models import Category, Redemption, Reward, Voucher, VoucherUse
from catalog.texts import said

# The keys under which a redemption takes points and gives them back (catalog/redeeming.py).
KEYS = ("redemption:", "redemption-back:")


def redemptions_by_key(keys: Mapping[UUID, str]) -> dict[UUID, Redemption]:
    """The redemption behind each journal entry that one stands behind, given the entries' keys; one statement."""
    asked = {entry: UUID(key.rpartition(":")[2]) for entry, key in keys.items() if key.startswith(KEYS)}
    if not asked:
        return {}
    found = _whole().prefetch_related("steps", "voucher__use_set__store").in_bulk(asked.values())
    return {entry: found[id_] for entry, id_ in asked.items() if id_ in found}


def redemption(id_: UUID, *, member: UUID) -> Redemption | None:
    """One of the member's own, with its reward, steps, voucher and codes."""
    return _whole().prefetch_related("steps", "codes").filter(pk=id_, member=member).first()


def voucher(id_: UUID, *, member: UUID) -> Voucher | None:
    """One of the member's own."""
    rows = Voucher.objects.select_related("redemption__reward", "redemption__store", "redemption__member")
    return rows.prefetch_related("use_set__store", "redemption__steps").filter(pk=id_, member=member).first()


def vouchers_of(member: UUID, *, limit: int) -> list[Voucher]:
    """Newest first."""
    rows = Voucher.objects.filter(member=member).select_related("redemption__reward", "redemption__store", "redemption__member")
    return list(rows.prefetch_related("use_set__store", "redemption__steps").order_by("-issued_at", "-id")[:limit])


def ready_vouchers(member: UUID, *, now: datetime, limit: int) -> list[Voucher]:
    """Those that can be used, soonest end first."""
    rows = Voucher.objects.filter(member=member, valid_until__gt=now, ended_at=None, used__lt=F("uses"))
    rows = rows.select_related("redemption__reward", "redemption__store", "redemption__member")
    return list(rows.prefetch_related("use_set__store", "redemption__steps").order_by("valid_until", "id")[:limit])


def vouchers_on(purchases: Iterable[UUID]) -> dict[UUID, list[VoucherUse]]:
    """What vouchers took off each of these purchases, in their order, given back or not; one statement."""
    rows = VoucherUse.objects.filter(purchase__in=list(purchases)).select_related("voucher__redemption__reward").order_by("id")
    found: dict[UUID, list[VoucherUse]] = {}
    for use in rows:
        if use.purchase:
            found.setdefault(use.purchase, []).append(use)
    return found


def without_voucher(member: UUID, *, limit: int) -> list[Redemption]:
    """Redemptions that were confirmed and never had a voucher: partners' codes, donations, what comes by post. Newest first."""
    given = Q(status=Redemption.Status.CONFIRMED) | Q(status=Redemption.Status.FULFILLED)
    rows = _whole().filter(given, member=member, voucher=None).prefetch_related("steps")
    return list(rows.order_by("-reserved_at", "-id")[:limit])


def waiting_for_yes(member: UUID, *, now: datetime) -> list[Redemption]:
    """Reserved and neither confirmed nor lapsed yet."""
    rows = _whole().filter(member=member, status=Redemption.Status.RESERVED, reserved_until__gt=now)
    return list(rows.order_by("reserved_until"))


def reward(code: str) -> Reward | None:
    """With its prices and shops, withdrawn or not."""
    return Reward.objects.filter(code=code).select_related("category", "code_pool").prefetch_related("prices", "stores").first()


def shelves(codes: Collection[str]) -> dict[str, str]:
    """The names of these categories by code, in the order of the catalogue."""
    return {one.code: said(one, "name") for one in Category.objects.filter(code__in=codes)} if codes else {}


def _whole() -> QuerySet[Redemption]:
    return Redemption.objects.select_related("reward", "store", "voucher", "member")
