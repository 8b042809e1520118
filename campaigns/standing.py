"""What was true of members at the moment of a purchase or an act: gathered for a batch in a constant number of statements."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db import connection

from campaigns import segments
from campaigns.streaks import Act, lengths
from campaigns.values import Rule, Standing
from members.queries import MemberFacts, tiers_at

# A birthday counts so long after it was given (SEMANTICS 8.2).
BIRTHDAY_SETTLES = timedelta(days=30)
# Of each receipt's moment: the number of its local day, if that is a visit already; the number of the visit that was counted
# last, whenever it was; whether anything was bought by then.
VISITS = """
select day.visit, last.visit, exists (select from campaigns_purchase p
                                       where p.member_id = asked.member and p.occurred_at <= asked.at and p.returned_at is null)
  from unnest(%s::uuid[], %s::timestamptz[]) with ordinality as asked (member, at, place)
  left join lateral (select visit from campaigns_purchase p
                      where p.member_id = asked.member and p.returned_at is null
                        and p.occurred_at between asked.at - interval '26 hours' and asked.at + interval '26 hours'
                        and (p.occurred_at at time zone %s)::date = (asked.at at time zone %s)::date
                      order by p.occurred_at desc limit 1) day on true
  left join lateral (select visit from campaigns_purchase p
                      where p.member_id = asked.member and p.returned_at is null
                      order by p.visit desc limit 1) last on true
 order by asked.place
"""


@dataclass(frozen=True, slots=True)
class Asked:
    """`event_type` is that of an act; None of a receipt. `happened_at` is its own moment, whatever the rules of `at` are."""

    member: MemberFacts
    at: datetime
    happened_at: datetime
    event_type: str | None = None


@dataclass(slots=True)
class _Visits:
    """Of one member in a batch: the numbers of its days, and the last number that was given."""

    days: dict[date, int]
    last: int


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
    known = iter(_visits([one for one in asked if one.event_type is None], zone))
    acts = [Act(one.member.id, one.event_type, _day(one, zone)) for one in asked if one.event_type]
    streaks = iter(lengths(acts))
    met: dict[UUID, _Visits] = {}
    found = []
    for one in asked:
        birthday = _birthday(one.member, one.at)
        if one.event_type:  # an act is no purchase
            found.append(Standing(birthday=birthday, streak=next(streaks)))
            continue
        same_day, last, has_bought = next(known)
        day, first_here = _day(one, zone), one.member.id not in met
        mine = met.setdefault(one.member.id, _Visits({}, last))
        number = same_day or mine.days.get(day)
        found.append(
            Standing(
                birthday=birthday,
                first_purchase=first_here and not has_bought,
                visit=number or mine.last + 1,
                first_of_day=number is None,
            )
        )
        mine.days[day] = number or mine.last + 1
        mine.last = max(mine.last, mine.days[day])
    return found


def _visits(asked: Sequence[Asked], zone: ZoneInfo) -> list[tuple[int | None, int, bool]]:
    """As VISITS has it. Days are numbered as they become known, so that no order of telling makes one number twice."""
    if not asked:
        return []
    with connection.cursor() as cursor:
        cursor.execute(VISITS, [[one.member.id for one in asked], [one.happened_at for one in asked], zone.key, zone.key])
        return [(same_day, last or 0, has_bought) for same_day, last, has_bought in cursor.fetchall()]


def _day(one: Asked, zone: ZoneInfo) -> date:
    """Receipts of one local day are one visit."""
    return one.happened_at.astimezone(zone).date()


def _birthday(member: MemberFacts, at: datetime) -> tuple[int, int] | None:
    if member.birthday is None or (member.birthday_set_at and at < member.birthday_set_at + BIRTHDAY_SETTLES):
        return None
    return member.birthday
