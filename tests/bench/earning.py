"""The Complete Journey's receipts through `campaigns.purchases.record` under 1, 12 and 100 rules.

Beside them a sum of their points written by hand in SQL, and the engine alone.
"""

import os
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from itertools import batched
from pathlib import Path
from statistics import median
from typing import Any
from zoneinfo import ZoneInfo

import psycopg
from django.db import connection
from django.db.models import Sum
from django.utils import timezone

from campaigns import engine, purchases, rules
from campaigns.models import Purchase
from campaigns.ruleschemas import RuleIn
from campaigns.schemas import PurchaseIn
from campaigns.values import Line, Occasion, Rule, Standing
from config.journey import preparing, reading
from config.journey.receipts import STORE_ZONE, name, store_code
from config.journey.receipts import purchases as receipts_of
from loyalty import terms
from loyalty.ids import uuid7
from loyalty.places import NewStore, open_stores
from members.enrolling import enrol
from members.models import Member
from members.schemas import MemberIn
from tests.bench.measuring import Cell, figure, ratio, rounds, timed
from tests.committing import Database, copied, default_is

SUM = Path(__file__).with_suffix(".sql").read_text()
# The sum under the programme's own rate alone.
PLAIN_SUM = "select count(*), sum(points) from (select floor(sum(net)) as points from bench_line group by receipt) receipt"
LINES = (
    "create temp table bench_line (receipt text, at timestamptz, tier text, is_first bool, sku text, category text, brand text, \
quantity numeric, net numeric)"
)
BATCH = 1_000
MANY = 100
STORES = ZoneInfo(STORE_ZONE)
# Receipts that the engine alone judges in a round.
JUDGED = 500
type Receipts = list[PurchaseIn]


@dataclass(frozen=True, slots=True)
class Programme:
    """A database with the journey's members, stores and tiers, and so many rules beside the programme's own rate."""

    database: Database
    rules: list[Rule]


def earning(admin: psycopg.Connection, count: int) -> list[list[str]]:
    """A row for each set of rules. Raises JourneyError where the data set is not installed."""
    data, twelve = reading.folder(), preparing.said(preparing.RULES)
    meets = reading.overview(data, BATCH * (count + 1))
    sets = {"1": {}, "12": twelve, f"{MANY}": twelve | more(data, meets, MANY - 1 - len(twelve))}
    with ExitStack() as stack:
        shops = {label: stack.enter_context(opened(admin, data, meets, said)) for label, said in sets.items()}
        cells = {f"record {label}": recording(shop, data) for label, shop in shops.items()}
        plain, whole = Summing(stack, data, PLAIN_SUM), Summing(stack, data, SUM)
        cells |= {"sum 1": plain, "sum 12": whole}
        cells |= {f"engine {label}": judging(shop, data) for label, shop in shops.items()}
        rates = rounds(cells, count)
        insist_on_same(shops["1"], plain.points)
    rows = []
    for label in sets:
        mine, beside = rates[f"record {label}"], rates["sum 1" if label == "1" else "sum 12"]
        rows.append([
            label, figure(median(mine)), f"{ratio(mine, rates['record 1']).median:.2f}", figure(median(beside)),
            f"{ratio(mine, beside).median:.4f}", figure(median(rates[f"engine {label}"])),
        ])  # fmt: skip
    return rows


@contextmanager
def opened(admin: psycopg.Connection, data: Path, meets: reading.Overview, said: Mapping[str, RuleIn]) -> Iterator[Programme]:
    """A fresh copy of the migrated template, with all that stands before the first receipt; tiers only with rules."""
    with copied(admin) as database:
        with default_is(database):
            open_stores(NewStore(store_code(one), f"Store {one}", STORE_ZONE) for one in meets.stores)
            if said:
                preparing.publish_tiers(now=meets.start)
                preparing.publish_rules(said, now=meets.start)
            for households in batched(meets.households, BATCH, strict=False):
                enrol([MemberIn(external_id=name(one)) for one in households], now=meets.start)
            tiers = tiers_of(data)
            members = Member.objects.values_list("pk", "external_id")
            asked = {pk: tiers[known_as] for pk, known_as in members if known_as in tiers}
            preparing.set_tiers(asked if said else {}, last=meets.end.date() + timedelta(days=366), now=meets.start)
            held = rules.in_force(rules.published(), meets.start)
        yield Programme(database, held)


def more(data: Path, meets: reading.Overview, count: int) -> dict[str, RuleIn]:
    """Rules as a big shop may have them at a time, all of them live: for a category, a store, a product, a basket."""
    goods = reading.products(data)
    categories = sorted({category for category, _ in goods.values() if category})
    shapes: list[Callable[[int], dict[str, Any]]] = [
        lambda n: {"kind": "bonus", "value": "0.1", "what": {"categories": [categories[n * 3]]}},
        lambda n: {"kind": "multiplier", "value": "1.1", "where": {"stores": [store_code(meets.stores[n])]}},
        lambda n: {"kind": "bonus", "per": "unit", "value": "2", "what": {"skus": [str(list(goods)[n * 97])]}},
        lambda n: {
            "kind": "bonus", "per": "purchase", "value": "5", "when": {"weekdays": [1 + n % 7]}, "at_least": {"amount": "30.00"},
            "what": {"categories": categories[n : n + 40]},
            "caps": [{"unit": "times", "per": "member", "window": "month", "limit": 4}],
        },
    ]  # fmt: skip
    return {f"more-{n}": RuleIn.model_validate(shapes[n % len(shapes)](n)) for n in range(count)}


def recording(shop: Programme, data: Path) -> Cell:
    """The next receipts of the year, through the door that every receipt takes."""
    coming = slices(data)

    def cell() -> tuple[int, float]:
        receipts = next(coming)
        with default_is(shop.database):
            connection.ensure_connection()
            return len(receipts), timed(lambda: purchases.record(receipts, now=timezone.now(), history=True))

    return cell


class Summing:
    """The same receipts in one statement, from a table that holds their lines; `points` are those of all rounds."""

    def __init__(self, stack: ExitStack, data: Path, statement: str) -> None:
        self._database = stack.enter_context(psycopg.connect(os.environ["REGULARS_TEST_ADMIN_URL"]))
        self._database.execute(LINES)
        self._coming, self._tiers, self._statement = slices(data), tiers_of(data), statement
        self._known: set[str] = set()
        self.points = 0

    def __call__(self) -> tuple[int, float]:
        receipts = next(self._coming)
        self._fill(receipts)
        asked = preparing.said(preparing.RULES)
        goods = {
            "thin": asked["thin-margin"].what.categories, "fresh": asked["fresh-counter"].what.categories,
            "fuel": asked["member-day"].what.exclude_categories,
        }  # fmt: skip
        started = time.perf_counter()
        found = self._database.execute(self._statement, goods).fetchone()
        seconds = time.perf_counter() - started
        assert found, "an aggregate has a row"
        self.points += found[1]
        return len(receipts), seconds

    def _fill(self, receipts: Receipts) -> None:
        self._database.execute("truncate bench_line")
        with self._database.cursor().copy("copy bench_line from stdin") as copy:
            for one in receipts:
                household = one.member.removeprefix("external:")
                head = one.receipt_number, one.occurred_at, self._tiers.get(household), household not in self._known
                self._known.add(household)
                for line in one.lines:
                    copy.write_row((*head, line.sku, line.category, line.brand, line.quantity, line.net_amount))
        self._database.execute("analyze bench_line")


def judging(shop: Programme, data: Path) -> Cell:
    """The engine alone: no database, no counters, nothing written."""
    coming, tiers = slices(data), tiers_of(data)
    with default_is(shop.database):
        contract = terms.published()[0]

    def cell() -> tuple[int, float]:
        occasions = [
            Occasion(
                member=uuid7(), at=one.occurred_at, zone=contract.zone, store=one.store, store_zone=STORES,
                standing=Standing(tier=tiers.get(one.member.removeprefix("external:"))), point_value=Decimal("0.01"),
                lines=tuple(Line(it.line_id, it.net_amount, it.quantity, it.sku, it.category, it.brand) for it in one.lines),
            )
            for one in next(coming)[:JUDGED]
        ]  # fmt: skip
        return len(occasions), timed(lambda: [engine.judge(one, shop.rules) for one in occasions])

    return cell


def insist_on_same(shop: Programme, points: int) -> None:
    """Under the programme's own rate the sum in SQL and the product say the same."""
    with default_is(shop.database):
        found = Purchase.objects.aggregate(points=Sum("points_earned"))["points"]
    assert found == points, f"the product gave {found} points, the sum says {points}"


def slices(data: Path) -> Iterator[Receipts]:
    coming = receipts_of(data, None, shift=timedelta(), currency="EUR")
    return (list(some) for some in batched(coming, BATCH, strict=False))


def tiers_of(data: Path) -> dict[str, str]:
    return {name(one): tier for one, income in reading.incomes(data).items() if (tier := preparing.tier_of(income))}
