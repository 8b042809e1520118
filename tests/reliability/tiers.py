"""The parts of T16 and how much of each its tiers do."""

from collections.abc import Callable
from random import Random

from tests.reliability import expiries, roundtrips, splits

# Each takes dice and a number, and answers how much it compared and what was wrong.
PARTS: dict[str, Callable[[Random, int], tuple[int, list[str]]]] = {
    "expiries": expiries.check,
    "splits": splits.check,
    "roundtrips": roundtrips.check,
}
# Days of each zone, splits, rounds of each trip.
QUICK = {"expiries": 2, "splits": 3000, "roundtrips": 20}
FULL = {"expiries": 26, "splits": 250_000, "roundtrips": 2000}


def dice(seed: int, part: str) -> Random:
    """The same for a part whether it is run alone or after others."""
    return Random(f"{seed}:{part}")  # noqa: S311  dice are thrown again from their seed
