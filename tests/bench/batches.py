"""Postings and receipts in batches, beside the floor that writes the same rows."""

import itertools
import random
from collections.abc import Callable, Sequence
from datetime import timedelta

from django.db import connection
from django.utils import timezone

from campaigns import purchases
from loyalty import posting
from loyalty.acts import Accrual, Burn, Posted
from loyalty.ids import uuid7
from loyalty.kinds import Kind
from tests.bench.floors import A_EARN, BURN, POST, TAKE
from tests.bench.measuring import Cell, Rates, rounds, timed
from tests.bench.shop import Shop, Till, frozen, ready

# Acts in a batch, and how many batches a round posts.
CALLS = {1: 200, 100: 20, 1_000: 4, 10_000: 2}
RECEIPTS = 1_000
LOTS_BEFORE_BURNING = 10
# Below so many acts the ledger's functions keep one plan (sql/ledger.sql).
SMALL = 20
NO_CHAIN = """
do $do$ begin
    execute format('create or replace function public.ledger_payload(%s) returns bytea language sql stable parallel safe '
                   'return ''''::bytea', pg_get_function_arguments('ledger_payload'::regproc));
    create or replace function public.ledger_link(state bytea, head bytea, payload bytea) returns bytea
        language plpgsql immutable parallel safe as 'begin return coalesce(state, head); end';
end $do$"""
_numbers = itertools.count(1)


def taking(shop: Shop, count: int) -> Rates:
    """Receipts a second through `purchases.record`, a batch at a time."""
    mine, theirs = Till(shop, "product"), Till(shop, "floor")

    def product() -> tuple[int, float]:
        receipts, now = mine.receipts(RECEIPTS, at=timezone.now() - timedelta(days=60)), timezone.now()
        return RECEIPTS, timed(lambda: purchases.record(receipts, now=now, history=True))

    def floor() -> tuple[int, float]:
        arrays = ready(shop, theirs.receipts(RECEIPTS, at=timezone.now() - timedelta(days=60)))
        return RECEIPTS, timed(lambda: shop.floor.execute(TAKE, arrays))

    return rounds({"product": product, "floor": floor}, count)


def accruing(shop: Shop, size: int, count: int) -> Rates:
    """Postings a second through `posting.accrue`, in batches of `size`; beside floor A too, one call a posting."""
    cells: dict[str, Cell] = {
        "product": lambda: _posted(lambda: _accruals(shop, size), size),
        "floor": lambda: _called(shop, POST, lambda: _arrays(shop, _accruals(shop, size)), size),
    }
    if size == 1:
        cells["floor A"] = lambda: _called(shop, A_EARN, lambda: _a_earn(shop), 1)
    _plan_for(shop, size)
    return rounds(cells, count)


def burning(shop: Shop, size: int, count: int) -> Rates:
    """Burns a second, from wallets that have lots enough."""

    def product() -> tuple[int, float]:
        batches = [_burns(shop, size) for _ in range(CALLS[size])]
        return size * len(batches), timed(lambda: [_all_posted(posting.burn(acts, now=timezone.now())) for acts in batches])

    def arrays() -> list[object]:
        acts = _burns(shop, size)
        columns = [(uuid7(), act.key, shop.wallets[act.holder], act.points, act.store) for act in acts]
        return [*map(list, zip(*columns, strict=True)), timezone.now()]

    _plan_for(shop, size)
    cells: dict[str, Cell] = {"product": product, "floor": lambda: _called(shop, BURN, arrays, size)}
    return rounds(cells, count)


def chainless(shop: Shop, size: int, count: int) -> Rates:
    """Postings a second with the hash chain, beside the same code whose payloads are empty and whose links hash nothing."""
    names = ("ledger_payload", "ledger_link")
    whole = [shop.floor.execute("select pg_get_functiondef(%s::regproc)", [name]).fetchone()[0] for name in names]  # type: ignore[index]

    def without() -> tuple[int, float]:
        shop.floor.execute(NO_CHAIN)
        try:
            return _posted(lambda: _accruals(shop, size), size)
        finally:
            shop.floor.execute(";".join(whole))

    return rounds({"product": lambda: _posted(lambda: _accruals(shop, size), size), "no chain": without}, count)


def _plan_for(shop: Shop, size: int) -> None:
    """The floor plans once for single calls, and anew for each large batch, as the product does."""
    shop.floor.execute(f"set plan_cache_mode = {'force_generic_plan' if size < SMALL else 'force_custom_plan'}")


def fund(shop: Shop) -> None:
    """The same lots for every wallet on both sides."""
    for _ in range(LOTS_BEFORE_BURNING):
        acts = [_accrual(shop, place, 100) for place in range(len(shop.members))]
        _all_posted(posting.accrue(acts, now=timezone.now()))
        shop.floor.execute(POST, _arrays(shop, acts))
    shop.floor.execute("analyze")


def statements(shop: Shop, size: int) -> int:
    """How many statements a batch costs, BEGIN and COMMIT apart."""
    seen: list[str] = []

    def note(execute: Callable[..., object], sql: str, *rest: object) -> object:
        seen.append(sql)
        return execute(sql, *rest)

    with connection.execute_wrapper(note):
        posting.accrue(_accruals(shop, size), now=timezone.now())
    return len(seen)


def _posted(make: Callable[[], list[Accrual]], size: int) -> tuple[int, float]:
    batches = [make() for _ in range(CALLS[size])]
    return size * len(batches), timed(lambda: [_all_posted(posting.accrue(acts, now=timezone.now())) for acts in batches])


def _called(shop: Shop, statement: str, make: Callable[[], list[object]], size: int) -> tuple[int, float]:
    calls = [make() for _ in range(CALLS[size])]
    return size * len(calls), timed(lambda: [shop.floor.execute(statement, arguments) for arguments in calls])


def _all_posted(outcomes: Sequence[object]) -> int:
    """How many. The bench measures what is posted, not what is refused."""
    assert all(isinstance(one, Posted) for one in outcomes)
    return len(outcomes)


def _accruals(shop: Shop, size: int) -> list[Accrual]:
    return [_accrual(shop, random.randrange(len(shop.members)), random.randint(1, 500)) for _ in range(size)]  # noqa: S311


def _accrual(shop: Shop, member: int, points: int) -> Accrual:
    number, now = next(_numbers), timezone.now()
    return Accrual(
        key=f"bench:{number}", holder=shop.members[member].holder, points=points, occurred_at=now, available_at=now,
        expires_at=shop.terms.ends(now), kind=Kind.EARN, store=number % len(shop.stores) + 1, reference=f"R{number}",
        reason="base", terms=shop.terms.id, rule_version=shop.rule.version,
    )  # fmt: skip


def _burns(shop: Shop, size: int) -> list[Burn]:
    picked = random.sample(shop.members, size)
    return [
        Burn(key=f"bench:{next(_numbers)}", holder=one.holder, points=random.randint(5, 40), occurred_at=timezone.now(), store=1)  # noqa: S311
        for one in picked
    ]


def _arrays(shop: Shop, acts: Sequence[Accrual]) -> list[object]:
    columns = [
        (uuid7(), act.key, shop.wallets[act.holder], act.points, act.occurred_at, act.available_at, act.expires_at, act.store,
         act.reference)
        for act in acts
    ]  # fmt: skip
    return [*map(list, zip(*columns, strict=True)), *frozen(shop)]


def _a_earn(shop: Shop) -> list[object]:
    return [uuid7(), random.randrange(1, 100_001), random.randint(1, 500), 1, shop.terms.ends(timezone.now())]  # noqa: S311
