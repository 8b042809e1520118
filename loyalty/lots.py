"""Which lots pay. Pure: values in, values out."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass


@dataclass(slots=True)
class OpenLot:
    """A lot with points left: the number of the posting that opened it, and what moves with its points.

    Instants are ISO 8601 as the database wrote them.
    """

    seq: int
    remaining: int
    spendable: bool = True
    available_at: str | None = None
    expires_at: str | None = None
    earned_at: str | None = None
    store: int | None = None
    rule: str | None = None


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


def take_up_to(lots: Sequence[OpenLot], points: int) -> list[tuple[int, int]]:
    """Take as many of `points` as the lots hold."""
    held = min(points, sum(lot.remaining for lot in lots))
    return (take(lots, held) or []) if held else []


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


def first_points(uses: Iterable[tuple[int, int]], points: int) -> list[tuple[int, int]]:
    """The part of `uses` that makes up their first `points`."""
    part: list[tuple[int, int]] = []
    for seq, used in uses:
        if points <= 0:
            break
        part.append((seq, min(used, points)))
        points -= used
    return part


def after_points(uses: Iterable[tuple[int, int]], points: int) -> list[tuple[int, int]]:
    """What `uses` hold beyond their first `points`."""
    left: list[tuple[int, int]] = []
    for seq, used in uses:
        gone = min(used, points)
        points -= gone
        if used > gone:
            left.append((seq, used - gone))
    return left
