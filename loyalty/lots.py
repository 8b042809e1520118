"""Which lots pay. Pure: values in, values out."""

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(slots=True)
class OpenLot:
    """A lot that can be spent now: the number of the posting that opened it, and the points left in it."""

    seq: int
    remaining: int


def take(lots: Iterable[OpenLot], points: int) -> list[tuple[int, int]] | None:
    """Take `points` > 0 from lots given in burn order (SEMANTICS 2.2).

    Returns (lot number, points taken) for each lot used and lowers what remains in it; None, with nothing taken,
    when the lots together do not hold enough.
    """
    uses: list[tuple[OpenLot, int]] = []
    missing = points
    for lot in lots:
        if missing == 0:
            break
        part = min(lot.remaining, missing)
        if part:
            uses.append((lot, part))
            missing -= part
    if missing:
        return None
    for lot, part in uses:
        lot.remaining -= part
    return [(lot.seq, part) for lot, part in uses]


def give_back(uses: Iterable[tuple[int, int]], withheld: int) -> list[tuple[int, int]]:
    """Undo `uses`, except for `withheld` points, which pay a deficit instead; the last lots used are withheld first.

    Returns (lot number, negative points) for each lot that gets something back.
    """
    given: list[tuple[int, int]] = []
    for seq, points in reversed(list(uses)):
        kept = min(points, withheld)
        withheld -= kept
        if points > kept:
            given.append((seq, kept - points))
    return given
