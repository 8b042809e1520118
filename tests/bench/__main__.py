"""`python -m tests.bench [--quick]`: every figure of docs/performance.md, as Markdown.

It starts a PostgreSQL of its own, with fsync and synchronous commit as in production, and measures on fresh databases.
"""

import argparse
import os
import sys
import time
from statistics import median

import django
import psycopg

from config import testservers

if "DATABASE_URL" in os.environ:
    sys.exit("The bench starts its own servers: unset DATABASE_URL and run it again.")
os.environ["REGULARS_TEST_PROFILE"] = "durable"
os.environ["DJANGO_SETTINGS_MODULE"] = "config.settings"
testservers.start()
django.setup()

from config.journey.reading import JourneyError  # noqa: E402
from tests.bench import batches, calling, counter, earning, growth, many, sweeping  # noqa: E402
from tests.bench.measuring import Rates, figure, ratio, table  # noqa: E402
from tests.bench.shop import opened  # noqa: E402

MEMBERS = 10_000
PARTS = ("batches", "http", "till", "earning", "growth")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer rounds, lots and postings: a few minutes")
    parser.add_argument("--postings", type=int, help="how large the largest ledger is (10,000,000; with --quick 100,000)")
    parser.add_argument("--only", choices=PARTS, help="one part of it; growth is the ledger as it grows, sealed and verified")
    given = parser.parse_args()
    quick = given.quick
    started = time.monotonic()
    count, lots = (3, 100_000) if quick else (7, 1_000_000)
    largest = given.postings or (100_000 if quick else 10_000_000)
    parts = [given.only] if given.only else PARTS
    with psycopg.connect(os.environ["REGULARS_TEST_ADMIN_URL"], autocommit=True) as admin:
        if "batches" in parts:
            rows = in_batches(admin, count)
            with opened(admin, 1) as shop:
                rows += told(f"expire, {lots:,} lots", sweeping.sweeping(shop, lots), "1")
            say(table(["what", "a second", "beside", "a second", "ratio", "worst – best round", "statements"], rows))
        if "http" in parts:
            waits = over_http(admin, 150 if quick else 300, count)
            head = ["POST /api/v1/purchases", "p50 ms", "p99 ms", "a second", "floor p50", "floor p99", "floor a second"]
            say(table(head, waits))
        if "till" in parts:
            say(table(["a purchase at the till", "p50 ms", "p95 ms"], at_the_till(admin, 150 if quick else 500)))
        if "earning" in parts:
            say(under_rules(admin, count))
        if "growth" in parts:
            acts, whole = growth.growing(admin, [size for size in (10_000, 1_000_000) if size < largest] + [largest])
            deep = growth.deepening(admin, [10, 10_000 if quick else 100_000])
            say(table(["what", "postings in its wallet", "a second", "beside the smallest"], deep))
            say(table(["what", "postings in the ledger", "a second", "beside the smallest"], acts))
            say(table(["the whole ledger", "postings", "took", "postings a second", "beside the floor"], whole))
    say(f"{count} rounds, medians, on {os.cpu_count()} processors; {time.monotonic() - started:.0f} s")


def under_rules(admin: psycopg.Connection, count: int) -> str:
    head = ["live rules", "receipts a second", "beside 1 rule", "SQL sum, a second", "beside it", "engine alone, a second"]
    try:
        return table(head, earning.earning(admin, count))
    except JourneyError as error:
        return str(error)


def in_batches(admin: psycopg.Connection, count: int) -> list[list[str]]:
    with opened(admin, MEMBERS) as shop:
        rows = told("receipts with 9.5 lines, 1,000 a batch", batches.taking(shop, count), "")
    with opened(admin, MEMBERS) as shop:
        for size in batches.CALLS:
            rows += told(f"accrue, {size:,} a batch", batches.accruing(shop, size, count), str(batches.statements(shop, size)))
        rows += told("accrue, 1 a batch, 8 clients", many.posting(shop, 8, 100, count), "1")
        for size in (1, 1_000):
            rows += told(f"accrue, {size:,} a batch", batches.chainless(shop, size, count), "")
    with opened(admin, MEMBERS) as shop:
        batches.fund(shop)
        for size in (1, 1_000, 10_000):
            rows += told(f"burn, {size:,} a batch", batches.burning(shop, size, count), "")
    return rows


def over_http(admin: psycopg.Connection, calls: int, count: int) -> list[list[str]]:
    with opened(admin, MEMBERS) as shop:
        found = calling.calling(shop, calls, count)
    return [
        [f"{clients} client{'s' * (clients > 1)}", *(f"{one:.1f}" for one in (mine.p50, mine.p99)), figure(mine.rate),
         *(f"{one:.1f}" for one in (floor.p50, floor.p99)), figure(floor.rate)]
        for clients, (mine, floor) in found.items()
    ]  # fmt: skip


def at_the_till(admin: psycopg.Connection, calls: int) -> list[list[str]]:
    with opened(admin, MEMBERS) as shop:
        found = counter.crediting(shop, calls)
    return [[name, f"{p50:.1f}", f"{p95:.1f}"] for name, (p50, p95) in found.items()]


def told(what: str, rates: Rates, statements: str) -> list[list[str]]:
    """The product beside each floor that ran with it."""
    mine, rows = rates["product"], []
    for name, theirs in rates.items():
        if name != "product":
            found = ratio(mine, theirs)
            span = f"{found.worst:.2f} – {found.best:.2f}"
            rows.append([what, figure(median(mine)), name, figure(median(theirs)), f"{found.median:.2f}", span, statements])
    return rows


def say(text: str) -> None:
    sys.stdout.write(f"{text}\n\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
