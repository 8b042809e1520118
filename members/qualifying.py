"""What members qualify with: posted beside each purchase, lifting at once whom it brings to a tier (SEMANTICS 5).

The qualifying wallet counts what the tier table says: points of base rules, money in its smallest unit, or days with a visit. Its
lots never end and are never spent, so a period's value is what remains of the lots earned in it, and a return takes from
the lot of its own receipt.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from loyalty import posting, queries
from loyalty.acts import Accrual, ClawBack, ClawBackPolicy, Posted
from loyalty.posting import PointType
from members import holding
from members.holding import Counted, Move, Person, Reason, Rules
from members.models import TierMembership
from members.queries import standing_tiers
from members.tiers import Table


@dataclass(frozen=True, slots=True, kw_only=True)
class Gain:
    """What one receipt may count for. `key` is unique in the ledger; `spend` is money with `minor_units` decimals.

    `first_visit`: it is the first receipt of its member on its local day.
    """

    member: UUID
    holder: UUID
    occurred_at: datetime
    key: str
    base_points: int
    spend: Decimal
    first_visit: bool
    store: int | None = None
    reference: str = ""
    minor_units: int = 2

    def units(self, basis: str) -> int:
        """What of it the table counts."""
        if basis == "points":
            return self.base_points
        return int(self.spend.scaleb(self.minor_units)) if basis == "spend" else int(self.first_visit)


@dataclass(frozen=True, slots=True, kw_only=True)
class TakeBack(Gain):
    """The part of a gain that a return takes back; `entry` is what `accrue` answered for the receipt."""

    entry: UUID


def accrue(gains: Sequence[Gain], *, now: datetime) -> list[UUID | None]:
    """Post what receipts count for and lift whom they bring to a tier; the entry of each gain, None where nothing counts.

    Runs in the caller's transaction, behind the locks of the members' redeemable wallets. A constant number of statements;
    one while the programme has no tiers.
    """
    entries: list[UUID | None] = [None] * len(gains)
    rules = holding.rules(now) if gains else None
    if rules is None:
        return entries
    counting = [(place, gain, units) for place, gain in enumerate(gains) if (units := gain.units(rules.table.basis)) > 0]
    if not counting:
        return entries
    holding.open_wallets({gain.holder for _, gain, _ in counting})
    acts = [_accrual(gain, units) for _, gain, units in counting]
    outcomes = posting.accrue(acts, now=now, actor=None, point_type=PointType.QUALIFYING)
    for (place, _, _), outcome in zip(counting, outcomes, strict=True):
        assert isinstance(outcome, Posted), "what a receipt counts for was refused"
        entries[place] = outcome.entry
    lift([gain for _, gain, _ in counting], rules)
    return entries


def take_back(parts: Sequence[TakeBack], *, now: datetime) -> list[UUID | None]:
    """Take back what returned goods counted for, in the period in which it did; the entry of each, None where nothing did.

    Who has a tier only by what came back loses it, with its entry reward. As `accrue`: the caller's transaction and locks.
    """
    entries: list[UUID | None] = [None] * len(parts)
    rules = holding.rules(now) if parts else None
    if rules is None:
        return entries
    counting = [(place, part, units) for place, part in enumerate(parts) if (units := part.units(rules.table.basis)) > 0]
    acts = [_claw_back(part, units) for _, part, units in counting]
    outcomes = posting.claw_back(acts, now=now, point_type=PointType.QUALIFYING)
    for (place, _, _), outcome in zip(counting, outcomes, strict=True):
        assert isinstance(outcome, Posted), "more was taken back than a receipt counted for"
        entries[place] = outcome.entry
    _lower({part.member for _, part, _ in counting}, rules)
    return entries


def lift(gains: Sequence[Gain], rules: Rules) -> None:
    """Lift whose periods reach a higher tier now."""
    people = holding.people({gain.member for gain in gains}, rules.contract)
    windows = {one for gain in gains for one in _windows(people[gain.member], gain.occurred_at, rules)}
    values = queries.qualifying([rules.span(one) for one in windows])
    found: dict[UUID, list[holding.Holding]] = {}
    for one in windows:
        found.setdefault(one.person.id, []).append(rules.gives(one, values.get(rules.span(one), 0)))
    standing = standing_tiers(people)
    stores = {gain.member: gain.store for gain in gains}
    holding.write(
        [
            Move(people[member], standing.get(member), best, Reason.QUALIFIED, store=stores[member])
            for member, each in sorted(found.items())
            if holding.is_lifted(standing.get(member), best := rules.best(each), rules)
        ],
        rules,
    )


def _windows(person: Person, at: datetime, rules: Rules) -> list[Counted]:
    """The periods that a gain may have filled: its own, and that of today if it lies in it."""
    own, today = rules.counted(person, at), rules.counted(person, rules.now, rules.table)
    return [own, today] if today.period.first <= rules.contract.day_of(at) <= today.period.last else [own]


def _lower(members: Iterable[UUID], rules: Rules) -> None:
    """Give those who no longer reach the tier that stands what they have without it."""
    rows = holding.histories(members, rules)
    standing = {one.member_id: one for mine in rows.values() for one in mine if one.ended_at is None and one.counted_until}
    people = holding.people(standing, rules.contract)
    if not people:
        return
    found = holding.natural(list(people.values()), rows, rules)
    fallen = [id_ for id_ in people if rules.table.rank(found[id_].tier) < rules.table.rank(rules.held(standing[id_]))]
    moves = [Move(people[id_], standing[id_], found[id_], Reason.RETURN) for id_ in fallen]
    holding.write(moves, rules)
    _take_rewards({id_: [row for row in rows[id_] if _is_gone(row, found[id_], rules)] for id_ in fallen}, people, rules)


def _is_gone(row: TierMembership, left: holding.Holding, rules: Rules) -> bool:
    unpaid = row.reward is None or row.reward_taken_at is not None
    return not unpaid and rules.table.rank(rules.held(row)) > rules.table.rank(left.tier)


def _take_rewards(gone: Mapping[UUID, Sequence[TierMembership]], people: Mapping[UUID, Person], rules: Rules) -> None:
    """An entry reward goes with the tier that it welcomed to; what is spent of it is owed, or forgiven by the terms."""
    tables: dict[int, Table] = {one.id: one for one in rules.tables}
    policy = ClawBackPolicy.FORGIVE if rules.contract.claw_back == ClawBackPolicy.FORGIVE else ClawBackPolicy.DEFICIT
    rows = [row for each in gone.values() for row in each]
    acts = [
        ClawBack(
            key=f"tier-back:{row.pk}", holder=people[row.member_id].holder, occurred_at=rules.now, entry=row.reward,
            points=level.entry_reward, own=(row.reward,), policy=policy, reason="tier",
        )
        for row in rows
        if row.reward and (level := tables[row.table_id].level(row.tier))
    ]  # fmt: skip
    for outcome in posting.claw_back(acts, now=rules.now):
        assert isinstance(outcome, Posted), "an entry reward could not be taken back"
    TierMembership.objects.filter(pk__in=[row.pk for row in rows]).update(reward_taken_at=rules.now)


def _accrual(gain: Gain, units: int) -> Accrual:
    return Accrual(
        key=gain.key, holder=gain.holder, occurred_at=gain.occurred_at, points=units, available_at=gain.occurred_at,
        expires_at=None, store=gain.store, reference=gain.reference, reason="qualifying",
    )  # fmt: skip


def _claw_back(part: TakeBack, units: int) -> ClawBack:
    return ClawBack(
        key=part.key, holder=part.holder, occurred_at=part.occurred_at, entry=part.entry, points=units, own=(part.entry,),
        store=part.store, reference=part.reference, reason="qualifying",
    )  # fmt: skip
