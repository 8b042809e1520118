"""What a reward costs a member now, and why it cannot be had. Pure: no ORM, no clock, no I/O."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from enum import StrEnum
from itertools import pairwise
from zoneinfo import ZoneInfo

from loyalty.spans import in_hours


class Why(StrEnum):
    """Why a reward cannot be had; the values are the API's `unavailable_because`."""

    WITHDRAWN = "withdrawn"
    NOT_YET = "not-yet"
    ENDED = "ended"
    NOT_NOW = "not-now"
    TIER = "tier"
    STORE = "store"
    LIMIT = "limit-reached"
    STOCK = "out-of-stock"
    POINTS = "insufficient-points"
    DEFICIT = "deficit"
    UNVERIFIED = "unverified"
    BLOCKED = "blocked"


@dataclass(frozen=True, slots=True)
class Window:
    """When something holds: between two instants, on some days of the week, in some hours (over midnight too)."""

    starts_at: datetime | None = None
    ends_at: datetime | None = None
    weekdays: frozenset[int] = frozenset()
    hours: tuple[time, time] | None = None

    def holds(self, at: datetime, zone: ZoneInfo) -> bool:
        """`at` in the zone of the store, or the programme's where there is none."""
        if (self.starts_at and at < self.starts_at) or (self.ends_at and at >= self.ends_at):
            return False
        there = at.astimezone(zone)
        if self.weekdays and there.isoweekday() not in self.weekdays:
            return False
        return in_hours(self.hours, there.time())

    def until(self, at: datetime, zone: ZoneInfo) -> datetime | None:
        """When it holds no more for the first time after `at`; of one that does not hold now its last end. None: never."""
        ends = [self.ends_at] if self.ends_at else []
        if self.holds(at, zone):
            there = at.astimezone(zone)
            if self.hours:
                ends += [_next(self.hours[1], there)]
            if self.weekdays and len(self.weekdays) < 7:
                over = next(day for day in range(1, 8) if (there + timedelta(days=day)).isoweekday() not in self.weekdays)
                ends += [_midnight(there.date() + timedelta(days=over), zone)]
        return min(ends, default=None)


@dataclass(frozen=True, slots=True)
class Price:
    """Points and money for one. `tier` and `birthday_month` say for whom, `window` when; the plain price asks for nothing."""

    points: int
    money: Decimal = Decimal(0)
    name: str = ""
    tier: str = ""
    window: Window = Window()
    birthday_month: bool = False


@dataclass(frozen=True, slots=True)
class Offer:
    """A reward as it stands: `left` is what the stock has for this store, None for as many as wanted."""

    price: Price
    prices: tuple[Price, ...] = ()
    window: Window = Window()
    tiers: frozenset[str] = frozenset()
    stores: frozenset[str] = frozenset()
    per_member: int | None = None
    withdrawn: bool = False
    left: int | None = None


@dataclass(frozen=True, slots=True)
class Visitor:
    """Who asks: `taken` are the redemptions of this reward that count against its limit."""

    available: int
    deficit: int = 0
    verified: bool = True
    tier: str | None = None
    birth_month: int | None = None
    taken: int = 0
    blocked: bool = False


@dataclass(frozen=True, slots=True)
class Quoted:
    """The best price for one, until when it holds for sure, and why the reward cannot be had (None: it can)."""

    price: Price
    valid_until: datetime | None
    because: Why | None


def quote(offer: Offer, visitor: Visitor, *, at: datetime, zone: ZoneInfo, store: str | None = None, quantity: int = 1) -> Quoted:
    """What `quantity` of the reward would cost this visitor."""
    price = best(offer, visitor, at=at, zone=zone)
    ends = min((end for end in _ends(offer, price, at, zone) if end), default=None)
    return Quoted(price, ends, _hindrance(offer, visitor, price, at, zone, store, quantity))


def _ends(offer: Offer, price: Price, at: datetime, zone: ZoneInfo) -> Iterator[datetime | None]:
    yield offer.window.until(at, zone)
    yield price.window.until(at, zone)
    if price.birthday_month:
        there = at.astimezone(zone)
        yield _midnight((there.date().replace(day=1) + timedelta(days=32)).replace(day=1), zone)


def _next(hour: time, there: datetime) -> datetime:
    """The next time that the clock of the place shows this hour."""
    day = there.date() if there.time() < hour else there.date() + timedelta(days=1)
    return datetime.combine(day, hour.replace(fold=there.fold), there.tzinfo).astimezone(UTC)


def _midnight(day: date, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, time(), zone).astimezone(UTC)


def best(offer: Offer, visitor: Visitor, *, at: datetime, zone: ZoneInfo) -> Price:
    """Of the prices that hold for this visitor now the one with the fewest points, then the least money."""
    month = at.astimezone(zone).month
    held = (
        price
        for price in offer.prices
        if price.window.holds(at, zone)
        and (not price.tier or price.tier == visitor.tier)
        and (not price.birthday_month or visitor.birth_month == month)
    )
    return min((offer.price, *held), key=lambda price: (price.points, price.money))


@dataclass(frozen=True, slots=True)
class Who:
    """A kind of member: of a tier, and in the month of their birthday or not."""

    tier: str | None = None
    birthday: bool = False


@dataclass(frozen=True, slots=True)
class Span:
    """From one instant to before another, what each kind of member pays at best; None: it is not offered then."""

    starts_at: datetime
    ends_at: datetime
    prices: tuple[Price | None, ...]


def calendar(offer: Offer, who: Sequence[Who], *, since: datetime, until: datetime, zone: ZoneInfo) -> list[Span]:
    """The time between two instants, cut where a price of one of them begins or ends."""
    spans: list[Span] = []
    for begin, end in pairwise(sorted({since, until, *(at for at in _turns(offer, since, until, zone) if since < at < until)})):
        month = begin.astimezone(zone).month
        visitors = [Visitor(0, tier=one.tier, birth_month=month if one.birthday else None) for one in who]
        offered = offer.window.holds(begin, zone)
        prices = tuple(best(offer, one, at=begin, zone=zone) if offered else None for one in visitors)
        if spans and spans[-1].prices == prices:
            spans[-1] = replace(spans[-1], ends_at=end)
        else:
            spans.append(Span(begin, end, prices))
    return spans


def _turns(offer: Offer, since: datetime, until: datetime, zone: ZoneInfo) -> Iterator[datetime]:
    """Each instant at which something may begin to hold or end: the ends of windows, midnights, and hours of each day."""
    windows = [offer.window, *(price.window for price in offer.prices)]
    hours = {time(), *(hour for window in windows for hour in window.hours or ())}
    first, last = since.astimezone(zone).date(), until.astimezone(zone).date()
    for number in range((last - first).days + 1):
        yield from (datetime.combine(first + timedelta(days=number), hour, zone).astimezone(UTC) for hour in hours)
    for window in windows:
        yield from (at for at in (window.starts_at, window.ends_at) if at)


def reach(points: Iterable[int], price: int) -> Decimal:
    """The share of members, given what each has, who could pay `price` points now; from 0 to 1."""
    had = list(points)
    return Decimal(sum(one >= price for one in had)) / len(had) if had else Decimal(0)


def cost_per_point(cost: Decimal, money: Decimal, points: int) -> Decimal | None:
    """What a point of this reward costs the merchant: its cost without the money paid, by its points."""
    return (cost - money) / points if points else None


def suggested_points(cost: Decimal, money: Decimal, point_value: Decimal) -> int | None:
    """The points that are worth to the member what the reward costs the merchant, rounded up to tens."""
    if point_value <= 0 or cost <= money:
        return None
    return -int(-((cost - money) / point_value) // 10) * 10


def _hindrance(
    offer: Offer, visitor: Visitor, price: Price, at: datetime, zone: ZoneInfo, store: str | None, quantity: int
) -> Why | None:
    """The first thing in the way, from what nobody can change to what the member can."""
    checks = (
        (Why.WITHDRAWN, offer.withdrawn),
        (Why.NOT_YET, offer.window.starts_at is not None and at < offer.window.starts_at),
        (Why.ENDED, offer.window.ends_at is not None and at >= offer.window.ends_at),
        (Why.STORE, bool(offer.stores and store and store not in offer.stores)),
        (Why.TIER, bool(offer.tiers) and visitor.tier not in offer.tiers),
        (Why.NOT_NOW, not offer.window.holds(at, zone)),
        (Why.LIMIT, offer.per_member is not None and visitor.taken + quantity > offer.per_member),
        (Why.STOCK, offer.left is not None and offer.left < quantity),
        (Why.BLOCKED, visitor.blocked),
        (Why.UNVERIFIED, not visitor.verified),
        (Why.DEFICIT, visitor.deficit > 0),
        (Why.POINTS, visitor.available < price.points * quantity),
    )
    return next((why for why, stands in checks if stands), None)
