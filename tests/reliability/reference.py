"""What the points ledger should do, written down once more as plain Python from the rules alone.

No database, no SQL, nothing of the product but the acts that its door takes. It is slow, short and obvious, so that the
fast ledger can be held against it (tests/reliability/stateful.py). It answers each act by `Said` or a `Refusal`; as it
cannot know the random ids of entries, it is told them afterwards (`named`).

Where the rules are silent, a comment that begins "Open:" says what is chosen here.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
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

NO_END = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Said:
    """The act stands; `balance` is balance minus deficit of its holder after it."""

    balance: int
    replayed: bool = False


type Answer = Said | Refusal


@dataclass(slots=True, eq=False)
class Lot:
    """Points of one award; `number` counts up as lots are made."""

    number: int
    wallet: "Wallet"
    points: int
    remaining: int
    available_at: datetime
    expires_at: datetime | None
    earned_at: datetime
    store: int | None

    def end(self) -> datetime:
        """Its own date, or the wallet's, which ends what has none."""
        return self.expires_at or self.wallet.idle_until or NO_END

    def has_ended(self, now: datetime) -> bool:
        return self.end() <= now

    def is_pending(self, now: datetime) -> bool:
        return self.available_at > now

    def is_active(self, now: datetime) -> bool:
        return not self.is_pending(now) and not self.has_ended(now)


def burn_order(lot: Lot) -> tuple[datetime, datetime, int]:
    """Soonest end first, without a date last, then the oldest."""
    return (lot.expires_at or NO_END, lot.earned_at, lot.number)


@dataclass(slots=True, eq=False)
class Wallet:
    """Lots, a deficit, and how many lines its statement has."""

    holder: UUID
    lots: list[Lot] = field(default_factory=list)
    deficit: int = 0
    lines: int = 0
    posted: int = 0
    idle_until: datetime | None = None

    def balance(self) -> int:
        return sum(lot.remaining for lot in self.lots)

    def net(self) -> int:
        return self.balance() - self.deficit

    def active(self, now: datetime) -> list[Lot]:
        """What can be spent, in burn order."""
        return sorted((lot for lot in self.lots if lot.remaining and lot.is_active(now)), key=burn_order)

    def pending(self, now: datetime) -> list[Lot]:
        found = (lot for lot in self.lots if lot.remaining and lot.is_pending(now) and not lot.has_ended(now))
        return sorted(found, key=burn_order)


type Part = tuple[Lot, int]


@dataclass(slots=True, eq=False)
class Entry:
    """An act that stands: which points it took from which lots, and which lots it made."""

    act: Act
    balance: int
    taken: list[Part]
    granted: list[Lot]
    is_reversed: bool = False


def take(lots: Iterable[Lot], points: int) -> list[Part]:
    """Take up to `points` from the lots, one after the other."""
    parts = []
    for lot in lots:
        part = min(points, lot.remaining)
        if part:
            lot.remaining -= part
            points -= part
            parts.append((lot, part))
    return parts


def total(parts: Iterable[Part]) -> int:
    return sum(points for _, points in parts)


def same(act: Act, other: Act) -> bool:
    """Whether a key is used again for the same act: the same verb, wallets, points and entry.

    Open: what else a caller says of an act (reference, dates) is not compared.
    """
    names = ("holder", "to", "points", "entry")
    return type(act) is type(other) and all(getattr(act, name, None) == getattr(other, name, None) for name in names)


class Ledger:
    """All wallets. A verb takes acts in order; each sees what those before it did."""

    def __init__(self) -> None:
        self.wallets: dict[UUID, Wallet] = {}
        self.entries: dict[str, Entry] = {}
        self.names: dict[UUID, Entry] = {}
        self.lots = 0
        self.lots_before_batch = 0

    def open_wallets(self, holders: Iterable[UUID]) -> None:
        for holder in holders:
            self.wallets.setdefault(holder, Wallet(holder))

    def named(self, key: str, entry: UUID) -> None:
        """The product calls the entry with this key so."""
        self.names[entry] = self.entries[key]

    def post(self, acts: Sequence[Act], now: datetime) -> list[Answer]:
        """Do what is asked, act after act."""
        self.lots_before_batch = self.lots
        return [self._post(act, now) for act in acts]

    def _post(self, act: Act, now: datetime) -> Answer:
        # Open: of several reasons to refuse, the missing wallet is told first, then the key.
        if any(holder not in self.wallets for holder in act.holders):
            return Refusal.UNKNOWN_HOLDER
        if standing := self.entries.get(act.key):
            return Said(standing.balance, replayed=True) if same(standing.act, act) else Refusal.KEY_REUSED
        verbs: dict[type, Callable[[Any, datetime], Entry | Refusal]] = {
            Accrual: self.accrue, Burn: self.burn, Adjustment: self.adjust, Reversal: self.reverse, Restore: self.restore,
            ClawBack: self.claw_back, Forgiveness: self.forgive, Transfer: self.transfer, Merge: self.merge,
            UnMerge: self.unmerge,
        }  # fmt: skip
        answer = verbs[type(act)](act, now)
        if isinstance(answer, Refusal):
            return answer
        for holder in act.holders:
            self.keep_alive(self.wallets[holder], act.idle_until, now)
        self.entries[act.key] = answer
        answer.balance = self.wallets[act.holder].net()
        return Said(answer.balance)

    # What verbs are made of

    def keep_alive(self, wallet: Wallet, until: datetime | None, now: datetime) -> None:
        """Move the wallet's date; never closer, and what it has ended stays ended, swept or not."""
        if until is None:
            return
        if wallet.idle_until and wallet.idle_until <= now:
            for lot in wallet.lots:
                lot.expires_at = lot.expires_at or wallet.idle_until
        wallet.idle_until = max(until, wallet.idle_until or until)

    def line(self, wallet: Wallet, points: int) -> None:
        wallet.lines += 1
        wallet.posted += points

    def grant(self, wallet: Wallet, points: int, available: datetime, end: datetime | None, earned: datetime) -> Lot:
        """A new lot, out of which a deficit is paid."""
        self.lots += 1
        lot = Lot(self.lots, wallet, points, points, available, end, earned, None)
        wallet.lots.append(lot)
        self.line(wallet, points)
        self.pay_deficit(lot, points)
        return lot

    def pay_deficit(self, lot: Lot, points: int) -> None:
        """Of points that have just come into a lot, those that are owed go again."""
        paid = min(points, lot.wallet.deficit)
        lot.remaining -= paid
        lot.wallet.deficit -= paid

    def give_back(self, parts: Iterable[Part]) -> None:
        """Put points into the lots they came from."""
        for lot, points in parts:
            lot.remaining += points
            self.pay_deficit(lot, points)

    def spend(self, wallet: Wallet, points: int, lots: list[Lot]) -> list[Part] | Refusal:
        """Take points that the member must have, and may spend."""
        if wallet.deficit:
            return Refusal.DEFICIT
        if sum(lot.remaining for lot in lots) < points:
            return Refusal.INSUFFICIENT_POINTS
        self.line(wallet, -points)
        return take(lots, points)

    def move(self, parts: Iterable[Part], to: Wallet) -> list[Lot]:
        """The same points in another wallet: each lot keeps its dates."""
        moved = []
        for lot, points in parts:
            moved.append(self.grant(to, points, lot.available_at, lot.expires_at, lot.earned_at))
        return moved

    # Verbs

    def accrue(self, act: Accrual, now: datetime) -> Entry | Refusal:
        wallet = self.wallets[act.holder]
        lot = self.grant(wallet, act.points, act.available_at, act.expires_at, act.occurred_at)
        return Entry(act, 0, [], [lot])

    def burn(self, act: Burn, now: datetime) -> Entry | Refusal:
        wallet = self.wallets[act.holder]
        taken = self.spend(wallet, act.points, wallet.active(now))
        return taken if isinstance(taken, Refusal) else Entry(act, 0, taken, [])

    def adjust(self, act: Adjustment, now: datetime) -> Entry | Refusal:
        wallet = self.wallets[act.holder]
        if act.points > 0:
            # Open: usable from when it happened.
            lot = self.grant(wallet, act.points, act.occurred_at, act.expires_at, act.occurred_at)
            return Entry(act, 0, [], [lot])
        lots = [lot for lot in wallet.active(now) if lot.number <= self.lots_before_batch]
        taken = self.spend(wallet, -act.points, lots)
        return taken if isinstance(taken, Refusal) else Entry(act, 0, taken, [])

    def reverse(self, act: Reversal, now: datetime) -> Entry | Refusal:
        """Open: accruals, burns and adjustments can be reversed, nothing else; what paid a deficit counts as spent."""
        undone = self.names.get(act.entry)
        if undone is None or undone.is_reversed or undone.act.holder != act.holder:
            return Refusal.NOT_REVERSIBLE
        if not isinstance(undone.act, Accrual | Burn | Adjustment):
            return Refusal.NOT_REVERSIBLE
        wallet = self.wallets[act.holder]
        if isinstance(undone.act, Burn) and total(undone.taken) < undone.act.points:
            return Refusal.NOT_REVERSIBLE  # a part was restored
        if any(lot.remaining < lot.points for lot in undone.granted):
            return Refusal.NOT_REVERSIBLE
        undone.is_reversed = True
        self.line(wallet, total(undone.taken) - sum(lot.points for lot in undone.granted))
        self.give_back(undone.taken)
        return Entry(act, 0, take(undone.granted, sum(lot.points for lot in undone.granted)), [])

    def restore(self, act: Restore, now: datetime) -> Entry | Refusal:
        """Open: a restore in part gives back what was taken last; each ended lot becomes a lot, which keeps its age."""
        burned = self.names.get(act.entry)
        if burned is None or burned.is_reversed or burned.act.holder != act.holder or not isinstance(burned.act, Burn):
            return Refusal.NOT_REVERSIBLE
        if total(burned.taken) < act.points:
            return Refusal.NOT_REVERSIBLE
        wallet = self.wallets[act.holder]
        back, granted = [], []
        for lot, points in self.untake(burned, act.points):
            if lot.has_ended(now) and act.grace_until and act.grace_until > now:
                granted.append(self.grant(wallet, points, lot.available_at, act.grace_until, lot.earned_at))
            else:
                back.append((lot, points))
        self.give_back(back)
        if back:
            self.line(wallet, total(back))
        return Entry(act, 0, [], granted)

    def untake(self, entry: Entry, points: int) -> list[Part]:
        """Take points off what an entry took, last first."""
        parts = []
        while points:
            lot, taken = entry.taken.pop()
            part = min(points, taken)
            points -= part
            parts.append((lot, part))
            if taken > part:
                entry.taken.append((lot, taken - part))
        return parts

    def claw_back(self, act: ClawBack, now: datetime) -> Entry | Refusal:
        """Open: any entry may be named; own lots that have ended are taken from as well, others' are not."""
        if act.entry not in self.names:
            return Refusal.NOT_REVERSIBLE
        wallet = self.wallets[act.holder]
        lots = self.claw_back_order(wallet, act.own, now)
        short = max(0, act.points - sum(lot.remaining for lot in lots))
        if short and act.policy == ClawBackPolicy.REFUSE:
            return Refusal.INSUFFICIENT_POINTS
        taken = take(lots, act.points)
        self.line(wallet, -act.points)
        if short and act.policy == ClawBackPolicy.FORGIVE:
            self.line(wallet, short)
        elif short:
            wallet.deficit += short
        return Entry(act, 0, taken, [])

    def claw_back_order(self, wallet: Wallet, own: Iterable[UUID], now: datetime) -> list[Lot]:
        """Lots of the receipt, pending ones first; then others in burn order, pending ones last."""
        granted = [lot for entry in own if entry in self.names for lot in self.names[entry].granted]
        mine = [lot for lot in wallet.lots if lot in granted]
        mine.sort(key=lambda lot: (not lot.is_pending(now), burn_order(lot)))
        others = [lot for lot in wallet.active(now) + wallet.pending(now) if lot not in mine]
        return mine + others

    def forgive(self, act: Forgiveness, now: datetime) -> Entry | Refusal:
        wallet = self.wallets[act.holder]
        if wallet.deficit < act.points:
            return Refusal.INSUFFICIENT_POINTS  # Open: which of the reasons.
        wallet.deficit -= act.points
        self.line(wallet, act.points)
        return Entry(act, 0, [], [])

    def transfer(self, act: Transfer, now: datetime) -> Entry | Refusal:
        wallet = self.wallets[act.holder]
        taken = self.spend(wallet, act.points, wallet.active(now))
        if isinstance(taken, Refusal):
            return taken
        return Entry(act, 0, taken, self.move(taken, self.wallets[act.to]))

    def merge(self, act: Merge, now: datetime) -> Entry | Refusal:
        """Open: a deficit that comes is paid at once from what the other has, as a claw-back would be."""
        wallet, to = self.wallets[act.holder], self.wallets[act.to]
        if not wallet.balance() and not wallet.deficit:
            return Refusal.INSUFFICIENT_POINTS
        self.line(wallet, -wallet.net())
        if wallet.idle_until and wallet.idle_until <= now:
            for lot in wallet.lots:
                lot.expires_at = lot.expires_at or wallet.idle_until
        taken = take(sorted(wallet.lots, key=burn_order), wallet.balance())
        moved = self.move(taken, to)
        if wallet.deficit:
            owed, wallet.deficit = wallet.deficit, 0
            self.line(to, -owed)
            to.deficit += owed - total(take(to.active(now) + to.pending(now), owed))
        self.keep_alive(to, wallet.idle_until, now)
        return Entry(act, 0, taken, moved)

    def unmerge(self, act: UnMerge, now: datetime) -> Entry | Refusal:
        merged = self.names.get(act.entry)
        if merged is None or not isinstance(merged.act, Merge) or (merged.act.holder, merged.act.to) != (act.holder, act.to):
            return Refusal.NOT_REVERSIBLE
        left = sum(lot.remaining for lot in merged.granted)
        if not left:
            return Refusal.INSUFFICIENT_POINTS
        self.line(self.wallets[act.to], -left)
        taken = take(merged.granted, left)
        return Entry(act, 0, taken, self.move(taken, self.wallets[act.holder]))

    def expire(self, now: datetime, limit: int) -> tuple[int, int]:
        """Book the end of lots, soonest first, a line for each. Returns how many lots and points."""
        open_lots = [lot for wallet in self.wallets.values() for lot in wallet.lots if lot.remaining]
        ended = sorted((lot for lot in open_lots if lot.has_ended(now)), key=lambda lot: (lot.end(), lot.number))[:limit]
        points = sum(lot.remaining for lot in ended)
        for lot in ended:
            self.line(lot.wallet, -lot.remaining)
            lot.remaining = 0
        return len(ended), points
