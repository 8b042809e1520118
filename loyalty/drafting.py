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
from loyalty.lots import OpenLot, PastLot, first_points, give_back, take, take_up_to

# What can be clawed back.
AWARDS = (Kind.EARN, Kind.BONUS, Kind.IMPORT, Kind.EXCHANGE_IN, Kind.ADJUST)

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
    idle: datetime | None = None

    def line(self, points: int, kind: str, contra: str, **more: Any) -> Line:
        """A line of this wallet; the state moves with it."""
        self.net += points
        return {"wallet": self.id, "points": points, "kind": kind, "contra": contra, "deficit_change": 0, **more}

    def keep_alive(self, until: datetime | None) -> None:
        self.idle = latest(self.idle, until)

    def pay_deficit(self, points: int) -> int:
        paid = min(points, self.deficit)
        self.deficit -= paid
        return paid

    def take(self, points: int) -> list[tuple[int, int]] | None:
        return take([lot for lot in self.lots if lot.spendable], points)


@dataclass(slots=True)
class Original:
    """What an earlier entry did to its wallet: its posting, as the acts so far leave it.

    Of an entry with several, that is the first one in the oldest wallet; `places` are all of them, by wallet and number.
    `uses` are the points it took, by lot, oldest lots first, without those that were given back since; `lots` the lots
    meant by them and the one it opened, shared by all originals of the wallet; `clawed` the points clawed back for it.
    """

    wallet: int
    seq: int
    points: int
    kind: str
    contra: str
    uses: list[tuple[int, int]]
    lots: Mapping[int, PastLot] = field(default_factory=dict)
    places: frozenset[tuple[int, int]] = frozenset()
    undoes: UUID | None = None
    clawed: int = 0

    @property
    def taken(self) -> int:
        return sum(points for _, points in self.uses)

    def untake(self, points: int) -> list[tuple[int, int]]:
        """The first `points` of what was taken, which from now on count as given back."""
        back, self.uses = first_points(self.uses, points)
        return back


type Originals = Mapping[UUID, Original]


def undo(act: Reversal, wallets: Wallets, originals: Originals) -> Lines:
    wallet, original = wallets[act.holder], originals.get(act.entry)
    irreversible = (Kind.EXPIRE, Kind.REVERSE, Kind.RESTORE, Kind.TRANSFER, Kind.MERGE)
    if original is None or original.wallet != wallet.id or original.kind in irreversible:
        return Refusal.NOT_REVERSIBLE
    undone = {"undoes": str(act.entry)}
    if original.points > 0:
        own = original.lots.get(original.seq)
        if own is None or own.remaining != original.points:
            return Refusal.NOT_REVERSIBLE
        own.remaining = 0
        return [
            wallet.line(-original.points, Kind.REVERSE, original.contra) | undone | as_uses([(original.seq, original.points)])
        ]
    if original.taken != -original.points:  # a part was restored, or became a deficit
        return Refusal.NOT_REVERSIBLE
    paid = wallet.pay_deficit(-original.points)
    line = wallet.line(-original.points, Kind.REVERSE, original.contra, deficit_change=-paid)
    uses = give_back(original.untake(-original.points), paid)
    for seq, points in uses:
        original.lots[seq].remaining -= points
    return [line | undone | as_uses(uses)]


def restore(act: Restore, wallets: Wallets, originals: Originals, *, now: datetime) -> Lines:
    wallet, original = wallets[act.holder], originals.get(act.entry)
    if original is None or original.wallet != wallet.id or original.kind != Kind.BURN:
        return Refusal.NOT_REVERSIBLE
    if act.points > original.taken:
        return Refusal.NOT_REVERSIBLE
    graced = act.grace_until is not None and act.grace_until > now
    same: list[tuple[int, int]] = []
    late: dict[tuple[int | None, UUID | None], list[tuple[PastLot, int]]] = {}
    for seq, points in original.untake(act.points):
        lot = original.lots[seq]
        if graced and lot.ends_at <= now:
            late.setdefault((lot.store, lot.rule), []).append((lot, points))
        else:
            same.append((seq, points))
    lines = [_back_to_lots(wallet, same)] if same else []
    lines += [_back_as_lot(act, wallet, parts) for parts in late.values()]
    lines[0]["undoes"] = str(act.entry)
    return lines


def _back_to_lots(wallet: LockedWallet, uses: Sequence[tuple[int, int]]) -> Line:
    points = sum(part for _, part in uses)
    paid = wallet.pay_deficit(points)
    return wallet.line(points, Kind.RESTORE, Contra.BURNED, deficit_change=-paid) | as_uses(give_back(uses, paid))


def _back_as_lot(act: Restore, wallet: LockedWallet, parts: Sequence[tuple[PastLot, int]]) -> Line:
    """Points of ended lots from one store and rule, as one lot that says the same: settlement goes by it."""
    points = sum(part for _, part in parts)
    paid = wallet.pay_deficit(points)
    lot = parts[0][0]
    return wallet.line(points, Kind.RESTORE, Contra.BURNED, deficit_change=-paid) | {
        "lot_points": points,
        "lot_paid": paid,
        "lot_rule": lot.rule and str(lot.rule),
        "store": lot.store,
        "available_at": act.occurred_at.isoformat(),
        "expires_at": act.grace_until and act.grace_until.isoformat(),
        "earned_at": min(one.earned_at for one, _ in parts).isoformat(),
    }


def claw_back(act: ClawBack, wallets: Wallets, originals: Originals) -> Lines:
    wallet, award = wallets[act.holder], originals.get(act.entry)
    if award is None or award.wallet != wallet.id or award.points < 0 or award.kind not in AWARDS:
        return Refusal.NOT_REVERSIBLE
    if act.points > award.points - award.clawed:
        return Refusal.NOT_REVERSIBLE
    named = [originals[entry] for entry in {act.entry, *act.own} if entry in originals]
    own = {one.seq for one in named if one.wallet == wallet.id}
    order = sorted(wallet.lots, key=lambda lot: (lot.seq not in own, lot.spendable if lot.seq in own else not lot.spendable))
    uses = take_up_to(order, act.points)
    short = act.points - sum(points for _, points in uses)
    if short and act.policy == ClawBackPolicy.REFUSE:
        _put_back(order, uses)
        return Refusal.INSUFFICIENT_POINTS
    wallet.deficit += short
    award.clawed += act.points
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


def latest(*instants: datetime | None) -> datetime | None:
    return max((one for one in instants if one), default=None)


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
