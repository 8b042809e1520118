"""From a receipt to points. Pure: no ORM, no clock, no I/O.

Phases (SEMANTICS 1.1): basis per line → base rules → one rounding → allocation to rules and lines. Money is Decimal in
the programme's currency; points are whole.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_FLOOR, Decimal
from typing import Any
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Line:
    line_id: str
    net_amount: Decimal


@dataclass(frozen=True, slots=True)
class Rule:
    """A frozen version of a base rule: `value` points for each 1.00 of basis."""

    version: UUID
    code: str
    value: Decimal


@dataclass(frozen=True, slots=True)
class Granted:
    """What one rule gives: its share of the receipt's points, which becomes a lot."""

    rule: Rule
    points: int


@dataclass(frozen=True, slots=True)
class Judgement:
    """`line_points` in the order of the lines; both sums equal `points`. `trace` explains, in JSON values."""

    points: int
    granted: list[Granted]
    line_points: list[int]
    trace: dict[str, Any]


def judge(lines: Sequence[Line], rules: Sequence[Rule]) -> Judgement:
    """What a receipt earns under the rules of its day."""
    basis = sum((line.net_amount for line in lines), Decimal(0))
    raw = [basis * rule.value for rule in rules]
    total = sum(raw, Decimal(0))
    points = int(total.to_integral_value(ROUND_FLOOR))
    shares = spread(points, raw)
    trace = {
        "basis": _text(basis),
        "rules": [
            {"rule": rule.code, "version": str(rule.version), "value": _text(rule.value), "raw": _text(earned), "points": share}
            for rule, earned, share in zip(rules, raw, shares, strict=True)
        ],
        "raw": _text(total),
        "points": points,
    }
    granted = [Granted(rule, share) for rule, share in zip(rules, shares, strict=True) if share]
    return Judgement(points, granted, spread(points, [line.net_amount for line in lines]), trace)


def spread(total: int, weights: Sequence[Decimal]) -> list[int]:
    """Split `total` ≥ 0 in whole parts in proportion to the weights, by largest remainder; ties go to the earlier.

    The parts add up to `total` exactly, unless every weight is zero: then all are zero.
    """
    scale = -min((exponent(weight) for weight in weights), default=0)
    shares = [int(weight.scaleb(scale)) for weight in weights]  # whole numbers, so that no remainder is rounded
    whole = sum(shares)
    if whole == 0:
        return [0] * len(weights)
    parts = [total * share // whole for share in shares]
    missing = total - sum(parts)
    if missing:
        for i in sorted(range(len(shares)), key=lambda i: (-(total * shares[i] % whole), i))[:missing]:
            parts[i] += 1
    return parts


def exponent(number: Decimal) -> int:
    """Minus the number of its decimals."""
    power = number.as_tuple().exponent
    assert isinstance(power, int), "a weight is a number"
    return power


def _text(number: Decimal) -> str:
    """Plain digits without trailing zeros."""
    text = f"{number:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
