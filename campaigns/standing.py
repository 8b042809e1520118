"""What was true of members at the moment of a purchase or an act: gathered for a batch in a constant number of statements."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db import connection

from campaigns import segments
from campaigns.streaks import Act, lengths
from campaigns.values import Rule, Standing
from members.queries import MemberFacts, tiers_at

# A birthday counts so long after it was given (SEMANTICS 8.2).
BIRTHDAY_SETTLES = timedelta(days=30)
LAST_VISITS = """
select p.visit, p.occurred_at
  from unnest(%s::uuid[], %s::timestamptz[]) with ordinality as asked (member, at, place)
  left join lateral (select visit, occurred_at from campaigns_purchase p
                      where p.member_id = asked.member and p.occurred_at <= asked.at and p.returned_at is null
                      order by p.occurred_at desc limit 1) p on true
 order by asked.place
"""


@dataclass(frozen=True, slots=True)
class Asked:
    """`event_type` is that of an act; None of a receipt."""

    member: MemberFacts
    at: datetime
    event_type: str | None = None


@dataclass(frozen=True, slots=True)
class _Visit:
    number: int
    at: datetime


def standings(asked: Sequence[Asked], zone: ZoneInfo, rules: Sequence[Rule]) -> list[Standing]:
    """Of each member at its moment; `asked` in the order of the moments. What is in one batch counts for what is later.

    Tiers and segments are looked up where one of the rules asks for them.
    """
    pairs = [(one.member.id, one.at) for one in asked]
    tiers = tiers_at(pairs) if any(rule.tiers for rule in rules) else [None] * len(asked)
    parts = segments.of_members(pairs) if any(rule.segment for rule in rules) else [frozenset[str]()] * len(asked)
    return [
        replace(one, tier=tier, segments=part) for one, tier, part in zip(_by_own_acts(asked, zone), tiers, parts, strict=True)
    ]


def _by_own_acts(asked: Sequence[Asked], zone: ZoneInfo) -> list[Standing]:
    visits = iter(_last_visits([one for one in asked if one.event_type is None]))
    acts = [Act(one.member.id, one.event_type, one.at.astimezone(zone).date()) for one in asked if one.event_type]
    streaks = iter(lengths(acts))
    met: dict[UUID, _Visit] = {}
    found = []
    for one in asked:
        birthday = _birthday(one.member, one.at)
        if one.event_type:  # an act is no purchase
            found.append(Standing(birthday=birthday, streak=next(streaks)))
            continue
        before = next(visits)
        last = max((visit for visit in (before, met.get(one.member.id)) if visit), key=lambda visit: visit.at, default=None)
        number = _next(last, one.at, zone)
        met[one.member.id] = _Visit(number, one.at)
        found.append(
            Standing(
                birthday=birthday,
                first_purchase=last is None,
                visit=number,
                first_of_day=last is None or number > last.number,
            )
        )
    return found


def _last_visits(asked: Sequence[Asked]) -> list[_Visit | None]:
    if not asked:
        return []
    with connection.cursor() as cursor:
        cursor.execute(LAST_VISITS, [[one.member.id for one in asked], [one.at for one in asked]])
        return [_Visit(number, at) if number else None for number, at in cursor.fetchall()]


def _next(last: _Visit | None, at: datetime, zone: ZoneInfo) -> int:
    """Receipts of one local day are one visit."""
    if last is None:
        return 1
    same_day = last.at.astimezone(zone).date() == at.astimezone(zone).date()
    return last.number if same_day else last.number + 1


def _birthday(member: MemberFacts, at: datetime) -> tuple[int, int] | None:
    if member.birthday is None or (member.birthday_set_at and at < member.birthday_set_at + BIRTHDAY_SETTLES):
        return None
    return member.birthday
