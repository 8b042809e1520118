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
from campaigns.values import Rule
from config.journey import preparing, reading
from config.journey.receipts import CENTS, SOURCE, STORE_ZONE, name, store_code
from config.journey.receipts import purchases as receipts_of
from loyalty import posting, queries, terms
from loyalty.places import NewStore, open_stores
from loyalty.problems import Problem
from loyalty.terms import Terms
from members.enrolling import enrol
from members.models import Member
from members.schemas import MemberIn

BASE = "base"
RECONCILER = Path(reading.__file__).with_name("reconcile.py")
# What the reconciler recomputes with a calendar of its own.
FIRST_TERMS = ("months", 12, "month", 0)
OTHER_RULES = """\
The import is checked against rules that it knows, from its first receipt on. This programme has others, or receipts that
were imported under others; import into a fresh installation."""
OTHER_TERMS = """\
The import is checked against the first terms: points last twelve months, to the end of the month, and can be used at
once. This programme's terms differ, or changed within the data's time; import into a fresh installation."""
ENROL_BATCH = 1000
SWEEP_BATCH = 10_000
SECONDS_BETWEEN_LINES = 5.0
# Tiers outlast the data.
AFTERWARDS = timedelta(days=366)


@dataclass(frozen=True, slots=True)
class Plan:
    """What this run does. `shift` is a whole number of days; `rate` is points for each 1.00; `rules` stand beside it."""

    data: Path
    meets: reading.Overview
    limit: int | None
    shift: timedelta
    terms: Terms
    rate: Decimal
    expire_until: datetime
    rules: Path | None

    @property
    def start(self) -> datetime:
        return self.meets.start + self.shift

    @property
    def end(self) -> datetime:
        return self.meets.end + self.shift


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
        parser.add_argument(
            "--rules", type=Path, nargs="?", const=preparing.RULES, help="publish twelve rules first (or those of a file)"
        )
        parser.add_argument("--data", type=Path, help="folder of the Parquet files (default: the installed package's)")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            self._import(options)
        except (reading.JourneyError, preparing.OtherRulesError, FileNotFoundError) as error:
            raise CommandError(str(error)) from None
        except Problem as problem:
            raise CommandError(problem.detail) from problem

    def _import(self, options: dict[str, Any]) -> None:
        plan = self._plan(options)
        self._say(plan)
        open_stores(NewStore(store_code(one), f"Store {one}", STORE_ZONE) for one in plan.meets.stores)
        if plan.rules:
            preparing.publish_tiers(now=plan.start)
            preparing.publish_rules(preparing.said(plan.rules), now=plan.start)
        self._enrol(plan)
        if plan.rules:
            self._describe(plan)
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
        _insist_on_rules(options["rules"], meets.start + shift, is_begun=bool(stored))
        until = _end_of(contract, options["expire_until"], meets.end + shift)
        return Plan(data, meets, limit, shift, contract, rate, until, options["rules"])

    def _say(self, plan: Plan) -> None:
        meets, start, end = plan.meets, plan.start, plan.end
        self.stdout.write(
            f"{meets.receipts:,} receipts with {meets.lines:,} lines, {len(meets.households):,} members, "
            f"{len(meets.stores):,} stores\nfrom {start:%Y-%m-%d} to {end:%Y-%m-%d} (shifted by {plan.shift.days:,} days); "
            f"dollars are taken as {plan.terms.currency}"
        )

    def _enrol(self, plan: Plan) -> None:
        """Members joined when the data begin, so that no receipt is older than its member."""
        for households in batched(plan.meets.households, ENROL_BATCH, strict=False):
            applications = [MemberIn(external_id=name(one)) for one in households]
            for answer in enrol(applications, now=plan.start, again=True):
                if isinstance(answer, Problem):
                    raise CommandError(answer.detail)

    def _describe(self, plan: Plan) -> None:
        """Tiers and first acts, of all households and of those that the data describe."""
        incomes = {name(one): income for one, income in reading.incomes(plan.data).items()}
        members = Member.objects.filter(external_id__in=incomes).values_list("pk", "external_id")
        tiers = {pk: tier for pk, known_as in members if (tier := preparing.tier_of(incomes[known_as or ""]))}
        given = preparing.set_tiers(tiers, last=plan.terms.day_of(plan.end) + AFTERWARDS, now=plan.start)
        self.stdout.write(f"{len(tiers):>9,} members are in a tier, {given:,} of them since now")
        everybody = [name(one) for one in plan.meets.households]
        for type_, names in (
            (preparing.SIGN_UP, everybody), (preparing.PROFILE, [one for one in everybody if one in incomes]),
        ):  # fmt: skip
            for some in batched(names, ENROL_BATCH, strict=False):
                preparing.tell(type_, some, now=plan.start)

    def _take(self, plan: Plan, batch: int) -> None:
        started = told = time.monotonic()
        done = known = 0
        coming = receipts_of(plan.data, plan.limit, shift=plan.shift, currency=plan.terms.currency)
        for receipts in _ahead(batched(coming, batch, strict=False)):
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
            "--point-value", f"{plan.terms.point_value.normalize():f}", "--store-timezone", STORE_ZONE,
            *(["--limit", str(plan.limit)] if plan.limit else []), *(["--rules", str(plan.rules)] if plan.rules else []),
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
    contract, base = terms.in_force(versions, start), _base(published, start)
    if contract.minor_units < CENTS:
        message = f"The data's amounts have cents, and {contract.currency}, the programme's currency, has none."
        raise CommandError(message)
    expiry = (contract.expiry, contract.expiry_months, contract.expiry_round_up, contract.pending_days)
    if expiry != FIRST_TERMS or contract != terms.in_force(versions, end) or base != _base(published, end):
        raise CommandError(OTHER_TERMS)
    return contract, base.value


def _base(published: list[rules.Published], at: datetime) -> Rule:
    """The programme's own rate."""
    [base] = [one for one in rules.in_force(published, at) if one.code == BASE]
    return base


def _insist_on_rules(file: Path | None, start: datetime, *, is_begun: bool) -> None:
    """Raises CommandError when rules stand that this run does not know, or when it comes too late with its own."""
    known = {BASE, *(preparing.said(file) if file else ())}
    standing = {one.rule.code: one.starts_at for one in rules.published()}
    late = is_begun and (known - standing.keys() or any(standing[code] > start for code in known))
    if standing.keys() - known or late:
        raise CommandError(OTHER_RULES)


def _ahead[T](items: Iterator[T]) -> Iterator[T]:
    """Each in its turn, the next one made in a thread meanwhile: while the database works, this process would wait."""
    with ThreadPoolExecutor(max_workers=1) as thread:
        coming = thread.submit(next, items, None)
        while (one := coming.result()) is not None:
            coming = thread.submit(next, items, None)
            yield one


def _address() -> str:
    given = connection.get_connection_params()
    return make_conninfo(**{name: given[name] for name in ("host", "port", "dbname", "user", "password") if given.get(name)})
