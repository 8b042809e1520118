"""The sweep of a great many lots at once, beside the floor that writes the same rows."""

from django.utils import timezone

from loyalty import posting
from tests.bench.measuring import Rates, rounds, timed
from tests.bench.shop import Shop

BATCH = 10_000
LOTS_OF_A_WALLET = 10
# Lots and wallets as postings would have left them; the postings themselves are not looked at by a sweep.
FILL = """
insert into loyalty_wallet (holder, point_type, balance, seq) select gen_random_uuid(), 'redeemable', 100 * %(lots)s, %(lots)s
  from generate_series(1, %(wallets)s::int);
insert into loyalty_lot (wallet_id, seq, points, remaining, open, available_at, expires_at, earned_at, store_id)
select w.id, n, 100, 100, true, %(now)s::timestamptz - interval '400 days', %(now)s::timestamptz - n * interval '7 days',
       %(now)s::timestamptz - interval '400 days', 1 + w.id %% (select count(*) from loyalty_store)
  from loyalty_wallet w, generate_series(1, %(lots)s) n where w.balance > 0"""
COPY = """
insert into bench.loyalty_wallet overriding system value select * from public.loyalty_wallet where balance > 0;
insert into bench.loyalty_lot overriding system value select * from public.loyalty_lot;
analyze"""


def sweeping(shop: Shop, lots: int) -> Rates:
    """Lots a second through `posting.expire`, of `lots` that all have ended."""
    now = timezone.now()
    fill = {"wallets": (lots + BATCH) // LOTS_OF_A_WALLET, "lots": LOTS_OF_A_WALLET, "now": now}
    shop.floor.execute("set search_path = public; set statement_timeout = 0")
    for statement in FILL.split(";"):
        shop.floor.execute(statement, fill)
    for statement in COPY.split(";"):
        shop.floor.execute(statement)
    shop.floor.execute("set search_path = bench, public; set plan_cache_mode = force_custom_plan")

    def product() -> tuple[int, float]:
        return BATCH, timed(lambda: _all(posting.expire(now=now, limit=BATCH)[0]))

    def floor() -> tuple[int, float]:
        return BATCH, timed(lambda: _all(shop.floor.execute("select expire(%s, %s)", [now, BATCH]).fetchone()[0]))  # type: ignore[index]

    return rounds({"product": product, "floor": floor}, lots // BATCH)


def _all(lots: int) -> None:
    assert lots == BATCH, f"{lots} lots were swept"
