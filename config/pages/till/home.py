"""The till's first page (T02): one field for whatever is scanned or typed, and what was done last. Its report (T10)."""

from datetime import datetime, timedelta
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext as _

from config.pages.till import looking
from config.pages.till.frame import line, page
from loyalty import money, terms
from members import shifts, tilling
from members.access import for_till
from members.models import Shift, TillAct


@for_till
def home(request: HttpRequest, shift: Shift) -> HttpResponse:
    typed = request.GET.get("code", "").strip()[:200]
    found = looking.look(typed) if typed else looking.Found()
    if found.voucher:
        return redirect("till_voucher", found.voucher)
    if found.member:
        return redirect("till_sale", found.member)
    context = {"typed": typed, "several": found.several, "more": found.more, "unknown": typed and not found.several}
    currency = terms.current(timezone.now()).currency
    return page(request, shift, "home", context | {"last": [line(act, currency) for act in tilling.latest(shift)]})


@for_till
def report(request: HttpRequest, shift: Shift) -> HttpResponse:
    now = timezone.now()
    if request.method == "POST":
        shifts.lock(shift.device, now=now)
        return redirect("till_lock")
    since = _midnight(now)
    currency = terms.current(now).currency
    acts = [line(act, currency) for act in tilling.acts_of(shift, since)]
    return page(request, shift, "report", {"rows": _sums(shift, since, now), "acts": acts, "since": since})


def _midnight(now: datetime) -> datetime:
    """When the programme's day began."""
    contract = terms.current(now)
    return contract.midnight_after(contract.day_of(now) - timedelta(days=1))


def _sums(shift: Shift, since: datetime, now: datetime) -> list[dict[str, Any]]:
    currency, named = terms.current(now).currency, dict(TillAct.Kind.choices)
    return [
        {
            "label": _undone(named[row.kind]) if row.undone else named[row.kind],
            "count": row.count,
            "points": row.points,
            "amount": money.text(row.amount, currency) if row.amount is not None else "",
        }
        for row in tilling.report(shift, since)
    ]


def _undone(kind: Any) -> str:
    return _("%(act)s, undone") % {"act": kind}
