"""What was just done (T04): said so that staff can read it out, with its undoing for two minutes."""

from datetime import datetime
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.formats import number_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from catalog import offers
from catalog.models import Code
from catalog.pricing import Why
from config.pages.till import paying, people, undoing
from config.pages.till.doors import wrong
from config.pages.till.frame import line, page
from loyalty import queries, terms
from loyalty.problems import Problem
from members import tilling
from members.access import for_till
from members.models import Member, Shift, TillAct
from members.tilling import Kind


@for_till
def done(request: HttpRequest, shift: Shift, act: UUID) -> HttpResponse:
    now, one = timezone.now(), _of_shop(shift, act)
    who, contract = people.shown(one.member), terms.current(now)
    context = {
        "act": line(one, contract.currency), "heading": _heading(one, who.name), "who": who, "until": one.at + tilling.UNDO,
        "seconds": max(int((one.at + tilling.UNDO - now).total_seconds()), 0),
        "near": _near(one.member, shift, now) if one.kind == Kind.SALE and not one.undone_at else "",
        "paid": [] if one.undone_at else paying.told(one, contract),
        "codes": list(Code.objects.filter(redemption=one.thing).values_list("text", flat=True)),
    }  # fmt: skip
    return page(request, shift, "done", context)


@for_till
def undo(request: HttpRequest, shift: Shift, act: UUID) -> HttpResponse:
    one = _of_shop(shift, act)
    if request.method == "POST":
        try:
            undoing.undo(one, shift, now=timezone.now())
        except Problem as problem:
            messages.error(request, wrong(problem))
        else:
            messages.success(request, _("Undone."))
    return redirect("till_done", one.pk)


def _of_shop(shift: Shift, act: UUID) -> TillAct:
    found = tilling.of_shop(shift.device.store_id, act)
    if found is None:
        raise Http404
    return found


def _heading(act: TillAct, name: str) -> str:
    """186 points given to Wei C."""
    number = {"points": number_format(abs(act.points)), "name": name, "reward": act.title}
    match act.kind:
        case Kind.VOUCHER if act.undone_at:
            text = _("%(reward)s for %(name)s")
        case Kind.SALE if act.points < 0:
            text = ngettext("%(points)s point of %(name)s used", "%(points)s points of %(name)s used", -act.points)
        case Kind.SALE:
            text = ngettext("%(points)s point given to %(name)s", "%(points)s points given to %(name)s", act.points)
        case Kind.VOUCHER:
            text = _("%(reward)s: hand it over to %(name)s")
        case Kind.REDEMPTION:
            text = ngettext(
                "%(reward)s for %(points)s point of %(name)s", "%(reward)s for %(points)s points of %(name)s", abs(act.points)
            )
        case Kind.ENROLMENT:
            text = _("The card of %(name)s")
        case _:
            text = ngettext(
                "%(points)s point taken back from %(name)s", "%(points)s points taken back from %(name)s", abs(act.points)
            )
    return text % number


def _near(member: Member, shift: Shift, now: datetime) -> str:
    """160 more points for a flat white: the reward that lacks the fewest, so that staff can say it."""
    contract, rewards = terms.current(now), offers.standing()
    store = queries.stores_by_code([shift.device.store.code])[shift.device.store.code]
    seen = offers.priced(rewards, member, now=now, zone=contract.zone, store=store)
    available = queries.balances([member.holder], now)[member.holder].available
    lacking = [(one.quoted.price.points - available, one.reward.title) for one in seen if one.quoted.because is Why.POINTS]
    if not lacking:
        return ""
    missing, title = min(lacking)
    text = ngettext("%(count)s more point for: %(reward)s.", "%(count)s more points for: %(reward)s.", missing)
    return text % {"count": number_format(missing), "reward": title}


def summary(act: TillAct) -> dict[str, Any]:
    """The same for a page that sent the sale itself."""
    return {"heading": _heading(act, people.shown(act.member).name)}
