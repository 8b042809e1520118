"""The ledger's door: the only writer of its tables.

Each verb takes a list of acts (one act is a list of one), locks the wallets in key order, decides in the order given
and writes all of it with a constant number of statements. What a wallet's own rows decide (grants, burns, expiry) is
one call (sql/deciding.sql); the other verbs lock and read by one, decide in Python, and write by another
(loyalty/batches.py). Each act is answered, in order, by `Posted` or `Refused`; of acts with one key the first decides.
Verbs run inside the caller's transaction and hold the locks until its end. Lock order everywhere: wallets, then stock,
then counters.

Who acts is named by `actor`: a person's or key's random id, or None for the system itself (clocks, files loaded from the
server's shell), which alone is not limited. What a verb grants counts against the actor's limits (loyalty/limits.py).
"""

from collections.abc import Callable, Hashable, Iterable, Sequence
from datetime import datetime
from uuid import UUID

from django.db import connection, transaction
from pydantic_core import to_json

from loyalty import batches, drafting, limits, moving
from loyalty.acts import (
    Accrual,
    Act,
    Adjustment,
    Burn,
    ClawBack,
    Forgiveness,
    Merge,
    Outcome,
    Posted,
    Refusal,
    Refused,
    Restore,
    Reversal,
    Transfer,
    UnMerge,
)
from loyalty.batches import lock
from loyalty.limits import Grantor
from loyalty.models import PointType, Posting, Wallet

__all__ = [
    "PointType", "accrue", "adjust", "burn", "claw_back", "expire", "forgive", "lock", "merge", "open_wallets", "restore",
    "reverse", "transfer", "unmerge",
]  # fmt: skip
GRANT = "select * from unnest(ledger_grant(%s, %s, %s, %s))"
SPEND = "select * from unnest(ledger_spend(%s, %s, %s, %s))"


def open_wallets(holders: Iterable[UUID], point_type: PointType = PointType.REDEEMABLE) -> None:
    """Give each holder a wallet; who has one keeps it."""
    wallets = [Wallet(holder=holder, point_type=point_type) for holder in sorted(holders)]
    Wallet.objects.bulk_create(wallets, ignore_conflicts=True)


def accrue(
    acts: Sequence[Accrual],
    *,
    now: datetime,
    actor: UUID | None = None,
    point_type: PointType = PointType.REDEEMABLE,
    together: Sequence[Hashable] | None = None,
) -> list[Outcome]:
    """Grant points, each act as one lot; a deficit is paid first, out of the new lot.

    `together` names for each act the document behind it: what one receipt grants is one act for the limits. Points that
    nobody can spend (of another type) are not limited.
    """

    def post(granting: Sequence[Accrual]) -> list[Outcome]:
        return _decided_there(GRANT, granting, now=now, actor=actor, point_type=point_type)

    if point_type != PointType.REDEEMABLE:
        return post(acts)
    return _within(acts, post, by=Grantor(actor, now, by_hand=False), together=together)


def burn(
    acts: Sequence[Burn], *, now: datetime, actor: UUID | None = None, point_type: PointType = PointType.REDEEMABLE
) -> list[Outcome]:
    """Spend points in burn order; refused with a deficit, or when fewer are available as of `now`."""
    return _decided_there(SPEND, acts, now=now, actor=actor, point_type=point_type)


def restore(acts: Sequence[Restore], *, now: datetime, actor: UUID | None = None) -> list[Outcome]:
    """Give burned points back to the lots they came from; never more than the burn took."""
    return batches.post_undoing(acts, lambda *given: drafting.restore(*given, now=now), now=now, actor=actor)


def adjust(acts: Sequence[Adjustment], *, now: datetime, actor: UUID | None, approved_by: UUID | None = None) -> list[Outcome]:
    """Correct balances by hand: first what gives points, then what takes them, which is refused like a burn."""

    def give(giving: Sequence[Adjustment]) -> list[Outcome]:
        return _decided_there(GRANT, giving, now=now, actor=actor)

    with transaction.atomic():
        lock({act.holder for act in acts})
        giving, taking = [act for act in acts if act.points > 0], [act for act in acts if act.points < 0]
        given = iter(_within(giving, give, by=Grantor(actor, now, approved_by)))
        taken = iter(_decided_there(SPEND, taking, now=now, actor=actor))
    return [next(given if act.points > 0 else taken) for act in acts]


def reverse(acts: Sequence[Reversal], *, now: datetime, actor: UUID | None, approved_by: UUID | None = None) -> list[Outcome]:
    """Undo entries exactly: spent points go back to their lots, granted points leave theirs if none is spent."""
    taken = _taken_by(acts) if actor else {}

    def post(undoing: Sequence[Reversal]) -> list[Outcome]:
        return batches.post_undoing(undoing, drafting.undo, now=now, actor=actor)

    return _within(acts, post, by=Grantor(actor, now, approved_by), points=lambda act: taken.get((act.entry, act.holder), 0))


def claw_back(
    acts: Sequence[ClawBack], *, now: datetime, actor: UUID | None = None, point_type: PointType = PointType.REDEEMABLE
) -> list[Outcome]:
    """Take points back after a return; what is spent becomes a deficit, is forgiven or refuses the act, by its policy."""
    return batches.post_undoing(acts, drafting.claw_back, now=now, actor=actor, with_lots=True, point_type=point_type)


def forgive(acts: Sequence[Forgiveness], *, now: datetime, actor: UUID | None, approved_by: UUID | None = None) -> list[Outcome]:
    """Give up a deficit, wholly or in part."""

    def post(forgiving: Sequence[Forgiveness]) -> list[Outcome]:
        return batches.post(forgiving, drafting.forgive, now=now, actor=actor)

    return _within(acts, post, by=Grantor(actor, now, approved_by))


def transfer(acts: Sequence[Transfer], *, now: datetime, actor: UUID | None) -> list[Outcome]:
    """Move points between holders; refused like a burn."""
    return batches.post(acts, moving.transfer, now=now, actor=actor, with_lots=True, brings=lambda act: act.to)


def merge(acts: Sequence[Merge], *, now: datetime, actor: UUID | None) -> list[Outcome]:
    """Move all that a holder has to another; refused when there is nothing."""
    return batches.post(acts, moving.merge, now=now, actor=actor, with_lots=True, brings=lambda act: act.to)


def unmerge(acts: Sequence[UnMerge], *, now: datetime, actor: UUID | None) -> list[Outcome]:
    """Take back what is left of what a merge brought; refused when nothing is."""
    return batches.post_undoing(acts, moving.unmerge, now=now, actor=actor, with_lots=True, brings=lambda act: act.holder)


def expire(*, now: datetime, limit: int = 10_000) -> tuple[int, int]:
    """Book the end of up to `limit` lots that ended by `now`, soonest first. Returns (lots, points) expired."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("select lots, points from ledger_expire(%s, %s)", [now, limit])
        lots, points = cursor.fetchone()
    return lots, points


def _within[A: Accrual | Adjustment | Forgiveness | Reversal](
    acts: Sequence[A],
    post: Callable[[Sequence[A]], list[Outcome]],
    *,
    by: Grantor,
    points: Callable[[A], int] = lambda act: getattr(act, "points", 0),
    together: Sequence[Hashable] | None = None,
) -> list[Outcome]:
    """Post what stays within the limits of whoever grants; the counter is locked behind the wallets."""
    if not acts or not limits.is_counted(by):
        return post(acts)
    with transaction.atomic():
        lock({act.holder for act in acts})
        return limits.within(acts, post, by=by, points=points, together=together)


def _taken_by(acts: Sequence[Reversal]) -> dict[tuple[UUID, UUID], int]:
    """What the entries to undo took from their holders, and would give back."""
    lines = Posting.objects.filter(
        entry__in=[act.entry for act in acts], points__lt=0, wallet__point_type=PointType.REDEEMABLE
    ).values_list("entry", "wallet__holder", "points")
    return {(entry, holder): -points for entry, holder, points in lines}


def _decided_there(
    statement: str,
    acts: Sequence[Accrual | Burn | Adjustment],
    *,
    now: datetime,
    actor: UUID | None,
    point_type: PointType = PointType.REDEEMABLE,
) -> list[Outcome]:
    """Hand the acts to a function of sql/deciding.sql."""

    def post(run: Sequence[Act]) -> list[Outcome]:
        return _call(statement, run, now=now, actor=actor, point_type=point_type)

    return batches.in_runs(acts, post, point_type=point_type)


def _call(statement: str, acts: Sequence[Act], *, now: datetime, actor: UUID | None, point_type: PointType) -> list[Outcome]:
    """Each act is answered by its place."""
    with connection.cursor() as cursor:
        cursor.execute(statement, [to_json(list(acts)).decode(), point_type, actor, now])
        rows = cursor.fetchall()
    assert len(rows) == len(acts), "an act was not answered"
    outcomes: list[Outcome] = [Refused(Refusal.KEY_REUSED)] * len(acts)
    for place, outcome, entry, balance in rows:
        known = outcome in ("posted", "replayed")
        outcomes[place - 1] = Posted(entry, balance, outcome == "replayed") if known else Refused(Refusal(outcome))
    return outcomes
