"""Binding a browser to a shop (once), and the lock (T01): a PIN, then a tap on one's name."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _

from config.pages.till.forms import CodeForm, PinForm
from loyalty import terms
from loyalty.problems import Problem
from members import devices, pins, shifts
from members.access import TILL_COOKIE, TILL_COOKIE_AGE, for_device, public
from members.models import Device

HOME = "/till/"


@public
def register(request: HttpRequest) -> HttpResponse:
    form = CodeForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            secret = devices.bind(form.cleaned_data["code"], now=timezone.now())
        except Problem as problem:
            form.add_error("code", problem.detail)
        else:
            return _with_cookie(redirect("till"), secret, secure=request.is_secure())
    return render(request, "till/register.html", {"form": form})


@for_device
def lock(request: HttpRequest, device: Device) -> HttpResponse:
    now = timezone.now()
    if request.method == "POST" and "lock" in request.POST:
        shifts.lock(device, now=now)
        return redirect("till_lock")
    form = PinForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            shifts.unlock(device, form.cleaned_data["staff"], form.cleaned_data["pin"], now=now)
        except Problem as problem:
            form.add_error("pin", problem.detail)
        else:
            return redirect(_back(request.POST.get("next")))
    with timezone.override(terms.current(now).zone):
        return render(request, "till/lock.html", _names(request, device) | {"form": form})


def _names(request: HttpRequest, device: Device) -> dict[str, Any]:
    """Whoever was here last stands first, so that Enter is enough."""
    last = shifts.last_colleague(device)
    colleagues = sorted(pins.colleagues(device.store_id), key=lambda one: one.pk != last)
    kept = _back(request.POST.get("next") or request.GET.get("next"))
    return {"shop": device.store, "colleagues": colleagues, "last": last, "next": kept, "unfinished": kept != HOME}


def _back(address: str | None) -> str:
    """A page of the till, or its first one."""
    safe = address and address.startswith(HOME) and url_has_allowed_host_and_scheme(address, allowed_hosts=None)
    return address if safe and address and not address.startswith("/till/lock") else HOME


def _with_cookie(response: HttpResponse, secret: str, *, secure: bool) -> HttpResponse:
    age = int(TILL_COOKIE_AGE.total_seconds())
    secure = secure or TILL_COOKIE.startswith("__Host-")
    response.set_cookie(TILL_COOKIE, secret, max_age=age, httponly=True, samesite="Strict", secure=secure)
    return response


def wrong(problem: Problem, manager: str = "") -> str:
    """A refusal as a cashier is told it; `manager`: who has vouched already."""
    if problem.slug == "limit-reached" and manager:
        text = _("This is more than %(name)s may give alone, too. Note the card and the receipt; an owner can give the points.")
        return text % {"name": manager}
    if problem.slug == "limit-reached":
        return _("This is more than you may give alone. A manager can give it.")
    return problem.detail
