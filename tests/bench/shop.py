"""A shop to measure in: a fresh database, members, receipts that follow from a seed, and the floor beside them."""

import json
import random
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from uuid import UUID

import psycopg
from django.utils import timezone

from campaigns import engine, purchases, rules
from campaigns.schemas import PurchaseIn
from campaigns.values import Line, Occasion, Rule
from loyalty import terms
from loyalty.ids import uuid7
from loyalty.models import Store, Wallet
from loyalty.places import NewStore, open_stores
from members.enrolling import Enrolled, enrol
from members.models import Member
from members.queries import MemberFacts
from members.schemas import MemberIn
from tests.committing import Database, copied, default_is

FLOOR = Path(__file__).with_name("floor.sql")
STORES = 50
MOST_LINES = 18  # 9.5 on average, as The Complete Journey has
CATEGORIES = ("COFFEE", "FLUID MILK PRODUCTS", "BAKED BREAD/BUNS/ROLLS", "SOFT DRINKS", "CHEESE")


@dataclass(frozen=True, slots=True)
class Shop:
    """`wallets` are the product's ids and the floor's alike; `floor` is a connection to the floor's tables."""

    database: Database
    floor: psycopg.Connection
    members: list[MemberFacts]
    wallets: dict[UUID, int]
    stores: dict[str, int]
    terms: terms.Terms
    rule: Rule


@contextmanager
def opened(admin: psycopg.Connection, members: int) -> Iterator[Shop]:
    """A fresh copy of the migrated template with `members` members, all of it gone at the end."""
    with copied(admin) as database, default_is(database), connected(database) as floor:
        open_stores(NewStore(f"S{number}", f"Shop {number}", "Europe/Paris") for number in range(STORES))
        people = _join(members)
        floor.execute(FLOOR.read_text())
        floor.execute("insert into bench.loyalty_wallet overriding system value select * from public.loyalty_wallet")
        floor.execute("analyze public.loyalty_wallet, bench.loyalty_wallet")  # an empty table that was analysed misleads plans
        now = timezone.now()
        yield Shop(
            database, floor, people,
            wallets=dict(Wallet.objects.values_list("holder", "id")),
            stores=dict(Store.objects.values_list("code", "id")),
            terms=terms.current(now),
            rule=rules.in_force(rules.published(), now)[0],
        )  # fmt: skip


@contextmanager
def connected(database: Database) -> Iterator[psycopg.Connection]:
    """A connection to the floor's tables, each call a transaction."""
    with psycopg.connect(database.url("postgres"), autocommit=True) as floor:
        floor.execute("set search_path = bench, public")
        yield floor


def _join(count: int) -> list[MemberFacts]:
    joined: list[UUID] = []
    for start in range(0, count, 1000):
        applications = [MemberIn(external_id=f"bench-{number}") for number in range(start, min(start + 1000, count))]
        joined += [one.member for one in enrol(applications, now=timezone.now()) if isinstance(one, Enrolled)]
    holders = dict(Member.objects.values_list("id", "holder"))
    return [MemberFacts(id_, holders[id_], Member.Status.ACTIVE) for id_ in joined]


class Till:
    """Rings up receipts, each with another number; the same seed gives the same ones."""

    def __init__(self, shop: Shop, name: str) -> None:
        self.shop, self.name = shop, name
        self._random = random.Random(name)  # noqa: S311 - repeatable on purpose
        self._rung = 0

    def receipts(self, count: int, *, at: datetime) -> list[PurchaseIn]:
        return [self._receipt(at + timedelta(seconds=second)) for second in range(count)]

    def _receipt(self, at: datetime) -> PurchaseIn:
        self._rung += 1
        draw = self._random
        lines = [
            {"line_id": str(1_000_000 + place), "sku": str(draw.randrange(10**6)), "category": draw.choice(CATEGORIES),
             "brand": "National", "net_amount": Decimal(draw.randrange(100, 700)).scaleb(-2)}
            for place in range(draw.randint(1, MOST_LINES))
        ]  # fmt: skip
        return PurchaseIn(
            source="bench", receipt_number=f"{self.name}-{self._rung}", store=f"S{draw.randrange(STORES)}",
            member=str(draw.choice(self.shop.members).id), occurred_at=at, currency=self.shop.terms.currency, lines=lines,
        )  # fmt: skip


def ready(shop: Shop, receipts: Sequence[PurchaseIn]) -> list[object]:
    """What `bench.take` takes for these receipts: all that the product computes is computed before the clock starts."""
    people = {str(one.id): one for one in shop.members}
    rows, lines = [], []
    for place, one in enumerate(receipts, start=1):
        member = people[one.member]
        rung = tuple(Line(line.line_id, line.net_amount) for line in one.lines)
        judged = engine.judge(Occasion(member.id, one.occurred_at, shop.terms.zone, rung), [shop.rule])
        rows.append((
            uuid7(), one.receipt_number, purchases.document_print(one, member), member.id, shop.wallets[member.holder],
            shop.stores[one.store], one.occurred_at, sum((line.net_amount for line in one.lines), Decimal(0)), judged.points,
            json.dumps(judged.trace), uuid7(), shop.terms.ends(one.occurred_at),
        ))  # fmt: skip
        lines += [
            (place, line.line_id, line.sku, line.category, line.brand, line.quantity, line.net_amount, points)
            for line, points in zip(one.lines, judged.line_points, strict=True)
        ]
    return [*map(list, zip(*rows, strict=True)), *map(list, zip(*lines, strict=True)), *frozen(shop)]


def frozen(shop: Shop) -> list[object]:
    """What a whole batch has in common: terms, rule, when it is recorded."""
    return [shop.terms.id, shop.rule.version, timezone.now()]
