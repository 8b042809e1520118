"""What vouchers take off a receipt, line by line (SEMANTICS 7.6). Pure: no ORM, no clock, no I/O.

Free items come first, then percentages, then amounts, so that the order in which a till names its vouchers says nothing.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from enum import StrEnum

NOTHING = Decimal(0)


class Kind(StrEnum):
    """In the order in which they are taken off."""

    ITEM = "item"
    PERCENT = "percent"
    AMOUNT = "amount"


@dataclass(frozen=True, slots=True)
class Benefit:
    """`value` is money or a percentage; of a free item what it may cost at most, 0 for anything.

    Without categories it is for all goods. `code` decides between equals.
    """

    kind: Kind
    value: Decimal
    categories: frozenset[str] = frozenset()
    code: str = ""


@dataclass(frozen=True, slots=True)
class Item:
    """A line of a receipt. `excluded` goods (gift cards, deposits) bear no discount."""

    net_amount: Decimal
    quantity: Decimal = Decimal(1)
    category: str = ""
    excluded: bool = False


def meant(benefit: Benefit, items: Sequence[Item]) -> list[bool]:
    """Which lines the voucher is for."""
    return [not one.excluded and (not benefit.categories or one.category in benefit.categories) for one in items]


def worth(benefit: Benefit, items: Sequence[Item]) -> Decimal:
    """What the goods that it is for cost before any voucher: this is held against its minimum spend."""
    return sum((one.net_amount for one, mine in zip(items, meant(benefit, items), strict=True) if mine), NOTHING)


def spread(benefits: Sequence[Benefit], items: Sequence[Item], coin: Decimal) -> list[list[Decimal]]:
    """What each voucher takes off each line, in the order given.

    All of them together never take more off a line than it costs. An amount or a percentage falls to its lines by what is
    left of them, largest remainder, ties to the earlier; a percentage is rounded half up to coins, once. A free item is one
    unit of the dearest line that has one left, or all of a line that holds less than a unit.
    """
    left = [int(one.net_amount / coin) for one in items]
    units = [one.quantity for one in items]
    parts = [[0] * len(items) for _ in benefits]
    order = list(Kind)
    for place in sorted(range(len(benefits)), key=lambda i: (order.index(benefits[i].kind), benefits[i].code, i)):
        benefit = benefits[place]
        room = [rest if mine else 0 for rest, mine in zip(left, meant(benefit, items), strict=True)]
        if benefit.kind is Kind.ITEM:
            parts[place] = _item(benefit, room, units, coin)
        else:
            parts[place] = _split(min(_asked(benefit, sum(room), coin), sum(room)), room)
        left = [rest - part for rest, part in zip(left, parts[place], strict=True)]
    return [[part * coin for part in mine] for mine in parts]


def _asked(benefit: Benefit, left: int, coin: Decimal) -> int:
    if benefit.kind is Kind.AMOUNT:
        return int(benefit.value / coin)
    return _rounded(left * benefit.value / 100)


def _item(benefit: Benefit, room: Sequence[int], units: list[Decimal], coin: Decimal) -> list[int]:
    """One unit of the dearest line; `units` says how many of each line nobody has had free yet, and is counted down."""
    parts = [0] * len(room)
    prices = [Decimal(rest) / units[i] if units[i] > 1 else Decimal(rest) for i, rest in enumerate(room)]
    dearest = max(range(len(room)), key=lambda i: (prices[i], -i), default=None)
    if dearest is None or not prices[dearest]:
        return parts
    price = min(_rounded(prices[dearest]), room[dearest])
    parts[dearest] = min(price, int(benefit.value / coin)) if benefit.value else price
    units[dearest] -= 1
    return parts


def _split(total: int, room: Sequence[int]) -> list[int]:
    """Whole parts of at most `sum(room)` by largest remainder; in proportion to the room, so none is larger than it."""
    whole = sum(room)
    if not whole:
        return [0] * len(room)
    parts = [total * rest // whole for rest in room]
    missing = total - sum(parts)
    for place in sorted(range(len(room)), key=lambda i: (-(total * room[i] % whole), i))[:missing]:
        parts[place] += 1
    return parts


def _rounded(coins: Decimal) -> int:
    return int(coins.to_integral_value(ROUND_HALF_UP))
