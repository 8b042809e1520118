"""What The Complete Journey's files say that each receipt and each member's act earned; a part of reconcile.py.

Amounts are whole cents, and the calendar (points end with the month, twelve months later, in the programme's zone) is
written a second time.
"""

import argparse
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import pyarrow as arrow
from pyarrow import compute, parquet

if TYPE_CHECKING:
    from config.journey import rejudge
else:
    import rejudge  # of a program, which finds its parts in its own folder, and nothing of the product

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
COLUMNS = ["basket_id", "household_id", "store_id", "product_id", "quantity", "transaction_timestamp", "sales_value"]
BASE = "base"
# Points that only a member has, by event: no store issued them, no receipt brought them.
SIGN_UP, PROFILE = "sign_up", "profile_completed"
GOLD = {"125-149K", "150-174K", "175-199K", "200-249K", "250K+"}
SILVER = {"75-99K", "100-124K"}


@dataclass(frozen=True, slots=True)
class Award:
    """Points by one rule, how they fall to the lines of a receipt, and when they end."""

    rule: str
    points: int
    ends: datetime
    by_line: tuple[int, ...] = ()
    base: bool = True


@dataclass(slots=True)
class Receipt:
    """As the files say it, names spelt as in the database; `lines` are (product, cents, quantity) in the order of the file.

    Without a store it is an event.
    """

    number: str
    member: str
    store: str
    at: datetime
    lines: list[tuple[str, int, int]] = field(default_factory=list)
    awards: list[Award] = field(default_factory=list)

    @property
    def cents(self) -> int:
        return sum(cents for _, cents, _ in self.lines)

    @property
    def points(self) -> int:
        return sum(award.points for award in self.awards)

    def points_of_lines(self) -> tuple[int, ...]:
        """In the order of the products' numbers."""
        parts = [sum(award.by_line[place] for award in self.awards) for place in range(len(self.lines))]
        return tuple(points for _, points in sorted(zip(self.lines, parts, strict=True), key=lambda pair: pair[0][0]))


def read(data: Path, shift: timedelta, limit: int | None) -> list[Receipt]:
    """The first `limit` receipts of the files."""
    table = parquet.read_table(data / "transactions.parquet", columns=COLUMNS)
    cents = compute.round(compute.multiply(table["sales_value"], 100)).cast(arrow.int64()).to_pylist()
    instants = table["transaction_timestamp"].cast(arrow.timestamp("us")).cast(arrow.int64()).to_pylist()
    found: dict[int, Receipt] = {}
    rows = zip(*(table[name].to_pylist() for name in COLUMNS[:5]), instants, cents, strict=True)
    for basket, household, store, product, quantity, microseconds, paid in rows:
        one = found.get(basket)
        if one is None:
            if len(found) == limit:
                break
            at = EPOCH + timedelta(microseconds=microseconds) + shift
            one = found[basket] = Receipt(str(basket), f"cj-{household}", f"CJ{store}", at)
        one.lines.append((str(product), paid, quantity))
    return list(found.values())


def judged_by_rate(receipts: list[Receipt], rate: Fraction, zone: ZoneInfo) -> list[Receipt]:
    """One rule for all, `rate` points for a cent; rounded down once, and spread over the lines by largest remainder."""
    for one in receipts:
        points = one.cents * rate.numerator // rate.denominator
        if points:
            by_line = rejudge.in_proportion(points, [cents for _, cents, _ in one.lines])
            one.awards = [Award(BASE, points, end_of_points(one.at, zone), tuple(by_line))]
    return receipts


def judged_by_rules(receipts: list[Receipt], options: argparse.Namespace, zone: ZoneInfo) -> list[Receipt]:
    """Receipts and the events before them, each judged after what its member did before."""
    incomes = _columns(options.data / "demographics.parquet", "household_id", "income")
    tiers = {f"cj-{one}": "gold" if income in GOLD else "silver" for one, income in incomes if income in GOLD | SILVER}
    goods = _columns(options.data / "products.parquet", "product_id", "product_category", "brand")
    judge = rejudge.Judge(
        rules=rejudge.read(options.rules, options.points_per_unit),
        goods={str(product): (category or "", brand or "") for product, category, brand in goods},
        tiers=tiers, programme=zone, stores=ZoneInfo(options.store_timezone), worth=Decimal(options.point_value),
    )  # fmt: skip
    events = _events(receipts, {f"cj-{one}" for one, _ in incomes})
    for kind, one in events:
        one.awards = _awards(judge.event(kind, one.member, one.store, one.at), one.at, zone)
    for one in sorted(receipts, key=lambda one: (one.at, int(one.number))):
        one.awards = _awards(judge.receipt(one.member, one.store, one.at, one.lines), one.at, zone)
    return receipts + [one for _, one in events]


def _events(receipts: list[Receipt], described: set[str]) -> list[tuple[str, Receipt]]:
    """Each member signed up when the data begin, and completed a profile if the file of households describes it."""
    start = receipts[0].at
    members = dict.fromkeys(one.member for one in receipts)
    kinds = [(SIGN_UP, one) for one in members] + [(PROFILE, one) for one in members if one in described]
    return [(kind, Receipt(f"{kind}:{one}", one, "", start)) for kind, one in kinds]


def _awards(given: Iterable[rejudge.Given], at: datetime, zone: ZoneInfo) -> list[Award]:
    return [
        Award(one.rule.code, one.points, end_of_points(at, zone, one.rule.days), one.by_line, one.rule.kind == "base")
        for one in given
    ]


def _columns(file: Path, *names: str) -> list[tuple[Any, ...]]:
    table = parquet.read_table(file, columns=list(names))
    return list(zip(*(table[name].to_pylist() for name in names), strict=True))


def end_of_points(earned: datetime, zone: ZoneInfo, days: int = 0) -> datetime:
    """Midnight, in the programme's zone, after the last day of the month that is twelve months after.

    With `days`, after the day that is so many days after.
    """
    local = earned.astimezone(zone)
    if days:
        last = local.date() + timedelta(days=days + 1)
        return datetime(last.year, last.month, last.day, tzinfo=zone).astimezone(UTC)
    months = local.year * 12 + local.month + 12  # counted from 0, this is already the month after
    return datetime(months // 12, months % 12 + 1, 1, tzinfo=zone).astimezone(UTC)
