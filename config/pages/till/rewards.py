"""Handing rewards over (T05), and redeeming for a member who has no phone at hand (T06)."""

import re
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Self
from uuid import UUID

from django.contrib import messages
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.formats import date_format

from campaigns import purchases
from catalog import issuing, offers, redeeming
from catalog.issuing import Use
from catalog.models import Redemption, Reward, Voucher
from catalog.offers import Priced
from catalog.redeeming import Ask
from config.pages.till import paying, people, selling
from config.pages.till.frame import page
from config.pages.till.selling import shop_of
from loyalty import money, queries, terms
from loyalty.problems import Problem
from members import spending, staffing, tilling
from members.access import for_till
from members.models import Member, Shift, TillAct
from members.tilling import Done, Kind

POINTS = re.compile(r"[0-9]{1,9}")
MONEY = re.compile(r"[0-9]{1,9}([.][0-9]{1,3})?")


@for_till
def voucher(request: HttpRequest, shift: Shift, voucher: UUID) -> HttpResponse:
    now = timezone.now()
    one = Voucher.objects.select_related("member", "redemption__reward").filter(pk=voucher).first()
    if one is None:
        raise Http404
    if request.method == "POST":
        try:
            return redirect("till_done", _accept(one, shift, request.POST.get("number", ""), now=now).pk)
        except Problem as problem:
            messages.error(request, problem.detail)
            return redirect("till_voucher", one.pk)
    return page(request, shift, "voucher", _facts(one, shift, now))


def _accept(one: Voucher, shift: Shift, number: str, *, now: datetime) -> TillAct:
    number = number.strip()[:119] or tilling.new_number()
    shop, actor = shop_of(shift), shift.staff.user.actor
    with transaction.atomic():
        if known := tilling.done_meanwhile(one.member, shop.id, number, Kind.VOUCHER):
            if known.thing != one.pk:
                raise purchases.number_taken()
            return known
        issuing.use(one.code, Use(shop, tilling.source(shop.code), number), now=now, actor=actor)
        done = Done(Kind.VOUCHER, one.member_id, one.pk, number, title=one.title)
        return tilling.write(shift, done, at=now)


def _facts(one: Voucher, shift: Shift, now: datetime) -> dict[str, Any]:
    refused, shop = "", shop_of(shift)
    try:
        issuing.insist(one, shop.code, None, now=now)
    except Problem as problem:
        refused = problem.detail
    reward = one.redemption.reward if one.redemption else None
    names = queries.stores_by_code(one.stores)
    return {
        "voucher": one, "member": people.shown(one.member), "refused": refused, "state": issuing.status(one, now),
        "number": tilling.new_number(), "takes_off": selling.takes_off(one, terms.current(now)),
        "to_pay": paying.to_pay(one, terms.current(now)), "taken_off": issuing.is_taken_off(one),
        "picture": reward.picture if reward else None,
        "picture_text": reward.picture_text if reward else "", "uses": _uses(one), "left": one.uses - one.used,
        "only_in": [each.name for each in names.values()] if one.stores and shop.code not in one.stores else [],
        "returned": bool(one.redemption and one.redemption.status == Redemption.Status.RETURNED),
    }  # fmt: skip


def _uses(one: Voucher) -> list[dict[str, str]]:
    """When, where and by whom it was used."""
    rows = list(one.use_set.filter(released_at=None).select_related("store").order_by("-at"))
    names = staffing.names(row.actor for row in rows if row.actor)
    zone = terms.current(timezone.now()).zone
    return [
        {
            "when": date_format(timezone.localtime(row.at, zone), "DATETIME_FORMAT"), "where": row.store.name,
            "who": names.get(row.actor, "") if row.actor else "",
        }
        for row in rows
    ]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a form asks for: a reward at a price, under a number, with the code that the member read out."""

    reward: Reward
    points: int
    money: Decimal
    number: str
    code: str
    anew: bool

    @classmethod
    def of(cls, request: HttpRequest) -> Self:
        given = request.POST
        reward = Reward.objects.filter(code=given.get("reward", ""), withdrawn_at=None).first()
        points, due = given.get("points", ""), given.get("money", "0")
        if reward is None or not POINTS.fullmatch(points) or not MONEY.fullmatch(due):
            raise Http404
        number, anew = given.get("number", "").strip()[:119] or tilling.new_number(), "anew" in given
        return cls(reward, int(points), Decimal(due), number, "" if anew else given.get("member_code", "").strip()[:20], anew)


@for_till
def rewards(request: HttpRequest, shift: Shift, member: UUID) -> HttpResponse:
    now, one = timezone.now(), people.found(member)
    if request.method == "POST":
        wanted = Wanted.of(request)
        try:
            return _redeemed(_redeem(shift, one, wanted, now))
        except Problem as problem:
            if problem.slug in ("code-needed", "code-wrong"):
                return _ask_for_code(request, shift, one, wanted, now, wrong=problem if wanted.code else None)
            messages.error(request, problem.detail)
            return redirect("till_rewards", one.pk)
    standing = people.standing(one, now)
    context = {"member": people.shown(one), "standing": standing, "rewards": _can_have(one, shift, now)}
    return page(request, shift, "rewards", context | {"number": tilling.new_number()})


def _can_have(member: Member, shift: Shift, now: datetime) -> list[dict[str, Any]]:
    """What is handed out at a counter and can be had now, dearest first."""
    contract, handed = terms.current(now), (Reward.Fulfilment.SHOP, Reward.Fulfilment.AT_ONCE)
    there = [one for one in offers.standing() if one.fulfilment in handed]
    seen = offers.priced(there, member, now=now, zone=contract.zone, store=shop_of(shift))
    rows = [_row(one, contract.currency) for one in seen if one.quoted.because is None]
    return sorted(rows, key=lambda row: -row["points"])


def _row(one: Priced, currency: str) -> dict[str, Any]:
    price = one.quoted.price
    due = money.text(price.money, currency) if price.money else ""
    return {"code": one.reward.code, "title": one.reward.title, "points": price.points, "money": price.money, "due": due}


def _redeem(shift: Shift, member: Member, wanted: Wanted, now: datetime) -> TillAct:
    """Reserved and confirmed at once, at the price that the page showed; a form that is sent twice redeems once."""
    shop, actor = shop_of(shift), shift.staff.user.actor
    if known := tilling.standing(shop.id, wanted.number, Kind.REDEMPTION):
        return known
    reward, points = wanted.reward, wanted.points
    code = spending.check(member, shop.id, points, wanted.code, now=now) if wanted.code else None
    with transaction.atomic():
        if known := tilling.done_meanwhile(member, shop.id, wanted.number, Kind.REDEMPTION):
            return known
        spending.settle(member, shop.id, points, code, now=now)
        held = redeeming.reserve(Ask(member, reward, store=shop, points=points, money=wanted.money), now=now, actor=actor)
        redeeming.confirm(held.pk, now=now, keep=False, actor=actor)
        done = Done(
            Kind.REDEMPTION, member.pk, held.pk, wanted.number, points=-held.points, title=reward.title,
            unproved=0 if code else held.points,
        )  # fmt: skip
        return tilling.write(shift, done, at=now)


def _ask_for_code(
    request: HttpRequest, shift: Shift, member: Member, wanted: Wanted, now: datetime, *, wrong: Problem | None
) -> HttpResponse:
    """The member reads out the code that is sent now, or was before."""
    if not wrong:
        try:
            spending.send(member, shift, wanted.points, now=now, anew=wanted.anew)
        except Problem as problem:
            messages.error(request, problem.detail)
            return redirect("till_rewards", member.pk)
    context = {"member": people.shown(member), "wanted": wanted, "asked": spending.asked(wanted.points), "wrong": wrong}
    return page(request, shift, "spend", context, status=409 if wrong else 200)


def _redeemed(act: TillAct) -> HttpResponse:
    """To the voucher, which is handed over next; to the page of the act where there is none.

    Asked now: a twin of the form began before the voucher that it finds.
    """
    voucher = Voucher.objects.filter(redemption=act.thing, ended_at=None).first()
    if voucher and issuing.status(voucher, timezone.now()) == "ready":
        return redirect("till_voucher", voucher.pk)
    return redirect("till_done", act.pk)
