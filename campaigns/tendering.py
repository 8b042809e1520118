"""Points as money (SEMANTICS 6): how many a receipt takes, how they fall to its lines, what of them a return gives back.

Values in, values out: no ORM, no clock. Amounts are Decimals in the programme's currency, in its smallest coins or coarser.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from django.utils.formats import number_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from campaigns import rounding
from campaigns.values import Line
from loyalty.terms import Terms, up_to_step

NOTHING = Decimal(0)


@dataclass(frozen=True, slots=True)
class Limits:
    """A payment is a multiple of `step` from `min` to `max` points; `max` is 0 where none can be made."""

    min: int
    max: int
    step: int
    value_per_point: Decimal


@dataclass(frozen=True, slots=True)
class LineTender:
    """What of a payment fell to a line: `amount` of its net amount is paid by `points`."""

    points: int
    amount: Decimal


@dataclass(frozen=True, slots=True)
class Refund:
    """What of a line has gone back so far, to points and to money."""

    points: int
    money: Decimal


def limits(lines: Sequence[Line], *, contract: Terms, available: int) -> Limits:
    """What may be paid in points of this receipt by whoever has `available` points.

    At most the terms' share of the eligible goods, rounded down to coins, and never more points than it takes to be worth
    that; at least as many as are worth a coin.
    """
    value, step, coin = contract.point_value, contract.tender_step, contract.coin
    if not value or not contract.tender_max_percent:
        return Limits(up_to_step(contract.tender_min, step), 0, step, value)
    least = up_to_step(max(contract.tender_min, _reach(coin, value)), step)
    payable = _eligible(lines) * contract.tender_max_percent / 100 // coin * coin
    covering = _reach(payable, value)
    if contract.worth(covering) > payable:  # a point is worth more than a coin
        covering -= 1
    most = min(available, covering) // step * step
    return Limits(least, most if most >= least else 0, step, value)


def check(points: int, within: Limits) -> str | None:
    """Why this many points cannot be taken, to whoever wants to pay with them; None if they can."""
    if within.max == 0:
        return _("No points can be used for this purchase now.")
    if points > within.max:
        text = ngettext(
            "At most %(count)s point can be used for this purchase.",
            "At most %(count)s points can be used for this purchase.",
            within.max,
        )
        return text % {"count": _figure(within.max)}
    if points < within.min:
        text = ngettext(
            "Points are used from %(count)s point on.",
            "Points are used from %(count)s points on.",
            within.min,
        )
        return text % {"count": _figure(within.min)}
    if points % within.step:
        numbers = {"step": _figure(within.step), "near": _figure(points // within.step * within.step)}
        return _("Points are used in steps of %(step)s, such as %(near)s.") % numbers
    return None


def spread(points: int, lines: Sequence[Line], contract: Terms) -> list[LineTender]:
    """How a payment falls to the lines, in their order; excluded ones bear none of it.

    It is worth `points` × value, rounded down to coins once for the whole. Points go by net amount, largest remainder, and
    no line bears more of them than it costs unless there are too many for that. A line's amount is what its points are
    worth, as far as coins and its net amount let it. Both add up exactly. `points` are within the limits of these lines.
    """
    coin, value = contract.coin, contract.point_value
    nets = [NOTHING if line.excluded else line.due for line in lines]
    worth = int(contract.worth(points) // coin)
    room = [int(net // coin) for net in nets]
    assert worth <= sum(room), "more points than the goods cost"
    whole = [int(net // value) for net in nets]
    shares = _fitted(min(points, sum(whole)), nets, whole)
    beyond = rounding.spread(points - sum(shares), [net - share * value for net, share in zip(nets, shares, strict=True)])
    shares = [share + more for share, more in zip(shares, beyond, strict=True)]
    amounts = _fitted(worth, [Decimal(share) for share in shares], room)
    return [LineTender(share, amount * coin) for share, amount in zip(shares, amounts, strict=True)]


def refund(line_net: Decimal, line_points: int, line_amount: Decimal, kept_net: Decimal, *, contract: Terms) -> Refund:
    """What of a line has gone back in all when goods for `kept_net` of its net amount are kept.

    A function of what is kept alone, so the order and number of returns do not matter; each return gives the difference
    to what went back before. Points and coins are rounded down until the whole line is back: then all its points and all
    its money are. Of all lines that bear a payment it may be asked together, with their sums: then what has gone back is
    never worth more than the goods that came back, also where a point is worth more than a line.
    """
    assert NOTHING <= kept_net <= line_net, "kept more than was bought"
    if kept_net == 0:
        return Refund(line_points, line_net - line_amount)
    back, coin = line_net - kept_net, contract.coin
    points = line_points * back // line_net
    money = (line_net - line_amount) * back // (line_net * coin) * coin
    return Refund(int(points), money)


def _fitted(total: int, weights: Sequence[Decimal], room: Sequence[int]) -> list[int]:
    """Whole parts in proportion to the weights; what a line has no room for goes to the others by their room."""
    wanted = rounding.spread(total, weights)
    fitted = [min(want, most) for want, most in zip(wanted, room, strict=True)]
    left = [most - taken for most, taken in zip(room, fitted, strict=True)]
    rest = rounding.spread(total - sum(fitted), [Decimal(one) for one in left])
    return [taken + more for taken, more in zip(fitted, rest, strict=True)]


def _eligible(lines: Sequence[Line]) -> Decimal:
    return sum((line.due for line in lines if not line.excluded), NOTHING)


def _reach(amount: Decimal, value: Decimal) -> int:
    """The fewest points, each worth `value`, that are worth this amount."""
    whole, rest = divmod(amount, value)
    return int(whole) + bool(rest)


def _figure(points: int) -> str:
    return number_format(points, force_grouping=True)
