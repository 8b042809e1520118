"""Whether everything that was acknowledged stands, once, and nothing stands that was not."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import psycopg

from tests.reliability.clients import Receipt

# Beside what was acknowledged: how often the receipt stands, how often as it was answered, how often it was posted.
RECEIPTS = """
with asked as materialized (select * from unnest(%s::text[], %s::uuid[], %s::bigint[]) a (number, id, points)),
taken as (select a.number, count(*) as times, count(*) filter (where (p.id, p.points_earned) = (a.id, a.points)) as same
            from asked a join campaigns_purchase p on p.source = 'kills' and p.receipt_number = a.number group by 1),
posted as (select a.number, count(*) as times, sum(o.points) as points
             from asked a join loyalty_posting o on o.reference = a.number and o.kind = 'earn' group by 1)
select a.number, coalesce(t.times, 0), coalesce(t.same, 0), coalesce(o.times, 0), coalesce(o.points, 0) = a.points
  from asked a left join taken t using (number) left join posted o using (number)
"""
ACTS = """
with asked as materialized (select * from unnest(%s::text[], %s::uuid[], %s::bigint[]) a (key, entry, points))
select a.key, a.entry is null, count(distinct e.id), count(distinct e.id) filter (where e.id = a.entry),
       count(p.id) filter (where p.points = a.points)
  from asked a left join loyalty_journalentry e on e.key = a.key left join loyalty_posting p on p.entry_id = e.id
 group by a.key, a.entry
"""
MEMBERS = """
select a.id::text, count(distinct w.id), count(distinct c.number)
  from unnest(%s::uuid[]) a (id) left join members_member m on m.id = a.id
  left join loyalty_wallet w on w.holder = m.holder left join members_card c on c.member_id = m.id group by a.id
"""
# What stands at the end, when nothing is under way any more.
STANDING = """
select (select count(*) from campaigns_purchase), (select count(*) from loyalty_posting where kind = 'earn' and reference <> ''),
       (select count(*) from loyalty_journalentry where key like %s), (select count(*) from members_member)
"""
WORK_LEFT = """
select (select count(*) from loyalty_outboxevent where handled_at is null),
       (select count(*) from loyalty_lot where open and expires_at <= now()),
       (select count(*) from members_member m
         where not exists (select from members_message where member_id = m.id and kind = 'welcome'))
"""

type Act = tuple[str, str | None, int]
"""Key, entry (none: refused) and points of the first line, as a poster was answered."""


@dataclass(slots=True)
class Acknowledged:
    """All that was acknowledged between two looks, or in a whole round."""

    receipts: list[Receipt] = field(default_factory=list)
    acts: list[Act] = field(default_factory=list)
    members: list[str] = field(default_factory=list)

    def __len__(self) -> int:
        """Refused acts are looked at and not counted."""
        return len(self.receipts) + sum(entry is not None for _, entry, _ in self.acts) + len(self.members)

    def take(self, other: "Acknowledged") -> None:
        self.receipts += other.receipts
        self.acts += other.acts
        self.members += other.members


@dataclass(frozen=True, slots=True)
class Faults:
    lost: list[str]
    doubled: list[str]

    def __bool__(self) -> bool:
        return bool(self.lost or self.doubled)


def look(base: psycopg.Connection, told: Acknowledged) -> Faults:
    """What of `told` does not stand as it was answered, and what stands more than once."""
    lost, doubled = list[str](), list[str]()
    receipts = [[getattr(one, name) for one in told.receipts] for name in ("number", "id", "points")]
    for number, taken, same, posted, points in base.execute(RECEIPTS, receipts):
        if taken > 1 or posted > 1:
            doubled.append(number)
        elif (taken, same, posted, points) != (1, 1, 1, True):
            lost.append(number)
    for key, refused, entries, same, lines in base.execute(ACTS, _columns(told.acts)):
        if max(entries, lines) > (0 if refused else 1):
            doubled.append(key)
        elif not refused and (entries, same, lines) != (1, 1, 1):
            lost.append(key)
    for id_, wallets, cards in base.execute(MEMBERS, [told.members]):
        if wallets > 1 or cards > 1:
            doubled.append(id_)
        elif (wallets, cards) != (1, 1):
            lost.append(id_)
    return Faults(lost, doubled)


def nothing_else(base: psycopg.Connection, told: Acknowledged, *, seed: str, members: int) -> Faults:
    """Whether exactly what was acknowledged stands, beside the `members` that were there before."""
    row = base.execute(STANDING, [f"{seed}:%"]).fetchone()
    assert row is not None
    acts = sum(entry is not None for _, entry, _ in told.acts)
    wanted = (len(told.receipts), len(told.receipts), acts, members + len(told.members))
    names = ("receipts", "postings of receipts", "acts", "members")
    more = {f"{name}: {is_} for {said}": is_ - said for name, is_, said in zip(names, row, wanted, strict=True)}
    return Faults([text for text, count in more.items() if count < 0], [text for text, count in more.items() if count > 0])


def work_left(base: psycopg.Connection) -> tuple[int, int, int]:
    """Events not handed on, ended lots not booked, members without their welcome."""
    row = base.execute(WORK_LEFT).fetchone()
    assert row is not None
    return (row[0], row[1], row[2])


def _columns(acts: Sequence[Act]) -> list[list[object]]:
    return [[act[part] for act in acts] for part in range(3)]
