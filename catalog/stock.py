"""What is left of a reward, and of a partner's codes. Locked behind the wallets; taken by one conditional statement each."""

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from django.db.models import Count, F, Q

from catalog.models import Code, Redemption, Stock


class StoreNeeded(Exception):
    """The reward is counted store by store, and no store was named."""


def left(rewards: Iterable[int], store: int | None) -> dict[int, int]:
    """How many of each reward are left in this store, or in all stores together where none is named; one statement.

    Of those that are counted. A store without a row has none of a reward that is counted store by store.
    """
    rows = Stock.objects.filter(reward__in=list(rewards))
    in_all: dict[int, int] = {}
    there: dict[int, int] = {}
    for row in rows:
        if row.store_id is None:
            in_all[row.reward_id] = row.left
        else:
            there[row.reward_id] = there.get(row.reward_id, 0) + (row.left if store in (None, row.store_id) else 0)
    return {
        reward: min(counts[reward] for counts in (in_all, there) if reward in counts) for reward in in_all.keys() | there.keys()
    }


def counted_by_store(rewards: Iterable[int]) -> set[int]:
    """Rewards that are counted store by store, so that a redemption has to name one."""
    return set(Stock.objects.filter(reward__in=list(rewards)).exclude(store=None).values_list("reward", flat=True))


def left_by_store(reward: int) -> dict[int, int]:
    """What each store has of a reward that is counted store by store."""
    return dict(Stock.objects.filter(reward=reward).exclude(store=None).values_list("store", "left"))


def take(reward: int, store: int | None, quantity: int) -> bool:
    """Take from all rows that count this reward, in the order of their ids; False, with nothing taken, if one has too few.

    Runs inside the caller's transaction, who rolls back on False. Raises StoreNeeded.
    """
    stores = set(Stock.objects.filter(reward=reward).values_list("store", flat=True)) - {None}
    if stores and store is None:
        raise StoreNeeded
    if stores and store not in stores:
        return False
    counted = _locked(reward, store)
    taken = Stock.objects.filter(pk__in=counted, left__gte=quantity).update(left=F("left") - quantity)
    return taken == len(counted)


def lock(rewards: Iterable[int]) -> None:
    """All rows of these rewards, for whoever moves the stock of more than one in a transaction."""
    list(Stock.objects.filter(reward__in=list(rewards)).order_by("id").select_for_update().values_list("pk"))


def put_back(reward: int, store: int | None, quantity: int) -> None:
    Stock.objects.filter(pk__in=_locked(reward, store)).update(left=F("left") + quantity)


def _locked(reward: int, store: int | None) -> list[int]:
    """Rows are locked in one order by whoever takes and whoever puts back."""
    rows = Stock.objects.filter(Q(store=None) | Q(store=store), reward=reward).order_by("id")
    return [row.pk for row in rows.select_for_update()]


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
    rows = Code.objects.filter(pool__in=list(counts), redemption=None).values_list("pool").order_by()
    return counts | dict(rows.annotate(count=Count("pk")))
