"""What members are told about their rewards: each once, by the message's key."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import F

from catalog import stock
from catalog.models import Redemption, RedemptionStep, Reward, Voucher, Waiting
from loyalty import terms
from loyalty.outbox import Event
from members import messaging
from members.messaging import News
from members.models import Message

# So long before its end a voucher is spoken of; one that lives no longer than that is not.
REMIND = timedelta(days=3)
BATCH = 1000
# What was redeemed longer ago than this, before the relay told of it, is history and no news.
NEWS = timedelta(days=7)


def redemption_changed(events: Sequence[Event], *, now: datetime) -> None:
    """The receipt of a redemption, or that the shop has cancelled it, and why."""
    confirmed = [_redemption(one) for one in events if one.facts["status"] == Redemption.Status.CONFIRMED]
    cancelled = [_redemption(one) for one in events if one.facts.get("by") == "merchant"]
    rows = Redemption.objects.filter(pk__in=[*confirmed, *cancelled]).select_related("member", "reward")
    found = {one.pk: one for one in rows}
    reasons = _reasons(cancelled)
    recent = {id_ for id_, one in found.items() if one.reserved_at > now - NEWS}
    news = [_receipt(found[id_], Message.Kind.REDEMPTION) for id_ in confirmed if id_ in recent]
    for id_ in cancelled:
        told = _receipt(found[id_], Message.Kind.REDEMPTION_CANCELLED)
        told.facts["reason"] = reasons[id_]
        news.append(told)
    messaging.queue(news, now=now)


def remind_of_vouchers(*, now: datetime) -> int:
    """Remind of vouchers that end within three days, once each; returns how many are due or were spoken of before."""
    contract, total, after = terms.current(now), 0, UUID(int=0)
    ending = Voucher.objects.filter(
        ended_at=None,
        valid_until__gt=now,
        valid_until__lte=now + REMIND,
        used__lt=F("uses"),
        valid_from__lt=F("valid_until") - REMIND,
    ).select_related("member", "redemption__reward")
    while some := list(ending.filter(pk__gt=after).order_by("pk")[:BATCH]):
        news = []
        for one in some:
            facts: dict[str, Any] = {"title": one.title, "titles": _titles(one.redemption.reward) if one.redemption else {}}
            facts |= {"on": contract.last_day(one.valid_until).isoformat(), "redemption": str(one.redemption_id or "")}
            if one.remaining is not None:
                facts["rest"] = str(one.remaining)
            if one.redemption and not one.is_begun:
                facts["points"] = one.redemption.points
            news.append(News(one.member, Message.Kind.VOUCHER_EXPIRING, str(one.pk), facts))
        messaging.queue(news, now=now, due_at=messaging.waking(now, contract))
        total, after = total + len(some), some[-1].pk
    return total


def tell_who_waits(*, now: datetime) -> int:
    """Tell members that a reward they wait for is back, once for each time that they asked; returns how many."""
    open_now = Reward.objects.filter(waiting__told_at=None, waiting__isnull=False, withdrawn_at=None).exclude(ends_at__lte=now)
    rewards = list(open_now.exclude(starts_at__gt=now).distinct())
    left = stock.left([one.pk for one in rewards], None)
    codes = stock.free_codes({one.code_pool_id for one in rewards if one.code_pool_id})
    back = [one for one in rewards if left.get(one.pk, 1) and codes.get(one.code_pool_id or 0, 1)]
    return sum(_tell_of(one, now) for one in back)


def _tell_of(reward: Reward, now: datetime) -> int:
    total, contract = 0, terms.current(now)
    while True:
        with transaction.atomic():
            places = Waiting.objects.filter(reward=reward, told_at=None).select_related("member").order_by("pk")
            some = list(places.select_for_update(of=("self",), skip_locked=True)[:BATCH])
            facts = {"title": reward.title, "titles": _titles(reward), "reward": reward.code}
            news = [News(one.member, Message.Kind.BACK_IN_STOCK, str(one.pk), facts) for one in some]
            messaging.queue(news, now=now, due_at=messaging.waking(now, contract))
            Waiting.objects.filter(pk__in=[one.pk for one in some]).update(told_at=now)
        total += len(some)
        if len(some) < BATCH:
            return total


def _redemption(event: Event) -> UUID:
    return UUID(event.facts["redemption"])


def _reasons(cancelled: Sequence[UUID]) -> dict[UUID, str]:
    steps = RedemptionStep.objects.filter(redemption__in=cancelled, status=Redemption.Status.CANCELLED)
    return dict(steps.values_list("redemption", "reason"))


def _receipt(one: Redemption, kind: Message.Kind) -> News:
    sold = one.reward
    facts: dict[str, Any] = {"title": sold.title, "titles": _titles(sold), "points": one.points, "redemption": str(one.pk)}
    # How one gets it: a gift and a partner's code by what they are, all else by how it is handed out.
    facts["way"] = sold.kind if sold.kind in (Reward.Kind.DONATION, Reward.Kind.CODE) else sold.fulfilment
    if one.money:
        facts["money"] = str(one.money)
    return News(one.member, kind, str(one.pk), facts)


def _titles(reward: Reward) -> dict[str, str]:
    """What it is called, by language, where somebody has translated it."""
    return {language: texts["title"] for language, texts in reward.translations.items() if texts.get("title")}
