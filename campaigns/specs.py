"""What a rule says beside its kind and its value, as JSON in one canonical form; and the same for the engine and for the API.

Canonical: what is the default is left out, sets are sorted, numbers are plain strings, so that two rules that say the same
are equal. The start and the end of a version stand in columns. Pure: values in, values out.
"""

from collections.abc import Mapping
from datetime import datetime, time
from decimal import Decimal
from typing import Any
from uuid import UUID

from campaigns.values import Cap, Kind, Per, Rule

PRIORITY = 100
# The groups of an earn rule in API.md and their sets; `when`, `at_least` and the caps are told apart below.
SETS = {"where": ("stores",), "who": ("tiers",), "what": ("skus", "categories", "brands", "exclude_categories")}
# What pays once says so by a cap (docs/earning.md).
ONCE = Cap("times", "member", "ever", Decimal(1))
ONCE_A_DAY = Cap("times", "member", "day", Decimal(1))


def canonical(given: Mapping[str, Any]) -> dict[str, Any]:
    """The canonical form of a rule's document; what it says of time without recurrence is left to the columns."""
    spec: dict[str, Any] = {}
    if given.get("per") not in (None, Per.AMOUNT):
        spec["per"] = str(given["per"])
    if given.get("event_type"):
        spec["event_type"] = given["event_type"]
    when, who = given.get("when") or {}, given.get("who") or {}
    groups: dict[str, dict[str, Any]] = {
        "when": {
            "weekdays": sorted(set(when.get("weekdays") or ())), "hours": when.get("hours"), "birthday": when.get("birthday"),
        },
        "who": {name: who.get(name) for name in ("segment", "first_purchase", "every_visit", "streak")},
        "at_least": {name: _number(value) for name, value in (given.get("at_least") or {}).items() if value},
    }  # fmt: skip
    for group, names in SETS.items():
        said = given.get(group) or {}
        groups.setdefault(group, {}).update({name: sorted(set(said.get(name) or ())) for name in names})
    spec |= {group: kept for group, said in groups.items() if (kept := {name: one for name, one in said.items() if one})}
    if caps := given.get("caps"):
        spec["caps"] = sorted({_cap(one) for one in caps})
        spec["caps"] = [dict(zip(("unit", "per", "window", "limit"), one, strict=True)) for one in spec["caps"]]
    if given.get("priority") not in (None, PRIORITY):
        spec["priority"] = given["priority"]
    return spec | {
        name: given[name] for name in ("exclusive_group", "expires", "pending", "funded_by") if given.get(name) is not None
    }


def compiled(version: UUID, code: str, kind: str, value: Decimal, spec: Mapping[str, Any], ends_at: datetime | None) -> Rule:
    """The rule as the engine takes it, with the caps that its conditions imply."""
    when, who, what = spec.get("when", {}), spec.get("who", {}), spec.get("what", {})
    least, hours = spec.get("at_least", {}), when.get("hours")
    return Rule(
        version=version, code=code, kind=Kind(kind), value=value, per=Per(spec.get("per", Per.AMOUNT)),
        event_type=spec.get("event_type"), ends_at=ends_at,
        weekdays=frozenset(when.get("weekdays", ())),
        hours=(time.fromisoformat(hours[0]), time.fromisoformat(hours[1])) if hours else None,
        birthday=when.get("birthday"),
        stores=frozenset(spec.get("where", {}).get("stores", ())),
        tiers=frozenset(who.get("tiers", ())), segment=who.get("segment"), first_purchase=who.get("first_purchase", False),
        every_visit=who.get("every_visit"), streak=who.get("streak"),
        skus=frozenset(what.get("skus", ())), categories=frozenset(what.get("categories", ())),
        brands=frozenset(what.get("brands", ())), exclude_categories=frozenset(what.get("exclude_categories", ())),
        at_least_amount=Decimal(least["amount"]) if "amount" in least else None,
        at_least_quantity=Decimal(least["quantity"]) if "quantity" in least else None,
        caps=(*said_caps(spec), *_implied(who)),
        priority=spec.get("priority", PRIORITY), exclusive_group=spec.get("exclusive_group"),
        expires=spec.get("expires"), pending=spec.get("pending"),
    )  # fmt: skip


def said_caps(spec: Mapping[str, Any]) -> tuple[Cap, ...]:
    """Without those that conditions imply."""
    return tuple(Cap(one["unit"], one["per"], one["window"], Decimal(one["limit"])) for one in spec.get("caps", ()))


def document(spec: Mapping[str, Any], kind: str, *, decimals: int) -> dict[str, Any]:
    """The whole of API.md's form but for code, name, kind, value and the two instants; amounts with so many `decimals`."""
    when, least = spec.get("when", {}), spec.get("at_least", {})
    amount = Decimal(least["amount"]) if "amount" in least else None
    paid = kind in (Kind.BASE, Kind.BONUS)
    return {
        "per": spec.get("per", str(Per.AMOUNT)) if paid else None,
        "event_type": spec.get("event_type"),
        "when": {name: when.get(name, default) for name, default in (("weekdays", []), ("hours", None), ("birthday", None))},
        "where": {"stores": spec.get("where", {}).get("stores", [])},
        "who": {
            name: spec.get("who", {}).get(name, default)
            for name, default in (
                ("tiers", []), ("segment", None), ("first_purchase", False), ("every_visit", None), ("streak", None),
            )
        },
        "what": {name: spec.get("what", {}).get(name, []) for name in SETS["what"]},
        "at_least": {
            "amount": None if amount is None else f"{amount:.{max(decimals, -_exponent(amount))}f}",
            "quantity": _plain(least["quantity"]) if "quantity" in least else None,
        },
        "caps": [one | {"limit": _plain(one["limit"])} for one in spec.get("caps", [])],
        "priority": spec.get("priority", PRIORITY),
        **{name: spec.get(name) for name in ("exclusive_group", "expires", "pending", "funded_by")},
    }  # fmt: skip


def _implied(who: Mapping[str, Any]) -> tuple[Cap, ...]:
    ever = (ONCE,) if who.get("first_purchase") else ()
    return (*ever, ONCE_A_DAY) if who.get("every_visit") or who.get("streak") else ever


def _cap(given: Mapping[str, Any]) -> tuple[str, str, str, str]:
    return given["unit"], given["per"], given["window"], _number(given["limit"])


def _number(value: object) -> str:
    return f"{Decimal(str(value)).normalize():f}"


def _plain(text: str) -> int | str:
    """A whole number where it is one."""
    number = Decimal(text)
    return int(number) if number == number.to_integral_value() else text


def _exponent(number: Decimal) -> int:
    power = number.as_tuple().exponent
    assert isinstance(power, int), "an amount is a number"
    return power
