"""From a reward to what it gives (UX M10): set aside on the way, then used now, kept, or given back."""

from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.formats import date_format, number_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from catalog import issuing, stock
from catalog import queries as catalogue
from catalog import redeeming as verbs
from catalog.models import Redemption, Reward
from catalog.redeeming import Ask
from config.pages import offering, tickets
from config.pages.rewards import found_or_404, store_of
from loyalty import money, queries, terms
from loyalty.problems import Problem
from loyalty.terms import Terms
from members import addresses
from members.access import for_member
from members.forms import AddressForm
from members.models import Member

Status = Redemption.Status


@for_member(earn_only=True)
def redeem(request: HttpRequest, member: Member, code: str) -> HttpResponse:
    """Set it aside for a quarter of an hour at the price that was shown."""
    reward, now = found_or_404(code), timezone.now()
    if request.method != "POST":
        return redirect("reward", code)
    if not member.is_verified:
        messages.info(request, _("Verify your card first. Then you can use your points."))
        return redirect("account_confirm_login_code")
    try:
        ask = _ask(request, member, reward)
        one = verbs.reserve(ask, now=now, actor=member.holder)
    except Problem as problem:
        messages.error(request, _told(problem, reward, member, now))
        return redirect("reward", code)
    if one.reserved_at != now:
        messages.info(request, _("You did this before: your points were taken once, not twice."))
    return redirect("redemption", one.pk)


def _ask(request: HttpRequest, member: Member, reward: Reward) -> Ask:
    """Raises Problem where the form was not filled by our page, or no shop was chosen where one is needed."""
    store = store_of(request.POST.get("store", ""))
    if store is None and stock.counted_by_store([reward.pk]):
        raise Problem("validation", _("Choose the shop where you fetch it."))
    try:
        points, due = int(request.POST["points"]), Decimal(request.POST["money"])
        return Ask(member, reward, store=store, points=points, money=due, id=UUID(request.POST["token"]))
    except (KeyError, ValueError, ArithmeticError):
        raise Problem("validation", _("This page was too old. Look at the price and redeem again.")) from None


def _told(problem: Problem, reward: Reward, member: Member, now: datetime) -> str:
    """Why nothing was taken, said to the member."""
    [seen] = offering.shown([reward], member, terms.current(now), now=now)
    if problem.slug == "out-of-stock":
        return _("Somebody else took the last one. No points were taken.")
    nothing = _("No points were taken.")
    return f"{seen.hindrance or problem.detail} {nothing}"


@for_member
def redemption(request: HttpRequest, member: Member, redemption: UUID) -> HttpResponse:
    now = timezone.now()
    one = _mine(member, redemption)
    form = _address_form(request, one, member)
    if request.method == "POST" and (form is None or form.is_valid() or request.POST.get("choice") == "back"):
        return _decide(request, one, member, now, address=form)
    if hasattr(one, "voucher"):
        return redirect("voucher", one.voucher.pk)
    contract = terms.current(now)
    if one.status == Status.RESERVED:
        return render(request, "portal/confirm.html", _reserved(one, member, contract, now) | {"form": form})
    ticket = tickets.of_redemption(one, contract, now, whole=True)
    return render(request, "portal/received.html", {"ticket": ticket, "form": form})


def _address_form(request: HttpRequest, one: Redemption, member: Member) -> AddressForm | None:
    """Of what comes by post, until it was sent."""
    if one.reward.fulfilment != Reward.Fulfilment.POSTED or one.status not in (Status.RESERVED, Status.CONFIRMED):
        return None
    return AddressForm(request.POST or None, initial={"address": addresses.of([member.pk]).get(member.pk, "")})


def _mine(member: Member, redemption: UUID) -> Redemption:
    one = catalogue.redemption(redemption, member=member.pk)
    if one is None:
        raise Http404
    return one


def _decide(request: HttpRequest, one: Redemption, member: Member, now: datetime, *, address: AddressForm | None) -> HttpResponse:
    choice = request.POST.get("choice", "")
    if choice == "back":
        give_back(request, one, member, now)
        return redirect("redemption", one.pk)
    if address:
        addresses.keep(member.pk, address.cleaned_data["address"], now=now)
    if choice == "address":
        messages.success(request, _("The address is kept."))
        return redirect("redemption", one.pk)
    try:
        verbs.confirm(one.pk, keep=choice != "now", now=now, actor=member.holder)
    except Problem:
        messages.error(request, _("The 15 minutes are over. Your points come back by themselves; you can redeem it again."))
        return redirect("redemption", one.pk)
    if one.status != Status.RESERVED:
        messages.info(request, _("You did this before: your points were taken once, not twice."))
    return redirect("redemption", one.pk)


def give_back(request: HttpRequest, one: Redemption, member: Member, now: datetime) -> None:
    """Cancel, and say what came of it."""
    try:
        verbs.cancel(one.pk, by_merchant=False, now=now, actor=member.holder)
    except Problem as problem:
        messages.error(request, problem.detail)
        return
    text = ngettext("%(n)s point is back on your card.", "%(n)s points are back on your card.", one.points)
    lost = tickets.lost(one, now)
    messages.success(request, text % {"n": number_format(one.points - lost, force_grouping=True)})


def _reserved(one: Redemption, member: Member, contract: Terms, now: datetime) -> dict[str, Any]:
    has = queries.balances([member.holder], now)[member.holder].available
    kept, lasts = issuing.kept_until(one.reward, contract, now), issuing.is_bit_by_bit(one)
    return {
        "ticket": tickets.of_redemption(one, contract, now, whole=True),
        "points": one.points,
        "before": has + one.points,
        "after": has,
        "money": money.text(one.money, contract.currency) if one.money else "",
        "choice": issuing.needs_voucher(one.reward) and not lasts,
        "lasts": issuing.needs_voucher(one.reward) and lasts,
        "kind": one.reward.kind,
        "kept_until": date_format(contract.last_day(kept), "DATE_FORMAT"),
        "until": date_format(timezone.make_naive(one.reserved_until, contract.zone), "TIME_FORMAT"),
        "over": now >= one.reserved_until,
    }
