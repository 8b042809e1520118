"""Undoing at the counter: each act by the verb of its own room, as an entry of its own; nothing is deleted."""

from datetime import datetime
from uuid import UUID

from django.db import transaction

from campaigns import queries, returns
from campaigns.returns import Claim
from campaigns.schemas import ReturnIn
from catalog import issuing, redeeming
from catalog.models import Voucher
from loyalty.problems import Problem
from members import tilling
from members.models import Shift, TillAct
from members.tilling import Kind


def undo(act: TillAct, shift: Shift, *, now: datetime) -> None:
    """Within two minutes, once. Raises Problem, with nothing undone."""
    actor = shift.staff.user.actor
    with transaction.atomic():
        tilling.mark_undone(act, by=actor, now=now)
        match act.kind:
            case Kind.SALE:
                _take_back(act, now=now, actor=actor)
            case Kind.VOUCHER:
                voucher = Voucher.objects.get(pk=act.thing)
                issuing.release(voucher.code, tilling.source(act.shop.code), act.number, now=now, actor=actor)
            case Kind.REDEMPTION:
                redeeming.cancel(act.thing, by_merchant=True, reason="undone", now=now, actor=actor)


def _take_back(act: TillAct, *, now: datetime, actor: UUID) -> None:
    purchase = queries.purchases([act.thing])[act.thing]
    body = ReturnIn(return_number=f"undo-{act.pk}", occurred_at=now, amount=purchase.net_amount, reason="undone")
    [answer] = returns.take([Claim(purchase.pk, body)], now=now, actor=actor)
    if isinstance(answer, Problem):
        raise answer
