"""A voucher (UX M11) and all of them (M12)."""

from typing import Any
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from catalog import queries as catalogue
from config.pages import redeeming, tickets
from config.pages.card import qr
from loyalty import terms
from members.access import for_member
from members.models import Member

SHOWN = 100


@for_member
def voucher(request: HttpRequest, member: Member, voucher: UUID) -> HttpResponse:
    one, now = catalogue.voucher(voucher, member=member.pk), timezone.now()
    if one is None:
        raise Http404
    if request.method == "POST" and one.redemption:
        redeeming.give_back(request, one.redemption, member, now)
        return redirect("voucher", one.pk)
    ticket = tickets.of_voucher(one, terms.current(now), now, whole=True)
    context = {"ticket": ticket, "qr_svg": qr(ticket.code) if ticket.code else "", "grouped": tickets.grouped(ticket.code)}
    return render(request, "portal/voucher.html", context)


@for_member(earn_only=True)
def vouchers(request: HttpRequest, member: Member) -> HttpResponse:
    now = timezone.now()
    contract = terms.current(now)
    rows = [(one.issued_at, tickets.of_voucher(one, contract, now)) for one in catalogue.vouchers_of(member.pk, limit=SHOWN)]
    others = catalogue.without_voucher(member.pk, limit=SHOWN)
    rows += [(one.reserved_at, tickets.of_redemption(one, contract, now)) for one in others]
    held = [ticket for _at, ticket in sorted(rows, key=lambda row: row[0], reverse=True)]
    return render(request, "portal/vouchers.html", {"parts": _parts(held), "any": bool(held)})


def _parts(held: list[tickets.Ticket]) -> list[dict[str, Any]]:
    parts = ((_("Ready"), ("ready", "waiting")), (pgettext("a voucher", "Used"), ("used",)), (_("Ended"), ("ended",)))
    return [{"title": title, "tickets": [one for one in held if one.state in states]} for title, states in parts]
