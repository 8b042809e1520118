"""Members who want to be told when a reward is back."""

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from catalog.models import Reward, Waiting


def wait(reward: Reward, member: UUID, *, now: datetime) -> bool:
    """Put the member on the reward's list, once; False if they stood there before."""
    _place, is_new = Waiting.objects.get_or_create(reward=reward, member_id=member, told_at=None, defaults={"since": now})
    return is_new


def awaited(member: UUID, rewards: Iterable[int]) -> set[int]:
    """Of these rewards the ones that the member waits for."""
    places = Waiting.objects.filter(member=member, reward__in=list(rewards), told_at=None)
    return set(places.values_list("reward", flat=True))
