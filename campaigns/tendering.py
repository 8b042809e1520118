"""Points as money (SEMANTICS 6): what of them a return gives back.

Values in, values out: no ORM, no clock. Amounts are Decimals in the programme's currency, in its smallest coins or coarser.
"""

from dataclasses import dataclass
from decimal import Decimal

from loyalty.terms import Terms

NOTHING = Decimal(0)


@dataclass(frozen=True, slots=True)
class Refund:
    """What of a line has gone back so far, to points and to money."""

    points: int
    money: Decimal


def refund(line_net: Decimal, line_points: int, line_amount: Decimal, kept_net: Decimal, *, contract: Terms) -> Refund:
    """What of a line has gone back in all when goods for `kept_net` of its net amount are kept.

    A function of what is kept alone, so the order and number of returns do not matter; each return gives the difference
    to what went back before. Points and coins are rounded down until the whole line is back: then all its points and all
    its money are.
    """
    assert NOTHING <= kept_net <= line_net, "kept more than was bought"
    if kept_net == 0:
        return Refund(line_points, line_net - line_amount)
    back, coin = line_net - kept_net, _coin(contract)
    points = line_points * back // line_net
    money = (line_net - line_amount) * back // (line_net * coin) * coin
    return Refund(int(points), money)


def _coin(contract: Terms) -> Decimal:
    """The currency's smallest."""
    return Decimal(1).scaleb(-contract.minor_units)
