"""The first page of staff: six numbers that each lead to their list, and thirty days at a glance."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from catalog import lowwater
from loyalty import money, terms, totals
from loyalty.columns import signed
from loyalty.totals import Day
from members.models import Member

PERIOD = 30
WIDTH, HEIGHT, GAP = 720, 120, 4


@dataclass(frozen=True, slots=True)
class Figure:
    """A number with its name, a second line, and the list behind it."""

    label: str
    value: str
    note: str
    url: str


@dataclass(frozen=True, slots=True)
class Bar:
    """A day of the chart, in units of its view box."""

    day: date
    issued: int
    used: int
    x: float
    width: float
    issued_height: float
    used_height: float


def dashboard(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """Unfold's DASHBOARD_CALLBACK: what this person may see."""
    may = request.user.has_perm
    figures: list[Figure] = []
    if may("members.view_member"):
        figures += _people(request)
    if may("loyalty.view_posting"):
        context |= _movement(request, figures)
    if may("loyalty.view_lot"):
        figures += _holdings(_stores(request))
    if may("catalog.view_codepool"):
        context["low"] = lowwater.standing()
    return context | {"figures": figures, "may_search": may("members.view_member"), "title": _("Today")}


def _people(request: HttpRequest) -> list[Figure]:
    members = admin.site.get_model_admin(Member).get_queryset(request).prefetch_related(None).order_by()
    since = timezone.now() - timedelta(days=PERIOD)
    active = members.filter(holder__in=totals.active_holders(since=since))
    url = reverse("admin:members_member_changelist")
    return [
        Figure(_("Members"), signed(members.count()), _("enrolled so far"), url),
        Figure(_("Active members"), signed(active.count()), _("earned or used points in 30 days"), f"{url}?active=30"),
    ]


def _movement(request: HttpRequest, figures: list[Figure]) -> dict[str, Any]:
    contract = terms.current(timezone.now())
    today = contract.day_of(timezone.now())
    first = today - timedelta(days=PERIOD - 1)
    since = contract.midnight_after(first - timedelta(days=PERIOD + 1))
    happened = totals.days(since=since, zone=contract.zone, stores=_stores(request))
    recent = {one.day: one for one in happened if one.day >= first}
    before = [one for one in happened if one.day < first]
    issued, used = sum(one.issued for one in recent.values()), sum(one.used for one in recent.values())
    was = _("%(points)s in the 30 days before")
    url = reverse("admin:loyalty_posting_changelist")
    period = f"occurred_at_from={first.isoformat()}"
    figures += [
        Figure(
            _("Points issued"),
            signed(issued),
            was % {"points": signed(sum(one.issued for one in before))},
            f"{url}?contra__exact=issued&{period}",
        ),
        Figure(
            _("Points used"),
            signed(used),
            was % {"points": signed(sum(one.used for one in before))},
            f"{url}?contra__exact=burned&{period}",
        ),
    ]
    days = [recent.get(first + timedelta(days=n), Day(first + timedelta(days=n), 0, 0)) for n in range(PERIOD)]
    finding = _("%(issued)s points issued and %(used)s used in 30 days") % {"issued": signed(issued), "used": signed(used)}
    return {"chart": {"title": finding, "bars": bars(days), "width": WIDTH, "height": HEIGHT}, "days": days[::-1]}


def _holdings(stores: Collection[int] | None) -> list[Figure]:
    now = timezone.now()
    contract = terms.current(now)
    held = totals.held(now=now, until=now + timedelta(days=PERIOD), stores=stores)
    url = reverse("admin:loyalty_lot_changelist")

    def worth(points: int) -> str:
        return _("worth %(amount)s") % {"amount": money.text(contract.worth(points), contract.currency)}

    return [
        Figure(_("Points outstanding"), signed(held.outstanding), worth(held.outstanding), f"{url}?open__exact=1"),
        Figure(_("Expiring in 30 days"), signed(held.expiring), worth(held.expiring), f"{url}?ends=30"),
    ]


def bars(days: Sequence[Day]) -> list[Bar]:
    """Two bars a day, the highest as high as the chart."""
    highest = max((max(one.issued, one.used) for one in days), default=0) or 1
    step = WIDTH / len(days)
    width = (step - GAP) / 2
    return [
        Bar(
            one.day,
            one.issued,
            one.used,
            round(i * step, 1),
            round(width, 1),
            _height(one.issued, highest),
            _height(one.used, highest),
        )
        for i, one in enumerate(days)
    ]


def _height(points: int, highest: int) -> float:
    return round(max(points, 0) / highest * HEIGHT, 1)


def _stores(request: HttpRequest) -> Collection[int] | None:
    return admin.site.stores_of(request)  # type: ignore[attr-defined,no-any-return]
