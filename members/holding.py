"""Who holds which tier: what a value gives, and the one writer of the history of tiers.

Whoever writes holds the qualifying wallets' locks, and before them those of the redeemable wallets if tiers may rise, for
an entry reward is paid with the tier. So two that lift the same member come one after the other.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from uuid import UUID

from django.db.models import Value
from django.db.models.functions import Greatest

from loyalty import bulk, outbox, posting, queries, terms
from loyalty.acts import Accrual, Posted
from loyalty.ids import uuid7
from loyalty.kinds import Kind
from loyalty.outbox import Event
from loyalty.queries import Span
from loyalty.terms import Terms, add_months
from members import tiers
from members.models import Member, TierMembership
from members.queries import tier_tables
from members.tiers import DAY, YEAR, Period, Table, moved, period_of, valid_until, verdict

Reason = TierMembership.Reason


@dataclass(frozen=True, slots=True)
class Person:
    """`joined` is a day of the programme's zone."""

    id: UUID
    holder: UUID
    joined: date


@dataclass(frozen=True, slots=True)
class Holding:
    """A tier ("" for none) and the end of its validity; `counted` is the last day of the period in which it was reached."""

    tier: str
    until: datetime | None = None
    counted: date | None = None


@dataclass(frozen=True, slots=True)
class Counted:
    """A period of a person under a table, in which a value counts."""

    person: Person
    table: Table
    period: Period


@dataclass(frozen=True, slots=True)
class Move:
    """`before` is the row that stands (None: none does), `to` what takes its place."""

    person: Person
    before: TierMembership | None
    to: Holding
    reason: str
    by: UUID | None = None
    store: int | None = None


@dataclass(frozen=True, slots=True)
class Rules:
    """Tables and terms as they stand at `now`, each newest first."""

    tables: Sequence[Table]
    versions: list[Terms]
    now: datetime
    table: Table
    contract: Terms

    @property
    def today(self) -> date:
        return self.contract.day_of(self.now)

    def base(self) -> str:
        """The tier of everybody, if there is one."""
        return self.table.reached(0)

    def today_as(self, code: str, table: int) -> str:
        """What a tier of a table is called today: itself, or where it led when it was taken out."""
        if not code or self.table.level(code):
            return code or self.base()
        old = next((one for one in self.tables if one.id == table), self.table)
        return moved(old, self.table, code)

    def held(self, row: TierMembership | None) -> str:
        return self.today_as(row.tier, row.table_id) if row else self.base()

    def counted(self, person: Person, at: datetime, table: Table | None = None) -> Counted:
        """The period in which something earned at `at` counts, under the table of that time."""
        table = table or tiers.in_force(self.tables, at) or self.table
        return Counted(person, table, period_of(table.window, self.contract.day_of(at), person.joined))

    def span(self, one: Counted) -> Span:
        return Span(one.person.holder, *tiers.bounds(one.period, self.contract))

    def gives(self, one: Counted, value: int) -> Holding:
        """What a value in a period gives: the tier in today's words, valid to the end of the next period."""
        code = self.today_as(one.table.reached(value), one.table.id)
        if self.table.rank(code) <= self.table.rank(self.base()):
            return Holding(self.base())
        last = valid_until(one.table.window, one.period.last, one.person.joined)
        return Holding(code, self.contract.midnight_after(last), one.period.last)

    def best(self, holdings: Iterable[Holding]) -> Holding:
        """The highest that is still valid, of equals the one that is valid longest; else the tier of everybody."""
        base = self.table.rank(self.base())
        valid = [one for one in holdings if one.until and one.until > self.now and self.table.rank(one.tier) > base]
        order = max(valid, key=lambda one: (self.table.rank(one.tier), one.until or terms.FOREVER), default=None)
        return order or Holding(self.base())


def rules(now: datetime) -> Rules | None:
    """None while the programme has no tiers."""
    tables = tier_tables()
    table = tiers.in_force(tables, now)
    if table is None:
        return None
    versions = terms.published()
    return Rules(tables, versions, now, table, terms.in_force(versions, now))


def people(members: Iterable[UUID], contract: Terms) -> dict[UUID, Person]:
    rows = Member.objects.filter(pk__in=list(members)).values_list("id", "holder", "joined_at")
    return {id_: Person(id_, holder, contract.day_of(joined)) for id_, holder, joined in rows}


def lock(holders: Collection[UUID], *, may_rise: bool) -> None:
    """Give each a qualifying wallet and lock them, behind the redeemable ones if tiers may rise."""
    if may_rise:
        posting.lock(holders)
    open_wallets(holders)
    posting.lock(holders, posting.PointType.QUALIFYING)


def open_wallets(holders: Collection[UUID]) -> None:
    if missing := set(holders) - queries.with_qualifying(holders):
        posting.open_wallets(missing, posting.PointType.QUALIFYING)


def is_lifted(row: TierMembership | None, best: Holding, now: Rules) -> bool:
    """Whether what was reached is higher than what stands; or the same again, for who is in the days of grace."""
    if best.until is None:
        return False
    held, reached = now.table.rank(now.held(row)), now.table.rank(best.tier)
    graced = row is not None and row.until is not None and row.until <= now.now
    return reached > held or (reached == held and graced)


def histories(members: Iterable[UUID], now: Rules) -> dict[UUID, list[TierMembership]]:
    """The rows that may still speak for a member, oldest first; one set by hand does only while it stands."""
    rows: dict[UUID, list[TierMembership]] = {}
    valid = TierMembership.objects.filter(member__in=list(members), until__gt=now.now)
    for row in valid.exclude(reason=Reason.OVERRIDE, ended_at__isnull=False).order_by("member", "since", "id"):
        rows.setdefault(row.member_id, []).append(row)
    return rows


def natural(asked: Collection[Person], kept: Mapping[UUID, Sequence[TierMembership]], now: Rules) -> dict[UUID, Holding]:
    """What each holds by what counts today: by the period of today and the one before, and by the rows that speak.

    A row that a value gave speaks while its period has that value; a review that one gave decides anew.
    """
    windows = [one for person in asked for one in _recent(person, now)]
    spoken = [(person, row, _period_of_row(person, row, now)) for person in asked for row in kept.get(person.id, ())]
    values = queries.qualifying([now.span(one) for one in (*windows, *(period for _, _, period in spoken if period))])
    found: dict[UUID, list[Holding]] = {person.id: [] for person in asked}
    for one in windows:
        found[one.person.id].append(now.gives(one, values.get(now.span(one), 0)))
    for person, row, period in spoken:
        value = values.get(now.span(period), 0) if period else 0
        level = period.table.level(row.tier) if period else None
        if period is None or (level and value >= level.threshold):
            found[person.id].append(Holding(now.held(row), row.until, row.counted_until))
        elif row.reason == Reason.REVIEW:
            found[person.id].append(Holding(verdict(now.table, now.held(row), value, graced=True) or now.base(), row.until))
    return {id_: now.best(each) for id_, each in found.items()}


def _recent(person: Person, now: Rules) -> list[Counted]:
    current = now.counted(person, now.now, now.table)
    if current.table.window == "rolling":
        return [current]
    before = period_of(current.table.window, current.period.first - DAY, person.joined)
    return [current, Counted(person, current.table, before)]


def _period_of_row(person: Person, row: TierMembership, now: Rules) -> Counted | None:
    """The period in which a row was reached; None for one that stands for itself."""
    if row.counted_until is None:
        return None
    table = next((one for one in now.tables if one.id == row.table_id), now.table)
    return Counted(person, table, period_of(table.window, row.counted_until, person.joined))


@dataclass(slots=True)
class _Step:
    """A row to write. A member who passes several tiers at once gets a row for each; only the last one stands."""

    move: Move
    tier: str
    since: datetime
    stands: bool
    id: UUID = field(default_factory=uuid7)
    reward: UUID | None = None


def write(moves: Sequence[Move], now: Rules) -> None:
    """Let each move happen: rows, entry rewards of the tiers that were reached, and the facts for others."""
    if not moves:
        return
    ending = TierMembership.objects.filter(pk__in=[one.before.pk for one in moves if one.before], ended_at=None)
    ending.update(ended_at=Greatest("since", Value(now.now)))
    steps = [step for move in moves for step in _steps(move, now)]
    for step, id_ in zip(steps, sorted(uuid7() for _ in steps), strict=True):
        step.id = id_  # in the order in which they were passed
    _pay([step for step in steps if step.move.reason == Reason.QUALIFIED], now)
    bulk.insert(
        TierMembership,
        [
            {"id": step.id, "member_id": step.move.person.id, "tier": step.tier, "table_id": now.table.id, "since": step.since,
             "until": step.move.to.until, "ended_at": None if step.stands else step.since,
             "counted_until": step.move.to.counted, "reason": step.move.reason, "by": step.move.by, "reward": step.reward}
            for step in steps
        ],
    )  # fmt: skip
    outbox.tell([_event(move, now) for move in moves if now.held(move.before) != move.to.tier])


def _steps(move: Move, now: Rules) -> list[_Step]:
    since = max(now.now, move.before.since) if move.before else now.now
    first, last = now.table.rank(now.held(move.before)) + 1, now.table.rank(move.to.tier)
    passed = [one.code for one in now.table.levels[first:last]] if move.reason == Reason.QUALIFIED else []
    return [_Step(move, code, since, code == move.to.tier) for code in (*passed, move.to.tier)]


def _pay(steps: Sequence[_Step], now: Rules) -> None:
    """The entry reward of each tier that was reached, once for a member and tier in twelve months (SEMANTICS 5)."""
    points = {one.code: one.entry_reward for one in now.table.levels if one.entry_reward}
    held = {step.move.person.id: now.held(step.move.before) for step in steps}
    owed = [step for step in steps if step.tier in points and step.tier != held[step.move.person.id]]
    if not owed:
        return
    since = now.contract.midnight_after(add_months(now.today, -YEAR))
    paid = set(
        TierMembership.objects.filter(
            member__in=held, reward__isnull=False, reward_taken_at=None, since__gte=since
        ).values_list("member", "tier")
    )  # fmt: skip
    owed = [step for step in owed if (step.move.person.id, step.tier) not in paid]
    outcomes = posting.accrue([_reward(step, points[step.tier], now) for step in owed], now=now.now, actor=None)
    for step, outcome in zip(owed, outcomes, strict=True):
        assert isinstance(outcome, Posted), "an entry reward was refused"
        step.reward = outcome.entry


def _reward(step: _Step, points: int, now: Rules) -> Accrual:
    usable = now.contract.usable_from(now.now)
    return Accrual(
        key=f"tier:{step.move.person.id}:{step.tier}:{step.id}", holder=step.move.person.holder, points=points,
        occurred_at=now.now, available_at=usable, expires_at=now.contract.ends(usable), kind=Kind.BONUS, store=step.move.store,
        reason="tier", terms=now.contract.id, idle_until=terms.alive_until(now.versions, now.now),
    )  # fmt: skip


def _event(move: Move, now: Rules) -> Event:
    before = now.held(move.before)
    level = now.table.level(move.to.tier)
    facts = {
        "tier": move.to.tier, "before": before, "reason": move.reason, "since": now.now.isoformat(),
        "until": move.to.until.isoformat() if move.to.until else None,
        "up": now.table.rank(move.to.tier) > now.table.rank(before),
        "name": level.name if level else "", "names": dict(level.names) if level else {},
    }  # fmt: skip
    return Event("tier.changed", move.person.id, facts)
