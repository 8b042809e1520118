"""The last item, code and voucher, for more hands than there are (T3, what points buy).

    python -m tests.reliability items --trials 1000 --seed S --state FILE

Every trial plays each scenario once, on a fresh reward, with a crowd of real connections that start at the same moment.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from functools import partial
from hashlib import sha256
from random import Random

from django.utils import timezone

from campaigns import purchases
from catalog import issuing, redeeming
from catalog.issuing import Use
from catalog.models import Code, CodePool, Redemption, Reward, Stock, Voucher, VoucherUse
from catalog.redeeming import Ask
from loyalty import posting, queries
from loyalty.problems import Problem
from loyalty.queries import StoreFacts
from members.models import Member
from tests.factories import ApplicationFactory, LineFactory, ReceiptFactory, StoreFactory, accrual, members
from tests.reliability.crowd import Crowd, both_verifiers, patiently

CONNECTIONS = 40
CLIENTS = 200
POINTS = 1_000_000
GOT = "got"
type Act = Callable[[], object]


@dataclass(frozen=True, slots=True)
class Shop:
    """Who comes, and where; `price` is what any reward here costs."""

    crowd: Crowd
    clients: Sequence[Member]
    stores: Sequence[StoreFacts]
    now: datetime
    price: int = 10

    def reward(self, name: str, **given: object) -> Reward:
        fields = {"title": name, "kind": "goods", "points": self.price} | given
        return Reward.objects.create(code=_short(name), **fields)

    def paid(self) -> int:
        """How many points all clients have spent together."""
        left = queries.net_balances(one.holder for one in self.clients)
        return POINTS * len(self.clients) - sum(left.values())


type Scenario = Callable[[Shop, Random, str], None]


def play(seed: str, trials: int) -> int:
    """Play so many trials and verify the ledger; how many scenarios were played."""
    draw, now = Random(seed), timezone.now()
    clients = members([ApplicationFactory.build(verified=True) for _ in range(CLIENTS)], now=now)
    posting.accrue([accrual(one.holder, POINTS, at=now) for one in clients], now=now)
    for code in ("S1", "S2"):
        StoreFactory.create(code=code)
    with Crowd(CONNECTIONS) as crowd:
        shop = Shop(crowd, clients, list(queries.stores_by_code(["S1", "S2"]).values()), now)
        for trial in range(trials):
            for scenario in SCENARIOS:
                scenario(shop, draw, f"{seed}:{trial}:{scenario.__name__}")
    both_verifiers()
    return trials * len(SCENARIOS)


def seven_for_two_hundred(shop: Shop, draw: Random, name: str) -> None:
    """Exactly seven have it, and only they have paid."""
    _rush_for_stock(shop, draw, name, left=7, clients=200)


def the_last_one_for_a_hundred(shop: Shop, draw: Random, name: str) -> None:
    """Exactly one has it."""
    _rush_for_stock(shop, draw, name, left=1, clients=100)


def in_two_stores(shop: Shop, draw: Random, name: str) -> None:
    """Five in all, at most three in each store: no store gives more, and together they give all five."""
    sold, before = shop.reward(name), shop.paid()
    Stock.objects.create(reward=sold, left=5)
    for store in shop.stores:
        Stock.objects.create(reward=sold, store_id=store.id, left=3)
    asks = [Ask(one, sold, store=shop.stores[place % 2]) for place, one in enumerate(draw.sample(list(shop.clients), 60))]
    told = shop.crowd.rush([partial(_told, partial(redeeming.reserve, ask, now=shop.now)) for ask in asks])
    assert Counter(told) == {GOT: 5, "out-of-stock": 55}, name
    given = Counter(Redemption.objects.filter(reward=sold).values_list("store__code", flat=True))
    left = dict(Stock.objects.filter(reward=sold, store__isnull=False).values_list("store__code", "left"))
    assert Stock.objects.get(reward=sold, store=None).left == 0, name
    assert all(given[store.code] + left[store.code] == 3 for store in shop.stores), name
    assert shop.paid() - before == 5 * shop.price, name
    _confirm(sold, shop.now)


def never_more_than_allowed(shop: Shop, draw: Random, name: str) -> None:
    """Two for each member, and one member asks from 20 tills at once."""
    one, sold, before = draw.choice(list(shop.clients)), shop.reward(name, per_member=2), shop.paid()
    told = shop.crowd.rush([partial(_told, partial(redeeming.reserve, Ask(one, sold), now=shop.now))] * 20)
    assert Counter(told) == {GOT: 2, "limit-reached": 18}, name
    assert shop.paid() - before == 2 * shop.price, name
    _confirm(sold, shop.now)


def no_code_twice(shop: Shop, draw: Random, name: str) -> None:
    """Thirty codes for sixty: each is shown to one, and whoever came too late has paid nothing."""
    pool, before = CodePool.objects.create(code=_short(name), name=name[:120]), shop.paid()
    Code.objects.bulk_create([Code(pool=pool, text=f"{name}:{number}") for number in range(30)])
    sold = shop.reward(name, kind="code", code_pool=pool)

    def redeem(one: Member) -> object:
        return redeeming.confirm(redeeming.reserve(Ask(one, sold), now=shop.now).pk, now=shop.now)

    told = shop.crowd.rush([partial(_told, partial(redeem, one)) for one in draw.sample(list(shop.clients), 60)])
    assert Counter(told) == {GOT: 30, "out-of-stock": 30}, name
    shown = list(Code.objects.filter(pool=pool).exclude(shown_at=None).values_list("redemption", flat=True))
    assert len(shown) == len(set(shown)) == 30, name
    assert shop.paid() - before == 30 * shop.price, name


def one_voucher_in_fifty_baskets(shop: Shop, draw: Random, name: str) -> None:
    """Named on 50 receipts at the same moment, or on most of them while tills use it by itself: once."""
    one, store = draw.choice(list(shop.clients)), shop.stores[0]
    given = _voucher(shop, one, name)
    alone = draw.choice((0, 2, 25))
    acts: list[Act] = [partial(_bought, one, given.code, f"{name}:{number}") for number in range(50 - alone)]
    acts += [partial(issuing.use, given.code, Use(store, "tills", f"{name}:{number}"), now=shop.now) for number in range(alone)]
    draw.shuffle(acts)
    told = shop.crowd.rush([partial(_told, act) for act in acts])
    assert Counter(told) == {GOT: 1, "already-used": 49}, name
    given.refresh_from_db()
    assert (given.used, VoucherUse.objects.filter(voucher=given, released_at=None).count()) == (1, 1), name


def no_cent_twice(shop: Shop, draw: Random, name: str) -> None:
    """A gift of 30.00 for forty receipts of 7.00 at once, by themselves or with it: four take 7.00, one the rest."""
    one, store = draw.choice(list(shop.clients)), shop.stores[0]
    given, alone, seven = _voucher(shop, one, name, amount="30.00", keeps_rest=True), draw.choice((0, 20, 40)), Decimal(7)
    acts: list[Act] = [partial(_bought, one, given.code, f"{name}:{number}", net="7.00") for number in range(40 - alone)]
    uses = [Use(store, "tills", f"{name}:{number}", most=seven) for number in range(alone)]
    acts += [partial(issuing.use, given.code, use, now=shop.now) for use in uses]
    draw.shuffle(acts)
    told = shop.crowd.rush([partial(_told, act) for act in acts])
    assert Counter(told) == {GOT: 5, "already-used": 35}, name
    taken = VoucherUse.objects.filter(voucher=given, released_at=None).values_list("taken", flat=True)
    assert Counter(f"{part:.2f}" for part in taken) == {"7.00": 4, "2.00": 1}, name
    given.refresh_from_db()
    assert given.remaining is not None
    assert not given.remaining, name
    assert Redemption.objects.get(voucher=given).status == Redemption.Status.FULFILLED, name


def used_or_cancelled(shop: Shop, draw: Random, name: str) -> None:
    """A voucher is used while its redemption is cancelled: the goods or the points, never both."""
    one, before = draw.choice(list(shop.clients)), shop.paid()
    given = _voucher(shop, one, name)
    redemption = given.redemption_id
    assert redemption, "it was bought"
    acts: list[Act] = [partial(redeeming.cancel, redemption, by_merchant=bool(n % 2), now=shop.now) for n in range(10)]
    acts += [partial(issuing.use, given.code, Use(shop.stores[0], "tills", f"{name}:{n}"), now=shop.now) for n in range(10)]
    draw.shuffle(acts)
    shop.crowd.rush([partial(_told, act) for act in acts])
    given.refresh_from_db()
    back = Redemption.objects.get(pk=redemption).status == Redemption.Status.CANCELLED
    assert back == (given.used == 0), name
    assert shop.paid() - before == (0 if back else shop.price), name


def given_back_once(shop: Shop, draw: Random, name: str) -> None:
    """A reservation lapses while it is cancelled, by many: points and stock are where they were."""
    sold, before = shop.reward(name), shop.paid()
    Stock.objects.create(reward=sold, left=1)
    held = redeeming.reserve(Ask(draw.choice(list(shop.clients)), sold), now=shop.now)
    late = held.reserved_until
    acts: list[Act] = [partial(redeeming.lapse, now=late)] * 10
    acts += [partial(redeeming.cancel, held.pk, by_merchant=True, now=late)] * 10
    draw.shuffle(acts)
    shop.crowd.rush([partial(_told, act) for act in acts])
    assert (shop.paid(), Stock.objects.get(reward=sold).left) == (before, 1), name


SCENARIOS: Sequence[Scenario] = (
    seven_for_two_hundred, the_last_one_for_a_hundred, in_two_stores, never_more_than_allowed, no_code_twice,
    one_voucher_in_fifty_baskets,
    no_cent_twice, used_or_cancelled, given_back_once,
)  # fmt: skip


def _short(name: str) -> str:
    return sha256(name.encode()).hexdigest()[:40]


def _rush_for_stock(shop: Shop, draw: Random, name: str, *, left: int, clients: int) -> None:
    sold, before = shop.reward(name), shop.paid()
    Stock.objects.create(reward=sold, left=left)
    asks = [Ask(one, sold) for one in draw.sample(list(shop.clients), clients)]
    told = shop.crowd.rush([partial(_told, partial(redeeming.reserve, ask, now=shop.now)) for ask in asks])
    assert Counter(told) == {GOT: left, "out-of-stock": clients - left}, name
    assert Redemption.objects.filter(reward=sold, status="reserved").count() == left, name
    assert (Stock.objects.get(reward=sold).left, shop.paid() - before) == (0, left * shop.price), name
    _confirm(sold, shop.now)


def _confirm(sold: Reward, now: datetime) -> None:
    """So that none of these lapses in another scenario."""
    for one in Redemption.objects.filter(reward=sold):
        redeeming.confirm(one.pk, now=now)


def _voucher(shop: Shop, one: Member, name: str, **given: object) -> Voucher:
    sold = shop.reward(name, kind="voucher", voucher={"type": "amount", "amount": "5.00"} | given)
    held = redeeming.confirm(redeeming.reserve(Ask(one, sold), now=shop.now).pk, now=shop.now)
    return Voucher.objects.get(redemption=held)


def _bought(one: Member, code: str, number: str, **given: str) -> object:
    lines = {"lines": [LineFactory.build(net_amount=given["net"])]} if given else {}
    receipt = ReceiptFactory.build(member=str(one.pk), receipt_number=number, vouchers=[code], **lines)
    [answer] = purchases.record([receipt], now=timezone.now())
    if isinstance(answer, Problem):
        raise answer
    return answer


def _told(act: Act) -> str:
    """What a client hears."""
    try:
        patiently(act)
    except Problem as problem:
        return problem.slug
    return GOT
