"""The only reader of ledger tables for other rooms. Instants in UTC; holders are the random ids that members gives."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import connection
from django.db.models import FilteredRelation, Q, Sum
from django.db.models.functions import Coalesce

from loyalty.models import Lot, PointType, Posting, Store, Wallet

# What members see and spend; qualifying points are told by tiers.
REDEEMABLE = {"wallet__point_type": PointType.REDEEMABLE}
# By the index of open lots in burn order, each holder's part of it alone, whatever the planner makes of the whole.
QUALIFYING = """
select s.place, coalesce(sum(l.remaining), 0)
  from unnest(%s::uuid[], %s::timestamptz[], %s::timestamptz[]) with ordinality s (holder, after, before, place)
       cross join lateral (select id from loyalty_wallet where holder = s.holder and point_type = %s limit 1) w
       left join loyalty_lot l on l.wallet_id = w.id and l.open and l.expires_at is null
                              and l.earned_at >= s.after and l.earned_at < s.before
 group by s.place
"""


@dataclass(frozen=True, slots=True)
class Balance:
    """Points of one holder as of an instant: `available` is what can be spent now (SEMANTICS 2.3)."""

    balance: int = 0
    available: int = 0
    pending: int = 0
    deficit: int = 0


@dataclass(frozen=True, slots=True)
class Expiring:
    """`points` of a holder that end at `expires_at`."""

    holder: UUID
    points: int
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class StatementLine:
    """One posting as the member sees it."""

    entry: UUID
    seq: int
    kind: str
    points: int
    balance_after: int
    occurred_at: datetime
    recorded_at: datetime
    store: str | None
    store_name: str | None
    reference: str
    hash: str


def balances(holders: Iterable[UUID], now: datetime) -> dict[UUID, Balance]:
    """Every holder asked for, with zeros for who has no wallet."""
    asked = list(holders)
    undated = Q(held__expires_at=None) & (Q(idle_expires_at=None) | Q(idle_expires_at__gt=now))
    lasting = Q(held__expires_at__gt=now) | undated
    sums = (
        Wallet.objects.filter(holder__in=asked, point_type=PointType.REDEEMABLE)
        .alias(held=FilteredRelation("lot", condition=Q(lot__open=True)))  # closed lots are read by nobody
        .values("holder", "balance", "deficit")
        .annotate(
            usable=Coalesce(Sum("held__remaining", filter=lasting & Q(held__available_at__lte=now)), 0),
            pending=Coalesce(Sum("held__remaining", filter=lasting & Q(held__available_at__gt=now)), 0),
        )
    )
    found = {
        row["holder"]: Balance(row["balance"], row["usable"] - row["deficit"], row["pending"], row["deficit"]) for row in sums
    }
    return {holder: found.get(holder, Balance()) for holder in asked}


def net_balances(holders: Iterable[UUID]) -> dict[UUID, int]:
    """Balance minus deficit of each holder, from the wallets alone; zero for who has none."""
    asked = set(holders)
    rows = Wallet.objects.filter(holder__in=asked, point_type=PointType.REDEEMABLE).values_list("holder", "balance", "deficit")
    return dict.fromkeys(asked, 0) | {holder: balance - deficit for holder, balance, deficit in rows}


def expiring(*, after: datetime, until: datetime, holders: Sequence[UUID] | None = None) -> list[Expiring]:
    """Points that end in (`after`, `until`], summed by holder and instant, soonest first."""
    idle = Q(expires_at=None, wallet__idle_expires_at__gt=after, wallet__idle_expires_at__lte=until)
    lots = Lot.objects.filter(Q(expires_at__gt=after, expires_at__lte=until) | idle, open=True, **REDEEMABLE)
    if holders is not None:
        lots = lots.filter(wallet__holder__in=holders)
    ends = Coalesce("expires_at", "wallet__idle_expires_at")
    sums = lots.values("wallet__holder", ends=ends).annotate(points=Sum("remaining")).order_by("ends", "wallet__holder")
    return [Expiring(row["wallet__holder"], row["points"], row["ends"]) for row in sums]


def expired(*, after: datetime, until: datetime, holders: Sequence[UUID], now: datetime) -> list[Expiring]:
    """Points that ended in (`after`, `until`] and by `now`, by holder and instant: booked, or ended and not yet swept."""
    lines = Posting.objects.filter(
        wallet__holder__in=holders, wallet__point_type=PointType.REDEEMABLE,
        kind="expire", occurred_at__gt=after, occurred_at__lte=until,
    )  # fmt: skip
    booked = lines.values_list("wallet__holder", "occurred_at").order_by().annotate(points=-Sum("points"))
    waiting = expiring(after=after, until=min(until, now), holders=holders)
    return [Expiring(holder, points, at) for holder, at, points in booked] + waiting


def anything_ended_after(at: datetime) -> bool:
    """Whether the end of a lot was booked that ended after `at`."""
    return Posting.objects.filter(kind="expire", occurred_at__gt=at).exists()


@dataclass(frozen=True, slots=True)
class OpenLotLine:
    points: int
    earned_at: datetime
    expires_at: datetime | None
    available_at: datetime
    store_name: str | None


def open_lots(holder: UUID, now: datetime) -> list[OpenLotLine]:
    """What a holder has, lot by lot in burn order, without what has ended by `now`."""
    ends = Coalesce("expires_at", "wallet__idle_expires_at")
    lots = Lot.objects.annotate(ends=ends).filter(Q(ends=None) | Q(ends__gt=now), **REDEEMABLE, wallet__holder=holder, open=True)
    rows = lots.order_by("ends", "earned_at", "seq").values_list("remaining", "earned_at", "ends", "available_at", "store__name")
    return [OpenLotLine(*row) for row in rows]


def statement(
    holder: UUID, *, before: int | None = None, limit: int = 50, kinds: Sequence[str] | None = None, entry: UUID | None = None
) -> list[StatementLine]:
    """A holder's lines, newest first, from below the line number `before`; `kinds` or one `entry` narrow them."""
    lines = Posting.objects.filter(wallet__holder=holder, wallet__point_type=PointType.REDEEMABLE)
    if before is not None:
        lines = lines.filter(seq__lt=before)
    if kinds is not None:
        lines = lines.filter(kind__in=kinds)
    if entry is not None:
        lines = lines.filter(entry=entry)
    rows = lines.order_by("-wallet", "-seq").values_list(
        "entry_id", "seq", "kind", "points", "balance_after", "occurred_at", "recorded_at",
        "store__code", "store__name", "reference", "hash",
    )[:limit]  # fmt: skip
    return [StatementLine(*row[:-1], hash=bytes(row[-1]).hex()) for row in rows]


@dataclass(frozen=True, slots=True)
class Span:
    """What a holder qualified with in [`after`, `before`) is asked for."""

    holder: UUID
    after: datetime
    before: datetime


def qualifying(spans: Iterable[Span]) -> dict[Span, int]:
    """The qualifying value of each span: what remains of the lots that were earned in it. One statement for all.

    Such lots never end and are never spent, so only a return takes from them, each from its own.
    """
    asked = list(set(spans))
    if not asked:
        return {}
    with connection.cursor() as cursor:
        holders, after, before = zip(*((one.holder, one.after, one.before) for one in asked), strict=True)
        cursor.execute(QUALIFYING, [list(holders), list(after), list(before), PointType.QUALIFYING])
        return {asked[place - 1]: int(value) for place, value in cursor.fetchall()}


def qualifying_holders(*, after: int, limit: int) -> list[tuple[int, UUID]]:
    """The next holders with something in their qualifying wallet, by the wallet's id; `after` is the last one before."""
    rows = Wallet.objects.filter(point_type=PointType.QUALIFYING, pk__gt=after, balance__gt=0).order_by("pk")
    return list(rows.values_list("pk", "holder")[:limit])


def with_qualifying(holders: Iterable[UUID]) -> set[UUID]:
    """Those who have a qualifying wallet."""
    rows = Wallet.objects.filter(holder__in=list(holders), point_type=PointType.QUALIFYING)
    return set(rows.values_list("holder", flat=True))


def expiry_of_lots(holder: UUID, entries: Sequence[UUID]) -> dict[UUID, datetime | None]:
    """When the points that these entries granted end."""
    places = dict(Posting.objects.filter(wallet__holder=holder, entry__in=entries, **REDEEMABLE).values_list("seq", "entry_id"))
    lots = Lot.objects.filter(wallet__holder=holder, seq__in=places, **REDEEMABLE).values_list("seq", "expires_at")
    return {places[seq]: expires_at for seq, expires_at in lots}


@dataclass(frozen=True, slots=True)
class Awarded:
    """An entry that granted points: `clawed` were taken back since, `expired` ended in its own lot, booked or not."""

    holder: UUID
    points: int
    clawed: int
    expired: int


# By scalar subqueries, which stay look-ups by index whatever the planner believes of tables that grew a moment ago.
AWARDED = """
select p.entry_id, w.holder, p.points,
       coalesce((select -sum((select sum(b.points) from loyalty_posting b
                               where b.entry_id = e.id and b.points < 0 and b.kind in ('return', 'reverse')))
                   from loyalty_journalentry e
                  where e.undoes = p.entry_id  -- but for what was undone in its turn
                    and (select count(*) from loyalty_journalentry r
                          where r.undoes = e.id
                            and (select count(*) from loyalty_posting s
                                  where s.entry_id = r.id and s.kind = 'reverse') > 0) = 0), 0),
       coalesce((select sum(u.points) from loyalty_lotuse u
                  where u.wallet_id = p.wallet_id and u.lot_seq = p.seq
                    and (select x.kind from loyalty_posting x where x.wallet_id = u.wallet_id and x.seq = u.seq) = 'expire'), 0)
       + coalesce((select l.remaining from loyalty_lot l
                    where l.wallet_id = p.wallet_id and l.seq = p.seq and l.open
                      and coalesce(l.expires_at, w.idle_expires_at) <= %s), 0)
  from loyalty_posting p join loyalty_wallet w on w.id = p.wallet_id
 where p.entry_id = any(%s) and p.points > 0
"""


def awarded(entries: Sequence[UUID], now: datetime) -> dict[UUID, Awarded]:
    """What became of the points that these entries granted, as of `now`, in one statement."""
    with connection.cursor() as cursor:
        cursor.execute(AWARDED, [now, list(entries)])
        return {entry: Awarded(holder, points, int(clawed), int(expired)) for entry, holder, points, clawed, expired in cursor}


@dataclass(frozen=True, slots=True)
class StoreFacts:
    """A store as other rooms know it."""

    id: int
    code: str
    name: str
    closed_at: datetime | None = None
    timezone: str = "UTC"


def stores_by_code(codes: Iterable[str]) -> dict[str, StoreFacts]:
    rows = Store.objects.filter(code__in=set(codes)).values_list("id", "code", "name", "closed_at", "timezone").order_by()
    return {row[1]: StoreFacts(*row) for row in rows}


def store_in_use(code: str) -> StoreFacts | None:
    """The store with that code unless it is closed."""
    row = Store.objects.filter(code=code, closed_at=None).values_list("id", "code", "name").first()
    return StoreFacts(*row) if row else None


def open_stores() -> dict[str, str]:
    """The names of the stores that are open, by code."""
    return dict(Store.objects.filter(closed_at=None).order_by("name").values_list("code", "name"))
