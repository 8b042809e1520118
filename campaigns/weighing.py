"""Which base rate a line gets, and whether another set of rates is worse for any line (SEMANTICS 9). Pure.

All lines that rules can tell apart fall into few cells: of what a rule may ask for, only what some rule does ask for counts,
and two stores, goods or tiers that every rule treats alike are one. Where there would be too many cells, rules are
compared two by two; where that leaves a doubt, or where two rates cannot be compared (per amount and per unit, other expiry
dates), the answer is "worse": it costs notice, never points.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from datetime import datetime, time
from decimal import Decimal
from itertools import product
from math import prod

from campaigns import matching
from campaigns.values import Per, Rule
from loyalty.judging import Effect, overall
from loyalty.spans import in_hours

CELLS_MAX = 100_000
# What is in no rule.
OTHER = "\0"
# Of the birthday's day, the week around it and its month: what can be true together.
BIRTHDAYS: tuple[frozenset[str], ...] = (
    frozenset(), frozenset({"month"}), frozenset({"week"}), frozenset({"week", "month"}), frozenset({"day", "week", "month"}),
)  # fmt: skip
# The fewest and the most days of a duration's unit.
DAYS = {"D": (1, 1), "W": (7, 7), "M": (28, 31), "Y": (365, 366)}

# Of each rule, by its place in a list, whether it holds.
type Marks = tuple[bool, ...]


def winner(rules: Sequence[Rule], marks: Marks) -> int | None:
    """Which of the base rules that hold gives its rate, by its place: the most specific, then by priority, then by code."""
    best = sorted((i for i, holds in enumerate(marks) if holds), key=lambda i: (rules[i].priority, rules[i].code))
    return max(best, key=lambda i: matching.specific(rules[i]), default=None)


def cells(rules: Sequence[Rule]) -> list[Marks] | None:
    """Every cell in which one of the rules holds, whatever the calendar says of their ends; None if there are too many."""
    dimensions = [list(dict.fromkeys(one)) for one in _dimensions(rules)]
    if prod(len(one) for one in dimensions) > CELLS_MAX:
        return None
    found = {tuple(map(all, zip(*parts, strict=True))) for parts in product(*dimensions)}
    return sorted(marks for marks in found if any(marks))


def effect(before: Sequence[Rule], after: Sequence[Rule]) -> Effect:
    """Worse if any line would get less, else better if any gets more. All rules are base rules that hold on that day."""
    changed = [rule for rule in before if rule not in after] + [rule for rule in after if rule not in before]
    old, new = (  # whoever never meets what changes is not touched by it
        [rule for rule in rules if rule in changed or any(at_once(rule, one) for one in changed)] for rules in (before, after)
    )
    found = cells([*old, *new])
    if found is None:
        return pair_by_pair(old, new)
    steps = set()
    for marks in found:
        was, becomes = winner(old, marks[: len(old)]), winner(new, marks[len(old) :])
        steps.add(compared(None if was is None else old[was], None if becomes is None else new[becomes]))
    return overall(steps)


def pair_by_pair(before: Sequence[Rule], after: Sequence[Rule]) -> Effect:
    """The same for many rules, of which one changed, comes or goes: looked at two by two, it may say worse where it is not."""
    gone, come = ([rule for rule in one if rule not in other] for one, other in ((before, after), (after, before)))
    if len(come) != 1 or len(gone) > 1:
        return Effect.DETRIMENT if gone else Effect.SAME
    new, others = come[0], [rule for rule in before if rule not in gone]
    steps = {compared(rule, new) for rule in others if outranks(new, rule) and at_once(new, rule)}
    if not gone:
        return overall(steps | {Effect.BENEFIT})
    old = gone[0]
    both = cells([old, new])
    if both is None or (True, False) in both:  # the old one held where the new one does not
        return Effect.DETRIMENT
    steps |= {compared(old, new), Effect.BENEFIT if (False, True) in both else Effect.SAME}
    if not outranks(new, old):
        steps |= {compared(old, rule) for rule in others if outranks(rule, new) and at_once(old, rule)}
    return overall(steps)


def outranks(one: Rule, other: Rule) -> bool:
    """Whether `one` gives its rate where both hold, or stands as high."""
    return winner([one, other], (True, True)) == 0


def compared(before: Rule | None, after: Rule | None) -> Effect:
    """One rate in place of another, for a line that gets it."""
    if before is None or before.value == 0:
        return Effect.BENEFIT if after and after.value else Effect.SAME
    if after is None or after.value == 0 or before.per is not after.per:
        return Effect.DETRIMENT
    if after.per is Per.PURCHASE and before.code != after.code:  # once for all lines of a rule: lines are not alike
        return Effect.DETRIMENT
    steps = [_more(before.value, after.value), *_dates(before, after), _caps(before, after)]
    return Effect.DETRIMENT if Effect.DETRIMENT in steps else Effect.BENEFIT if Effect.BENEFIT in steps else Effect.SAME


def at_once(one: Rule, other: Rule) -> bool:
    """Whether both can hold for the same line, or the same act, whatever their ends are."""
    if (one.event_type, one.kind == "event") != (other.event_type, other.kind == "event"):
        return False
    found = cells([one, other])
    return found is None or any(all(marks) for marks in found)


def hides(one: Rule, other: Rule) -> bool:
    """Whether the base rule `other` gives its rate to no line, because `one` always gives its own."""
    found = cells([one, other])
    return found is not None and not any(winner([one, other], marks) == 1 for marks in found)


def holds_ever(one: Rule) -> bool:
    """Whether the conditions can be true together for any line or act."""
    found = cells([one])
    return found is None or bool(found)


def is_plain(rule: Rule) -> bool:
    """Whether it asks for nothing and holds without an end: what everybody gets."""
    return rule == Rule(rule.version, rule.code, rule.kind, rule.value, rule.per, priority=rule.priority)


def _dimensions(rules: Sequence[Rule]) -> Iterator[Iterable[Marks]]:
    """What tells lines apart, one after the other: of each, which rules hold for each of its values."""
    yield _goods(rules)
    yield _named(rules, lambda rule: rule.stores)
    yield _named(rules, lambda rule: rule.tiers)
    for segment in sorted({rule.segment for rule in rules if rule.segment}):
        asks = [rule.segment == segment for rule in rules]
        yield [tuple(True for _ in asks), tuple(not one for one in asks)]
    yield (tuple(_at(rule, weekday, hour) for rule in rules) for weekday in range(1, 8) for hour in _hours(rules))
    yield (tuple(rule.birthday is None or rule.birthday in now for rule in rules) for now in BIRTHDAYS)
    # The first purchase is the first visit; later visits by all that rules count up to, and one that no rule counts.
    steps = sorted({rule.every_visit for rule in rules if rule.every_visit})
    visits = {1, 2 * prod(steps) + 1, *(prod(some) for some in product(*((1, one) for one in steps)))}
    yield (tuple(_on_visit(rule, visit) for rule in rules) for visit in visits)
    for goods in {_goods_of(rule) for rule in rules}:
        yield from _least(rules, goods)


def _goods(rules: Sequence[Rule]) -> Iterable[Marks]:
    """Each way of a line to be met: by its SKU, its category, its brand."""
    skus = dict.fromkeys(tuple(sku in rule.skus for rule in rules) for sku in _names(rules, lambda rule: rule.skus))
    brands = dict.fromkeys(tuple(brand in rule.brands for rule in rules) for brand in _names(rules, lambda rule: rule.brands))
    categories = dict.fromkeys(
        (tuple(name in rule.categories for rule in rules), tuple(name in rule.exclude_categories for rule in rules))
        for name in _names(rules, lambda rule: rule.categories | rule.exclude_categories)
    )
    some = [bool(rule.skus or rule.categories or rule.brands) for rule in rules]
    for sku, brand, (category, excluded) in product(skus, brands, categories):
        yield tuple(not excluded[i] and (sku[i] or brand[i] or category[i] or not some[i]) for i in range(len(rules)))


def _names(rules: Sequence[Rule], of: Callable[[Rule], Collection[str]]) -> list[str]:
    return [OTHER, *sorted({name for rule in rules for name in of(rule)})]


def _named(rules: Sequence[Rule], of: Callable[[Rule], Collection[str]]) -> Iterable[Marks]:
    for name in _names(rules, of):
        yield tuple(not of(rule) or name in of(rule) for rule in rules)


def _on_visit(rule: Rule, visit: int) -> bool:
    return (not rule.first_purchase or visit == 1) and (not rule.every_visit or visit % rule.every_visit == 0)


def _hours(rules: Sequence[Rule]) -> list[time]:
    """A moment of each part of a day between two hours at which some rule begins or ends."""
    return sorted({time(), *(hour for rule in rules if rule.hours for hour in rule.hours)})


def _at(rule: Rule, weekday: int, hour: time) -> bool:
    if rule.weekdays and weekday not in rule.weekdays:
        return False
    return in_hours(rule.hours, hour)


def _goods_of(rule: Rule) -> tuple[frozenset[str], ...]:
    return rule.skus, rule.categories, rule.brands, rule.exclude_categories


def _least(rules: Sequence[Rule], goods: tuple[frozenset[str], ...]) -> Iterator[Iterable[Marks]]:
    """What is bought of these goods: each threshold that some rule on them has, and less than that."""
    met = [_goods_of(rule) == goods for rule in rules]
    yield _levels([rule.at_least_amount if is_met else None for rule, is_met in zip(rules, met, strict=True)])
    yield _levels([rule.at_least_quantity if is_met else None for rule, is_met in zip(rules, met, strict=True)])


def _levels(asked: Sequence[Decimal | None]) -> Iterable[Marks]:
    levels = sorted({Decimal(0), *(one for one in asked if one is not None)})
    return [tuple(one is None or one <= level for one in asked) for level in levels]


def _more(before: Decimal, after: Decimal) -> Effect:
    return Effect.SAME if before == after else Effect.BENEFIT if after > before else Effect.DETRIMENT


def _dates(before: Rule, after: Rule) -> Iterator[Effect]:
    """Of the points' own expiry, where later is better, and of the days they are pending, where fewer are."""
    for old, new, later_is in (
        (before.expires, after.expires, Effect.BENEFIT), (before.pending, after.pending, Effect.DETRIMENT),
    ):  # fmt: skip
        if old == new:
            continue
        if old is None or new is None:  # the terms' own; who knows which come
            yield Effect.BENEFIT if later_is is Effect.DETRIMENT and new and _days(new)[1] == 0 else Effect.DETRIMENT
        elif _days(new)[0] >= _days(old)[1]:
            yield later_is
        else:
            yield Effect.BENEFIT if later_is is Effect.DETRIMENT and _days(new)[1] <= _days(old)[0] else Effect.DETRIMENT


def _days(duration: str) -> tuple[int, int]:
    number, (least, most) = int(duration[1:-1]), DAYS[duration[-1]]
    return number * least, number * most


def _caps(before: Rule, after: Rule) -> Effect:
    """No tighter than before: each limit of the new one stood before, as low or lower."""
    old = {(cap.unit, cap.per, cap.window): cap.limit for cap in before.caps}
    new = {(cap.unit, cap.per, cap.window): cap.limit for cap in after.caps}
    if old == new:
        return Effect.SAME
    return Effect.BENEFIT if all(old.get(key, limit + 1) <= limit for key, limit in new.items()) else Effect.DETRIMENT


def turns(starts: Iterable[datetime | None], rules: Iterable[Rule], *, since: datetime) -> list[datetime]:
    """The instants from `since` on at which another set of rules begins to hold."""
    return sorted({since, *(at for at in (*starts, *(rule.ends_at for rule in rules)) if at and at > since)})
