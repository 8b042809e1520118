"""What waits in the shops to be handed over, or in the office to be sent."""

from collections.abc import Collection
from typing import Any

from django.db.models import Count, F, QuerySet

from catalog.models import Redemption, Reward

# What is put into somebody's hands; vouchers are used at the till, codes and gifts of money were given at once.
HANDED = (Reward.Kind.GOODS, Reward.Kind.SERVICE, Reward.Kind.TRIAL)


def waiting(stores: Collection[int] | None) -> QuerySet[Redemption]:
    """Confirmed and neither handed over nor fetched at a till; `stores` narrows it, None: in every shop and in none."""
    rows = Redemption.objects.filter(status=Redemption.Status.CONFIRMED, reward__kind__in=HANDED)
    rows = rows.exclude(reward__fulfilment=Reward.Fulfilment.AT_ONCE).exclude(voucher__used__gte=F("voucher__uses"))
    return rows if stores is None else rows.filter(store__in=stores)


def by_shop(stores: Collection[int] | None) -> list[tuple[int | None, str, int]]:
    """How many wait in each shop that has any: its id, its name (none: no shop was chosen), the number."""
    rows: Any = waiting(stores).values_list("store", "store__name").annotate(count=Count("id")).order_by("store__name")
    return [(store, name or "", count) for store, name, count in rows]
