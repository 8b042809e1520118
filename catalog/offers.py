"""Rewards as they stand, priced for members: one gathering of facts for a page, the API and a reservation."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, time
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db.models import Q, Sum

from catalog import pricing, stock
from catalog.models import Redemption, Reward, RewardPrice
from catalog.pricing import Offer, Price, Quoted, Visitor, Window
from catalog.texts import said
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


def standing(*, after: tuple[int, str] | None = None, limit: int | None = None) -> list[Reward]:
    """Rewards that are not withdrawn, with their prices, stores and shelf, in a constant number of statements.

    The cheapest first; `after` are the points and the code of the last one before.
    """
    rows = Reward.objects.filter(withdrawn_at=None).select_related("category", "code_pool").order_by("points", "code")
    if after:
        rows = rows.filter(Q(points__gt=after[0]) | Q(points=after[0], code__gt=after[1]))
    return list(rows.prefetch_related("prices", "stores")[:limit])


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
    visitor, taken = _visitor(member, now), _taken(member, [one.pk for one in rewards])
    asks = {one.pk: replace(visitor, taken=taken.get(one.pk, 0)) for one in rewards}
    return _quoted(rewards, asks, now=now, zone=zone, store=store, quantity=quantity)


def priced_for_all(rewards: Sequence[Reward], *, now: datetime, zone: ZoneInfo, store: StoreFacts | None = None) -> list[Priced]:
    """What each reward costs whoever comes, and why nobody could have it; what depends on a member is left out."""
    anybody = Visitor(available=max((one.points for one in rewards), default=0))
    open_to_all = [replace(offer(one, left=None), tiers=frozenset(), per_member=None) for one in rewards]
    return _quoted(rewards, dict.fromkeys((one.pk for one in rewards), anybody), open_to_all, now=now, zone=zone, store=store)


def _quoted(
    rewards: Sequence[Reward],
    asks: Mapping[int, Visitor],
    given: Sequence[Offer] | None = None,
    *,
    now: datetime,
    zone: ZoneInfo,
    store: StoreFacts | None,
    quantity: int = 1,
) -> list[Priced]:
    left = stock.left([one.pk for one in rewards], store.id if store else None)
    codes = stock.free_codes({one.code_pool_id for one in rewards if one.code_pool_id})
    there, code = (ZoneInfo(store.timezone), store.code) if store else (zone, None)
    found = []
    for one, known in zip(rewards, given or [offer(one, left=None) for one in rewards], strict=True):
        each = replace(known, left=_left(one, left, codes))
        quoted = pricing.quote(each, asks[one.pk], at=now, zone=there, store=code, quantity=quantity)
        found.append(Priced(one, each, quoted))
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
    blocked = member.status != Member.Status.ACTIVE
    return Visitor(points.available, points.deficit, member.is_verified, tier, member.birth_month, blocked=blocked)


def _taken(member: Member, rewards: Iterable[int]) -> dict[int, int]:
    rows = Redemption.objects.filter(COUNTED, member=member, reward__in=list(rewards)).values_list("reward")
    return dict(rows.annotate(taken=Sum("quantity")))


def _price(one: RewardPrice) -> Price:
    return Price(one.points, one.money, said(one, "name"), one.tier, _window(one), one.birthday_month)


def _window(one: Reward | RewardPrice) -> Window:
    return Window(one.starts_at, one.ends_at, frozenset(one.weekdays), _hours(one.hours))


def _hours(given: Any) -> tuple[time, time] | None:
    return (time.fromisoformat(given[0]), time.fromisoformat(given[1])) if given else None


def reserved_points(members: Iterable[UUID]) -> dict[UUID, int]:
    """Points of redemptions that are not confirmed yet, for information (SEMANTICS 2.6)."""
    rows = Redemption.objects.filter(status=Redemption.Status.RESERVED, member__in=list(members)).values_list("member")
    return dict(rows.annotate(points=Sum("points")))
