"""What is left of a receipt after returns, told in whole coins and fractions: other arithmetic than campaigns/keeping.py."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction

from campaigns.keeping import Measure, Piece, Sold
from campaigns.values import Line


def left(sold: Sequence[Sold], gone: Iterable[Piece]) -> list[Line]:
    """The lines as somebody would buy them who wants no more than was kept."""
    pieces = list(gone)
    lines = (_left(one.line, [piece for piece in pieces if piece.line_id == one.line.line_id]) for one in sold)
    return [line for line in lines if line is not None]


def _left(line: Line, pieces: Sequence[Piece]) -> Line | None:
    """By share: goods returned bring their share of the price, money alone makes what is left cheaper by its share."""
    price, whole = int(line.net_amount * 100), Fraction(line.quantity)
    by_share = sum((Fraction(one.quantity) for one in pieces if one.asked == Measure.QUANTITY), Fraction(0))
    by_price = sum(int(one.net_amount * 100) for one in pieces if one.asked == Measure.BOTH)
    cheaper = sum(int(one.net_amount * 100) for one in pieces if one.asked == Measure.AMOUNT)
    goods = whole - sum((Fraction(one.quantity) for one in pieces), Fraction(0))
    before = price - by_price - (math.floor(price * by_share / whole) if whole else 0)
    coins = before - cheaper
    if (whole and goods <= 0) or (price and coins <= 0):
        return None
    thousandths = math.floor(goods * coins / before * 1000) if cheaper else goods * 1000
    return replace(line, quantity=Decimal(int(thousandths)) / 1000, net_amount=Decimal(coins) / 100)
