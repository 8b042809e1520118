"""Days in a row with the same act: told by the row of the day before, and kept true when an earlier day is told late."""

from collections.abc import Sequence
from datetime import date, timedelta
from typing import NamedTuple
from uuid import UUID

from django.db import connection

LENGTHS = """
select e.day, e.streak
  from unnest(%s::uuid[], %s::text[], %s::date[]) with ordinality as asked (member, type, day, place)
  left join lateral (select day, streak from campaigns_event e
                      where e.member_id = asked.member and e.type = asked.type and e.streak > 0
                        and e.day between asked.day - 1 and asked.day
                      order by day desc limit 1) e on true
 order by asked.place
"""
# From each day on whose next day was counted without it: that day and those that follow it in a row. A day has one number,
# however many acts.
LENGTHEN = """
with recursive following (member, type, day, streak) as (
    select e.member_id, e.type, e.day, told.streak + 1
      from unnest(%s::uuid[], %s::text[], %s::date[], %s::int[]) as told (member, type, day, streak)
      join campaigns_event e on e.member_id = told.member and e.type = told.type and e.day = told.day + 1
     where e.streak between 1 and told.streak
     union
    select e.member_id, e.type, e.day, before.streak + 1
      from following before
      join campaigns_event e on e.member_id = before.member and e.type = before.type and e.day = before.day + 1
     where e.streak between 1 and before.streak
)
update campaigns_event e set streak = f.streak
  from (select member, type, day, max(streak) as streak from following group by member, type, day) f
 where e.member_id = f.member and e.type = f.type and e.day = f.day and e.streak > 0
"""


class Act(NamedTuple):
    member: UUID
    type: str
    day: date


def lengths(acts: Sequence[Act]) -> list[int]:
    """Of each act the number of days in a row that it makes, in one statement; earlier acts of the list count too."""
    if not acts:
        return []
    with connection.cursor() as cursor:
        cursor.execute(LENGTHS, [[one[part] for one in acts] for part in range(3)])
        stored = cursor.fetchall()
    met: dict[Act, int] = {}
    found = []
    for act, (day, streak) in zip(acts, stored, strict=True):
        same = streak if day == act.day else met.get(act)
        before = streak if day and day < act.day else met.get(act._replace(day=act.day - timedelta(days=1)), 0)
        met[act] = same or before + 1
        found.append(met[act])
    return found


def lengthen(acts: Sequence[tuple[Act, int]]) -> None:
    """Count on through the days that follow acts told late, each with its number; one statement, nothing for others."""
    if acts:
        columns = [[one[part] for one, _streak in acts] for part in range(3)]
        with connection.cursor() as cursor:
            cursor.execute(LENGTHEN, [*columns, [streak for _act, streak in acts]])
