"""Fills the demo: members, then a year of receipts that ends yesterday. The same seed makes the same year."""

import random
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, time, timedelta
from decimal import Decimal
from itertools import batched, groupby

from campaigns import drafting, events, greeting, publishing, rules
from campaigns.awarding import Recorded
from campaigns.events import Happened
from campaigns.purchases import record
from campaigns.ruleschemas import RuleIn
from campaigns.schemas import LineIn, PurchaseIn
from config.demo import menu, redeeming
from loyalty import posting, terms
from loyalty.ids import uuid7
from loyalty.places import NewStore, open_stores
from loyalty.problems import Problem
from loyalty.terms import Terms
from members import publishing as tier_tables
from members.enrolling import Enrolled, enrol
from members.schemas import ConsentIn, MemberIn

SEED = 7
SOURCE = "demo"
PEOPLE = 360
DAYS = 365
BATCH = 125
# Since when acts are paid for, and how many regulars check in.
ACTS_DAYS = 28
CHECKING_IN = 40


def stores() -> None:
    open_stores(NewStore(code, name, zone, region) for code, (name, zone, region) in menu.SHOPS.items())


def tiers(*, now: datetime) -> None:
    """Publish the tier table, unless there is one."""
    if tier_tables.versions():
        return
    version = tier_tables.draft({"review": "one_down", "grace_days": 30}, menu.TIERS, actor=menu.ACTOR).version
    tier_tables.publish(version, actor=menu.ACTOR, now=now)


def members(draw: random.Random, *, now: datetime) -> list[str]:
    """Enrol the regulars; their cards, the two demo logins first."""
    applications = [_application(i, draw) for i in range(PEOPLE)]
    return [one.card for one in enrol(applications, now=now - timedelta(days=DAYS), again=True) if isinstance(one, Enrolled)]


def _application(i: int, draw: random.Random) -> MemberIn:
    named = i < len(menu.MEMBERS)
    given = menu.GIVEN[i % len(menu.GIVEN)]
    month, day = draw.randint(1, 12), draw.randint(1, 28)
    return MemberIn(
        external_id=f"demo-{i}",
        email=menu.MEMBERS[i] if named else f"{SOURCE}{i}@demo.example",
        given_name=given, family_name=draw.choice(menu.FAMILY), verified=named or draw.random() < 0.8,
        birthday=f"--{month:02}-{day:02}" if draw.random() < 0.6 else None,
        language="en" if named else draw.choice(menu.LANGUAGES), home_store=draw.choice(list(menu.SHOPS)),
        consents=[ConsentIn(channel="email", purpose="marketing")] if draw.random() < 0.4 else [],
    )  # fmt: skip


def receipts(cards: list[str], draw: random.Random, contract: Terms, *, now: datetime) -> Iterator[PurchaseIn]:
    """A year of visits in order of time. Each regular has a rhythm and a favourite shop; weekends are busier."""
    habits = [
        (card, draw.paretovariate(1.3) * 9 + (40 if i < 2 else 0), draw.choice(list(menu.SHOPS))) for i, card in enumerate(cards)
    ]
    first = contract.day_of(now) - timedelta(days=DAYS)
    number = 0
    for offset in range(DAYS):
        day = first + timedelta(days=offset)
        weight = 1.35 if day.weekday() >= 5 else 0.87
        for card, visits, favourite in habits:
            if draw.random() >= min(visits / DAYS * weight, 0.95):
                continue
            number += 1
            opened = datetime.combine(day, time(7), contract.zone).astimezone(UTC)
            at = opened + timedelta(minutes=draw.randint(0, 720))
            shop = favourite if draw.random() < 0.75 else draw.choice(list(menu.SHOPS))
            yield _receipt(f"D{number:06}", card, shop, at, contract.currency, draw)


def _receipt(number: str, card: str, shop: str, at: datetime, currency: str, draw: random.Random) -> PurchaseIn:
    items = draw.choices(menu.MENU, menu.TASTE, k=draw.choice((1, 1, 1, 2, 2, 3)))
    lines = []
    for i, item in enumerate(items, 1):
        quantity = Decimal(draw.choice((1, 1, 1, 2)))
        lines.append(
            LineIn(line_id=str(i), sku=item.sku, category=item.category, quantity=quantity, net_amount=quantity * item.price)
        )
    return PurchaseIn(
        source=SOURCE, receipt_number=number, store=shop, member=card, occurred_at=at, currency=currency, lines=lines
    )


def publish_acts(*, now: datetime) -> None:
    """The rules for what members do beside buying, published by a person without a login; rules that are there stay."""
    nobody = uuid7()
    for code, rule in menu.ACTS.items():
        if code not in rules.names():
            draft, _is_new = drafting.put(code, RuleIn.model_validate(rule), actor=nobody)
            publishing.publish(draft.pk, actor=nobody, now=now)


def check_ins(cards: list[str], draw: random.Random, contract: Terms, *, now: datetime) -> Iterator[Happened]:
    """Of some regulars in the last weeks, in the order of time; the first of them came each of the last six days."""
    keen = {card: 1.0 if i == 0 else draw.uniform(0.2, 0.9) for i, card in enumerate(cards[:CHECKING_IN])}
    for before in range(ACTS_DAYS - 1, 0, -1):
        day = contract.day_of(now) - timedelta(days=before)
        for i, (card, share) in enumerate(keen.items()):
            if draw.random() < share and (i or before <= 6):
                at = datetime.combine(day, time(8, draw.randint(0, 59)), contract.zone).astimezone(UTC)
                yield Happened(source=SOURCE, number=f"check_in:{card}:{day}", type="check_in", member=card, occurred_at=at)


def _checked_in(day: list[Happened]) -> list[Recorded | Problem]:
    return events.record(day, now=max(one.occurred_at for one in day))


def fill(*, now: datetime, tell: Callable[[str], None]) -> None:
    """Fill an empty installation. Repeated on the same day it changes nothing."""
    draw, contract = random.Random(SEED), terms.current(now)  # noqa: S311  a demo, not a secret
    stores()
    tiers(now=now - timedelta(days=DAYS))
    cards = members(draw, now=now)
    tell(f"{len(cards):,} members in {len(menu.SHOPS)} shops")
    redeeming.stock_up(draw, now=now - timedelta(days=DAYS))
    taken = redeemed = 0
    for batch in batched(receipts(cards, draw, contract, now=now), BATCH):
        then = batch[-1].occurred_at + timedelta(minutes=5)  # what receipts bring about, a tier too, happened then
        taken += sum(isinstance(outcome, Recorded) for outcome in record(batch, now=then, history=True))
        redeemed += redeeming.some(cards, draw, contract, now=then)
        tell(f"{taken:,} receipts, {redeemed:,} rewards")
    publish_acts(now=now - timedelta(days=ACTS_DAYS))
    told = [
        one
        for _day, some in groupby(check_ins(cards, draw, contract, now=now), lambda one: contract.day_of(one.occurred_at))
        for one in _checked_in(list(some))
    ]
    tell(f"{sum(isinstance(one, Recorded) for one in told):,} check-ins")
    redeeming.for_the_logins(cards, contract, now=now)
    greeting.keep_birthdays(now=now)
    while posting.expire(now=now)[0]:
        tell("points of long ago expired")
