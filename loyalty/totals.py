"""What the programme gave, took and owes, for the dashboard. Every sum goes by an index, none over the whole ledger."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.db.models import Q, QuerySet, Sum
from django.db.models.functions import Coalesce, TruncDate

from loyalty.filters import AHEAD
from loyalty.kinds import Contra, Kind
from loyalty.models import Lot, PointType, Posting

ACTIVE = (Kind.EARN, Kind.BONUS, Kind.BURN)


@dataclass(frozen=True, slots=True)
class Day:
    """Points given for purchases and spent by members, less what was undone."""

    day: date
    issued: int
    used: int


@dataclass(frozen=True, slots=True)
class Held:
    """Points in open lots, and how many of them end soon."""

    outstanding: int
    expiring: int


def days(*, since: datetime, zone: ZoneInfo, stores: Collection[int] | None) -> list[Day]:
    """Day by day in `zone`, days on which nothing happened left out."""
    sums: dict[date, dict[str, int]] = {}
    rows = (
        _happened(since, stores)
        .annotate(on=TruncDate("occurred_at", tzinfo=zone))
        .values("on", "contra")
        .annotate(points=Sum("points"))
    )
    for row in rows.order_by("on"):
        sums.setdefault(row["on"], {})[row["contra"]] = row["points"]
    return [Day(on, by.get(Contra.ISSUED, 0), -by.get(Contra.BURNED, 0)) for on, by in sums.items()]


def active_holders(*, since: datetime, stores: Collection[int] | None = None) -> QuerySet[Posting, Any]:
    """Holders who earned or spent after `since`, for use in another query."""
    return _happened(since, stores).filter(kind__in=ACTIVE).order_by().values("wallet__holder").distinct()


def held(*, now: datetime, until: datetime, stores: Collection[int] | None) -> Held:
    """What members hold at `now`, and what of it ends by `until`."""
    lots = Lot.objects.filter(Q(expires_at=None) | Q(expires_at__gt=now), open=True, wallet__point_type=PointType.REDEEMABLE)
    if stores is not None:
        lots = lots.filter(store__in=stores)
    sums = lots.aggregate(all=Coalesce(Sum("remaining"), 0), soon=Coalesce(Sum("remaining", filter=Q(expires_at__lte=until)), 0))
    return Held(sums["all"], sums["soon"])


def _happened(since: datetime, stores: Collection[int] | None) -> QuerySet[Posting]:
    """What happened after `since` was recorded after it too, which is what the index knows."""
    rows = Posting.objects.filter(
        recorded_at__gte=since - AHEAD, occurred_at__gte=since, contra__in=(Contra.ISSUED, Contra.BURNED),
        wallet__point_type=PointType.REDEEMABLE,
    )  # fmt: skip
    return rows if stores is None else rows.filter(store__in=stores)
