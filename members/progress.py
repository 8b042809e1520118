"""Where members stand between two tiers: what they have and until when, what is missing to the next and to keep it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID

from loyalty import queries
from members import holding
from members.holding import Counted, Person, Reason
from members.models import Member, TierMembership
from members.queries import standing_tiers
from members.tiers import Level, Period, Table, period_of


@dataclass(frozen=True, slots=True)
class Keeping:
    """Keeping the tier that is held: `missing` by the end of `period`, of which `value` is there; 0 when it is reached again.

    `begun`: the period has begun. `graced_until` is the last day of grace, where the validity is over already.
    """

    period: Period
    value: int
    missing: int
    begun: bool
    graced_until: date | None = None


@dataclass(frozen=True, slots=True)
class Progress:
    """`value` is what counts in `period`, today's; `last` is the last day of the tier held (None: it has none).

    `by` is the day until which the next tier is to be reached; None where the period goes along with the day.
    """

    table: Table
    level: Level | None
    until: datetime | None
    last: date | None
    reason: str
    period: Period
    value: int
    next: Level | None
    missing: int
    by: date | None
    keeping: Keeping | None
    currency: str


def progress_of(members: Sequence[Member], *, now: datetime) -> dict[UUID, Progress]:
    """Of each member, in a constant number of statements; nothing while the programme has no tiers."""
    rules = holding.rules(now)
    if rules is None or not members:
        return {}
    people = [Person(one.pk, one.holder, rules.contract.day_of(one.joined_at)) for one in members]
    standing = standing_tiers(one.id for one in people)
    current = {one.id: rules.counted(one, now, rules.table) for one in people}
    kept = {
        one.id: Counted(one, rules.table, period_of(rules.table.window, rules.contract.last_day(row.until), one.joined))
        for one in people
        if (row := standing.get(one.id)) and row.until
    }
    values = queries.qualifying([rules.span(one) for one in (*current.values(), *kept.values())])

    def value(one: Counted) -> int:
        return values.get(rules.span(one), 0)

    return {
        one.id: _progress(
            rules, standing.get(one.id), current[one.id].period, value(current[one.id]),
            (kept[one.id].period, value(kept[one.id])) if one.id in kept else None,
        )
        for one in people
    }  # fmt: skip


def _progress(
    rules: holding.Rules, row: TierMembership | None, period: Period, value: int, kept: tuple[Period, int] | None
) -> Progress:
    table = rules.table
    level, above = table.level(rules.held(row)), table.above(rules.held(row))
    until = row.until if row else None
    keeping = None
    if level and row and until and kept and table.review != "keep" and row.reason != Reason.OVERRIDE:
        over = until <= rules.now
        graced = rules.contract.day_of(until + timedelta(days=table.grace_days, microseconds=-1)) if over else None
        missing = max(level.threshold - kept[1], 0)
        keeping = Keeping(kept[0], kept[1], missing, kept[0].first <= rules.today, graced)
    return Progress(
        table=table, level=level, until=until, last=rules.contract.last_day(until) if until else None,
        reason=row.reason if row else "", period=period, value=value, next=above,
        missing=max(above.threshold - value, 0) if above else 0,
        by=period.last if table.window != "rolling" else None, keeping=keeping, currency=rules.contract.currency,
    )  # fmt: skip
