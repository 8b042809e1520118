"""Refunds (T08): the receipt, or one of the last sales; wholly or in part; what is taken back is said before."""

from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Sum
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone

from campaigns import queries, returns
from campaigns.models import Purchase, PurchaseReturn, PurchaseReturnLine
from config.pages.till import foreseeing, people
from config.pages.till.doors import wrong
from config.pages.till.forms import RefundForm
from config.pages.till.frame import line, page
from loyalty import money, terms
from loyalty import queries as ledger
from loyalty.problems import Problem
from members import tilling
from members.access import for_till
from members.models import Shift, TillAct
from members.tilling import Done, Kind


@for_till
def refunds(request: HttpRequest, shift: Shift) -> HttpResponse:
    """Find the sale: by its receipt number, or among the shop's last ones."""
    typed = request.GET.get("receipt", "").strip()[:120]
    found = [one for one in queries.of_receipt(typed) if one.store_id == shift.device.store_id] if typed else []
    if len(found) == 1:
        return redirect("till_refund", found[0].pk)
    return page(
        request, shift, "refunds", {"typed": typed, "found": [_row(one) for one in found]} | _sales(shift, timezone.now())
    )


def _sales(shift: Shift, now: datetime) -> dict[str, Any]:
    """The last ones of the shop; those of other days with their date."""
    contract = terms.current(now)
    sales = [
        line(act, contract.currency) | {"purchase": act.thing, "day": contract.day_of(act.at)}
        for act in tilling.sales(shift.device.store_id)
    ]
    return {"sales": sales, "today": contract.day_of(now)}


@for_till
def refund(request: HttpRequest, shift: Shift, purchase: UUID) -> HttpResponse:
    now, one = timezone.now(), _of_shop(shift, purchase)
    left = _left(one)
    contract = terms.current(now)
    number = f"R{tilling.new_number()[1:]}"
    initial = {"amount": f"{left:.{contract.minor_units}f}", **request.GET.dict(), "number": number}
    form = RefundForm(contract, request.POST or None, initial=initial)
    if request.method == "POST" and form.is_valid() and "recount" not in request.POST:
        try:
            return redirect("till_done", _take_back(one, shift, form.cleaned_data, now).pk)
        except Problem as problem:
            form.add_error("amount", wrong(problem))
    typed = form if form.is_bound else RefundForm(contract, initial)
    told = foreseeing.foreseen(one, typed.cleaned_data["amount"], now) if left and typed.is_valid() else {}
    return page(request, shift, "refund", _facts(one, left, now) | told | {"form": form})


@for_till
def takes(request: HttpRequest, shift: Shift, purchase: UUID) -> HttpResponse:
    """What a refund of this amount takes back, alone."""
    now, one = timezone.now(), _of_shop(shift, purchase)
    form = RefundForm(terms.current(now), request.GET)
    told = foreseeing.foreseen(one, form.cleaned_data["amount"], now) if form.is_valid() else {}
    return render(request, "till/takes.html", told)


def _of_shop(shift: Shift, purchase: UUID) -> Purchase:
    one = queries.purchases([purchase]).get(purchase)
    if one is None or one.store_id != shift.device.store_id:
        raise Http404
    return one


def _take_back(one: Purchase, shift: Shift, given: dict[str, Any], now: datetime) -> TillAct:
    """A form that is sent twice is one refund."""
    number, amount = given["number"] or f"R{tilling.new_number()[1:]}", given["amount"]
    if known := tilling.standing(shift.device.store_id, number, Kind.RETURN):
        return known
    with transaction.atomic():
        if known := tilling.done_meanwhile(one.member, shift.device.store_id, number, Kind.RETURN):
            return known
        before = ledger.net_balances([one.member.holder])[one.member.holder]
        [answer] = returns.take([foreseeing.claim(one, number, amount, now)], now=now, actor=shift.staff.user.actor)
        if isinstance(answer, Problem):
            raise answer
        moved = ledger.net_balances([one.member.holder])[one.member.holder] - before
        done = Done(Kind.RETURN, one.member_id, answer.id, number, points=moved, amount=amount)
        return tilling.write(shift, done, at=now)


def _left(one: Purchase) -> Decimal:
    """What of the receipt has not come back."""
    back = PurchaseReturnLine.objects.filter(purchase_return__purchase=one).aggregate(back=Sum("net_amount"))["back"]
    return one.net_amount - (back or Decimal(0))


def _facts(one: Purchase, left: Decimal, now: datetime) -> dict[str, Any]:
    """What is known of the sale and of what came back of it."""
    contract = terms.current(now)
    returned = PurchaseReturn.objects.filter(purchase=one).order_by("-occurred_at")
    return {
        "sale": _row(one), "member": people.shown(one.member), "left": money.text(left, one.currency), "nothing_left": not left,
        "off": money.text(one.discount, one.currency) if one.discount else "",
        "paid": money.text(one.net_amount - one.discount - one.tender_amount, one.currency),
        "earned": one.points_earned, "spent": one.points_spent,
        "returns": [{"number": each.return_number, "at": each.occurred_at} for each in returned],
        "late": (contract.day_of(now) - contract.day_of(one.occurred_at)).days > contract.return_days,
        "return_days": contract.return_days,
    }  # fmt: skip


def _row(one: Purchase) -> dict[str, Any]:
    return {
        "id": one.pk, "number": one.receipt_number, "at": one.occurred_at, "who": people.shown(one.member).name,
        "amount": money.text(one.net_amount, one.currency), "points": one.points_earned,
    }  # fmt: skip
