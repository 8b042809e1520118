"""What pages and the API ask about purchases."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from uuid import UUID



from campaigns.models import Award, Purchase


def purchases(ids: Iterable[UUID]) -> dict[UUID, Purchase]:
    """Purchases with their awards and rules, three statements for any number."""
    rows = Purchase.objects.filter(id__in=list(ids)).select_related("member", "store")
    return {one.pk: one for one in rows.prefetch_related("awards__rule_version__rule")}


def purchases_by_entry(entries: Sequence[UUID]) -> dict[UUID, Purchase]:
    """The purchase that each journal entry was posted for, without its lines."""
    awards = Award.objects.filter(entry__in=entries).select_related("purchase__store")
    return {award.entry: award.purchase for award in awards}


def points_pending(purchase: Purchase, now: datetime) -> int:
    return sum(award.points for award in purchase.awards.all() if award.available_at > now)




def has_receipts_of(source: str) -> bool:
    """Whether any receipt of this source was taken."""
    return Purchase.objects.filter(source=source).exists()
