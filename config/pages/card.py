"""The member's pages about points: card, code, expiry dates, history, a line explained."""

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import segno
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.safestring import mark_safe
from django.utils.translation import gettext as _

from campaigns import explaining, greeting, rules, telling
from campaigns.models import Award, Event, Purchase, PurchaseReturn
from catalog import offers
from catalog import queries as catalogue
from config.pages import checking_in, offering, statement, tickets, tier
from config.pages.statement import Explained
from loyalty import money, queries, terms
from loyalty.paging import decode, encode
from loyalty.problems import Problem
from loyalty.terms import Terms
from members import cards, contacts
from members.access import for_member, member_of, public
from members.models import Member

PAGE = 50
RECENTLY_EXPIRED = timedelta(days=90)


@public
def home(request: HttpRequest) -> HttpResponse:
    return redirect("card" if member_of(request, earn_only=True) else "join")


@for_member(earn_only=True)
def card(request: HttpRequest, member: Member) -> HttpResponse:
    now = timezone.now()
    contract = terms.current(now)
    lines = statement.explained(queries.statement(member.holder, limit=3))
    context = card_facts(member, now) | {
        "expiring": statement.expiries(member.holder, contract, now)[:2],
        "lines": [line.shown(contract) for line in lines],
        **_rewards(member, contract, now),
        "check_in": checking_in.state(member, contract, now),
        "promised": 0 if member.is_verified else greeting.promised(member, now=now),
        "verify_url": reverse("account_confirm_login_code"),
    }
    return render(request, "portal/card.html", context)


def _rewards(member: Member, contract: Terms, now: datetime) -> dict[str, Any]:
    """The closest reward, what waits for a yes, and the vouchers that are ready."""
    ready = catalogue.ready_vouchers(member.pk, now=now, limit=3)
    waits = catalogue.waiting_for_yes(member.pk, now=now)
    return {
        "closest": offering.closest(offering.shown(offers.standing(), member, contract, now=now)),
        "vouchers": [tickets.of_voucher(one, contract, now) for one in ready],
        "reserved": [tickets.of_redemption(one, contract, now) for one in waits],
    }


@for_member(earn_only=True)
def code(request: HttpRequest, member: Member) -> HttpResponse:
    return render(request, "portal/code.html", card_facts(member, timezone.now()))


def card_facts(member: Member, now: datetime) -> dict[str, Any]:
    """What the card itself shows: the code, and points with their worth."""
    contract, points = terms.current(now), queries.balances([member.holder], now)[member.holder]
    newest = member.cards.first()
    number = newest.number if newest else ""
    masked = contacts.masked_email(member.email) or contacts.masked_phone(member.phone)
    return {
        "member": {"display_name": member.given_name, "verified": member.is_verified, "contact_masked": masked},
        "card": {"number": number, "number_grouped": cards.grouped(number), "qr_svg": qr(number)},
        "points": points,
        "tier": tier.shown(member, now),
        "worth": money.text(contract.worth(max(points.available, 0)), contract.currency),
    }


def qr(text: str) -> str:
    """An SVG without a size of its own, black on white with four quiet modules."""
    made = segno.make(text, error="m", micro=False)
    svg = made.svg_inline(border=4, light="#fff", dark="#000", omitsize=True)
    return mark_safe(svg)  # noqa: S308  made of a card number by segno


@for_member(earn_only=True)
def expiry(request: HttpRequest, member: Member) -> HttpResponse:
    now = timezone.now()
    contract = terms.current(now)
    lines = queries.statement(member.holder, kinds=statement.FILTERS["expired"], limit=20)
    expired = [line for line in statement.explained(lines) if line.line.occurred_at > now - RECENTLY_EXPIRED]
    context = {"months": statement.expiries(member.holder, contract, now), "expired": [one.shown(contract) for one in expired]}
    return render(request, "portal/expiry.html", context)


@for_member(earn_only=True)
def history(request: HttpRequest, member: Member) -> HttpResponse:
    contract, chosen = terms.current(timezone.now()), request.GET.get("show", "")
    try:
        position = decode(request.GET.get("after"), 1)
    except Problem:
        return redirect("history")
    before = position[0] if position and isinstance(position[0], int) else None
    lines = queries.statement(member.holder, before=before, limit=PAGE + 1, kinds=statement.FILTERS.get(chosen))
    shown = [line.shown(contract) for line in statement.explained(lines[:PAGE])]
    more = f"?show={chosen}&after={encode([lines[PAGE - 1].seq])}" if len(lines) > PAGE else None
    context = {
        "months": statement.by_month(shown),
        "filters": filters(chosen),
        "next_url": more,
    }
    return render(request, "portal/history.html", context)


def filters(chosen: str) -> list[dict[str, Any]]:
    labels = {"": _("All"), "earned": _("Earned"), "used": _("Used"), "expired": _("Expired")}
    return [{"label": label, "url": f"?show={key}", "current": key == chosen} for key, label in labels.items()]


@for_member(earn_only=True)
def line(request: HttpRequest, member: Member, entry: UUID) -> HttpResponse:
    contract = terms.current(timezone.now())
    found = statement.explained(queries.statement(member.holder, entry=entry, limit=1))
    if not found:
        raise Http404
    [one] = found
    ends = queries.expiry_of_lots(member.holder, [entry]).get(entry)
    context: dict[str, Any] = {"line": one.shown(contract), "expires_on": contract.last_day(ends) if ends else None}
    return render(request, "portal/line.html", context | _behind(one, contract))


def _behind(one: Explained, contract: Terms) -> dict[str, Any]:
    """The receipt behind a line and what it earned, what of it came back or was paid in points, or what the points bought."""
    if one.redemption:
        return {"detail": one.detail, "redeemed": reverse("redemption", args=[one.redemption.pk])}
    if one.award:
        cause, names = one.award.cause, rules.names()
        return {
            "steps": explaining.sentences(cause.trace, one.award.currency, names),
            "reasons": explaining.reasons(cause.trace, names),
            "total": {"label": _total(one.award), "points": cause.points_earned},
            "receipt": receipt(cause, one.award.purchase, contract) | _reduced(one, one.award.purchase),
        }
    if one.returned and (purchase := one.returned.purchase):
        came_back = _came_back(one.returned, purchase, contract)
        steps = telling.sentences(one.returned)
        return {"detail": one.detail, "steps": steps, "receipt": came_back, "purchase_url": _purchase_url(purchase)}
    if one.paid:
        shown = receipt(one.paid, one.paid, contract) | _reduced(one, one.paid) | _payment(one.paid)
        return {"detail": one.detail, "receipt": shown, "purchase_url": _purchase_url(one.paid)}
    return {}


def _total(award: Award) -> str:
    """Where several rules gave something, the line's own points are less than all."""
    if len(award.cause.trace["rules"]) < 2:
        return _("Points")
    return _("This receipt in all") if award.purchase else _("In all")


def _purchase_url(purchase: Purchase) -> str:
    """The line that tells what a purchase earned, if it earned anything."""
    award = purchase.awards.order_by("id").first()
    return reverse("line", args=[award.entry]) if award else ""


def receipt(cause: Purchase | Event, bought: Purchase | None, contract: Terms) -> dict[str, Any]:
    """What is known of the purchase; of an event the shop, if it was in one, and the time."""
    return {
        "store": cause.store.name if cause.store else "",
        "time": timezone.make_naive(cause.occurred_at, contract.zone),
        "number": bought.receipt_number if bought else "",
        "amount": money.text(bought.net_amount, bought.currency) if bought else "",
    }


def _payment(bought: Purchase) -> dict[str, str]:
    """How a purchase was paid."""
    return {
        "in_points": money.text(bought.tender_amount, bought.currency),
        "in_money": money.text(bought.net_amount - bought.discount - bought.tender_amount, bought.currency),
    }


def _reduced(one: Explained, bought: Purchase | None) -> dict[str, Any]:
    """What each voucher took off the receipt, and what was left to pay."""
    if bought is None or not one.vouchers:
        return {}
    vouchers = [
        {
            "title": tickets.named(use.voucher),
            "url": reverse("voucher", args=[use.voucher_id]),
            "off": _("%(value)s off") % {"value": money.text(use.amount or Decimal(0), bought.currency)},
            "back": use.released_at is not None,
        }
        for use in one.vouchers
    ]
    return {"vouchers": vouchers, "rest": money.text(bought.net_amount - bought.discount, bought.currency)}


def _came_back(one: PurchaseReturn, bought: Purchase, contract: Terms) -> dict[str, Any]:
    """What is known of the return itself."""
    return {
        "store": bought.store.name,
        "time": timezone.make_naive(one.occurred_at, contract.zone),
        "return_number": one.return_number,
        "number": one.receipt_number,
        "worth": money.text(one.net_amount, one.currency),
        "money_back": money.text(one.money_back, one.currency),
    }
