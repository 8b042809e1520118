"""`manage.py import_complete_journey`: a real grocer's year, through the door that every receipt takes."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import batched
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import connection
from django.utils import timezone
from psycopg.conninfo import make_conninfo

from campaigns import purchases, rules
from campaigns.models import Purchase
from campaigns.schemas import PurchaseIn
from config.journey import reading
from loyalty import posting, queries, terms
from loyalty.places import NewStore, open_stores
from loyalty.problems import Problem
from loyalty.terms import Terms
from members.enrolling import enrol
from members.schemas import MemberIn

SOURCE = "complete-journey"
RECONCILER = Path(reading.__file__).with_name("reconcile.py")
STORE_ZONE = "America/New_York"
CENTS = 2
# What the reconciler recomputes with a calendar of its own.
FIRST_TERMS = ("months", 12, "month", 0)
OTHER_TERMS = """\
The import is checked against the first terms: points last twelve months, to the end of the month, and can be used at
once. This programme's terms differ, or changed within the data's time; import into a fresh installation."""
ENROL_BATCH = 1000
SWEEP_BATCH = 10_000
SECONDS_BETWEEN_LINES = 5.0


@dataclass(frozen=True, slots=True)
class Plan:
    """What this run does. `shift` is a whole number of days; `rate` is points for each 1.00."""

    data: Path
    meets: reading.Overview
    limit: int | None
    shift: timedelta
    terms: Terms
    rate: Decimal
    expire_until: datetime


class Command(BaseCommand):
    """Safe to repeat, and to kill: whatever stands already is answered as such, and the rest follows."""

    help = (
        "Import The Complete Journey (2,469 households, 155,848 receipts, 1.47 million lines) as members and purchases. "
        "Amounts are taken as the programme's currency. Ends with a reconciliation, and badly when one point differs."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--batch", type=int, default=1000, help="receipts in one transaction (default: 1000)")
        parser.add_argument("--limit", type=int, help="stop after so many receipts")
        parser.add_argument("--until-today", action="store_true", help="move all instants by whole days, the last to yesterday")
        parser.add_argument(
            "--expire-until", type=date.fromisoformat, help="book what ended by this day (default: the data's last)"
        )
        parser.add_argument("--data", type=Path, help="folder of the Parquet files (default: the installed package's)")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            self._import(options)
        except (reading.JourneyError, FileNotFoundError) as error:
            raise CommandError(str(error)) from None

    def _import(self, options: dict[str, Any]) -> None:
        plan = self._plan(options)
        self._say(plan)
        open_stores(NewStore(_code(one), f"Store {one}", STORE_ZONE) for one in plan.meets.stores)
        self._enrol(plan)
        self._take(plan, options["batch"])
        self._expire(plan)
        self._reconcile(plan)

    def _plan(self, options: dict[str, Any]) -> Plan:
        stored = Purchase.objects.filter(source=SOURCE).count()
        # Receipts are taken in order, so what stands is a beginning of the data; fewer cannot be compared with it.
        limit = options["limit"] and max(options["limit"], stored)
        data = options["data"] or reading.folder()
        meets = reading.overview(data, limit)
        shift = _shift(meets, until_today=options["until_today"])
        contract, rate = _contract(meets.start + shift, meets.end + shift)
        until = _end_of(contract, options["expire_until"], meets.end + shift)
        return Plan(data, meets, limit, shift, contract, rate, until)

    def _say(self, plan: Plan) -> None:
        meets, start, end = plan.meets, plan.meets.start + plan.shift, plan.meets.end + plan.shift
        self.stdout.write(
            f"{meets.receipts:,} receipts with {meets.lines:,} lines, {len(meets.households):,} members, "
            f"{len(meets.stores):,} stores\nfrom {start:%Y-%m-%d} to {end:%Y-%m-%d} (shifted by {plan.shift.days:,} days); "
            f"dollars are taken as {plan.terms.currency}"
        )

    def _enrol(self, plan: Plan) -> None:
        """Members joined when the data begin, so that no receipt is older than its member."""
        for households in batched(plan.meets.households, ENROL_BATCH, strict=False):
            applications = [MemberIn(external_id=f"cj-{one}") for one in households]
            for answer in enrol(applications, now=plan.meets.start + plan.shift, again=True):
                if isinstance(answer, Problem):
                    raise CommandError(answer.detail)

    def _take(self, plan: Plan, batch: int) -> None:
        started = told = time.monotonic()
        done = known = 0
        for receipts in _ahead(batched(_purchases(plan), batch, strict=False)):
            for one, outcome in zip(receipts, purchases.record(receipts, now=timezone.now(), history=True), strict=True):
                if isinstance(outcome, Problem):
                    message = f"Receipt {one.receipt_number}: {outcome.detail}"
                    raise CommandError(message)
                known += outcome.replayed
            done += len(receipts)
            now = time.monotonic()
            if now - told > SECONDS_BETWEEN_LINES or done == plan.meets.receipts:
                told = now
                self.stdout.write(f"{done:>9,} receipts, {known:,} of them known before, {done / (now - started):,.0f} a second")

    def _expire(self, plan: Plan) -> None:
        started, lots, points, until = time.monotonic(), 0, 0, plan.expire_until
        if queries.anything_ended_after(until):  # the shop's own sweep was here: what came after it ends as well
            until = timezone.now()
        while (swept := posting.expire(now=until, limit=SWEEP_BATCH))[0]:
            lots, points = lots + swept[0], points + swept[1]
        seconds = time.monotonic() - started
        self.stdout.write(f"{lots:>9,} lots with {points:,} points ended by {until:%Y-%m-%d %H:%M} UTC ({seconds:.1f} s)")

    def _reconcile(self, plan: Plan) -> None:
        """In a process of its own, by code that shares nothing with ours."""
        command = [
            sys.executable, str(RECONCILER), "--data", str(plan.data), "--shift-days", str(plan.shift.days),
            "--expire-until", plan.expire_until.isoformat(), "--timezone", plan.terms.zone.key,
            "--currency", plan.terms.currency, "--points-per-unit", f"{plan.rate.normalize():f}",
            *(["--limit", str(plan.limit)] if plan.limit else []),
        ]  # fmt: skip
        # By the environment, for everybody on the machine can read a command line, and the address may hold a password.
        answer = subprocess.run(
            command, env=os.environ | {"DATABASE_URL": _address()}, capture_output=True, text=True, check=False
        )
        self.stdout.write(answer.stdout)
        if answer.returncode:
            message = f"The import does not reconcile.\n{answer.stderr}"
            raise CommandError(message)


def _shift(meets: reading.Overview, *, until_today: bool) -> timedelta:
    """By how many days the instants move. The first receipt that stands decides, so that another day changes nothing."""
    first = Purchase.objects.filter(source=SOURCE, receipt_number=str(meets.first_basket)).first()
    if first:
        return first.occurred_at - meets.start
    yesterday = timezone.now().astimezone(UTC).date() - timedelta(days=1)
    return yesterday - meets.end.date() if until_today else timedelta()


def _end_of(contract: Terms, asked: date | None, end: datetime) -> datetime:
    """Midnight after the day asked for, else after the programme's day of `end`; now, if that day has not ended yet."""
    until, now = contract.midnight_after(asked or contract.day_of(end)), timezone.now()
    if asked and until > now:
        message = f"Nothing can be expired until {asked}: that day has not ended yet."
        raise CommandError(message)
    return min(until, now)


def _contract(start: datetime, end: datetime) -> tuple[Terms, Decimal]:
    """The terms and the points for each 1.00 that hold from `start` to `end`."""
    versions, published = terms.published(), rules.published(start)
    contract, base = terms.in_force(versions, start), rules.in_force(published, start)
    if contract.minor_units < CENTS:
        message = f"The data's amounts have cents, and {contract.currency}, the programme's currency, has none."
        raise CommandError(message)
    expiry = (contract.expiry, contract.expiry_months, contract.expiry_round_up, contract.pending_days)
    if expiry != FIRST_TERMS or contract != terms.in_force(versions, end) or base != rules.in_force(published, end):
        raise CommandError(OTHER_TERMS)
    return contract, sum((rule.value for rule in base), Decimal(0))


def _purchases(plan: Plan) -> Iterator[PurchaseIn]:
    known = reading.products(plan.data)
    for one in reading.receipts(plan.data, plan.limit):
        lines = []
        for line in one.lines:
            category, brand = known.get(line.product, ("", ""))
            lines.append({
                "line_id": str(line.product), "sku": str(line.product), "category": category, "brand": brand,
                "quantity": line.quantity, "net_amount": Decimal(line.cents).scaleb(-CENTS),
            })  # fmt: skip
        yield PurchaseIn(
            source=SOURCE, receipt_number=str(one.basket), store=_code(one.store), member=f"external:cj-{one.household}",
            occurred_at=one.at + plan.shift, currency=plan.terms.currency, lines=lines,
        )  # fmt: skip


def _ahead[T](items: Iterator[T]) -> Iterator[T]:
    """Each in its turn, the next one made in a thread meanwhile: while the database works, this process would wait."""
    with ThreadPoolExecutor(max_workers=1) as thread:
        coming = thread.submit(next, items, None)
        while (one := coming.result()) is not None:
            coming = thread.submit(next, items, None)
            yield one


def _code(store: int) -> str:
    return f"CJ{store}"


def _address() -> str:
    given = connection.get_connection_params()
    return make_conninfo(**{name: given[name] for name in ("host", "port", "dbname", "user", "password") if given.get(name)})
