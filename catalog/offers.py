"""Rewards as they stand, priced for members: one gathering of facts for a page, the API and a reservation."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, time
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db.models import Q, Sum

from catalog import pricing, stock
from catalog.models import Redemption, Reward, RewardPrice
from catalog.pricing import Offer, Price, Quoted, Visitor, Window
from loyalty import queries
from loyalty.queries import StoreFacts
from members.models import Member
from members.queries import tiers_at

# What counts against a member's limit: everything but what came to nothing.
COUNTED = ~Q(status__in=[Redemption.Status.CANCELLED, Redemption.Status.LAPSED, Redemption.Status.RETURNED])


@dataclass(frozen=True, slots=True)
class Priced:
    """A reward with what it would cost this member now."""

    reward: Reward
    offer: Offer
    quoted: Quoted


def standing() -> list[Reward]:
    """Every reward that is not withdrawn, with its prices, stores and shelf, in a constant number of statements."""
    rows = Reward.objects.filter(withdrawn_at=None).select_related("category", "code_pool")
    return list(rows.prefetch_related("prices", "stores"))


def priced(
    rewards: Sequence[Reward],
    member: Member,
    *,
    now: datetime,
    zone: ZoneInfo,
    store: StoreFacts | None = None,
    quantity: int = 1,
) -> list[Priced]:
    """Each reward's best price for the member, and why it cannot be had; a constant number of statements."""
    ids = [one.pk for one in rewards]
    left = stock.left(ids, store.id if store else None)
    codes = stock.free_codes({one.code_pool_id for one in rewards if one.code_pool_id})
    visitor, taken = _visitor(member, now), _taken(member, ids)
    there = ZoneInfo(store.timezone) if store else zone
    found = []
    for one in rewards:
        each = offer(one, left=_left(one, left, codes))
        asks = Visitor(
            visitor.available, visitor.deficit, visitor.verified, visitor.tier, visitor.birth_month, taken.get(one.pk, 0)
        )
        code = store.code if store else None
        found.append(Priced(one, each, pricing.quote(each, asks, at=now, zone=there, store=code, quantity=quantity)))
    return found


def offer(reward: Reward, *, left: int | None) -> Offer:
    """A reward as a plain value."""
    return Offer(
        price=Price(reward.points, reward.money), prices=tuple(_price(one) for one in reward.prices.all()),
        window=_window(reward), tiers=frozenset(reward.tiers), stores=frozenset(one.code for one in reward.stores.all()),
        per_member=reward.per_member, withdrawn=reward.withdrawn_at is not None, left=left,
    )  # fmt: skip


def _left(reward: Reward, left: Mapping[int, int], codes: Mapping[int, int]) -> int | None:
    counts = [count for count in (left.get(reward.pk), codes.get(reward.code_pool_id or 0)) if count is not None]
    return min(counts, default=None)


def _visitor(member: Member, now: datetime) -> Visitor:
    points = queries.balances([member.holder], now)[member.holder]
    [tier] = tiers_at([(member.pk, now)])
    return Visitor(points.available, points.deficit, member.is_verified, tier, member.birth_month)


def _taken(member: Member, rewards: Iterable[int]) -> dict[int, int]:
    rows = Redemption.objects.filter(COUNTED, member=member, reward__in=list(rewards)).values_list("reward")
    return dict(rows.annotate(taken=Sum("quantity")))


def _price(one: RewardPrice) -> Price:
    return Price(one.points, one.money, one.name, one.tier, _window(one), one.birthday_month)


def _window(one: Reward | RewardPrice) -> Window:
    return Window(one.starts_at, one.ends_at, frozenset(one.weekdays), _hours(one.hours))


def _hours(given: Any) -> tuple[time, time] | None:
    return (time.fromisoformat(given[0]), time.fromisoformat(given[1])) if given else None


def reserved_points(members: Iterable[UUID]) -> dict[UUID, int]:
    """Points of redemptions that are not confirmed yet, for information (SEMANTICS 2.6)."""
    rows = Redemption.objects.filter(status=Redemption.Status.RESERVED, member__in=list(members)).values_list("member")
    return dict(rows.annotate(points=Sum("points")))
