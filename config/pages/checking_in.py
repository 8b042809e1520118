"""The check-in page (UX M14): the month as a table, the days in a row, the next gift, and one button."""

import calendar
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any

from babel.dates import get_day_names, get_timezone_name
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.formats import get_format, number_format
from django.utils.translation import get_language, ngettext, to_locale
from django.utils.translation import gettext as _

from campaigns import events, matching, queries, rules
from campaigns.events import Happened
from campaigns.judging import Judged
from campaigns.values import Rule
from loyalty import terms
from loyalty.problems import Problem
from loyalty.terms import Terms
from members.access import for_member
from members.models import Member
from members.queries import resolve

ACT = "check_in"
ONE_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Gift:
    """`points` more on the day `on`, which is the `nth` in a row if none is left out."""

    points: int
    nth: int
    on: date


@dataclass(frozen=True, slots=True)
class State:
    """How a member stands today. `points` is what a check-in today would bring, or brought nothing when it is `done`.

    `streak` counts today when it is done, else the days up to yesterday. A blocked card is not `open`.
    """

    today: date
    done: bool
    streak: int
    points: int
    gift: Gift | None
    open: bool


@for_member(earn_only=True)
def check_in(request: HttpRequest, member: Member) -> HttpResponse:
    now = timezone.now()
    contract = terms.current(now)
    state = _state_of(member, contract, now)
    if request.method == "POST":
        _check_in(request, member, contract, now)
        return redirect("check_in")
    return render(request, "portal/check_in.html", {"check_in": state} | _month(member, contract, state, now))


def state(member: Member, contract: Terms, now: datetime) -> State | None:
    """None where no rule pays for a check-in today."""
    published = rules.published(now)
    paying = [rule for rule in rules.in_force(published, now) if rule.event_type == ACT]
    facts = resolve([str(member.pk)]).get(str(member.pk))
    if not paying or facts is None:
        return None
    today = contract.day_of(now)
    days = queries.checked_in(member.pk, today - ONE_DAY, today)
    done, streak = today in days, days.get(today, days.get(today - ONE_DAY, 0))
    judged = events.preview(facts, ACT, contract, published, now)
    gift = _gift(paying, judged, streak, today if done else today - ONE_DAY)
    is_open = member.status == Member.Status.ACTIVE
    return State(today, done, streak, 0 if done else judged.judgement.points, gift, is_open)


def _state_of(member: Member, contract: Terms, now: datetime) -> State:
    found = state(member, contract, now)
    if found is None:
        raise Http404
    return found


def _gift(paying: Sequence[Rule], judged: Judged, streak: int, last: date) -> Gift | None:
    """The next day on which a rule for days in a row pays this member, if no day is left out after `last`."""
    found: dict[int, int] = {}
    for rule in (one for one in paying if one.streak):
        step = rule.streak or 1
        nth = (streak // step + 1) * step
        ahead = (last - judged.occasion.at.astimezone(judged.occasion.zone).date()).days + nth - streak
        standing = replace(judged.occasion.standing, streak=nth)
        then = replace(judged.occasion, at=judged.occasion.at + ahead * ONE_DAY, standing=standing)
        if not matching.hindrance(rule, then):
            found[nth] = found.get(nth, 0) + int(rule.value)
    if not found:
        return None
    nth = min(found)
    return Gift(found[nth], nth, last + (nth - streak) * ONE_DAY)


def _check_in(request: HttpRequest, member: Member, contract: Terms, now: datetime) -> None:
    """Once a day: the number is the day's, so that two taps are one check-in."""
    number = f"{ACT}:{member.holder}:{contract.day_of(now)}"
    told = Happened(source=events.PORTAL, number=number, type=ACT, member=str(member.pk), occurred_at=now)
    [answer] = events.record([told], now=now)
    if isinstance(answer, Problem):
        messages.error(request, answer.detail)
        return
    event = queries.events([answer.id])[answer.id]
    if answer.replayed or not event.streak:
        messages.info(request, _("You have checked in today already."))
        return
    days = ngettext("%(count)s day in a row.", "%(count)s days in a row.", event.streak) % {"count": number_format(event.streak)}
    text = ngettext("%(points)s point for today.", "%(points)s points for today.", event.points_earned)
    gain = text % {"points": number_format(event.points_earned)} if event.points_earned else _("Checked in.")
    messages.success(request, f"{gain} {days}")


def _month(member: Member, contract: Terms, state: State, now: datetime) -> dict[str, Any]:
    """The weeks of this month, each day with how it stands, beginning on the weekday of the reader's language."""
    locale, first = to_locale(get_language() or "en"), (int(get_format("FIRST_DAY_OF_WEEK")) - 1) % 7
    month = calendar.Calendar(first).monthdatescalendar(state.today.year, state.today.month)
    days = queries.checked_in(member.pk, month[0][0], month[-1][-1])
    short, long = (get_day_names(width, "stand-alone", locale) for width in ("abbreviated", "wide"))
    names = [((first + n) % 7) for n in range(7)]
    zone = get_timezone_name(now.astimezone(contract.zone), "long", locale=locale, zone_variant="generic")
    return {
        "weekdays": [{"short": short[n], "long": long[n]} for n in names],
        "weeks": [[_day(day, state, days) for day in week] for week in month],
        "zone": zone,
    }


def _day(day: date, state: State, days: Mapping[date, int]) -> dict[str, Any]:
    gift = state.gift is not None and day == state.gift.on
    return {
        "date": day,
        "outside": day.month != state.today.month,
        "done": day in days,
        "today": day == state.today,
        "gift": gift,
    }
