"""Where rules meet: which can hold at the same time for the same line, what follows, and which never hold. Pure."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import combinations
from zoneinfo import ZoneInfo

from campaigns import weighing
from campaigns.values import Cap, Kind, Rule


class Meeting(StrEnum):
    """What follows where two rules meet, or for one that cannot hold."""

    NEVER = "never"
    HIDDEN = "hidden"
    PRECEDES = "precedes"
    BEST_WINS = "best_wins"
    SHARED_CAP = "shared_cap"
    ADD_UP = "add_up"


class Why(StrEnum):
    """Why a rule can never hold, or gives nothing."""

    ENDED = "ended"
    NO_TIME = "no_time"
    NO_DAY = "no_day"
    STORES = "stores"
    TIERS = "tiers"
    SEGMENT = "segment"
    GOODS = "goods"
    NOTHING = "nothing"
    VISIT = "visit"


@dataclass(frozen=True, slots=True)
class Entry:
    """A rule as it will hold, or as it is drafted. A draft without a start could start now."""

    rule: Rule
    starts_at: datetime | None
    is_draft: bool = False


@dataclass(frozen=True, slots=True)
class Known:
    """What there is to be named: stores that are open, tiers, segments and how many are in them."""

    stores: Collection[str]
    segments: Mapping[str, int]
    tiers: Collection[str] = ()


@dataclass(frozen=True, slots=True)
class Finding:
    """`first` is the rule that comes off worse, where one does; `cap` is the one they share."""

    meeting: Meeting
    first: Entry
    second: Entry | None = None
    why: Why | None = None
    cap: Cap | None = None


def report(entries: Sequence[Entry], known: Known, *, zone: ZoneInfo, now: datetime, code: str | None = None) -> list[Finding]:
    """All findings, or those about one rule, what wants attention first."""
    never = {id(one): why for one in entries if (why := _hindered(one, known, zone, now))}
    live = [one for one in entries if id(one) not in never]
    pairs = (two for two in combinations(live, 2) if code is None or code in (two[0].rule.code, two[1].rule.code))
    alone = [Finding(Meeting.NEVER, one, why=never[id(one)]) for one in entries if id(one) in never]
    found = [
        *(one for one in alone if code is None or one.first.rule.code == code),
        *(finding for one, other in pairs for finding in _met(one, other, now)),
    ]
    return sorted(found, key=lambda one: list(Meeting).index(one.meeting))  # stable


def _met(one: Entry, other: Entry, now: datetime) -> Iterator[Finding]:
    a, b = one.rule, other.rule
    if a.code == b.code or not _same_time(one, other, now):
        return
    others = {(cap.unit, cap.window) for cap in b.caps if cap.per == "programme"}
    shared = [cap for cap in a.caps if cap.per == "programme" and (cap.unit, cap.window) in others]
    if shared:
        yield Finding(Meeting.SHARED_CAP, one, other, cap=shared[0])
    kinds = {a.kind, b.kind}
    if kinds == {Kind.BASE}:
        yield from _bases(one, other, now)
    elif Kind.BASE not in kinds and weighing.at_once(a, b):
        same = a.exclusive_group and a.exclusive_group == b.exclusive_group
        yield Finding(Meeting.BEST_WINS if same else Meeting.ADD_UP, one, other)


def _bases(one: Entry, other: Entry, now: datetime) -> Iterator[Finding]:
    if not weighing.at_once(one.rule, other.rule):
        return
    for loser, best in ((one, other), (other, one)):
        if weighing.hides(best.rule, loser.rule) and _covers(best, loser, now):
            yield Finding(Meeting.HIDDEN, loser, best)
            return
    yield Finding(Meeting.PRECEDES, *((other, one) if weighing.outranks(one.rule, other.rule) else (one, other)))


def _hindered(one: Entry, known: Known, zone: ZoneInfo, now: datetime) -> Why | None:
    """The first reason why the rule will give nothing from now on."""
    rule, start = one.rule, one.starts_at or now
    named = rule.skus or rule.categories or rule.brands
    reasons = (
        (Why.NO_TIME, rule.ends_at is not None and rule.ends_at <= start),
        (Why.ENDED, rule.ends_at is not None and rule.ends_at <= now),
        (Why.NO_TIME, rule.hours is not None and rule.hours[0] == rule.hours[1]),
        (Why.NO_DAY, not _has_day(rule, max(start, now), zone)),
        (Why.STORES, bool(rule.stores) and not rule.stores & set(known.stores)),
        (Why.TIERS, bool(rule.tiers) and not rule.tiers & set(known.tiers)),
        (Why.SEGMENT, rule.segment is not None and not known.segments.get(rule.segment)),
        (Why.GOODS, bool(named) and not rule.skus and not rule.brands and rule.categories <= rule.exclude_categories),
        (Why.VISIT, rule.first_purchase and rule.every_visit is not None),
        (Why.NOTHING, rule.kind is not Kind.BASE and rule.value == (1 if rule.kind is Kind.MULTIPLIER else 0)),
    )
    return next((why for why, is_so in reasons if is_so), None)


def _has_day(rule: Rule, start: datetime, zone: ZoneInfo) -> bool:
    """Whether one of the rule's weekdays comes before its end; a store's zone may be a day ahead or behind."""
    if not rule.weekdays or rule.ends_at is None:
        return True
    first, last = start.astimezone(zone).date() - timedelta(days=1), rule.ends_at.astimezone(zone).date() + timedelta(days=1)
    days = min((last - first).days, 7)
    return any((first + timedelta(days=n)).isoweekday() in rule.weekdays for n in range(days + 1))


def _same_time(one: Entry, other: Entry, now: datetime) -> bool:
    start = max(one.starts_at or now, other.starts_at or now, now)
    return all(each.rule.ends_at is None or start < each.rule.ends_at for each in (one, other))


def _covers(best: Entry, loser: Entry, now: datetime) -> bool:
    """Whether `best` holds whenever `loser` does, from now on."""
    if (best.starts_at or now) > max(loser.starts_at or now, now):
        return False
    return best.rule.ends_at is None or (loser.rule.ends_at is not None and loser.rule.ends_at <= best.rule.ends_at)
