"""Occasions judged in batches: the one path for receipts, events, quotes and imports of history.

What the engine must know (standing of the members, caps) is gathered in a constant number of statements.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from campaigns import caps, engine, rules, standing
from campaigns.counting import Counters
from campaigns.standing import Asked
from campaigns.values import Judgement, Line, Occasion, Standing
from loyalty.queries import StoreFacts
from loyalty.terms import Terms
from members.queries import MemberFacts


@dataclass(frozen=True, slots=True)
class Case:
    """A receipt or an event to be judged by the rules of `at`; `happened_at` is its own moment, where that is another one."""

    member: MemberFacts
    at: datetime
    terms: Terms
    store: StoreFacts | None = None
    lines: tuple[Line, ...] = ()
    event_type: str | None = None
    happened_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Judged:
    occasion: Occasion
    judgement: Judgement


def judge(cases: Sequence[Case], published: Sequence[rules.Published], *, peek: bool = False) -> list[Judged]:
    """What each case earns, in the order of the cases; they are judged in the order of their moments.

    Called behind the wallets' locks: the counters of the caps stay locked until the transaction ends. `peek` only looks.
    """
    order = sorted(range(len(cases)), key=lambda place: cases[place].at)
    found = standing.standings(
        [_asked(cases[place]) for place in order],
        _zone(cases),
        [one.rule for one in published],
    )
    occasions = {place: _occasion(cases[place], each) for place, each in zip(order, found, strict=True)}
    in_force = rules.InForce(published)
    sifted = {place: engine.sift(one, in_force.at(one.at)) for place, one in occasions.items()}
    needed = {place: list(caps.needed(sifted[place].holding, one)) for place, one in occasions.items()}
    counters = Counters((each for some in needed.values() for each in some), peek=peek)
    judged: dict[int, Judged] = {}
    for place in order:
        judgement = engine.award(occasions[place], sifted[place], counters.used(needed[place]))
        counters.move(judgement.taken)
        judged[place] = Judged(occasions[place], judgement)
    if not peek:
        counters.save()
    return [judged[place] for place in range(len(cases))]


def _asked(case: Case) -> Asked:
    return Asked(case.member, case.at, case.happened_at or case.at, case.event_type)


def _occasion(case: Case, standing: Standing) -> Occasion:
    return Occasion(
        member=case.member.id, at=case.at, zone=case.terms.zone, lines=case.lines, event_type=case.event_type,
        store=case.store.code if case.store else None, store_zone=ZoneInfo(case.store.timezone) if case.store else None,
        standing=standing, point_value=case.terms.point_value,
    )  # fmt: skip


def _zone(cases: Sequence[Case]) -> ZoneInfo:
    """The programme's: one for all its versions."""
    return cases[0].terms.zone if cases else ZoneInfo("UTC")
