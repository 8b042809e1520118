"""Single postings from several clients at once, each a process, beside the floors from as many."""

import os
import subprocess
import sys

from tests.bench.measuring import Cell, Rates, rounds
from tests.bench.shop import Shop


def posting(shop: Shop, clients: int, each: int, count: int) -> Rates:
    """Postings a second of `clients` processes together, `each` by each of them in a round."""
    return rounds({side: _cell(shop, side, clients, each) for side in ("product", "floor", "floor A")}, count)


def _cell(shop: Shop, side: str, clients: int, each: int) -> Cell:
    environment = os.environ | {"DATABASE_URL": shop.database.url(), "REGULARS_BENCH_URL": shop.database.url("postgres")}
    command = [sys.executable, "-m", "tests.bench.client", side, str(each)]

    def cell() -> tuple[int, float]:
        processes = [
            subprocess.Popen(command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
            for _ in range(clients)
        ]
        for one in processes:
            assert one.stdout, "a client has an output"
            assert one.stdout.readline() == "ready\n", "a client did not start"
        for one in processes:
            assert one.stdin, "a client has an input"
            one.stdin.write("go\n")
            one.stdin.flush()
        seconds = [float(one.communicate()[0]) for one in processes]
        return clients * each, max(seconds)

    return cell
