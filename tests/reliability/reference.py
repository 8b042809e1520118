"""What the points ledger should do, written down once more as plain Python from the rules alone.

No database, no SQL, nothing of the product but the acts that its door takes. It is slow, short and obvious, so that the
fast ledger can be held against it (tests/reliability/stateful.py). It answers each act by `Said` or a `Refusal`; as it
cannot know the random ids of entries, it is told them afterwards (`named`).

Where the rules are silent, "Open:" says what was chosen, in the end always what the ledger does.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from loyalty.acts import (
    Accrual,
    Act,
    Adjustment,
    Burn,
    ClawBack,
    ClawBackPolicy,
    Forgiveness,
    Merge,
    Refusal,
    Restore,
    Reversal,
    Transfer,
    UnMerge,
)
from tests.reliability.holdings import Entry, Lot, Origin, Part, Wallet, origin, take, total, untake


@dataclass(frozen=True, slots=True)
class Said:
    """The act stands; `balance` is balance minus deficit of its holder after it."""

    balance: int
    replayed: bool = False


type Answer = Said | Refusal


def same(act: Act, other: Act) -> bool:
    """Whether a key is used again for the same act: the same verb, kind, wallets, points and entry.

    Open: what else a caller says of an act (reference, dates) is not compared.
    """
    names = ("kind", "holder", "to", "points", "entry")
    return type(act) is type(other) and all(getattr(act, name, None) == getattr(other, name, None) for name in names)


class Ledger:
    """All wallets. A verb takes acts in order; each sees what those before it did."""

    def __init__(self) -> None:
        self.wallets: dict[UUID, Wallet] = {}
        self.entries: dict[str, Entry] = {}
        self.names: dict[UUID, Entry] = {}
        self.lots = 0
        self.refused: set[str] = set()

    def open_wallets(self, holders: Iterable[UUID]) -> None:
        for holder in holders:
            self.wallets.setdefault(holder, Wallet(holder))

    def named(self, key: str, entry: UUID) -> None:
        """The product calls the entry with this key so."""
        self.names[entry] = self.entries[key]

    def post(self, acts: Sequence[Act], now: datetime) -> list[Answer]:
        """Do what is asked, act after act; of adjustments first those that give, then those that take."""
        gives = [not isinstance(act, Adjustment) or act.points > 0 for act in acts]
        answers: dict[int, Answer] = {}
        for giving in (True, False):
            self.refused = set()
            for place, act in enumerate(acts):
                if gives[place] is giving:
                    answers[place] = self._post(act, now)
        return [answers[place] for place in range(len(acts))]

    def _post(self, act: Act, now: datetime) -> Answer:
        for holder in act.holders:
            self.end_idle(holder, act.occurred_at)
        # Open: of several reasons to refuse, the key is told first, then the missing wallet.
        if standing := self.entries.get(act.key):
            return Said(standing.balance, replayed=True) if same(standing.act, act) else Refusal.KEY_REUSED
        # Open: of acts of one batch with the same key the first decides, also when it is refused.
        if act.key in self.refused:
            return Refusal.KEY_REUSED
        answer = self._decide(act, now)
        if isinstance(answer, Refusal):
            self.refused.add(act.key)
            return answer
        for holder in act.holders:
            self.keep_alive(self.wallets[holder], act.idle_until)
        self.entries[act.key] = answer
        answer.balance = self.wallets[act.holder].net()
        return Said(answer.balance)

    def _decide(self, act: Act, now: datetime) -> Entry | Refusal:
        if any(holder not in self.wallets for holder in act.holders):
            return Refusal.UNKNOWN_HOLDER
        verbs: dict[type, Callable[[Any, datetime], Entry | Refusal]] = {
            Accrual: self.accrue, Burn: self.burn, Adjustment: self.adjust, Reversal: self.reverse, Restore: self.restore,
            ClawBack: self.claw_back, Forgiveness: self.forgive, Transfer: self.transfer, Merge: self.merge,
            UnMerge: self.unmerge,
        }  # fmt: skip
        return verbs[type(act)](act, now)

    # What verbs are made of

    def end_idle(self, holder: UUID, at: datetime) -> None:
        """Before an act of that instant, whatever comes of it: book what idleness had ended, so that nothing wakes it.

        Open: an act that happened before the wallet's date keeps alive what no sweep has ended yet, however late it comes.
        """
        wallet = self.wallets.get(holder)
        if wallet and wallet.idle_until and wallet.idle_until <= at:
            for lot in wallet.lots:
                if lot.remaining and not lot.expires_at:
                    self.end(lot)

    def end(self, lot: Lot) -> None:
        self.line(lot.wallet, -lot.remaining)
        lot.remaining = 0

    def keep_alive(self, wallet: Wallet, until: datetime | None) -> None:
        """Move the wallet's date, never closer."""
        if until:
            wallet.idle_until = max(until, wallet.idle_until or until)

    def line(self, wallet: Wallet, points: int) -> None:
        wallet.lines += 1
        wallet.posted += points

    def grant(self, to: Wallet, points: int, available_at: datetime, expires_at: datetime | None, of: Origin) -> Lot:
        """A new lot, out of which a deficit is paid."""
        self.lots += 1
        lot = Lot(self.lots, to, points, 0, available_at, expires_at, *of)
        to.lots.append(lot)
        self.give_back([(lot, points)])
        return lot

    def give_back(self, parts: Sequence[Part]) -> None:
        """Put points into lots, except for those that are owed. Open: the youngest lots go without."""
        for lot, points in reversed(parts):
            owed = min(points, lot.wallet.deficit)
            lot.wallet.deficit -= owed
            lot.remaining += points - owed

    def spend(self, wallet: Wallet, points: int, lots: list[Lot]) -> list[Part] | Refusal:
        """Take points that the member must have, and may spend."""
        if wallet.deficit:
            return Refusal.DEFICIT
        if sum(lot.remaining for lot in lots) < points:
            return Refusal.INSUFFICIENT_POINTS
        self.line(wallet, -points)
        return take(lots, points)

    def move(self, parts: Iterable[Part], to: Wallet) -> list[Lot]:
        """The same points in another wallet, a line for each lot; each keeps its dates and where it is from.

        Open: what has no date of its own ends no sooner than it did: the other wallet is kept alive as long.
        """
        moved = []
        for lot, points in parts:
            self.line(to, points)
            self.keep_alive(to, None if lot.expires_at else lot.wallet.idle_until)
            moved.append(self.grant(to, points, lot.available_at, lot.expires_at, origin(lot)))
        return moved

    # Verbs

    def accrue(self, act: Accrual, now: datetime) -> Entry | Refusal:
        wallet = self.wallets[act.holder]
        self.line(wallet, act.points)
        of = (act.occurred_at, act.store, act.rule_version)
        return Entry(act, [], [self.grant(wallet, act.points, act.available_at, act.expires_at, of)])

    def burn(self, act: Burn, now: datetime) -> Entry | Refusal:
        wallet = self.wallets[act.holder]
        taken = self.spend(wallet, act.points, wallet.active(now))
        return taken if isinstance(taken, Refusal) else Entry(act, taken, [])

    def adjust(self, act: Adjustment, now: datetime) -> Entry | Refusal:
        wallet = self.wallets[act.holder]
        if act.points > 0:
            # Open: usable from when it happened.
            self.line(wallet, act.points)
            of = (act.occurred_at, act.store, act.rule_version)
            return Entry(act, [], [self.grant(wallet, act.points, act.occurred_at, act.expires_at, of)])
        taken = self.spend(wallet, -act.points, wallet.active(now))
        return taken if isinstance(taken, Refusal) else Entry(act, taken, [])

    def reverse(self, act: Reversal, now: datetime) -> Entry | Refusal:
        """Open: accruals, burns, adjustments and claw-backs; points that paid a deficit count as spent."""
        undone = self.names.get(act.entry)
        if undone is None or not isinstance(undone.act, Accrual | Burn | Adjustment | ClawBack):
            return Refusal.NOT_REVERSIBLE
        wallet, points = self.wallets[act.holder], undone.act.points
        if undone.act.holder != act.holder:
            return Refusal.NOT_REVERSIBLE
        if undone.granted:
            if undone.granted[0].remaining < points:
                return Refusal.NOT_REVERSIBLE
            self.line(wallet, -points)
            undone.clawed = points
            return Entry(act, take(undone.granted, points), [])
        if total(undone.taken) < abs(points):  # a part was given back, or was never there to take
            return Refusal.NOT_REVERSIBLE
        self.line(wallet, abs(points))
        self.give_back(untake(undone, abs(points)))
        if isinstance(undone.act, ClawBack):
            self.names[undone.act.entry].clawed -= undone.act.points
        return Entry(act, [], [])

    def restore(self, act: Restore, now: datetime) -> Entry | Refusal:
        """Open: a part gives back to the oldest lots first; points of ended lots of one origin become one lot."""
        burned = self.names.get(act.entry)
        if burned is None or not isinstance(burned.act, Burn) or burned.act.holder != act.holder:
            return Refusal.NOT_REVERSIBLE
        if total(burned.taken) < act.points:
            return Refusal.NOT_REVERSIBLE
        wallet = self.wallets[act.holder]
        back = untake(burned, act.points)
        late = [(lot, points) for lot, points in back if lot.has_ended(now) and act.grace_until and act.grace_until > now]
        same_lots = [part for part in back if part not in late]
        if same_lots:
            self.line(wallet, total(same_lots))
            self.give_back(same_lots)
        granted = []
        for store, rule in dict.fromkeys((lot.store, lot.rule) for lot, _ in late):
            parts = [(lot, points) for lot, points in late if (lot.store, lot.rule) == (store, rule)]
            of = (min(lot.earned_at for lot, _ in parts), store, rule)
            self.line(wallet, total(parts))
            granted.append(self.grant(wallet, total(parts), act.occurred_at, act.grace_until, of))
        return Entry(act, [], granted)

    def claw_back(self, act: ClawBack, now: datetime) -> Entry | Refusal:
        """Never more than the award gave. Open: only an award of this holder; no lot that has ended is taken from."""
        award = self.names.get(act.entry)
        if award is None or not self.is_award(award, act.holder):
            return Refusal.NOT_REVERSIBLE
        if act.points > self.room(award):
            return Refusal.NOT_REVERSIBLE
        wallet = self.wallets[act.holder]
        lots = self.claw_back_order(wallet, {act.entry, *act.own}, now)
        short = max(0, act.points - sum(lot.remaining for lot in lots))
        if short and act.policy == ClawBackPolicy.REFUSE:
            return Refusal.INSUFFICIENT_POINTS
        taken = take(lots, act.points)
        award.clawed += act.points
        self.line(wallet, -act.points)
        if short and act.policy == ClawBackPolicy.FORGIVE:
            self.line(wallet, short)
        else:
            wallet.deficit += short
        return Entry(act, taken, [])

    def is_award(self, entry: Entry, holder: UUID) -> bool:
        return isinstance(entry.act, Accrual | Adjustment) and entry.act.points > 0 and entry.act.holder == holder

    def room(self, award: Entry) -> int:
        """What can still be taken back of it."""
        assert isinstance(award.act, Accrual | Adjustment)
        return award.act.points - award.clawed

    def claw_back_order(self, wallet: Wallet, own: Iterable[UUID], now: datetime) -> list[Lot]:
        """Lots of the receipt, pending ones first; then others in burn order, pending ones last."""
        granted = [lot for entry in own if entry in self.names for lot in self.names[entry].granted]
        active, pending = wallet.active(now), wallet.pending(now)
        mine = [lot for lot in pending + active if lot in granted]
        return mine + [lot for lot in active + pending if lot not in granted]

    def forgive(self, act: Forgiveness, now: datetime) -> Entry | Refusal:
        wallet = self.wallets[act.holder]
        if wallet.deficit < act.points:
            return Refusal.INSUFFICIENT_POINTS  # Open: which of the reasons.
        wallet.deficit -= act.points
        self.line(wallet, act.points)
        return Entry(act, [], [])

    def transfer(self, act: Transfer, now: datetime) -> Entry | Refusal:
        wallet, to = self.wallets[act.holder], self.wallets[act.to]
        if wallet is to:
            return Refusal.NOT_REVERSIBLE
        taken = self.spend(wallet, act.points, wallet.active(now))
        return taken if isinstance(taken, Refusal) else Entry(act, taken, self.move(taken, to))

    def merge(self, act: Merge, now: datetime) -> Entry | Refusal:
        """Open: what has ended stays; a deficit that comes is paid from what the other could spend before."""
        wallet, to = self.wallets[act.holder], self.wallets[act.to]
        lots, others = wallet.held(now), to.active(now)
        if wallet is to:
            return Refusal.NOT_REVERSIBLE
        if not lots and not wallet.deficit:
            return Refusal.INSUFFICIENT_POINTS
        taken, moved = take(lots, wallet.balance()), []
        if taken:
            self.line(wallet, -total(taken))
            moved = self.move(taken, to)
        if owed := wallet.deficit:
            wallet.deficit = 0
            self.line(wallet, owed)
            self.line(to, -owed)
            to.deficit += owed - total(take(others, owed))
        return Entry(act, [], moved)

    def unmerge(self, act: UnMerge, now: datetime) -> Entry | Refusal:
        merged = self.names.get(act.entry)
        if merged is None or not isinstance(merged.act, Merge) or (merged.act.holder, merged.act.to) != (act.holder, act.to):
            return Refusal.NOT_REVERSIBLE
        wallet, to = self.wallets[act.holder], self.wallets[act.to]
        taken = take([lot for lot in to.held(now) if lot in merged.granted], to.balance())
        if not taken:
            return Refusal.NOT_REVERSIBLE
        self.line(to, -total(taken))
        return Entry(act, [], self.move(taken, wallet))

    # The sweep

    def ended(self, now: datetime) -> list[Lot]:
        """Lots to be swept. Open: those with a date of their own first, then wallets that were idle; soonest first."""
        lots = (lot for wallet in self.wallets.values() for lot in wallet.lots if lot.remaining and lot.has_ended(now))
        return sorted(lots, key=lambda lot: (lot.expires_at is None, lot.end()))

    def expire(self, now: datetime, limit: int) -> tuple[int, int]:
        """Book the end of lots, a line for each. Returns how many lots and points."""
        ended = self.ended(now)[:limit]
        points = sum(lot.remaining for lot in ended)
        for lot in ended:
            self.end(lot)
        return len(ended), points
