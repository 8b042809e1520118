"""Splits of points by largest remainder: nothing is made, nothing is left, nobody is a whole point off."""

from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal
from fractions import Fraction
from random import Random
from uuid import UUID
from zoneinfo import ZoneInfo

from campaigns.engine import judge
from campaigns.rounding import spread
from campaigns.values import Kind, Line, Occasion, Rule

NOON = datetime(2026, 6, 15, 12, tzinfo=UTC)


def wrong(total: int, weights: Sequence[Decimal], order: Sequence[int], times: int) -> str | None:
    """What is wrong with the split of `total`, also in another `order` and with all weights so many `times` as large."""
    parts, whole = spread(total, weights), sum(map(Fraction, weights))
    if whole == 0:
        return None if parts == [0] * len(weights) else f"{total} by {weights}: {parts} of nothing"
    shares = [total * Fraction(weight) / whole for weight in weights]
    if sum(parts) != total:
        return f"{total} by {weights}: {parts} come to {sum(parts)}"
    if any(abs(part - share) >= 1 for part, share in zip(parts, shares, strict=True)):
        return f"{total} by {weights}: {parts} are a point off"
    if spread(total, [weight * times for weight in weights]) != parts:
        return f"{total} by {weights}: other parts when all weights are {times} times as large"
    # Equal remainders go to the earlier; else the order says nothing.
    told_apart = len({share % 1 for share in shares}) == len(shares)
    if told_apart and spread(total, [weights[i] for i in order]) != [parts[i] for i in order]:
        return f"{total} by {weights}: other parts in the order {order}"
    return None


def wrong_receipt(amounts: Sequence[Decimal], values: Sequence[Decimal]) -> str | None:
    """What is wrong with a receipt of these lines under rules that give so many points for 1.00."""
    lines = tuple(Line(str(i), amount) for i, amount in enumerate(amounts))
    rules = [Rule(UUID(int=i), f"r{i}", Kind.BONUS, value) for i, value in enumerate(values)]
    made = judge(Occasion(UUID(int=0), NOON, ZoneInfo("UTC"), lines), rules)
    exact = sum(map(Fraction, amounts)) * sum(map(Fraction, values))
    by_rules, by_lines = sum(one.points for one in made.granted), sum(made.line_points)
    if made.points == exact // 1 == by_rules == by_lines:
        return None
    return f"{amounts} at {values}: {made.points} points of {exact}, {by_rules} by rules, {by_lines} by lines"


def check(dice: Random, count: int) -> tuple[int, list[str]]:
    """So many splits and so many receipts. Returns how many were judged, and what was wrong."""
    found = []
    for _ in range(count):
        weights = [_number(dice) for _ in range(dice.randint(1, 12))]
        order = dice.sample(range(len(weights)), len(weights))
        found.append(wrong(dice.choice([0, 1, dice.randint(2, 50), dice.randrange(10**9)]), weights, order, dice.randint(2, 9)))
        values = [_number(dice) for _ in range(dice.randint(1, 4))]
        found.append(wrong_receipt([_number(dice) for _ in range(dice.randint(1, 12))], values))
    return len(found), [one for one in found if one]


def _number(dice: Random) -> Decimal:
    """Up to six digits, none to three of them decimals; often nothing, a small one, or the same as another."""
    return Decimal(dice.choice([0, 1, 5, dice.randint(0, 999), dice.randint(0, 999_999)])).scaleb(-dice.randint(0, 3))
