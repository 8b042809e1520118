"""What a refund would do, said before it is done (T08): by the same plan as the return itself, with nothing written."""

from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db.models import Q
from django.utils.formats import number_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from pydantic import ValidationError

from campaigns import returns
from campaigns.models import Purchase
from campaigns.returns import Claim
from campaigns.schemas import ReturnIn
from campaigns.values import Foreseen
from catalog.models import VoucherUse
from config.pages.till import paying
from config.pages.till.doors import wrong
from loyalty import money, queries
from loyalty.acts import ClawBackPolicy
from loyalty.problems import Problem, problem_of
from members import tilling


def claim(one: Purchase, number: str, amount: Decimal, now: datetime) -> Claim:
    """So much of the receipt comes back. Raises Problem."""
    try:
        return Claim(one.pk, ReturnIn(return_number=number, occurred_at=now, amount=amount, reason="till"))
    except ValidationError as error:
        raise problem_of(error) from error


def foreseen(one: Purchase, amount: Decimal, now: datetime) -> dict[str, Any]:
    """Sentences for the page, and what its button says; or why it cannot be."""
    try:
        told = returns.foresee(claim(one, tilling.new_number(), amount, now), now=now)
    except Problem as problem:
        told = problem
    if isinstance(told, Problem):
        return {"refused": wrong(told)}
    has = queries.balances([one.member.holder], now)[one.member.holder]
    then = has.balance - has.deficit + told.points_back  # what is owed is made up for first
    missing = max(told.clawed - max(then, 0), 0)
    if missing and told.policy == ClawBackPolicy.REFUSE:
        return {"refused": _("The points of this purchase are spent already, so it cannot be returned.")}
    kept = missing if told.policy == ClawBackPolicy.FORGIVE else 0
    after = then - told.clawed + kept
    return {
        "told": told, "after": after, "owes": max(-after, 0) if missing and not kept else 0, "forgiven": kept,
        "sentence": _sentence(told.clawed - kept, after), "button": _button(told.clawed - kept), "vouchers": _vouchers(one, told),
        "money_back": money.text(told.money_back, one.currency) if told.points_back or one.discount else "",
    }  # fmt: skip


def _sentence(points: int, after: int) -> str:
    text = ngettext(
        "Takes back %(points)s point. New balance %(balance)s.", "Takes back %(points)s points. New balance %(balance)s.", points
    )
    balance = f"{'−' if after < 0 else ''}{number_format(abs(after), force_grouping=True)}"
    return text % {"points": number_format(points, force_grouping=True), "balance": balance}


def _button(points: int) -> str:
    if not points:
        return _("Make the refund")
    text = ngettext("Take back %(points)s point", "Take back %(points)s points", points)
    return text % {"points": number_format(points, force_grouping=True)}


def _vouchers(one: Purchase, told: Foreseen) -> list[str]:
    """What becomes of each voucher that was used on the receipt and is used still."""
    here = Q(purchase=one.pk) | Q(source=tilling.source(one.store.code), receipt_number=one.receipt_number)
    mine = VoucherUse.objects.filter(here, voucher__member=one.member_id, released_at=None)
    return [_becomes(use, told, one.currency) for use in mine.select_related("voucher__redemption").order_by("pk")]


def _becomes(use: VoucherUse, told: Foreseen, currency: str) -> str:
    if use.taken is not None:
        values = {"amount": money.text(told.onto_vouchers.get(use.voucher_id, Decimal(0)), currency), "title": use.voucher.title}
        return _("%(amount)s goes back onto %(title)s.") % values
    if told.whole and (due := paying.owed(use.voucher, use)):
        values = {"title": use.voucher.title, "amount": money.text(due, currency)}
        return _("%(title)s can be used again: hand back its %(amount)s, too.") % values
    if told.whole:
        return _("%(title)s can be used again.") % {"title": use.voucher.title}
    return _("%(title)s stays used, for only a part of the receipt comes back.") % {"title": use.voucher.title}
