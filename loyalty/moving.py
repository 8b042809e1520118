"""Points that change hands: transfers and merges, lot by lot, so that each keeps its end, its age and its store."""

from collections.abc import Sequence

from loyalty.acts import Merge, Refusal, Transfer, UnMerge
from loyalty.drafting import Line, Lines, LockedWallet, Originals, Wallets, as_uses
from loyalty.kinds import Contra, Kind
from loyalty.lots import OpenLot, take_up_to


def transfer(act: Transfer, wallets: Wallets) -> Lines:
    """One line out, one line in for each lot used; together they are zero on the clearing account."""
    source, target = wallets[act.holder], wallets[act.to]
    if act.holder == act.to:
        return Refusal.NOT_REVERSIBLE
    if source.deficit:
        return Refusal.DEFICIT
    uses = source.take(act.points)
    if uses is None:
        return Refusal.INSUFFICIENT_POINTS
    return _moved(source, target, uses, Kind.TRANSFER)


def merge(act: Merge, wallets: Wallets) -> Lines:
    """All lots, pending ones too; a deficit is paid out of the target's spendable lots, and is the target's beyond them."""
    source, target = wallets[act.holder], wallets[act.to]
    if act.holder == act.to:
        return Refusal.NOT_REVERSIBLE
    held = [lot for lot in target.lots if lot.spendable]
    uses = [(lot.seq, lot.remaining) for lot in source.lots if lot.remaining]
    lines = _moved(source, target, uses, Kind.MERGE) if uses else []
    for lot in source.lots:
        lot.remaining = 0
    if owed := source.deficit:
        paid = take_up_to(held, owed)
        short = owed - sum(points for _, points in paid)
        source.deficit, target.deficit = 0, target.deficit + short
        lines.append(source.line(owed, Kind.MERGE, Contra.CLEARING, deficit_change=-owed))
        lines.append(target.line(-owed, Kind.MERGE, Contra.CLEARING, deficit_change=short) | as_uses(paid))
    return lines or Refusal.INSUFFICIENT_POINTS


def unmerge(act: UnMerge, wallets: Wallets, originals: Originals) -> Lines:
    """`holder` had the points before the merge; `to` got them and gives back what is left of each lot it got."""
    source, target = wallets[act.holder], wallets[act.to]
    merged = originals.get(act.entry)
    if merged is None or merged.wallet != source.id or merged.kind != Kind.MERGE:
        return Refusal.NOT_REVERSIBLE
    left = [lot for lot in target.lots if lot.remaining and lot.seq in merged.brought]
    back = take_up_to(left, sum(lot.remaining for lot in left))
    return _moved(target, source, back, Kind.MERGE) if back else Refusal.NOT_REVERSIBLE


def _moved(source: LockedWallet, target: LockedWallet, uses: Sequence[tuple[int, int]], kind: Kind) -> list[Line]:
    lots = {lot.seq: lot for lot in source.lots}
    points = sum(part for _, part in uses)
    lines = [source.line(-points, kind, Contra.CLEARING) | as_uses(uses)]
    arriving = [target.line(part, kind, Contra.CLEARING) | _arriving(lots[seq], target, part) for seq, part in uses]
    if source.idle and any(line["expires_at"] is None for line in arriving):  # what has no date of its own ends no sooner
        arriving[0]["idle_until"] = source.idle
    return lines + arriving


def _arriving(lot: OpenLot, target: LockedWallet, points: int) -> Line:
    paid = target.pay_deficit(points)
    return {
        "deficit_change": -paid,
        "lot_points": points,
        "lot_paid": paid,
        "lot_rule": lot.rule,
        "store": lot.store,
        "available_at": lot.available_at,
        "expires_at": lot.expires_at,
        "earned_at": lot.earned_at,
    }
