"""Which counters a rule's caps stand on, and what they leave. Pure: what was used is given."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal

from campaigns.values import Cap, Counter, Occasion, Rule

EVER = date(1, 1, 1)
ROLLING = "rolling:"
UNLIMITED = Decimal("Infinity")


def counters(rule: Rule, occasion: Occasion) -> list[tuple[Cap, Counter]]:
    """The counter of each of a rule's caps, for this occasion."""
    day = occasion.at.astimezone(occasion.zone).date()
    return [(cap, Counter(_name(cap, rule, occasion), _first_day(cap.window, day))) for cap in rule.caps]


def rolling_days(window: str) -> int:
    """The length of a rolling window in days; 0 for windows of the calendar."""
    return int(window.removeprefix(ROLLING).strip("PD")) if window.startswith(ROLLING) else 0


def rolling_use(days: int, day: date, used: Mapping[date, Decimal]) -> Decimal:
    """The most that any window of `days` days that holds `day` has used, by day."""
    near = {other: amount for other, amount in used.items() if abs((other - day).days) < days}
    sums = (
        sum((amount for other, amount in near.items() if timedelta(0) <= last - other < timedelta(days)), Decimal(0))
        for last in {day, *(other for other in near if other > day)}
    )
    return max(sums, default=Decimal(0))


@dataclass(slots=True)
class Rooms:
    """What the caps of the rules leave while one occasion is judged.

    `used` is what stood on each counter before; `moved` what this occasion has taken since.
    """

    occasion: Occasion
    used: Mapping[Counter, Decimal]
    moved: dict[Counter, Decimal] = field(default_factory=dict)
    _counters: dict[str, list[tuple[Cap, Counter]]] = field(default_factory=dict)

    def left(self, rule: Rule, given: Decimal = Decimal(0)) -> Decimal:
        """How many points a rule that has given `given` may still give."""
        return min((self._left(cap, counter, given) for cap, counter in self._of(rule)), default=UNLIMITED)

    def tightest(self, rule: Rule) -> Cap:
        """The cap that leaves least."""
        return min(self._of(rule), key=lambda one: self._left(one[0], one[1], Decimal(0)))[0]

    def take(self, rule: Rule, points: Decimal, *, more: bool = False) -> None:
        """Count `points` of a rule; `more`: of an award that counts already. A time is taken by a whole point alone."""
        for cap, counter in self._of(rule):
            once = Decimal(points >= 1 and not more)
            amount = {"points": points, "money": points * self.occasion.point_value}.get(cap.unit, once)
            if points:
                self.moved[counter] = self.moved.get(counter, Decimal(0)) + amount

    def _left(self, cap: Cap, counter: Counter, given: Decimal) -> Decimal:
        left = cap.limit - self.used.get(counter, Decimal(0)) - self.moved.get(counter, Decimal(0))
        if cap.unit == "times":
            return UNLIMITED if given or left >= 1 else Decimal(0)
        if cap.unit == "money":
            left = left / self.occasion.point_value if self.occasion.point_value else UNLIMITED
        return max(left, Decimal(0))

    def _of(self, rule: Rule) -> list[tuple[Cap, Counter]]:
        if rule.code not in self._counters:
            self._counters[rule.code] = counters(rule, self.occasion)
        return self._counters[rule.code]


def needed(rules: Iterable[Rule], occasion: Occasion) -> Iterator[tuple[Cap, Counter]]:
    """All counters that judging these rules asks for."""
    for rule in rules:
        if rule.caps:
            yield from counters(rule, occasion)


def _name(cap: Cap, rule: Rule, occasion: Occasion) -> str:
    whose = "" if cap.per == "programme" else rule.code  # until a rule may belong to a campaign it is one of its own
    member = str(occasion.member) if cap.per in ("member", "member_store") else ""
    store = occasion.store or "" if cap.per in ("member_store", "rule_store") else ""
    return f"{cap.per}|{cap.unit}|{cap.window}|{whose}|{member}|{store}"


def _first_day(window: str, day: date) -> date:
    if window == "week":
        return day - timedelta(days=day.weekday())
    if window == "month":
        return day.replace(day=1)
    if window == "year":
        return day.replace(month=1, day=1)
    return EVER if window == "ever" else day
