"""A member and an amount (T03): who it is, what is ready for them, what the amount gives, and one button."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.formats import number_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from catalog.models import Voucher
from config.pages.till import people, selling
from config.pages.till.doors import wrong
from config.pages.till.forms import SaleForm
from config.pages.till.frame import page
from config.pages.till.selling import Sale
from loyalty import queries, terms
from loyalty.problems import Fault, Problem
from members import pins, spending, tilling
from members.access import for_till
from members.models import Member, Shift, StaffProfile

VOUCHERS = 8


@dataclass(frozen=True, slots=True)
class Counter:
    """One member at the counter of a shift, now."""

    shift: Shift
    member: Member
    now: datetime


@for_till
def sale(request: HttpRequest, shift: Shift, member: UUID) -> HttpResponse:
    at = Counter(shift, people.found(member), timezone.now())
    form = _form(at, request.POST or None, _asked(request))
    if request.method == "POST" and form.is_valid() and not _is_recount(request):
        return _give(request, at, form)
    return _page(request, at, form)


@for_till
def gives(request: HttpRequest, shift: Shift, member: UUID) -> HttpResponse:
    """The live sentence alone."""
    at = Counter(shift, people.found(member), timezone.now())
    form = _form(at, request.GET, {})
    return render(request, "till/gives.html", _promised(at, form) if form.is_valid() else {})


def _is_recount(request: HttpRequest) -> bool:
    return "recount" in request.POST


def _asked(request: HttpRequest) -> dict[str, Any]:
    """What the address says: the amount that waited while the till was locked, a voucher that was scanned."""
    given = request.GET.dict() | {"vouchers": request.GET.getlist("vouchers")}
    return given | {"number": tilling.new_number(), "again": ""}


def _form(at: Counter, data: Any, initial: dict[str, Any]) -> SaleForm:
    contract = terms.current(at.now)
    available = queries.balances([at.member.holder], at.now)[at.member.holder].available
    usable = available if contract.tender_max_percent and contract.point_value and at.member.is_verified else 0
    ready = [(str(one.pk), selling.called(one, contract)) for one in _ready(at.member, at.now)]
    return SaleForm(contract, data, initial=initial, max_points=max(usable, 0), vouchers=ready)


def _ready(member: Member, now: datetime) -> list[Voucher]:
    rows = Voucher.objects.filter(member=member, ended_at=None, valid_from__lte=now, valid_until__gt=now)
    return [one for one in rows.order_by("valid_until")[:VOUCHERS] if one.used < one.uses]


def _promised(at: Counter, form: SaleForm) -> dict[str, Any]:
    """What the amount gives, or why it cannot be given."""
    sale = _sale(at, form)
    try:
        promise = selling.promise(at.shift, sale, now=at.now)
    except Problem as problem:
        return {"refused": wrong(problem)}
    button = ngettext("Give %(points)s point", "Give %(points)s points", promise.points)
    if sale.vouchers and not promise.points:
        button = _("Take the sale")
    return {
        "promise": promise, "sentence": promise.sentence(), "button": button % {"points": number_format(promise.points)},
        "due": promise.due if sale.points or sale.vouchers else "",
    }  # fmt: skip


def _sale(at: Counter, form: SaleForm) -> Sale:
    given = form.cleaned_data
    return Sale(
        at.member, given["amount"], given["receipt"] or given["number"] or tilling.new_number(), at.now,
        points=given.get("points") or 0, vouchers=[UUID(one) for one in given.get("vouchers", ())],
    )  # fmt: skip


def _give(request: HttpRequest, at: Counter, form: SaleForm) -> HttpResponse:
    given, shop, wanted = form.cleaned_data, at.shift.device.store_id, _sale(at, form)
    twice = tilling.just_sold(shop, at.member.pk, given["amount"], now=at.now)
    if twice and twice.number != wanted.number and not given["again"]:
        return _page(request, at, form, twice=True, status=409)
    wanted = replace(wanted, code="" if "anew" in request.POST else given["member_code"])
    manager = None
    try:
        manager = _manager(at, given)
        act = selling.sell(at.shift, wanted, now=at.now, manager=manager)
    except Problem as problem:
        if problem.slug == "rate-limited" or any(fault.pointer == "/pin" for fault in problem.faults):
            form.add_error("manager_pin", problem.detail)
            return _page(request, at, form, over_limit=True, status=409)
        if problem.slug in ("code-needed", "code-wrong"):
            return _ask_for_code(request, at, form, problem)
        form.add_error(_field(problem), wrong(problem, manager.name if manager else ""))
        return _page(request, at, form, over_limit=problem.slug == "limit-reached", status=409)
    return redirect("till_done", act.pk)


def _manager(at: Counter, given: dict[str, Any]) -> StaffProfile | None:
    """Who vouches for the sale, once the PIN was right. Raises Problem."""
    if not given["manager"] and not given["manager_pin"]:
        return None
    there = list(pins.managers(at.shift.device.store_id, beside=at.shift.staff_id))
    named = [one for one in there if given["manager"] in (None, one.pk)]
    if len(named) != 1:  # Enter was pressed, and there are several
        detail = _("Tap your name.")
        raise Problem("validation", detail, faults=[Fault("/pin", detail)])
    pins.check(named[0].pk, given["manager_pin"], now=at.now)
    return named[0]


def _ask_for_code(request: HttpRequest, at: Counter, form: SaleForm, problem: Problem) -> HttpResponse:
    """So many points need the code that was sent to the member."""
    points = form.cleaned_data["points"]
    try:
        if problem.slug == "code-needed":
            spending.send(at.member, at.shift, points, now=at.now, anew="anew" in request.POST)
    except Problem as unsent:
        form.add_error("points", unsent.detail)
    else:
        form.add_error("member_code", spending.asked(points) if problem.slug == "code-needed" else problem.detail)
    return _page(request, at, form, status=409)


def _field(problem: Problem) -> str:
    if problem.slug == "insufficient-points" or any("points" in fault.pointer for fault in problem.faults):
        return "points"
    return "vouchers" if any("vouchers" in fault.pointer for fault in problem.faults) else "amount"


def _page(
    request: HttpRequest, at: Counter, form: SaleForm, *, twice: bool = False, over_limit: bool = False, status: int = 200
) -> HttpResponse:
    typed = form.is_bound and form.is_valid()
    promised = _promised(at, form) if typed else _unsent(at, form)
    context = {
        "member": people.shown(at.member), "standing": people.standing(at.member, at.now), "form": form,
        "language": at.member.language,
        "vouchers": _ready(at.member, at.now), "twice": twice, "over_limit": over_limit, **promised,
    }  # fmt: skip
    form.fields["member_code"].required = form.fields["manager_pin"].required = True  # where they are shown, they are needed
    if over_limit:
        context["managers"] = pins.managers(at.shift.device.store_id, beside=at.shift.staff_id)
    if twice:
        context["button"] = _("Give again")
    return page(request, at.shift, "sale", context, status=status)


def _unsent(at: Counter, form: SaleForm) -> dict[str, Any]:
    """Of an amount that waits in the address since the till was locked."""
    if form.is_bound or "amount" not in form.initial:
        return {}
    waiting = _form(at, form.initial, {})
    return _promised(at, waiting) if waiting.is_valid() else {}
