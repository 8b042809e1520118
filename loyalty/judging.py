"""Is a change of the terms better or worse for members (SEMANTICS 9)? Pure: two versions in, a judgement out.

Each part that differs is judged alone; the whole is worse if any part is.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from enum import StrEnum

from loyalty.terms import Terms

# Every day of a year and of a leap year, as days on which points become usable.
DAYS = [date(2027, 1, 1) + timedelta(days=n) for n in range(365 + 366)]
# From the worst for a member whose points of a return are spent to the best: no return, a debt, nothing.
KINDNESS = ("refuse", "deficit", "forgive")


class Effect(StrEnum):
    SAME = "same"
    BENEFIT = "benefit"
    DETRIMENT = "detriment"


class Topic(StrEnum):
    """What a version says, part by part; a sentence each in loyalty/wording.py."""

    WORTH = "worth"
    TENDER = "tender"
    USABLE = "usable"
    EXPIRY = "expiry"
    RETURNS = "returns"
    CLAW_BACK = "claw_back"
    NOTICE = "notice"
    PROGRAMME = "programme"


@dataclass(frozen=True, slots=True)
class Change:
    """A part that differs. `SAME`: said in another way, without an effect on anybody."""

    topic: Topic
    effect: Effect


def changes(before: Terms, after: Terms) -> list[Change]:
    """The parts in which the two differ, in the order in which they are told."""
    return list(_changes(before, after))


def overall(effects: Iterable[Effect]) -> Effect:
    """Worse if any part is, else better if any part is."""
    found = set(effects)
    return next((one for one in (Effect.DETRIMENT, Effect.BENEFIT) if one in found), Effect.SAME)


def more_is(effect: Effect, before: Decimal | int, after: Decimal | int) -> Effect:
    """Of a number of which more is better, or worse."""
    if before == after:
        return Effect.SAME
    return effect if after > before else Effect.DETRIMENT if effect is Effect.BENEFIT else Effect.BENEFIT


def rate(before: Decimal, after: Decimal) -> Effect:
    """Of points for each 1.00."""
    return more_is(Effect.BENEFIT, before, after)


def expiry(before: Terms, after: Terms) -> Effect:
    """By what the policies do to points that become usable on any day of a year, for whoever does nothing more.

    Worse if points of any day end sooner. Under inactivity whoever keeps buying never loses points, so any date instead
    is worse; and inactivity instead of a date that is no later is better.
    """
    if before.expiry == "inactivity" and after.expiry not in ("inactivity", "never"):
        return Effect.DETRIMENT
    pairs = [(before.last_day_of_lot(day), after.last_day_of_lot(day)) for day in DAYS]
    if any(new < old for old, new in pairs):
        return Effect.DETRIMENT
    gains = any(new > old for old, new in pairs) or (after.expiry == "inactivity" and before.expiry != "inactivity")
    return Effect.BENEFIT if gains else Effect.SAME


def tender(before: Terms, after: Terms) -> Effect:
    """Of points as money: a higher minimum, a higher step or a lower share is worse.

    A lower step is worse too unless it divides the old one: whoever paid 100 points in steps of 100 pays 90 in steps of 30.
    """
    if not before.tender_max_percent or not after.tender_max_percent:
        return more_is(Effect.BENEFIT, before.tender_max_percent, after.tender_max_percent)
    step = more_is(Effect.DETRIMENT, before.tender_step, after.tender_step)
    return overall((
        more_is(Effect.DETRIMENT, before.tender_min, after.tender_min),
        Effect.DETRIMENT if before.tender_step % after.tender_step else step,
        more_is(Effect.BENEFIT, before.tender_max_percent, after.tender_max_percent),
    ))  # fmt: skip


def undated_clash(published: Iterable[Terms], after: Terms) -> bool:
    """Would lots that never end and lots that end with their idle wallet stand side by side? Neither bears a date of its own."""
    undated = {one.expiry for one in (*published, after)} & {"never", "inactivity"}
    return len(undated) > 1 and after.expiry in undated


def _changes(before: Terms, after: Terms) -> Iterator[Change]:
    if (before.currency, before.zone) != (after.currency, after.zone):
        yield Change(Topic.PROGRAMME, Effect.DETRIMENT)
    if before.point_value != after.point_value:
        yield Change(Topic.WORTH, more_is(Effect.BENEFIT, before.point_value, after.point_value))
    if _tender(before) != _tender(after):
        yield Change(Topic.TENDER, tender(before, after))
    if before.pending_days != after.pending_days:
        yield Change(Topic.USABLE, more_is(Effect.DETRIMENT, before.pending_days, after.pending_days))
    if _policy(before) != _policy(after):
        yield Change(Topic.EXPIRY, expiry(before, after))
    if before.return_days != after.return_days:
        yield Change(Topic.RETURNS, more_is(Effect.BENEFIT, before.return_days, after.return_days))
    if before.claw_back != after.claw_back:
        kindness = KINDNESS.index(before.claw_back), KINDNESS.index(after.claw_back)
        yield Change(Topic.CLAW_BACK, more_is(Effect.BENEFIT, *kindness))
    if before.notice_days != after.notice_days:
        yield Change(Topic.NOTICE, more_is(Effect.BENEFIT, before.notice_days, after.notice_days))


def _policy(terms: Terms) -> tuple[str | int, ...]:
    """What of the expiry counts: each kind has fields of its own."""
    fields: dict[str, tuple[str | int, ...]] = {
        "months": (terms.expiry_months, terms.expiry_round_up),
        "fixed_day": (terms.expiry_month, terms.expiry_day),
        "inactivity": (terms.expiry_months,),
    }
    return (terms.expiry, *fields.get(terms.expiry, ()))


def _tender(terms: Terms) -> tuple[int, ...]:
    """What counts of points as money."""
    return (terms.tender_max_percent, terms.tender_min, terms.tender_step) if terms.tender_max_percent else ()
