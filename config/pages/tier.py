"""The member's tier: on the card, and on a page of its own that says what comes next and what happens when."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _

from members import wording
from members.access import for_member
from members.holding import Reason
from members.models import Member
from members.progress import Keeping, Progress, progress_of
from members.tiers import Level

# Of the ruler, in the units of its view box: a mark every eight, every fifth one longer.
MARKS, STEP, LONG, SHORT = 40, 8, 18, 10


@dataclass(frozen=True, slots=True)
class Mark:
    """A line of the ruler, from the bottom up."""

    x: int
    height: int
    passed: bool


@for_member(earn_only=True)
def tier(request: HttpRequest, member: Member) -> HttpResponse:
    now = timezone.now()
    one = progress_of([member], now=now).get(member.pk)
    if one is None:
        raise Http404
    context = {
        "tier": _shown(one),
        "override": one.reason == Reason.OVERRIDE,
        "keeping": _keeping(one, one.keeping) if one.keeping and one.level else None,
        "after": wording.review(one.table),
        "counted": wording.window(one.table),
        "levels": [_row(level, one) for level in one.table.levels],
    }
    return render(request, "portal/tier.html", context)


def shown(member: Member, now: datetime) -> dict[str, Any] | None:
    """What the card says of the tier; None while the programme has none."""
    one = progress_of([member], now=now).get(member.pk)
    return _shown(one) if one else None


def _shown(one: Progress) -> dict[str, Any]:
    above, warning, sentence = one.next, _warning(one), ""
    scale = (one.value, above.threshold) if above else None
    if warning and one.keeping and one.level:  # keeping what one has comes before the next
        scale = (one.keeping.value, one.level.threshold)
    if above and one.missing:
        sentence = wording.to_reach(wording.called(above), one.table.basis, one.missing, one.by, one.currency)
    elif above:
        sentence = _("%(tier)s reached") % {"tier": wording.called(above)}
    return {
        "name": wording.called(one.level) if one.level else "",
        "last": one.last,
        "next": wording.called(above) if above else "",
        "value": wording.amount(one.table.basis, one.value, one.currency),
        "reward": above.entry_reward if above else 0,
        "sentence": sentence or ("" if warning else _("You have the highest tier.")),
        "marks": marks(*scale) if scale else [],
        "warning": warning,
    }


def marks(value: int, whole: int) -> list[Mark]:
    """The ruler from nothing to the next tier, `whole`; the longer marks are at its eighths."""
    reached = min(value * MARKS // whole, MARKS)
    return [Mark(4 + i * STEP, LONG if i % 5 == 0 else SHORT, i <= reached and value > 0) for i in range(MARKS + 1)]


def _warning(one: Progress) -> str:
    """That the tier is about to end, where the period that decides has begun and is not filled."""
    keeping = one.keeping
    if keeping is None or one.level is None or not keeping.begun or not keeping.missing or keeping.graced_until:
        return ""
    return wording.to_stay(wording.called(one.level), one.table.basis, keeping.missing, keeping.period.last, one.currency)


def _keeping(one: Progress, keeping: Keeping) -> dict[str, Any]:
    assert one.level, "only a tier that is held can be kept"
    return {
        "first": keeping.period.first,
        "last": keeping.period.last,
        "needed": wording.amount(one.table.basis, one.level.threshold, one.currency),
        "value": wording.amount(one.table.basis, keeping.value, one.currency),
        "reached": not keeping.missing,
        "begun": keeping.begun,
        "graced_until": keeping.graced_until,
        "sentence": _warning(one),
    }


def _row(level: Level, one: Progress) -> dict[str, Any]:
    return {
        "name": wording.called(level),
        "threshold": wording.amount(one.table.basis, level.threshold, one.currency) if level.threshold else "",
        "reward": level.entry_reward,
        "held": level == one.level,
    }
