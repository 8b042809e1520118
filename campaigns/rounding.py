"""Whole parts that add up."""

from collections.abc import Callable, Sequence
from decimal import Decimal


def spread(total: int, weights: Sequence[Decimal], fits: Callable[[int], bool] = lambda _place: True) -> list[int]:
    """Split `total` ≥ 0 in whole parts in proportion to the weights ≥ 0, by largest remainder; ties go to the earlier.

    The parts add up to `total` exactly, unless every weight is zero: then all are zero. `fits` is asked, in this order,
    before a part is rounded up; a point for which none has room is given to nobody.
    """
    scale = max((decimals(weight) for weight in weights), default=0)
    shares = [int(weight.scaleb(scale)) for weight in weights]  # whole numbers, so that no remainder is rounded
    whole = sum(shares)
    if whole == 0:
        return [0] * len(weights)
    parts = [total * share // whole for share in shares]
    missing = total - sum(parts)
    for place in sorted(range(len(shares)), key=lambda i: (-(total * shares[i] % whole), i)):
        if missing and shares[place] and fits(place):
            parts[place] += 1
            missing -= 1
    return parts


def decimals(number: Decimal) -> int:
    """The number of its decimals."""
    power = number.as_tuple().exponent
    assert isinstance(power, int), "a weight is a number"
    return -power


def plain(number: Decimal) -> str:
    """Plain digits without trailing zeros."""
    text = f"{number:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
