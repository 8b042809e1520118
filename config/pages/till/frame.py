"""What surrounds every page of a till: the shop, who is there, and what the page's scripts need."""

from decimal import Decimal
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone

from config.pages.till import people
from loyalty import money, terms
from members import shifts, tilling
from members.models import Shift, TillAct

IDLE_SECONDS = int(shifts.IDLE.total_seconds())


def page(request: HttpRequest, shift: Shift, name: str, context: dict[str, Any], *, status: int = 200) -> HttpResponse:
    """A page in the time of the programme's zone."""
    now = timezone.now()
    with timezone.override(terms.current(now).zone):
        return render(request, f"till/{name}.html", surroundings(shift) | context, status=status)


def surroundings(shift: Shift) -> dict[str, Any]:
    now = timezone.now()
    limits = tilling.limits(shift.device.store_id)
    return {
        "shift": shift,
        "shop": shift.device.store,
        "colleague": shift.staff,
        "is_manager": shift.staff.role in ("owner", "manager"),
        "idle_seconds": IDLE_SECONDS,
        "proof": shifts.proof(shift, now=now),
        "proof_until": (now + shifts.OFFLINE).isoformat(),
        "offline_amount": f"{Decimal(limits.amount).normalize():f}",
        "offline_receipts": limits.receipts,
    }


def line(act: TillAct, currency: str) -> dict[str, Any]:
    """An act of the list of the last ones."""
    return {
        "id": act.pk, "kind": act.kind, "label": act.get_kind_display(), "who": people.shown(act.member).name, "at": act.at,
        "points": act.points, "title": act.title, "undone": act.undone_at is not None, "number": act.number,
        "amount": money.text(act.amount, currency) if act.amount else "", "may_undo": tilling.may_undo(act, now=timezone.now()),
    }  # fmt: skip
