"""The measuring core: interleaved rounds, medians, ratios.

Machines are noisy, and a shared one more so. Every round runs every cell, in rotating order; a ratio is the median over
rounds of what two cells reached in the same round, so that noise hits both.
"""

import statistics
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

# What a cell did: how many rows (receipts, postings, calls), and in how many seconds.
type Cell = Callable[[], tuple[int, float]]


# Of each cell the rows a second, round by round.
type Rates = dict[str, list[float]]


@dataclass(frozen=True, slots=True)
class Ratio:
    """Of two cells: the median of the rounds' ratios, and the worst and the best round."""

    median: float
    worst: float
    best: float


def rounds(cells: Mapping[str, Cell], count: int) -> Rates:
    """Run each cell `count` times, after one round that warms up and is not counted."""
    names, rates = list(cells), {name: list[float]() for name in cells}
    for number in range(-1, count):
        turn = number % len(names)
        for name in names[turn:] + names[:turn]:
            rows, seconds = cells[name]()
            if number >= 0:
                rates[name].append(rows / seconds)
    return rates


def ratio(mine: list[float], theirs: list[float]) -> Ratio:
    ratios = sorted(one / other for one, other in zip(mine, theirs, strict=True))
    return Ratio(statistics.median(ratios), ratios[0], ratios[-1])


def timed(act: Callable[[], object]) -> float:
    """Seconds that `act` takes."""
    started = time.perf_counter()
    act()
    return time.perf_counter() - started


def percentile(values: list[float], part: float) -> float:
    return sorted(values)[min(len(values) - 1, int(len(values) * part))]


def table(head: list[str], rows: list[list[str]]) -> str:
    """Markdown."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def figure(rate: float) -> str:
    return f"{rate:,.0f}" if rate >= 10 else f"{rate:.2f}"
