"""What the reference ledger holds: lots, wallets, and what entries did to them."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from uuid import UUID

from loyalty.acts import Act

NO_END = datetime.max.replace(tzinfo=UTC)


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
    rule: UUID | None

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

    def held(self, now: datetime) -> list[Lot]:
        """What can or will be spent, pending points last."""
        return self.active(now) + self.pending(now)


type Part = tuple[Lot, int]
# When the points of a lot were earned, in which store and by which rule: kept when they move.
type Origin = tuple[datetime, int | None, UUID | None]


def origin(lot: Lot) -> Origin:
    return lot.earned_at, lot.store, lot.rule


@dataclass(slots=True, eq=False)
class Entry:
    """An act that stands: which points it took from which lots and has not given back, and which lots it made.

    `clawed` are the points that were clawed back for it.
    """

    act: Act
    taken: list[Part]
    granted: list[Lot]
    balance: int = 0
    clawed: int = 0


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


def untake(entry: Entry, points: int) -> list[Part]:
    """Take points off what an entry took, oldest lots first."""
    back, left = [], []
    for lot, taken in sorted(entry.taken, key=lambda part: part[0].number):
        part = min(points, taken)
        points -= part
        back += [(lot, part)] if part else []
        left += [(lot, taken - part)] if taken > part else []
    entry.taken = left
    return back
