"""What is left of a reward, and of a partner's codes. Locked behind the wallets; taken by one conditional statement each."""

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from django.db.models import F, Q

from catalog.models import Code, Redemption, Stock


def left(rewards: Iterable[int], store: int | None) -> dict[int, int]:
    """How many of each reward are left in this store and in all, of those that are counted; one statement."""
    rows = Stock.objects.filter(Q(store=None) | Q(store=store), reward__in=list(rewards)).values_list("reward", "left")
    found: dict[int, int] = {}
    for reward, count in rows:
        found[reward] = min(count, found.get(reward, count))
    return found


def counted_by_store(rewards: Iterable[int]) -> set[int]:
    """Rewards that are counted store by store, so that a redemption has to name one."""
    return set(Stock.objects.filter(reward__in=list(rewards)).exclude(store=None).values_list("reward", flat=True))


def take(reward: int, store: int | None, quantity: int) -> bool:
    """Take from all rows that count this reward, in the order of their ids; False, with nothing taken, if one has too few.

    Runs inside the caller's transaction, who rolls back on False.
    """
    rows = Stock.objects.filter(Q(store=None) | Q(store=store), reward=reward).order_by("id")
    counted = [row.pk for row in rows.select_for_update()]
    taken = Stock.objects.filter(pk__in=counted, left__gte=quantity).update(left=F("left") - quantity)
    return taken == len(counted)


def put_back(reward: int, store: int | None, quantity: int) -> None:
    Stock.objects.filter(Q(store=None) | Q(store=store), reward=reward).update(left=F("left") + quantity)


def take_codes(pool: int, redemption: UUID, quantity: int, *, now: datetime) -> bool:
    """Set codes of a pool aside; parallel takers skip each other's. False, with nothing taken, when too few are free."""
    free = Code.objects.filter(pool=pool, redemption=None).order_by("id").select_for_update(skip_locked=True)
    picked = list(free.values_list("pk", flat=True)[:quantity])
    if len(picked) < quantity:
        return False
    Code.objects.filter(pk__in=picked).update(redemption=redemption, taken_at=now)
    return True


def put_codes_back(redemption: Redemption) -> None:
    """Codes that nobody has seen go back to their pool; a code that was shown never does."""
    Code.objects.filter(redemption=redemption, shown_at=None).update(redemption=None, taken_at=None)


def free_codes(pools: Iterable[int]) -> dict[int, int]:
    """How many codes each pool has left to hand out."""
    counts = dict.fromkeys(pools, 0)
    for pool in Code.objects.filter(pool__in=list(counts), redemption=None).values_list("pool", flat=True):
        counts[pool] += 1
    return counts
