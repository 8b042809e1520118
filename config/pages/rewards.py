"""The catalogue (UX M08), one reward (M09), and its waiting list."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import number_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext

from catalog import offers, stock, waiting
from catalog import queries as catalogue
from catalog.models import Reward
from catalog.pricing import Why
from catalog.texts import said
from config.pages import offering, tickets
from config.pages.offering import Shown
from loyalty import queries, terms
from loyalty.queries import StoreFacts
from loyalty.terms import Terms
from members.access import for_member
from members.models import Member

STEPS = (50, 100, 200, 500, 1000, 2000, 5000, 10_000, 20_000, 50_000)
MINE = "mine"
GONE = (Why.WITHDRAWN, Why.ENDED)


@for_member(earn_only=True)
def rewards(request: HttpRequest, member: Member) -> HttpResponse:
    now = timezone.now()
    shop, up_to = store_of(request.GET.get("shop", "")), request.GET.get("points", "")
    shelf = request.GET.get("category", "")
    contract = terms.current(now)
    every = offering.shown(offers.standing(), member, contract, now=now, store=shop)
    found = [one for one in every if one.because not in GONE]
    context = {
        "parts": _parts([one for one in found if one.because is not Why.STORE and _asked(one, shelf, up_to)]),
        "any": bool(found),
        **_standing(member, contract, now),
        "vouchers": len(catalogue.ready_vouchers(member.pk, now=now, limit=99)),
        "choices": list(_filters(found, shop, shelf, up_to)),
        "filtered": bool(shop or shelf or up_to),
    }
    return render(request, "portal/rewards.html", context)


def _standing(member: Member, contract: Terms, now: datetime, reward: int | None = None) -> dict[str, Any]:
    """What the member has and has set aside, and where an unverified one has to go first."""
    points, waits = queries.balances([member.holder], now)[member.holder], catalogue.waiting_for_yes(member.pk, now=now)
    reserved = [tickets.of_redemption(one, contract, now) for one in waits if reward in (None, one.reward_id)]
    verify = "" if member.is_verified else reverse("account_confirm_login_code")
    return {"points": points, "reserved": reserved, "verify_url": verify}


def store_of(code: str) -> StoreFacts | None:
    """An open store, with its zone."""
    one = queries.stores_by_code([code]).get(code) if code else None
    return one if one and one.closed_at is None else None


def _asked(one: Shown, shelf: str, up_to: str) -> bool:
    if shelf and one.shelf != shelf:
        return False
    if up_to == MINE:
        return one.enough
    return not up_to.isdecimal() or one.points <= int(up_to)


def _parts(found: Sequence[Shown]) -> list[dict[str, Any]]:
    """What can be had, what points are missing for, and what has to wait, each under its heading."""
    have = sorted((one for one in found if one.enough), key=lambda one: (one.points, one.code))
    ahead = (one for one in found if one.marks)
    soon = sorted(ahead, key=lambda one: (one.missing, one.code))
    others = [one for one in found if one not in have and one not in soon]
    parts = ((_("You can have"), "have", have), (_("Soon"), "soon", soon), (_("Not at the moment"), "others", others))
    return [{"title": title, "id": id_, "rewards": each} for title, id_, each in parts if each]


def _filters(found: Sequence[Shown], shop: StoreFacts | None, shelf: str, up_to: str) -> Iterator[dict[str, Any]]:
    """What the list can be narrowed by."""
    shops = {"": pgettext("every shop", "All")} | queries.open_stores()
    yield {"name": "shop", "label": _("Shop"), "options": _choices(shops, shop.code if shop else "")}
    if shelves := catalogue.shelves({one.shelf for one in found if one.shelf}):
        yield {"name": "category", "label": _("Kind"), "options": _choices({"": pgettext("every kind", "All")} | shelves, shelf)}
    yield {"name": "points", "label": _("Points"), "options": _choices(_limits(found), up_to)}


def _limits(found: Sequence[Shown]) -> dict[str, str]:
    dearest = max((one.points for one in found), default=0)
    steps = {str(step): _up_to(step) for step in STEPS if step < dearest and any(one.points <= step for one in found)}
    return {"": pgettext("any number of points", "Any"), MINE: _("What I can have now")} | steps


def _up_to(points: int) -> str:
    return ngettext("Up to %(n)s point", "Up to %(n)s points", points) % {"n": number_format(points, force_grouping=True)}


def _choices(labels: dict[str, str], chosen: str) -> list[dict[str, Any]]:
    return [{"value": value, "label": label, "chosen": value == chosen} for value, label in labels.items()]


@for_member(earn_only=True)
def reward(request: HttpRequest, member: Member, code: str) -> HttpResponse:
    now = timezone.now()
    one, contract = found_or_404(code), terms.current(now)
    [seen] = offering.shown([one], member, contract, now=now)
    context = {
        "reward": seen,
        **_standing(member, contract, now, one.pk),
        "shops": _shops(one) if seen.choose else [],
    }
    return render(request, "portal/reward.html", context)


def _shops(one: Reward) -> list[dict[str, Any]]:
    """Where it can be fetched, with what is left there; a shop that counts none has none."""
    only, left = {each.code for each in one.stores.all()}, stock.left_by_store(one.pk)
    stores = queries.stores_by_code(queries.open_stores()).values()
    rows = [(store, left.get(store.id, 0)) for store in stores if not only or store.code in only]
    rows.sort(key=lambda row: row[0].name)
    return [{"code": store.code, "name": store.name, "left": count, "out": not count} for store, count in rows]


def found_or_404(code: str) -> Reward:
    one = catalogue.reward(code)
    if one is None:
        raise Http404
    return one


@for_member(earn_only=True)
def wait(request: HttpRequest, member: Member, code: str) -> HttpResponse:
    """Tell me when it is back: once, however often it is asked."""
    one = found_or_404(code)
    if request.method == "POST":
        told = {"reward": said(one, "title")}
        if waiting.wait(one, member.pk, now=timezone.now()):
            messages.success(request, _("%(reward)s: we send you a message when it is back.") % told)
        else:
            messages.info(request, _("%(reward)s: you are on the list already.") % told)
    return redirect("reward", code)
