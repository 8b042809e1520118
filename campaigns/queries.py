"""What pages and the API ask about purchases and events."""

from collections.abc import Collection, Iterable, Sequence
from datetime import date, datetime, timedelta
from uuid import UUID

from django.db.models import Q, QuerySet

from campaigns.models import Award, ClawBack, Event, Purchase, PurchaseLine, PurchaseReturn

# Goods that nobody bought for so long are nobody's (SEMANTICS 9).
UNTOUCHED = timedelta(days=365)


def purchases(ids: Iterable[UUID]) -> dict[UUID, Purchase]:
    """Purchases with their awards and rules, three statements for any number."""
    rows = Purchase.objects.filter(id__in=list(ids)).select_related("member", "store")
    return {one.pk: one for one in rows.prefetch_related("awards__rule_version__rule")}


def events(ids: Iterable[UUID]) -> dict[UUID, Event]:
    """Events with their awards and rules, three statements for any number."""
    rows = Event.objects.filter(id__in=list(ids)).select_related("member", "store")
    return {one.pk: one for one in rows.prefetch_related("awards__rule_version__rule")}


def checked_in(member: UUID, first: date, last: date) -> dict[date, int]:
    """The days from `first` to `last` with a check-in, each with its place in a row of days."""
    rows = Event.objects.filter(member=member, type="check_in", day__range=(first, last), streak__gt=0)
    return dict(rows.values_list("day", "streak"))


def awards_by_entry(entries: Sequence[UUID]) -> dict[UUID, Award]:
    """The award that each journal entry was posted for, with its rule and its purchase or event."""
    awards = Award.objects.filter(entry__in=entries).select_related("purchase__store", "event__store", "rule_version__rule")
    return {award.entry: award for award in awards}


def has_receipts_of(source: str) -> bool:
    """Whether any receipt of this source was taken."""
    return Purchase.objects.filter(source=source).exists()


def of_receipt(number: str, limit: int = 50) -> list[Purchase]:
    """Purchases whose receipt bears this number, whatever their source, newest first."""
    rows = Purchase.objects.filter(receipt_number=number.replace("\0", "").strip())
    return list(rows.order_by("-occurred_at")[:limit])


def entries_of_receipt(number: str) -> set[UUID]:
    """What was posted for a receipt."""
    found = of_receipt(number)
    earned = Award.objects.filter(purchase__in=found).values_list("entry", flat=True)
    return {*earned, *ClawBack.objects.filter(purchase_return__purchase__in=found).values_list("entry", flat=True)}


def returns(ids: Iterable[UUID]) -> dict[UUID, PurchaseReturn]:
    """Returns with their purchases."""
    rows = PurchaseReturn.objects.filter(id__in=list(ids)).select_related("purchase__member")
    return {one.pk: one for one in rows}


def returns_of(purchase: UUID) -> QuerySet[PurchaseReturn]:
    """What came back of a purchase, in the order in which it was recorded, with its lines."""
    rows = PurchaseReturn.objects.filter(purchase=purchase).order_by("recorded_at", "id")
    return rows.prefetch_related("lines__line")


def returns_by_entry(entries: Sequence[UUID]) -> dict[UUID, PurchaseReturn]:
    """The return by which each journal entry took points or gave them back, with its purchase."""
    rows = ClawBack.objects.filter(entry__in=entries).select_related("purchase_return__purchase__store")
    found = {one.entry: one.purchase_return for one in rows}
    back = PurchaseReturn.objects.filter(tender_entry__in=entries).select_related("purchase__store")
    return found | {one.tender_entry: one for one in back if one.tender_entry}


def paid_by_entry(entries: Collection[UUID]) -> dict[UUID, Purchase]:
    """The purchase that each journal entry paid for in points, with its shop."""
    rows = Purchase.objects.filter(tender_entry__in=entries).select_related("store") if entries else ()
    return {one.tender_entry: one for one in rows if one.tender_entry}


def are_bought(*, skus: Collection[str], categories: Collection[str], brands: Collection[str] = (), now: datetime) -> bool:
    """Whether somebody bought any of these goods within so long that a change of them touches members."""
    goods = Q(sku__in=skus) | Q(category__in=categories) | Q(brand__in=brands)
    return PurchaseLine.objects.filter(goods, purchase__occurred_at__gte=now - UNTOUCHED).exists()
