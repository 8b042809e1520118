"""What runs low: shown to staff, and told to whoever keeps the catalogue, once for each time that it falls to its mark."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Count, F, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.urls import reverse

from catalog.models import Code, CodePool, Stock
from loyalty import terms
from members import messaging, staffing
from members.messaging import Notice
from members.models import Message

# Whoever may do this keeps the catalogue.
KEEPS = "catalog.change_reward"


@dataclass(frozen=True, slots=True)
class Low:
    """A pool of codes, or a reward in all shops or in one, of which no more are left than asked to be told of."""

    name: str
    left: int
    store: str
    is_pool: bool
    page: str


def standing() -> list[Low]:
    """What is low now, of what offered rewards hand out; two statements."""
    low = [_low(one) for rows in (_pools(), _stock()) for one in rows.filter(left__lte=F("mark"))]
    return sorted(low, key=lambda one: (one.name, one.store))


def tell(*, now: datetime) -> int:
    """Tell of what has fallen to its mark since we last looked; what is above it again can fall anew. Returns how many fell.

    Whoever looks at the same time waits, and then finds it told.
    """
    fell = 0
    with transaction.atomic():
        for rows in (_pools(), _stock()):
            held = _crossed(rows)
            low = {one.pk: one for one in rows.filter(pk__in=[one.pk for one in held], left__lte=F("mark"))}
            fresh = [low[one.pk] for one in held if one.low_since is None and one.pk in low]
            rows.model.objects.filter(pk__in=[one.pk for one in fresh]).update(low_since=now)
            rows.model.objects.filter(pk__in=[one.pk for one in held if one.pk not in low]).update(low_since=None)
            _tell([(f"{one._meta.model_name}:{one.pk}:{now.isoformat()}", _low(one)) for one in fresh], now)
            fell += len(fresh)
    return fell


def _tell(fell: list[tuple[str, Low]], now: datetime) -> None:
    keepers = staffing.allowed(KEEPS) if fell else []
    news = [
        Notice(user, Message.Kind.LOW_STOCK, key, {name: getattr(one, name) for name in one.__slots__})
        for key, one in fell
        for user in keepers
    ]
    messaging.tell_staff(news, due_at=messaging.waking(now, terms.current(now)))


def _crossed(rows: QuerySet[Any]) -> list[Any]:
    """Those on another side of their mark than when we last looked; locked in the order of the catalogue."""
    there = Q(left__lte=F("mark"), low_since=None) | Q(left__gt=F("mark"), low_since__isnull=False)
    ids = list(rows.filter(there).values_list("pk", flat=True))
    return list(rows.model.objects.filter(pk__in=ids).order_by("pk").select_for_update())


def _pools() -> QuerySet[Any]:
    """Pools that an offered reward hands out, with what is `left` and the `mark`."""
    offered = CodePool.objects.filter(reward__withdrawn_at=None, reward__isnull=False).distinct()
    free = Code.objects.filter(pool=OuterRef("pk"), redemption=None).order_by().values("pool").annotate(count=Count("pk"))
    return offered.annotate(left=Coalesce(Subquery(free.values("count")), 0), mark=F("low_water"))


def _stock() -> QuerySet[Any]:
    """What is counted of offered rewards that ask to be told, with the `mark`."""
    asked = Stock.objects.filter(reward__withdrawn_at=None, reward__low_water__isnull=False)
    return asked.annotate(mark=F("reward__low_water")).select_related("reward", "store")


def _low(one: Any) -> Low:
    if isinstance(one, CodePool):
        page = reverse("admin:catalog_codepool_change", args=[one.pk])
        return Low(name=one.name, left=one.left, store="", is_pool=True, page=page)  # type: ignore[attr-defined]
    page, store = reverse("admin:catalog_reward_change", args=[one.reward_id]), one.store.name if one.store else ""
    return Low(name=one.reward.title, left=one.left, store=store, is_pool=False, page=page)
