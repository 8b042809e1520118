"""From a receipt or an event to points, by the phases of docs/earning.md (SEMANTICS 1). Pure: no ORM, no clock, no I/O.

`sift` finds the rules that hold at this moment, place and member; `award` gives what they give for these lines. A return
awards anew for the lines that were kept, with the rules that held then and the caps as they stood then.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import ROUND_FLOOR, Decimal
from typing import Any

from campaigns import matching
from campaigns.caps import Rooms
from campaigns.rounding import decimals, plain, spread
from campaigns.values import Counter, Granted, Judgement, Kind, Line, Occasion, Per, Rule

ZERO = Decimal(0)
# Of a value times an amount: six and three, and six more of a multiplier.
DECIMALS_MAX = 15


@dataclass(frozen=True, slots=True)
class Sifted:
    """The rules that hold, in the order in which they are taken, and the others with what kept them from it."""

    holding: tuple[Rule, ...]
    rejected: tuple[tuple[Rule, str], ...] = ()


@dataclass(slots=True)
class _Claim:
    """What a rule would give: `by_line`, and in all; `on` is what its value was multiplied with."""

    rule: Rule
    on: Decimal = ZERO
    by_line: dict[int, Decimal] = field(default_factory=dict)
    raw: Decimal = ZERO
    cut: dict[str, str] | None = None
    lost: str = ""
    share: int = 0


def judge(occasion: Occasion, rules: Iterable[Rule], used: Mapping[Counter, Decimal] | None = None) -> Judgement:
    """What an occasion earns under the rules in force; `used` is what stands on the counters of their caps."""
    return award(occasion, sift(occasion, rules), used or {})


def sift(occasion: Occasion, rules: Iterable[Rule]) -> Sifted:
    held: list[Rule] = []
    rejected: list[tuple[Rule, str]] = []
    for rule in rules:
        if matching.concerns(rule, occasion):
            reason = matching.hindrance(rule, occasion)
            if reason:
                rejected.append((rule, reason))
            else:
                held.append(rule)
    return Sifted(in_turn(held), tuple(rejected))


def in_turn(rules: Iterable[Rule]) -> tuple[Rule, ...]:
    """In the one order in which rules are taken: base rules first, then by priority, then by code."""
    return tuple(sorted(rules, key=_turn))


def award(occasion: Occasion, sifted: Sifted, used: Mapping[Counter, Decimal]) -> Judgement:
    lines = occasion.lines
    claims = _claims(occasion, sifted.holding)
    _choose_in_groups(claims, Rooms(occasion, used))
    _cut(claims, Rooms(occasion, used))
    raw = sum((claim.raw for claim in claims), ZERO)
    rooms = Rooms(occasion, used)
    _round(claims, int(raw.to_integral_value(ROUND_FLOOR)), rooms)
    given = [claim for claim in claims if claim.share]
    return Judgement(
        points=sum(claim.share for claim in given),
        base_points=sum(claim.share for claim in given if claim.rule.kind == Kind.BASE),
        granted=[Granted(claim.rule, claim.share) for claim in given],
        line_points=_to_lines(given, len(lines)),
        taken=rooms.moved,
        trace=_trace(lines, claims, sifted.rejected, raw, used),
    )


def _turn(rule: Rule) -> tuple[bool, int, str]:
    return rule.kind != Kind.BASE, rule.priority, rule.code


def _claims(occasion: Occasion, rules: Sequence[Rule]) -> list[_Claim]:
    """Phases base, bonuses and multipliers: what each rule would give by itself."""
    if occasion.event_type is not None:
        return [_Claim(rule, Decimal(1), raw=rule.value) for rule in rules]
    lines = occasion.lines
    met = [matching.met(rule, lines) for rule in rules]
    lost = [_lack(rule, [lines[place] for place in places]) for rule, places in zip(rules, met, strict=True)]
    won = _lines_of_base_rules(
        [(rule, places) for rule, places, lack in zip(rules, met, lost, strict=True) if rule.kind == Kind.BASE and not lack]
    )
    base_points = [ZERO] * len(lines)
    claims = []
    for rule, places, lack in zip(rules, met, lost, strict=True):
        if lack or (rule.kind == Kind.BASE and rule.code not in won):
            claim = _Claim(rule, lost=lack or "hidden")
        elif rule.kind == Kind.MULTIPLIER:  # base rules came first
            claim = _multiplied(rule, base_points, places)
        else:
            claim = _fixed(rule, lines, won.get(rule.code, places))
        if rule.kind == Kind.BASE:
            whole = sum(claim.by_line.values(), ZERO)
            for place, weight in claim.by_line.items():
                base_points[place] += weight if claim.raw == whole else claim.raw * weight / whole
        claims.append(claim)
    return claims


def _lack(rule: Rule, lines: Sequence[Line]) -> str:
    if not lines:
        return "goods"
    return "" if matching.reaches(rule, lines) else "at_least"


def _lines_of_base_rules(met: Sequence[tuple[Rule, Sequence[int]]]) -> dict[str, list[int]]:
    """Each line goes to the most specific of the rates that meet it (SEMANTICS 1.3); of equals to the first in turn."""
    won: dict[str, list[int]] = {}
    gone: set[int] = set()
    for rule, places in sorted(met, key=lambda one: matching.specific(one[0]), reverse=True):  # stable
        mine = [place for place in places if place not in gone]
        gone.update(mine)
        if mine:
            won[rule.code] = mine
    return won


def _fixed(rule: Rule, lines: Sequence[Line], places: Sequence[int]) -> _Claim:
    """A base or bonus rule: its value times the amount, the quantity, or once."""
    if rule.per == Per.UNIT:
        measures = {place: matching.paid_quantity(lines[place]) for place in places}
    else:
        measures = {place: lines[place].basis for place in places}
    on = sum(measures.values(), ZERO)
    if rule.per == Per.PURCHASE:
        return _Claim(rule, Decimal(1), measures, rule.value)  # weights alone: shares of a division would make ties of their own
    return _Claim(rule, on, {place: rule.value * measure for place, measure in measures.items()}, _exact(rule.value * on))


def _multiplied(rule: Rule, base_points: Sequence[Decimal], places: Sequence[int]) -> _Claim:
    by_line = {place: (rule.value - 1) * base_points[place] for place in places if base_points[place]}
    on = _exact(sum((base_points[place] for place in places), ZERO))
    return _Claim(rule, on, by_line, (rule.value - 1) * on)


def _exact(number: Decimal) -> Decimal:
    """Without the last digits of a division, so that three thirds are one. Sums and products have fewer decimals."""
    return round(number, 9) if decimals(number) > DECIMALS_MAX else number


def _choose_in_groups(claims: Sequence[_Claim], rooms: Rooms) -> None:
    """Of each exclusive group the one that is worth most holds, what its caps leave considered."""
    best: dict[str, tuple[Decimal, _Claim]] = {}
    for claim in claims:
        group, worth = claim.rule.exclusive_group, min(claim.raw, rooms.left(claim.rule))
        if group and worth > best.get(group, (ZERO, None))[0]:
            best[group] = (worth, claim)
    for claim in claims:
        group = claim.rule.exclusive_group
        if group and group in best and claim is not best[group][1] and claim.raw:
            claim.raw, claim.lost = ZERO, f"exclusive:{best[group][1].rule.code}"


def _cut(claims: Sequence[_Claim], rooms: Rooms) -> None:
    for claim in claims:
        room = rooms.left(claim.rule)
        if claim.raw > room:
            cap = rooms.tightest(claim.rule)
            claim.cut = {"unit": cap.unit, "per": cap.per, "window": cap.window, "limit": plain(cap.limit)}
            claim.raw = room
        rooms.take(claim.rule, claim.raw)


def _round(claims: Sequence[_Claim], total: int, rooms: Rooms) -> None:
    """One rounding: the whole points of the sum, spread over the rules and never beyond a cap."""
    for claim in claims:
        claim.share = int(claim.raw)
        rooms.take(claim.rule, Decimal(claim.share))

    def fits(place: int) -> bool:
        claim = claims[place]
        if rooms.left(claim.rule, Decimal(claim.share)) < 1:
            return False
        rooms.take(claim.rule, Decimal(1), more=claim.share > 0)
        return True

    rest = total - sum(claim.share for claim in claims)
    remainders = [claim.raw - claim.share for claim in claims]
    order = sorted(range(len(claims)), key=lambda place: (-remainders[place], place))
    for place in order:
        if rest and remainders[place] and fits(place):
            claims[place].share += 1
            rest -= 1


def _to_lines(claims: Sequence[_Claim], count: int) -> list[int]:
    points = [0] * count
    for claim in claims:
        places = list(claim.by_line)
        shares = spread(claim.share, [claim.by_line[place] for place in places])
        for place, share in zip(places, shares, strict=True):
            points[place] += share
    return points


def _trace(
    lines: Sequence[Line],
    claims: Sequence[_Claim],
    rejected: Sequence[tuple[Rule, str]],
    raw: Decimal,
    used: Mapping[Counter, Decimal],
) -> dict[str, Any]:
    """`rejected` are rules that give nothing, with the reason: a circumstance, or what the lines lack."""
    steps = [_step(claim) for claim in claims if not claim.lost]
    lost = [(claim.rule, claim.lost) for claim in claims if claim.lost]
    return {
        "basis": plain(sum((line.basis for line in lines), ZERO)),
        "rules": steps,
        "rejected": [{"rule": rule.code, "version": str(rule.version), "reason": reason} for rule, reason in (*lost, *rejected)],
        "raw": plain(raw),
        "points": sum(claim.share for claim in claims),
        "used": [[counter.name, counter.day.isoformat(), plain(amount)] for counter, amount in used.items() if amount],
    } | _no_basis(lines)


def _no_basis(lines: Sequence[Line]) -> dict[str, str]:
    """What of the amount is for excluded goods, and what was paid in points; left out where it is nothing."""
    parts = {
        "excluded": sum((line.net_amount for line in lines if line.excluded), ZERO),
        "tender": sum((line.tender for line in lines), ZERO),
    }
    return {name: plain(amount) for name, amount in parts.items() if amount}


def _step(claim: _Claim) -> dict[str, Any]:
    rule = claim.rule
    step = {
        "rule": rule.code, "version": str(rule.version), "kind": rule.kind, "value": plain(rule.value), "per": rule.per,
        "on": plain(claim.on), "raw": plain(claim.raw), "points": claim.share,
    }  # fmt: skip
    return step | {"cut": claim.cut} if claim.cut else step
