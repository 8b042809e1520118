"""What the engine is given, and what it answers: plain values. Money is Decimal in the programme's currency."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time
from decimal import Decimal
from enum import StrEnum
from typing import Any, NamedTuple
from uuid import UUID
from zoneinfo import ZoneInfo


class Kind(StrEnum):
    BASE = "base"
    BONUS = "bonus"
    MULTIPLIER = "multiplier"
    EVENT = "event"


class Per(StrEnum):
    """What the value of a base or bonus rule is multiplied with."""

    AMOUNT = "amount"
    PURCHASE = "purchase"
    UNIT = "unit"


@dataclass(frozen=True, slots=True)
class Cap:
    """At most `limit` of `unit` in a `window`, counted together for what `per` names.

    `unit`: times | points | money (the worth of the points). `per`: member | member_store | rule | rule_store | campaign |
    programme. `window`: day | week | month | year | ever | rolling:P<n>D, by the programme's calendar.
    """

    unit: str
    per: str
    window: str
    limit: Decimal


class Counter(NamedTuple):
    """What a cap counts on: a name, and the first day of a window of the calendar, or for a rolling one the day itself."""

    name: str
    day: date


@dataclass(frozen=True, slots=True)
class Rule:
    """A frozen version of a rule; the fields mean what API.md says of an earn rule. Empty sets and None ask for nothing."""

    version: UUID
    code: str
    kind: Kind
    value: Decimal
    per: Per = Per.AMOUNT
    event_type: str | None = None
    ends_at: datetime | None = None
    weekdays: frozenset[int] = frozenset()
    hours: tuple[time, time] | None = None
    birthday: str | None = None
    stores: frozenset[str] = frozenset()
    tiers: frozenset[str] = frozenset()
    segment: str | None = None
    first_purchase: bool = False
    every_visit: int | None = None
    streak: int | None = None
    skus: frozenset[str] = frozenset()
    categories: frozenset[str] = frozenset()
    brands: frozenset[str] = frozenset()
    exclude_categories: frozenset[str] = frozenset()
    at_least_amount: Decimal | None = None
    at_least_quantity: Decimal | None = None
    caps: tuple[Cap, ...] = ()
    priority: int = 100
    exclusive_group: str | None = None
    expires: str | None = None
    pending: str | None = None


@dataclass(frozen=True, slots=True)
class Line:
    """`discount` is the part of `net_amount` that vouchers took off, `tender` the part that was paid in points.

    `excluded` goods earn nothing.
    """

    line_id: str
    net_amount: Decimal
    quantity: Decimal = Decimal(1)
    sku: str = ""
    category: str = ""
    brand: str = ""
    excluded: bool = False
    tender: Decimal = Decimal(0)
    discount: Decimal = Decimal(0)

    @property
    def due(self) -> Decimal:
        """What is to be paid for it, in money or in points."""
        return self.net_amount - self.discount

    @property
    def unpaid(self) -> Decimal:
        """What of `net_amount` was not paid in money."""
        return self.tender + self.discount

    @property
    def basis(self) -> Decimal:
        """The money that earns (SEMANTICS 1.2)."""
        return Decimal(0) if self.excluded else self.net_amount - self.unpaid


@dataclass(frozen=True, slots=True)
class Standing:
    """What was true of the member at the moment of the occasion.

    `visit`: the how-manieth day with a purchase this is, `first_of_day` the first receipt told of it. `streak`: the
    how-manieth day in a row with this event. `birthday` is (month, day), None too when it was set less than 30 days before.
    """

    tier: str | None = None
    segments: frozenset[str] = frozenset()
    birthday: tuple[int, int] | None = None
    first_purchase: bool = False
    visit: int = 1
    first_of_day: bool = True
    streak: int = 1


@dataclass(frozen=True, slots=True)
class Occasion:
    """A receipt (lines), or an event (`event_type`, no lines), of one member. `zone` is the programme's."""

    member: UUID
    at: datetime
    zone: ZoneInfo
    lines: tuple[Line, ...] = ()
    event_type: str | None = None
    store: str | None = None
    store_zone: ZoneInfo | None = None
    standing: Standing = field(default_factory=Standing)
    point_value: Decimal = Decimal(0)


@dataclass(frozen=True, slots=True)
class Granted:
    """What one rule gives: its share of the points, which becomes a lot."""

    rule: Rule
    points: int


@dataclass(frozen=True, slots=True)
class Judgement:
    """`line_points` in the order of the lines; both sums equal `points`. `trace` explains, in JSON values.

    `taken` is what each counter of a cap moves by; `base_points` are those of base rules.
    """

    points: int
    base_points: int
    granted: list[Granted]
    line_points: list[int]
    taken: Mapping[Counter, Decimal]
    trace: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Foreseen:
    """What a return would do: points taken back, points and money given back, and whether nothing is left of the receipt.

    `onto_vouchers`: money that goes back onto each voucher that keeps its rest.
    """

    clawed: int
    points_back: int
    money_back: Decimal
    whole: bool
    policy: str
    onto_vouchers: Mapping[UUID, Decimal]
