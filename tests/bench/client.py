"""`python -m tests.bench.client SIDE COUNT`: one of several clients at once, a process that posts COUNT accruals, one a call.

SIDE is product, floor or floor A. Says `ready`, starts when a line comes in, and prints the seconds it took.
"""

import os
import sys
import time
from collections.abc import Callable
from uuid import UUID, uuid4

import django

os.environ["DJANGO_SETTINGS_MODULE"] = "config.settings"
django.setup()

import psycopg  # noqa: E402
from django.db import connection  # noqa: E402
from django.utils import timezone  # noqa: E402

from loyalty import posting, terms  # noqa: E402
from loyalty.acts import Accrual  # noqa: E402
from loyalty.ids import uuid7  # noqa: E402
from tests.bench.floors import A_EARN, POST  # noqa: E402

WARM_UP = 50
type Act = Callable[[int], object]


def product(wallets: list[tuple[int, UUID]]) -> Act:
    contract = terms.current(timezone.now())

    def act(number: int) -> object:
        now, holder = timezone.now(), wallets[number % len(wallets)][1]
        accrual = Accrual(
            key=str(uuid4()), holder=holder, points=10, occurred_at=now, available_at=now, expires_at=contract.ends(now),
            store=number % 50 + 1, reference=f"R{number}", reason="base", terms=contract.id,
        )  # fmt: skip
        return posting.accrue([accrual], now=now)

    return act


def floor(wallets: list[tuple[int, UUID]], side: str) -> Act:
    line = psycopg.connect(os.environ["REGULARS_BENCH_URL"], autocommit=True)
    line.execute("set search_path = bench, public; set plan_cache_mode = force_generic_plan")

    def own(number: int) -> object:
        now = timezone.now()
        wallet = wallets[number % len(wallets)][0]
        row = [uuid7(), str(uuid4()), wallet, 10, now, now, now, number % 50 + 1, f"R{number}"]
        return line.execute(POST, [*([one] for one in row), 1, uuid7(), now])

    def a_earn(number: int) -> object:
        return line.execute(A_EARN, [uuid7(), 1 + number * 7919 % 100_000, 10, 1, timezone.now()])

    return own if side == "floor" else a_earn


def main() -> None:
    side, count = sys.argv[1], int(sys.argv[2])
    with connection.cursor() as cursor:
        cursor.execute("select id, holder from loyalty_wallet order by random()")
        wallets = cursor.fetchall()
    act = product(wallets) if side == "product" else floor(wallets, side)
    for number in range(WARM_UP):
        act(number)
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    sys.stdin.readline()
    started = time.perf_counter()
    for number in range(count):
        act(number)
    sys.stdout.write(f"{time.perf_counter() - started}\n")


if __name__ == "__main__":
    main()
