"""What of a receipt came back, what of it is kept, and what that takes back (SEMANTICS 3). Pure: values in, values out.

What is kept follows from all that came back, not from the order in which it did.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import ROUND_DOWN, ROUND_FLOOR, Decimal
from enum import StrEnum
from fractions import Fraction

from campaigns import tendering
from campaigns.rounding import spread
from campaigns.tendering import NOTHING, Refund
from campaigns.values import Line
from loyalty.terms import Terms

# Of a quantity.
SMALLEST = Decimal("0.001")


class Measure(StrEnum):
    """How a piece was asked for; the other measure follows in proportion."""

    QUANTITY = "quantity"
    AMOUNT = "amount"
    BOTH = "both"


@dataclass(frozen=True, slots=True)
class Piece:
    """What a return takes of a line. One asked for by its amount alone brings no goods back: it makes those kept cheaper."""

    line_id: str
    quantity: Decimal
    net_amount: Decimal
    asked: Measure


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a return asks for of a line: all that is left, unless a quantity or an amount is named."""

    line_id: str
    quantity: Decimal | None = None
    net_amount: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Sold:
    """A line as it was sold; `points` paid for its `line.tender`."""

    line: Line
    points: int = 0

    @property
    def bears(self) -> bool:
        """Whether points paid for a part of it; where a point is worth more than the line, it may be a part of a point."""
        return bool(self.points or self.line.tender)


class UnknownLine(LookupError):
    """The receipt has no such line."""


@dataclass(slots=True)
class TooMuch(Exception):
    """More was asked for than is left: of a line, or (None) of the receipt."""

    line_id: str | None
    quantity: Decimal
    net_amount: Decimal


def pieces(sold: Sequence[Sold], before: Iterable[Piece], wanted: Sequence[Wanted], contract: Terms) -> list[Piece]:
    """What a return takes of the lines that it names. Raises UnknownLine, TooMuch."""
    lines = {one.line.line_id: one.line for one in sold}
    gone = by_line(before)
    found = []
    for one in wanted:
        if one.line_id not in lines:
            raise UnknownLine(one.line_id)
        found.append(_piece(lines[one.line_id], gone.get(one.line_id, ()), one, contract.coin))
    return found


def pieces_of_amount(sold: Sequence[Sold], before: Iterable[Piece], amount: Decimal, contract: Terms) -> list[Piece]:
    """An amount spread over what is left of the lines, by what was paid for it. Raises TooMuch."""
    gone, coin = by_line(before), contract.coin
    lines = [one.line for one in sold]
    left = [_left(line, gone.get(line.line_id, ()))[1] for line in lines]
    if amount > sum(left, NOTHING):
        raise TooMuch(None, NOTHING, sum(left, NOTHING))
    shares = spread(int(amount / coin), left)
    return [
        Piece(line.line_id, NOTHING, share * coin, Measure.AMOUNT) for line, share in zip(lines, shares, strict=True) if share
    ]


def by_line(found: Iterable[Piece]) -> dict[str, list[Piece]]:
    lines: dict[str, list[Piece]] = {}
    for one in found:
        lines.setdefault(one.line_id, []).append(one)
    return lines


def kept(sold: Sequence[Sold], gone: Iterable[Piece], contract: Terms) -> list[Line]:
    """The lines that are kept, as they would have been bought; a line whose goods or whose money went back is not."""
    found = by_line(gone)
    lines = (_kept(one, found.get(one.line.line_id, ()), contract) for one in sold)
    return [line for line in lines if line is not None]


def nothing_is_kept(sold: Sequence[Sold], lines: Sequence[Line]) -> bool:
    """Whether what was paid for went back; what cost nothing counts only where nothing cost anything."""
    paid = any(one.line.net_amount for one in sold)
    return not any(line.net_amount or not paid for line in lines)


def refunded(sold: Sequence[Sold], gone: Iterable[Piece], contract: Terms) -> Refund:
    """What has gone back in all, to points and to money; what vouchers took off a line goes back to nobody.

    All lines that were paid in points are taken together, by their sums: a point may be worth more than the line that bears
    it, and then returning just that line would give back more than the goods are worth.
    """
    net = {line: sum((piece.net_amount for piece in pieces), NOTHING) for line, pieces in by_line(gone).items()}
    back = {one.line.line_id: _charged_back(one.line, net.get(one.line.line_id, NOTHING), contract) for one in sold}
    bearing = [one for one in sold if one.bears]
    plain = sum((back[one.line.line_id] for one in sold if not one.bears), NOTHING)
    if not bearing:
        return Refund(0, plain)
    charged = sum((one.line.net_amount - one.line.discount for one in bearing), NOTHING)
    kept_part = charged - sum((back[one.line.line_id] for one in bearing), NOTHING)
    points, amount = sum(one.points for one in bearing), sum((one.line.tender for one in bearing), NOTHING)
    together = tendering.refund(charged, points, amount, kept_part, contract=contract)
    return Refund(together.points, plain + together.money)


def shares_back(sold: Sequence[Sold], gone: Iterable[Piece]) -> list[Fraction]:
    """Of each line the share of its net amount that has come back; of one that cost nothing, nothing."""
    net = {line: sum((piece.net_amount for piece in pieces), NOTHING) for line, pieces in by_line(gone).items()}
    lines = (one.line for one in sold)
    return [Fraction(min(net.get(line.line_id, NOTHING), line.net_amount)) / Fraction(line.net_amount or 1) for line in lines]


def _charged_back(line: Line, net: Decimal, contract: Terms) -> Decimal:
    """Of what was charged for a line, vouchers taken off, the part for goods of this net amount, rounded down to coins."""
    charged, coin = line.net_amount - line.discount, contract.coin
    if not line.discount or net == line.net_amount:
        return min(net, charged)
    return charged * net // (line.net_amount * coin) * coin


def shares(refund: Refund, pieces: Sequence[Piece], sold: Sequence[Sold], contract: Terms) -> list[Refund]:
    """How what one return gives back falls to its pieces, for whoever reads them; they add up."""
    found, coin = {one.line.line_id: one for one in sold}, contract.coin
    points = spread(refund.points, [one.net_amount if found[one.line_id].bears else NOTHING for one in pieces])
    money = spread(int(refund.money / coin), [_paid_part(found[one.line_id].line, one.net_amount) for one in pieces])
    return [Refund(some, coins * coin) for some, coins in zip(points, money, strict=True)]


def _paid_part(line: Line, net: Decimal) -> Decimal:
    """What of the money paid for a line is for goods of this net amount."""
    return (line.net_amount - line.unpaid) * net / line.net_amount if line.net_amount else NOTHING


@dataclass(frozen=True, slots=True)
class Held:
    """An award as it stands: `points` in all, `clawed` of them taken back before; `expired` of its own lot."""

    rule: str
    points: int
    clawed: int = 0
    expired: int = 0


def takings(awards: Sequence[Held], targets: Mapping[str, int]) -> list[int]:
    """What is to be taken back of each award now, so that what all keep together is no more than the targets.

    `targets` is what each rule gives for the kept lines. Points that have expired count as taken; less than nothing is
    never taken. The awards that have too much pay first.
    """
    due = sum(one.points - one.clawed - one.expired for one in awards) - sum(targets.values())
    left = [one.points - one.clawed for one in awards]
    taken = [0] * len(awards)
    excess = [rest - targets.get(one.rule, 0) for one, rest in zip(awards, left, strict=True)]
    for most in (excess, left):
        for place, limit in enumerate(most):
            part = max(0, min(due, limit - taken[place]))
            taken[place] += part
            due -= part
    return taken


def _piece(line: Line, gone: Sequence[Piece], one: Wanted, coin: Decimal) -> Piece:
    goods, money = _left(line, gone)
    if not (goods or money):
        raise TooMuch(line.line_id, goods, money)
    if (one.quantity or NOTHING) > goods or (one.net_amount or NOTHING) > money:
        raise TooMuch(line.line_id, goods, money)
    if one.quantity is None:
        if one.net_amount is None:
            return Piece(line.line_id, goods, money, Measure.BOTH if goods else Measure.AMOUNT)
        return Piece(line.line_id, NOTHING, one.net_amount, Measure.AMOUNT)
    if one.net_amount is not None:
        return Piece(line.line_id, one.quantity, one.net_amount, Measure.BOTH)
    if one.quantity == goods:  # the last goods bring the rest
        return Piece(line.line_id, goods, money, Measure.QUANTITY)
    before = _in_proportion(gone)
    share = _share(line, before + one.quantity, coin) - _share(line, before, coin)
    return Piece(line.line_id, one.quantity, min(share, money), Measure.QUANTITY)


def _left(line: Line, gone: Iterable[Piece]) -> tuple[Decimal, Decimal]:
    goods, money = line.quantity, line.net_amount
    for one in gone:
        goods, money = goods - one.quantity, money - one.net_amount
    return max(goods, NOTHING), max(money, NOTHING)


def _in_proportion(gone: Iterable[Piece]) -> Decimal:
    """The goods that came back without an amount of their own."""
    return sum((one.quantity for one in gone if one.asked == Measure.QUANTITY), NOTHING)


def _share(line: Line, quantity: Decimal, coin: Decimal) -> Decimal:
    """What was paid for `quantity` of a line, rounded down to coins."""
    if not line.quantity:
        return NOTHING
    return (line.net_amount * quantity / line.quantity / coin).to_integral_value(ROUND_FLOOR) * coin


def _kept(one: Sold, gone: Sequence[Piece], contract: Terms) -> Line | None:
    """By sums alone, so that the order of the pieces says nothing.

    Where money came back without goods, the goods that are kept count with the part that is still paid.
    """
    line = one.line
    if not gone:
        return line if line.net_amount or line.quantity else None
    goods = line.quantity - sum((piece.quantity for piece in gone), NOTHING)
    named = [piece for piece in gone if piece.asked != Measure.QUANTITY]
    net = line.net_amount - _share(line, _in_proportion(gone), contract.coin) - sum((one.net_amount for one in named), NOTHING)
    if (line.quantity and goods <= 0) or (line.net_amount and net <= 0):
        return None
    cheaper = sum((piece.net_amount for piece in named if piece.asked == Measure.AMOUNT), NOTHING)
    if cheaper:
        goods = (goods * net / (net + cheaper)).quantize(SMALLEST, ROUND_DOWN)
    if not line.unpaid:
        return replace(line, quantity=goods, net_amount=net)
    paid = line.net_amount - line.unpaid - _refund(one, net, contract).money
    if paid:  # what coins round off makes no goods paid: their paid part stays that of the sale
        goods = goods * (line.net_amount - line.unpaid) * net / (line.net_amount * paid)
    return replace(line, quantity=goods, net_amount=net, tender=net - paid, discount=NOTHING)  # all that is not paid, as one


def _refund(one: Sold, kept_net: Decimal, contract: Terms) -> Refund:
    line = one.line
    if not (one.points or line.unpaid):
        return Refund(0, line.net_amount - kept_net)
    return tendering.refund(line.net_amount, one.points, line.unpaid, kept_net, contract=contract)
