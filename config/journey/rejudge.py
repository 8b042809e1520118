"""What a set of rules gives for The Complete Journey's receipts, worked out a second time; a part of reconcile.py.

Shares nothing with the product but the file of rules and what docs/earning.md says they mean. No fraction is ever
rounded: points are counted in grains, of which a point has 10**14, for a rate, a multiplier less one and an amount have
6, 6 and 2 decimals.
"""

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

GRAINS = 10**14
MICRO = 10**6
PLENTY = 10**30
GOODS = ("skus", "categories", "brands", "exclude_categories")
# What the rules of the file may say; anything else would be passed over in silence.
KNOWN = {
    "": {"code", "name", "kind", "value", "per", "event_type", "when", "who", "what", "at_least", "caps", "priority",
         "exclusive_group", "expires"},
    "when": {"weekdays", "hours"}, "who": {"tiers", "first_purchase"}, "at_least": {"amount", "quantity"},
    "what": set(GOODS), "caps": {"unit", "per", "window", "limit"},
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Cap:
    unit: str
    per: str
    window: str
    limit: Decimal


@dataclass(frozen=True, slots=True)
class Rule:
    """As the file says it; `micro` is its value times 10**6, `hours` are minutes of the day, `days` those of its points."""

    code: str
    kind: str
    micro: int
    per: str = "amount"
    event: str = ""
    weekdays: tuple[int, ...] = ()
    hours: tuple[int, int] | None = None
    tiers: tuple[str, ...] = ()
    first: bool = False
    skus: frozenset[str] = frozenset()
    categories: frozenset[str] = frozenset()
    brands: frozenset[str] = frozenset()
    without: frozenset[str] = frozenset()
    cents: int = 0
    quantity: int = 0
    caps: tuple[Cap, ...] = ()
    priority: int = 100
    group: str = ""
    days: int = 0

    def speaks_of(self, sku: str, category: str, brand: str) -> bool:
        if category in self.without:
            return False
        named = self.skus or self.categories or self.brands
        return not named or sku in self.skus or category in self.categories or brand in self.brands

    @property
    def breadth(self) -> int:
        """How widely a base rule's rate applies: the narrowest wins a line."""
        narrow = (self.skus, self.categories or self.brands, self.tiers)
        return next((place for place, names in enumerate(narrow) if names), len(narrow))


@dataclass(frozen=True, slots=True)
class Given:
    """Whole points by one rule, and how they fall to the lines."""

    rule: Rule
    points: int
    by_line: tuple[int, ...] = ()


@dataclass(slots=True)
class Wish:
    """What a rule would give, in grains, and by what its points are spread over the lines."""

    rule: Rule
    grains: int
    weights: list[int]


@dataclass(slots=True)
class Judge:
    """Takes one receipt or event after the other, in the order of time, and remembers what its caps have let through.

    `goods` are (category, brand) by product; `tiers` those of members that have one; `worth` is the money of one point.
    """

    rules: list[Rule]
    goods: Mapping[str, tuple[str, str]]
    tiers: Mapping[str, str]
    programme: ZoneInfo
    stores: ZoneInfo
    worth: Decimal
    _used: dict[tuple[Any, ...], Decimal] = field(default_factory=lambda: defaultdict(Decimal))
    _met: dict[str, frozenset[str]] = field(default_factory=dict)
    _known: set[str] = field(default_factory=set)

    def receipt(self, member: str, store: str, at: datetime, lines: Sequence[tuple[str, int, int]]) -> list[Given]:
        """What each rule gives; `lines` are (product, cents, quantity)."""
        first = member not in self._known
        self._known.add(member)
        held = [one for one in self.rules if not one.event and self._holds(one, member, at, first=first)]
        place = member, store, at.astimezone(self.programme).date()
        return self._awarded(self._wishes(held, lines), place)

    def event(self, kind: str, member: str, store: str, at: datetime) -> list[Given]:
        place = member, store, at.astimezone(self.programme).date()
        held = [one for one in self.rules if one.event == kind and self._holds(one, member, at, first=False)]
        return self._awarded([Wish(one, one.micro * GRAINS // MICRO, []) for one in held], place)

    def _holds(self, rule: Rule, member: str, at: datetime, *, first: bool) -> bool:
        there = at.astimezone(self.stores)
        if rule.weekdays and there.isoweekday() not in rule.weekdays:
            return False
        if rule.hours:
            start, end = rule.hours
            since_start = (there.hour * 60 + there.minute - start) % (24 * 60)
            if since_start >= (end - start) % (24 * 60):
                return False
        return (first or not rule.first) and (not rule.tiers or self.tiers.get(member) in rule.tiers)

    def _wishes(self, held: Sequence[Rule], lines: Sequence[tuple[str, int, int]]) -> list[Wish]:
        met = {one.code: self._lines_of(one, lines) for one in held}
        base = [0] * len(lines)
        wishes = []
        narrow_first = sorted((one for one in held if one.kind == "base"), key=lambda one: (one.breadth, *turn(one)))
        taken: set[int] = set()
        for rule in narrow_first:
            won = [place for place in met[rule.code] if place not in taken]
            taken.update(won)
            wish = Wish(rule, 0, [0] * len(lines))
            for place in won:
                base[place] = wish.weights[place] = lines[place][1] * rule.micro * MICRO
            wish.grains = sum(wish.weights)
            wishes.append(wish)
        others = [one for one in held if one.kind != "base" and met[one.code]]
        wishes += [_over_base(rule, lines, base, met[rule.code]) for rule in others]
        return sorted((one for one in wishes if one.grains), key=lambda one: turn(one.rule))

    def _lines_of(self, rule: Rule, lines: Sequence[tuple[str, int, int]]) -> list[int]:
        """The places of the lines that it speaks of, none if they come to less than it asks."""
        places = [place for place, (product, cents, _) in enumerate(lines) if cents and rule.code in self._rules_of(product)]
        cents, quantity = sum(lines[place][1] for place in places), sum(lines[place][2] for place in places)
        return places if cents >= rule.cents and quantity >= rule.quantity else []

    def _rules_of(self, product: str) -> frozenset[str]:
        if product not in self._met:
            category, brand = self.goods.get(product, ("", ""))
            self._met[product] = frozenset(one.code for one in self.rules if one.speaks_of(product, category, brand))
        return self._met[product]

    def _awarded(self, wishes: list[Wish], place: tuple[str, str, date]) -> list[Given]:
        rooms = {one.rule.code: self._room(one.rule, place) for one in wishes}
        worth = {one.rule.code: min(one.grains, rooms[one.rule.code]) for one in wishes}
        best: dict[str, str] = {}
        for one in wishes:  # in turn, so that of equals the first stays
            code = one.rule.code
            if one.rule.group and worth[code] > worth.get(best.get(one.rule.group, ""), 0):
                best[one.rule.group] = code
        kept = [one for one in wishes if worth[one.rule.code] and best.get(one.rule.group, one.rule.code) == one.rule.code]
        whole = rounded([worth[one.rule.code] for one in kept])
        given = []
        for one, points in zip(kept, whole, strict=True):
            if points:
                self._count(one.rule, points, place)
                given.append(Given(one.rule, points, tuple(in_proportion(points, one.weights))))
        return given

    def _room(self, rule: Rule, place: tuple[str, str, date]) -> int:
        """What its caps leave it, in grains of whole points."""
        left = [self._left(rule, cap, place) for cap in rule.caps]
        return min(left, default=PLENTY) * GRAINS

    def _left(self, rule: Rule, cap: Cap, place: tuple[str, str, date]) -> int:
        left = cap.limit - sum(self._used[key] for key in self._windows(rule, cap, place))
        if cap.unit == "times":
            return PLENTY if left >= 1 else 0
        return max(0, int(left / self.worth if cap.unit == "money" else left))

    def _count(self, rule: Rule, points: int, place: tuple[str, str, date]) -> None:
        for cap in rule.caps:
            amount = {"points": Decimal(points), "money": points * self.worth, "times": Decimal(1)}[cap.unit]
            self._used[next(self._windows(rule, cap, place))] += amount

    def _windows(self, rule: Rule, cap: Cap, place: tuple[str, str, date]) -> Iterator[tuple[Any, ...]]:
        """Where a cap is counted now, first; then the earlier days of a rolling window."""
        member, store, day = place
        whose = {"member": (member,), "member_store": (member, store), "rule": (), "rule_store": (store,)}[cap.per]
        _, _, span = cap.window.partition("rolling:P")
        for back in range(int(span.removesuffix("D")) if span else 1):
            yield (rule.code, cap, whose, _window(cap.window, day - timedelta(days=back)))


def _window(name: str, day: date) -> tuple[int, ...]:
    spans = {"ever": (), "year": (day.year,), "month": (day.year, day.month), "week": tuple(day.isocalendar())[:2]}
    return spans.get(name, (day.toordinal(),))


def _over_base(rule: Rule, lines: Sequence[tuple[str, int, int]], base: Sequence[int], places: Sequence[int]) -> Wish:
    weights = [0] * len(lines)
    for place in places:
        _, cents, quantity = lines[place]
        if rule.kind == "multiplier":
            weights[place] = base[place] // MICRO * (rule.micro - MICRO)
        else:
            weights[place] = quantity * rule.micro * 10**8 if rule.per == "unit" else cents * rule.micro * MICRO
    return Wish(rule, rule.micro * 10**8 if rule.per == "purchase" else sum(weights), weights)


def turn(rule: Rule) -> tuple[bool, int, str]:
    """The one order in which rules are taken."""
    return rule.kind != "base", rule.priority, rule.code


def rounded(grains: Sequence[int]) -> list[int]:
    """Whole points: those of the sum, of which each has its own and the largest fractions the rest."""
    whole = [one // GRAINS for one in grains]
    fractions = sorted(range(len(grains)), key=lambda place: -(grains[place] % GRAINS))
    for place in fractions[: sum(grains) // GRAINS - sum(whole)]:
        whole[place] += 1
    return whole


def in_proportion(points: int, weights: Sequence[int]) -> list[int]:
    """By largest remainder, of equal ones the earlier line."""
    whole = sum(weights)
    if not whole:
        return [0] * len(weights)
    parts = [points * weight // whole for weight in weights]
    by_remainder = sorted(range(len(weights)), key=lambda place: -(points * weights[place] % whole))
    for place in by_remainder[: points - sum(parts)]:
        parts[place] += 1
    return parts


def read(file: Path, rate: str) -> list[Rule]:
    """The rules of a file, and the programme's own base rate. Raises ValueError for words that are not known here."""
    base = Rule("base", "base", micro_of(rate))
    return sorted([base, *(_rule(one) for one in json.loads(file.read_text()))], key=turn)


def _rule(said: dict[str, Any]) -> Rule:
    caps = said.get("caps", [])
    for name, part in [("", said), *((name, said.get(name, {})) for name in ("when", "who", "what", "at_least"))]:
        _insist(part.keys() <= KNOWN[name], said)
    _insist(all(cap.keys() <= KNOWN["caps"] for cap in caps), said)
    _insist(said["kind"] != "base" or said.get("per", "amount") == "amount", said)
    when, who, what, least = (said.get(name, {}) for name in ("when", "who", "what", "at_least"))
    hours = [int(text[:2]) * 60 + int(text[3:]) for text in when.get("hours", [])]
    skus, categories, brands, without = (frozenset(what.get(name, ())) for name in GOODS)
    return Rule(
        code=said["code"], kind=said["kind"], micro=micro_of(said["value"]), per=said.get("per", "amount"),
        event=said.get("event_type", ""), weekdays=tuple(when.get("weekdays", ())),
        hours=(hours[0], hours[1]) if hours else None,
        tiers=tuple(who.get("tiers", ())), first=who.get("first_purchase", False),
        skus=skus, categories=categories, brands=brands, without=without,
        cents=int(Decimal(least.get("amount", "0")) * 100), quantity=least.get("quantity", 0),
        caps=tuple(Cap(cap["unit"], cap["per"], cap["window"], Decimal(cap["limit"])) for cap in caps),
        priority=said.get("priority", 100), group=said.get("exclusive_group") or "",
        days=int((said.get("expires") or "P0D")[1:-1]),
    )  # fmt: skip


def _insist(known: bool, said: dict[str, Any]) -> None:
    if not known:
        message = f"The rule {said['code']} says what this program does not know."
        raise ValueError(message)


def micro_of(value: str) -> int:
    micro = Decimal(value) * MICRO
    if micro != int(micro):
        message = f"{value} has more than six decimals."
        raise ValueError(message)
    return int(micro)
