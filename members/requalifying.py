"""The review of tiers whose validity has ended, the news before it, and what a changed table does to who is there.

Each run looks up what is due, in batches that commit alone, so it may be killed, repeated or run twice at once.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import Q, QuerySet

from loyalty import queries
from loyalty.posting import PointType, lock
from members import holding, messaging
from members.holding import Counted, Holding, Move, Person, Reason, Rules
from members.messaging import News, waking
from members.models import Member, Message, TierMembership
from members.queries import by_holder, standing_tiers
from members.tiers import DAY, period_of, valid_until, verdict

BATCH = 10_000
NOTICE_DAYS = (60, 14)
# News that an outage held up still goes out this many days later.
CATCH_UP_DAYS = 2
# So long after its start a table lifts those who reach a tier by it; afterwards everybody has been looked at.
LATELY = timedelta(days=7)
# More periods than a review is ever late.
ROUNDS = 40


@dataclass(frozen=True, slots=True)
class Reviewed:
    """How many tiers a review decided, how many members a new table moved, how many news of a tier at risk are due."""

    decided: int = 0
    moved: int = 0
    warned: int = 0


def review(*, now: datetime) -> Reviewed:
    """Decide every tier whose validity has ended by `now`, and tell who is about to lose one."""
    rules = holding.rules(now)
    if rules is None:
        return Reviewed()
    moved = _rename(rules) + (_lift(rules) if rules.table.starts_at > now - LATELY else 0)
    decided = 0
    for _ in range(ROUNDS):  # a review that comes years late decides one period after the other
        done = sum(_decide(rows, rules) for rows in _pages(_standing(until__lte=now)))
        decided += done
        if not done:
            break
    return Reviewed(decided, moved, warn(rules))


def warn(rules: Rules) -> int:
    """Tell who falls short of keeping the tier in 60 and 14 days, once each. Returns how many news are due or were made."""
    if rules.table.review == "keep":
        return 0
    told = 0
    for days in NOTICE_DAYS:
        last = rules.today + timedelta(days=days)
        first = last - timedelta(days=CATCH_UP_DAYS)
        ends = {"until__gt": rules.contract.midnight_after(first - DAY), "until__lte": rules.contract.midnight_after(last)}
        rows = _standing(**ends).exclude(reason=Reason.OVERRIDE).filter(member__status=Member.Status.ACTIVE)
        for page in _pages(rows):
            news = list(_news(page, days, rules))
            messaging.queue(news, now=rules.now, due_at=waking(rules.now, rules.contract))
            told += len(news)
    return told


def _news(rows: Sequence[TierMembership], days: int, rules: Rules) -> Iterator[News]:
    values = _values(rows, rules)
    for row in rows:
        level = rules.table.level(rules.held(row))
        missing = level.threshold - values[row.pk] if level else 0
        if level and missing > 0 and row.until:
            last = rules.contract.last_day(row.until)
            facts = {
                "missing": missing, "basis": rules.table.basis, "on": last.isoformat(), "name": level.name,
                "names": dict(level.names),
            }  # fmt: skip
            yield News(row.member, Message.Kind.TIER_AT_RISK, f"{last}:{days}", facts)


def _decide(rows: Sequence[TierMembership], rules: Rules) -> int:
    """The review of one batch; how many were decided. Who falls short in the days of grace is left for later."""
    with transaction.atomic():
        rows = _locked(rows)
        values = _values(rows, rules)
        set_by_hand = [row for row in rows if row.reason == Reason.OVERRIDE]
        without = _without(set_by_hand, rules)
        moves = [
            Move(_person(row, rules), row, to, Reason.REVIEW)
            for row in rows
            if (to := without.get(row.member_id) or _reviewed(row, values[row.pk], rules))
        ]
        holding.write(moves, rules)
    return len(moves)


def _reviewed(row: TierMembership, value: int, rules: Rules) -> Holding | None:
    assert row.until, "a tier without an end is not reviewed"
    code, last = rules.held(row), rules.contract.last_day(row.until)
    decided = verdict(rules.table, code, value, graced=row.until + timedelta(days=rules.table.grace_days) <= rules.now)
    if decided is None:
        return None
    if rules.table.rank(decided) <= rules.table.rank(rules.base()):
        return Holding(rules.base())
    until = rules.contract.midnight_after(valid_until(rules.table.window, last, _person(row, rules).joined))
    return Holding(decided, until, last if decided == rules.table.reached(value) else None)


def _without(rows: Sequence[TierMembership], rules: Rules) -> dict[UUID, Holding]:
    """What those have on their own whose tier was set by hand."""
    if not rows:
        return {}
    kept = holding.histories([row.member_id for row in rows], rules)
    return holding.natural([_person(row, rules) for row in rows], kept, rules)


def _rename(rules: Rules) -> int:
    """Lead those on whose tier is in the table no more."""
    gone = TierMembership.objects.filter(ended_at=None).exclude(tier__in=["", *(one.code for one in rules.table.levels)])
    moved = 0
    for page in _pages(gone.select_related("member")):
        with transaction.atomic():
            rows = _locked(page)
            moves = [
                Move(_person(row, rules), row, Holding(rules.held(row), row.until, row.counted_until), Reason.TABLE)
                for row in rows
            ]
            holding.write(moves, rules)
        moved += len(moves)
    return moved


def _lift(rules: Rules) -> int:
    """Let a table that has just started help at once: lift whose periods reach more by it."""
    after, lifted = 0, 0
    while page := queries.qualifying_holders(after=after, limit=BATCH):
        after = page[-1][0]
        members = by_holder(holder for _, holder in page)
        higher = _higher([_known(one, rules) for one in members.values()], rules)
        if higher:
            with transaction.atomic():
                holding.lock({one.person.holder for one in higher}, may_rise=True)
                moves = _higher([one.person for one in higher], rules)
                holding.write(moves, rules)
            lifted += len(moves)
    return lifted


def _higher(people: Sequence[Person], rules: Rules) -> list[Move]:
    found, standing = holding.natural(people, {}, rules), standing_tiers(one.id for one in people)
    return [
        Move(one, standing.get(one.id), found[one.id], Reason.QUALIFIED)
        for one in people
        if holding.is_lifted(standing.get(one.id), found[one.id], rules)
    ]


def _values(rows: Sequence[TierMembership], rules: Rules) -> dict[UUID, int]:
    """Of each row the value of the period that ends with its validity."""
    counted = {row.pk: rules.span(_last_period(row, rules)) for row in rows}
    values = queries.qualifying(counted.values())
    return {id_: values.get(span, 0) for id_, span in counted.items()}


def _last_period(row: TierMembership, rules: Rules) -> Counted:
    assert row.until, "a tier without an end has no period"
    person = _person(row, rules)
    return Counted(person, rules.table, period_of(rules.table.window, rules.contract.last_day(row.until), person.joined))


def _person(row: TierMembership, rules: Rules) -> Person:
    return _known(row.member, rules)


def _known(member: Member, rules: Rules) -> Person:
    return Person(member.pk, member.holder, rules.contract.day_of(member.joined_at))


def _standing(**given: datetime) -> QuerySet[TierMembership]:
    return TierMembership.objects.filter(ended_at=None, **given).select_related("member")


def _pages(rows: QuerySet[TierMembership]) -> Iterator[list[TierMembership]]:
    """Batches by end and member; what a batch decides does not come again."""
    ordered, after = rows.order_by("until", "member"), Q()
    while page := list(ordered.filter(after)[:BATCH]):
        yield page
        last = page[-1]
        after = Q(until=last.until, member__gt=last.member_id)
        if last.until:  # those without an end come last
            after |= Q(until__gt=last.until) | Q(until=None)


def _locked(rows: Sequence[TierMembership]) -> list[TierMembership]:
    """Those of the rows that still stand, behind the locks of their members' qualifying wallets."""
    holders = {row.member.holder for row in rows}
    holding.open_wallets(holders)
    lock(holders, PointType.QUALIFYING)
    return list(_standing().filter(pk__in=[row.pk for row in rows]).order_by("member"))
