"""Does a rule hold for this occasion, and for which of its lines? Pure."""

import calendar
from collections.abc import Callable, Sequence
from datetime import date, datetime
from decimal import Decimal

from campaigns.values import Kind, Line, Occasion, Rule
from loyalty.spans import in_hours

# The days before and after a birthday that are its week.
BIRTHDAY_WEEK = 3


def hindrance(rule: Rule, occasion: Occasion) -> str:
    """What of the moment, the place or the member keeps the rule from holding; empty when nothing does.

    That never changes afterwards: a return judges the rules that held then.
    """
    return next((name for name, holds in CIRCUMSTANCES if not holds(rule, occasion)), "")


def concerns(rule: Rule, occasion: Occasion) -> bool:
    """Whether it is a rule of such occasions at all: of events of this type, or of receipts."""
    if occasion.event_type is None:
        return rule.kind != Kind.EVENT
    return rule.kind == Kind.EVENT and rule.event_type == occasion.event_type


def met(rule: Rule, lines: Sequence[Line]) -> list[int]:
    """The places of the lines that a rule speaks of: with basis, of its goods."""
    named = rule.skus or rule.categories or rule.brands
    return [
        place
        for place, line in enumerate(lines)
        if line.basis > 0
        and (not named or line.sku in rule.skus or line.category in rule.categories or line.brand in rule.brands)
        and line.category not in rule.exclude_categories
    ]


def paid_quantity(line: Line) -> Decimal:
    """The part of the quantity that was paid in money."""
    return line.quantity if line.basis == line.net_amount else line.quantity * line.basis / line.net_amount


def specific(rule: Rule) -> tuple[bool, bool, bool, bool]:
    """SKU > category or brand > store > tier or segment > programme (SEMANTICS 1.3)."""
    return bool(rule.skus), bool(rule.categories or rule.brands), bool(rule.stores), bool(rule.tiers or rule.segment)


def reaches(rule: Rule, lines: Sequence[Line]) -> bool:
    """Whether the lines that it met come to what the rule asks at least."""
    if rule.at_least_amount is not None and sum((line.basis for line in lines), Decimal(0)) < rule.at_least_amount:
        return False
    if rule.at_least_quantity is None:
        return True
    quantity = sum((paid_quantity(line) for line in lines), Decimal(0))
    return round(quantity, 9) >= rule.at_least_quantity  # three thirds are one


def _has_birthday(rule: Rule, occasion: Occasion) -> bool:
    if rule.birthday is None:
        return True
    if occasion.standing.birthday is None:
        return False
    today = occasion.at.astimezone(occasion.zone).date()
    if rule.birthday == "month":
        return occasion.standing.birthday[0] == today.month
    far = BIRTHDAY_WEEK if rule.birthday == "week" else 0
    days = (_birthday(occasion.standing.birthday, today.year + shift) for shift in (-1, 0, 1))
    return any(abs((today - day).days) <= far for day in days)


def _birthday(birthday: tuple[int, int], year: int) -> date:
    month, day = birthday
    return date(year, month, min(day, 29 if month == 2 and calendar.isleap(year) else 28) if month == 2 else day)


def _there(occasion: Occasion) -> datetime:
    """The moment by the clock of the store."""
    return occasion.at.astimezone(occasion.store_zone or occasion.zone)


def _every(step: int | None, count: int) -> bool:
    return step is None or (count > 0 and count % step == 0)


CIRCUMSTANCES: tuple[tuple[str, Callable[[Rule, Occasion], bool]], ...] = (
    ("ended", lambda rule, it: rule.ends_at is None or it.at < rule.ends_at),
    ("store", lambda rule, it: not rule.stores or it.store in rule.stores),
    ("weekday", lambda rule, it: not rule.weekdays or _there(it).isoweekday() in rule.weekdays),
    ("hours", lambda rule, it: in_hours(rule.hours, _there(it).time())),
    ("tier", lambda rule, it: not rule.tiers or it.standing.tier in rule.tiers),
    ("segment", lambda rule, it: rule.segment is None or rule.segment in it.standing.segments),
    ("birthday", _has_birthday),
    ("first_purchase", lambda rule, it: not rule.first_purchase or it.standing.first_purchase),
    ("visit", lambda rule, it: _every(rule.every_visit, it.standing.visit)),
    ("streak", lambda rule, it: _every(rule.streak, it.standing.streak)),
)
