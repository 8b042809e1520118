"""What an act does to a locked wallet: the line to write, or why not. No I/O, no clock: state in, line out."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from loyalty.acts import Accrual, Adjustment, Burn, Refusal, Reversal
from loyalty.kinds import Contra, Kind
from loyalty.lots import OpenLot, give_back, take

CONTRA_OF_ACCRUAL = {Kind.EARN: Contra.ISSUED, Kind.BONUS: Contra.ISSUED, Kind.IMPORT: Contra.OPENING}

# The fields of ledger_line (sql/ledger.sql) that differ from null.
type Line = dict[str, Any]


@dataclass(slots=True)
class LockedWallet:
    """A locked wallet as the acts so far leave it.

    `net` is balance minus deficit; `lots` are those that can be spent now, in burn order; `all_lots` reads the rest
    when only the first were read (None: there are no more).
    """

    id: int
    net: int
    deficit: int
    lots: list[OpenLot] = field(default_factory=list)
    all_lots: Callable[[], list[OpenLot]] | None = None

    def pay_deficit(self, points: int) -> int:
        paid = min(points, self.deficit)
        self.deficit -= paid
        return paid

    def take(self, points: int) -> list[tuple[int, int]] | None:
        uses = take(self.lots, points)
        if uses is None and self.all_lots:
            left = {lot.seq: lot.remaining for lot in self.lots}
            self.lots = [OpenLot(lot.seq, left.get(lot.seq, lot.remaining)) for lot in self.all_lots()]
            self.all_lots = None
            uses = take(self.lots, points)
        return uses


@dataclass(frozen=True, slots=True)
class Original:
    """What the entry to undo did: its posting, what is left of the lot it opened, the lots it took from."""

    wallet: int
    seq: int
    points: int
    kind: str
    contra: str
    left: int | None
    uses: list[tuple[int, int]]


def grant(act: Accrual, wallet: LockedWallet) -> Line:
    return _new_lot(act, wallet) | {
        "kind": act.kind,
        "contra": CONTRA_OF_ACCRUAL[act.kind],
        "available_at": act.available_at.isoformat(),
        "rule": _text(act.rule_version),
    }


def spend(act: Burn | Adjustment, wallet: LockedWallet) -> Line | Refusal:
    if wallet.deficit:
        return Refusal.DEFICIT
    uses = wallet.take(abs(act.points))
    if uses is None:
        return Refusal.INSUFFICIENT_POINTS
    return {"points": -abs(act.points), "kind": Kind.BURN, "contra": Contra.BURNED, **_uses(uses)}


def adjust(act: Adjustment, wallet: LockedWallet) -> Line | Refusal:
    line = spend(act, wallet) if act.points < 0 else _new_lot(act, wallet) | {"available_at": act.occurred_at.isoformat()}
    return line if isinstance(line, Refusal) else line | {"kind": Kind.ADJUST, "contra": Contra.ADJUSTED}


def undo(act: Reversal, wallet: LockedWallet, original: Original | None) -> Line | Refusal:
    if original is None or original.wallet != wallet.id or original.kind in (Kind.EXPIRE, Kind.REVERSE):
        return Refusal.NOT_REVERSIBLE
    line: Line = {"points": -original.points, "kind": Kind.REVERSE, "contra": original.contra, "undoes": str(act.entry)}
    if original.points > 0:
        if original.left != original.points:
            return Refusal.NOT_REVERSIBLE
        return line | _uses([(original.seq, original.points)])
    paid = wallet.pay_deficit(-original.points)
    return line | {"deficit_change": -paid} | _uses(give_back(original.uses, paid))


def _new_lot(act: Accrual | Adjustment, wallet: LockedWallet) -> Line:
    return {
        "points": act.points,
        "deficit_change": -wallet.pay_deficit(act.points),
        "lot_points": act.points,
        "expires_at": act.expires_at and act.expires_at.isoformat(),
        "earned_at": act.occurred_at.isoformat(),
        "terms": act.terms,
    }


def _uses(uses: Sequence[tuple[int, int]]) -> Line:
    return {"uses_lot": [seq for seq, _ in uses], "uses_points": [points for _, points in uses]}


def _text(value: UUID | None) -> str | None:
    return None if value is None else str(value)
