"""What an act does to locked wallets: the lines to write, or why not. No I/O, no clock: state in, lines out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from loyalty.acts import (
    ClawBack,
    ClawBackPolicy,
    Forgiveness,
    Refusal,
    Restore,
    Reversal,
)
from loyalty.kinds import Contra, Kind
from loyalty.lots import OpenLot, after_points, first_points, give_back, take, take_up_to

# The fields of ledger_line (sql/ledger.sql) that differ from null.
type Line = dict[str, Any]
type Lines = list[Line] | Refusal
type Wallets = Mapping[UUID, "LockedWallet"]


@dataclass(slots=True)
class LockedWallet:
    """A locked wallet as the acts so far leave it.

    `net` is balance minus deficit; `lots` are in burn order, pending ones last; `idle` is when inactivity ends them.
    """

    id: int
    net: int
    deficit: int
    lots: list[OpenLot] = field(default_factory=list)
    idle: str | None = None

    def line(self, points: int, kind: str, contra: str, **more: Any) -> Line:
        """A line of this wallet; the state moves with it."""
        self.net += points
        return {"wallet": self.id, "points": points, "kind": kind, "contra": contra, "deficit_change": 0, **more}

    def pay_deficit(self, points: int) -> int:
        paid = min(points, self.deficit)
        self.deficit -= paid
        return paid

    def take(self, points: int) -> list[tuple[int, int]] | None:
        return take([lot for lot in self.lots if lot.spendable], points)


@dataclass(slots=True)
class Original:
    """What an earlier entry did to its wallet: its (first) posting, and what the acts so far left of the lot it opened.

    `uses` are the lots it took from, without what was given back since; `ended` those of them that have ended;
    `brought` the lots it opened elsewhere.
    """

    wallet: int
    seq: int
    points: int
    kind: str
    contra: str
    left: int | None
    uses: list[tuple[int, int]]
    ended: frozenset[int] = frozenset()
    earned_at: datetime | None = None
    brought: frozenset[int] = frozenset()


type Originals = Mapping[UUID, Original]


def undo(act: Reversal, wallets: Wallets, originals: Originals) -> Lines:
    wallet, original = wallets[act.holder], originals.get(act.entry)
    irreversible = (Kind.EXPIRE, Kind.REVERSE, Kind.TRANSFER, Kind.MERGE)
    if original is None or original.wallet != wallet.id or original.kind in irreversible:
        return Refusal.NOT_REVERSIBLE
    undone = {"undoes": str(act.entry)}
    if original.points > 0:
        if original.left != original.points:
            return Refusal.NOT_REVERSIBLE
        original.left = 0
        return [
            wallet.line(-original.points, Kind.REVERSE, original.contra) | undone | as_uses([(original.seq, original.points)])
        ]
    if sum(points for _, points in original.uses) != -original.points:  # a part was restored, or became a deficit
        return Refusal.NOT_REVERSIBLE
    paid, uses = wallet.pay_deficit(-original.points), original.uses
    original.uses = []
    line = wallet.line(-original.points, Kind.REVERSE, original.contra, deficit_change=-paid)
    return [line | undone | as_uses(give_back(uses, paid))]


def restore(act: Restore, wallets: Wallets, originals: Originals, *, now: datetime) -> Lines:
    wallet, original = wallets[act.holder], originals.get(act.entry)
    if original is None or original.wallet != wallet.id or original.kind != Kind.BURN:
        return Refusal.NOT_REVERSIBLE
    if act.points > sum(points for _, points in original.uses):
        return Refusal.NOT_REVERSIBLE
    uses, original.uses = first_points(original.uses, act.points), after_points(original.uses, act.points)
    graced = act.grace_until is not None and act.grace_until > now
    late = sum(points for seq, points in uses if graced and seq in original.ended)
    same = [(seq, points) for seq, points in uses if not (graced and seq in original.ended)]
    line = wallet.line(act.points, Kind.RESTORE, Contra.BURNED) | {"undoes": str(act.entry)}
    paid = wallet.pay_deficit(act.points)
    from_same = min(paid, act.points - late)
    line |= as_uses(give_back(same, from_same)) | {"deficit_change": -paid}
    if late:
        line |= {
            "lot_points": late,
            "lot_paid": paid - from_same,
            "available_at": act.occurred_at.isoformat(),
            "expires_at": act.grace_until and act.grace_until.isoformat(),
            "earned_at": (original.earned_at or act.occurred_at).isoformat(),
        }
    return [line]


def claw_back(act: ClawBack, wallets: Wallets, originals: Originals) -> Lines:
    wallet = wallets[act.holder]
    own = {originals[entry].seq for entry in act.own if entry in originals and originals[entry].wallet == wallet.id}
    if not own:
        return Refusal.NOT_REVERSIBLE
    order = sorted(wallet.lots, key=lambda lot: (lot.seq not in own, lot.spendable if lot.seq in own else not lot.spendable))
    uses = take_up_to(order, act.points)
    short = act.points - sum(points for _, points in uses)
    if short and act.policy == ClawBackPolicy.REFUSE:
        _put_back(order, uses)
        return Refusal.INSUFFICIENT_POINTS
    wallet.deficit += short
    line = wallet.line(-act.points, Kind.RETURN, Contra.RETURNED, deficit_change=short)
    lines = [line | {"undoes": str(act.entry)} | as_uses(uses)]
    if short and act.policy == ClawBackPolicy.FORGIVE:
        wallet.pay_deficit(short)
        lines.append(wallet.line(short, Kind.FORGIVE, Contra.FORGIVEN, deficit_change=-short))
    return lines


def forgive(act: Forgiveness, wallets: Wallets) -> Lines:
    wallet = wallets[act.holder]
    if wallet.deficit < act.points:
        return Refusal.INSUFFICIENT_POINTS
    wallet.pay_deficit(act.points)
    return [wallet.line(act.points, Kind.FORGIVE, Contra.FORGIVEN, deficit_change=-act.points)]


def as_uses(uses: Sequence[tuple[int, int]]) -> Line:
    """A line's part that names the lots it takes from; a lot that occurs twice is one use."""
    sums: dict[int, int] = {}
    for seq, points in uses:
        sums[seq] = sums.get(seq, 0) + points
    return {"uses_lot": list(sums), "uses_points": list(sums.values())}


def _put_back(lots: Sequence[OpenLot], uses: Sequence[tuple[int, int]]) -> None:
    taken = dict(uses)
    for lot in lots:
        lot.remaining += taken.get(lot.seq, 0)
