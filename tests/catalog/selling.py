"""Rewards and members who can have them, for tests of the catalogue."""

import itertools
from datetime import timedelta
from typing import Any

from django.utils import timezone

from catalog.models import Reward
from loyalty import queries
from loyalty.queries import StoreFacts
from members.models import Member
from tests.factories import StoreFactory, give, member

_codes = itertools.count(1)


def rich(points: int = 1000, **given: Any) -> Member:
    """A verified member who has had so many points for a day."""
    one = member(verified=True, **given)
    if points:
        give(one.holder, points, at=timezone.now() - timedelta(days=1))
    return one


def reward(**given: Any) -> Reward:
    return Reward.objects.create(
        **{"code": f"reward-{next(_codes)}", "title": "Flat white", "kind": "goods", "points": 400} | given
    )


def shop(code: str = "S1") -> StoreFacts:
    return queries.stores_by_code([StoreFactory.create(code=code).code])[code]


def available(one: Member) -> int:
    return queries.balances([one.holder], timezone.now())[one.holder].available
