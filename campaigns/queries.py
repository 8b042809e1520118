"""What pages and the API ask about purchases."""

from collections.abc import Iterable, Sequence
from uuid import UUID

from campaigns.models import Award, Purchase


def purchases(ids: Iterable[UUID]) -> dict[UUID, Purchase]:
    """Purchases with their awards and rules, three statements for any number."""
    rows = Purchase.objects.filter(id__in=list(ids)).select_related("member", "store")
    return {one.pk: one for one in rows.prefetch_related("awards__rule_version__rule")}


def awards_by_entry(entries: Sequence[UUID]) -> dict[UUID, Award]:
    """The award that each journal entry was posted for, with its rule and purchase."""
    awards = Award.objects.filter(entry__in=entries).select_related("purchase__store", "rule_version__rule")
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
    return set(Award.objects.filter(purchase__in=of_receipt(number)).values_list("entry", flat=True))
