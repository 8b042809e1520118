"""The counters of caps in the database: locked and read before an award, moved with it in the same transaction.

Locked in the order of their names and days, after wallets and stock. A rolling window is locked as a whole by one row.
"""

from collections.abc import Iterable, Mapping
from datetime import date, datetime, timedelta
from decimal import Decimal

from django.db import connection

from campaigns import caps
from campaigns.caps import EVER
from campaigns.models import CapCounter
from campaigns.values import Cap, Counter
from loyalty import bulk

LOCK = """
insert into campaigns_capcounter as c (name, day)
select * from unnest(%s::text[], %s::date[]) as asked (name, day) order by 1, 2
on conflict (name, day) do update set used = c.used
returning name, day, used
"""
NEAR = """
select c.name, c.day, c.used from campaigns_capcounter c
  join unnest(%s::text[], %s::date[], %s::date[]) as asked (name, first, last)
    on c.name = asked.name and c.day between asked.first and asked.last
"""
MOVE = """
insert into campaigns_capcounter as c (name, day, used)
select * from unnest(%s::text[], %s::date[], %s::numeric[]) as moved (name, day, used) order by 1, 2
on conflict (name, day) do update set used = greatest(c.used + excluded.used, 0)
"""
# What a return takes back; a counter of long ago that was forgotten stays so. (MOVE may not insert less than nothing, nor try.)
GIVE_BACK = """
update campaigns_capcounter c set used = greatest(c.used + moved.used, 0)
  from unnest(%s::text[], %s::date[], %s::numeric[]) as moved (name, day, used)
 where c.name = moved.name and c.day = moved.day
"""


def forget(before: datetime) -> int:
    """Delete counters of windows that ended before; the longest is a year. Returns how many."""
    return bulk.delete(CapCounter.objects.filter(day__gt=EVER, day__lt=before.date()))


class Counters:
    """What stands on the asked counters; `move` keeps it true while a batch is judged, `save` writes what moved.

    Locked until the caller's transaction ends, unless `peek` only looks (a quote). Three statements for any batch, none
    where nothing is asked.
    """

    def __init__(self, asked: Iterable[tuple[Cap, Counter]], *, peek: bool = False) -> None:
        self._windows: dict[str, int] = {}
        self._used: dict[str, dict[date, Decimal]] = {}
        self._moved: dict[Counter, Decimal] = {}
        days: dict[str, set[date]] = {}
        for cap, counter in asked:
            self._windows[counter.name] = caps.rolling_days(cap.window)
            days.setdefault(counter.name, set()).add(counter.day)
        if days:
            self._read(days, peek=peek)

    def used(self, asked: Iterable[tuple[Cap, Counter]]) -> dict[Counter, Decimal]:
        """What was used on each counter, for the window that it stands for."""
        return {counter: self._use(counter) for _cap, counter in asked}

    def move(self, taken: Mapping[Counter, Decimal], sign: int = 1) -> None:
        for counter, amount in taken.items():
            self._moved[counter] = self._moved.get(counter, Decimal(0)) + sign * amount
            used = self._used.setdefault(counter.name, {})
            used[counter.day] = used.get(counter.day, Decimal(0)) + sign * amount

    def save(self) -> None:
        for statement, sign in ((MOVE, 1), (GIVE_BACK, -1)):
            moved = {counter: amount for counter, amount in self._moved.items() if amount * sign > 0}
            if moved:
                columns = [one.name for one in moved], [one.day for one in moved], list(moved.values())
                with connection.cursor() as cursor:
                    cursor.execute(statement, list(columns))

    def _use(self, counter: Counter) -> Decimal:
        used, window = self._used.get(counter.name, {}), self._windows.get(counter.name, 0)
        return caps.rolling_use(window, counter.day, used) if window else used.get(counter.day, Decimal(0))

    def _read(self, days: Mapping[str, set[date]], *, peek: bool) -> None:
        fixed = [Counter(name, day) for name, some in days.items() if not self._windows[name] for day in some]
        rolling = [name for name in days if self._windows[name]]
        with connection.cursor() as cursor:
            if not peek:
                locked = [*fixed, *(Counter(name, EVER) for name in rolling)]
                cursor.execute(LOCK, [[one.name for one in locked], [one.day for one in locked]])
                self._keep(cursor.fetchall())
                near = rolling
            else:
                near = list(days)
            if near:
                far = {name: timedelta(days=max(self._windows[name] - 1, 0)) for name in near}
                first, last = [min(days[name]) - far[name] for name in near], [max(days[name]) + far[name] for name in near]
                cursor.execute(NEAR, [near, first, last])
                self._keep(cursor.fetchall())

    def _keep(self, rows: Iterable[tuple[str, date, Decimal]]) -> None:
        for name, day, used in rows:
            self._used.setdefault(name, {})[day] = used
