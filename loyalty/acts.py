"""What callers ask of the ledger, and what it answers. Plain values in, plain values out.

Points are whole; instants are aware; `key` makes an act exactly-once and is unique in the whole ledger; `holder` is
the random id that a wallet belongs to; `reason` is a code, never free text.
"""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from loyalty.kinds import Kind


class Refusal(StrEnum):
    """Why an act was not posted; state never raises. The values are the API's problem slugs where it has one."""

    INSUFFICIENT_POINTS = "insufficient-points"
    DEFICIT = "deficit"
    UNKNOWN_HOLDER = "unknown-member"
    KEY_REUSED = "duplicate-document"
    NOT_REVERSIBLE = "not-reversible"
    NEEDS_APPROVAL = "limit-reached"


class ClawBackPolicy(StrEnum):
    """What happens to points that a return takes back and that are spent (SEMANTICS 4)."""

    DEFICIT = "deficit"
    FORGIVE = "forgive"
    REFUSE = "refuse"


@dataclass(frozen=True, slots=True)
class Posted:
    """The act stands in the ledger. `balance` is balance minus deficit after it; `replayed`: it stood there before."""

    entry: UUID
    balance: int
    replayed: bool = False


@dataclass(frozen=True, slots=True)
class Refused:
    """The act was not posted and nothing moved."""

    reason: Refusal


type Outcome = Posted | Refused


@dataclass(frozen=True, slots=True, kw_only=True)
class _Act:
    """`idle_until`: under terms that end points after inactivity, the instant to which this act keeps the wallet alive."""

    key: str
    holder: UUID
    occurred_at: datetime
    store: int | None = None
    reference: str = ""
    reason: str = ""
    terms: int | None = None
    rule_version: UUID | None = None
    idle_until: datetime | None = None

    def __post_init__(self) -> None:
        """An act that names points moves some; only an adjustment may take by a negative number."""
        points = getattr(self, "points", 1)
        assert points > 0 or (points < 0 and isinstance(self, Adjustment)), f"{type(self).__name__} of {points} points"

    @property
    def holders(self) -> tuple[UUID, ...]:
        """Whose wallets it moves."""
        return (self.holder,)


@dataclass(frozen=True, slots=True, kw_only=True)
class Accrual(_Act):
    """`points` > 0 granted as one lot, usable from `available_at` until `expires_at` (None: no date ends them).

    `earned_at` is the lot's age, where that is not the age of the act (None).
    """

    points: int
    available_at: datetime
    expires_at: datetime | None
    kind: Kind = Kind.EARN
    earned_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Burn(_Act):
    """`points` > 0 spent from the lots that end soonest; `kind` tells an exchange for a partner's points."""

    points: int
    kind: Kind = Kind.BURN


@dataclass(frozen=True, slots=True, kw_only=True)
class Adjustment(_Act):
    """A staff correction by `points` ≠ 0, with a reason; a positive one opens a lot, a negative one burns."""

    points: int
    expires_at: datetime | None = None
    kind: Kind = field(default=Kind.ADJUST, init=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reversal(_Act):
    """The exact undoing of `entry`, once; refused when points that it granted are spent."""

    entry: UUID

    @classmethod
    def of(cls, entry: UUID, holder: UUID, *, occurred_at: datetime, reason: str = "reversed") -> "Reversal":
        return cls(key=f"reverse:{entry}", entry=entry, holder=holder, occurred_at=occurred_at, reason=reason)


@dataclass(frozen=True, slots=True, kw_only=True)
class Restore(_Act):
    """`points` > 0 that the burn `entry` took, given back to the lots they came from.

    What came from lots that have ended meanwhile becomes a lot that ends at `grace_until`, one for each store and rule they
    were of; without it, or when that has passed too, it goes back to the ended lots, which the sweep ends again. A part
    fills the oldest lots first. A deficit is paid first.
    """

    entry: UUID
    points: int
    grace_until: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ClawBack(_Act):
    """`points` > 0 taken back after a return; `entry` is the award that is taken back, refused unless it is the holder's.

    First from the lots of `own` (the receipt's entries; pending ones first), then from others in burn order, pending
    ones last, then by `policy`. Never more in all than `entry` awarded (SEMANTICS 3): a receipt with several awards is taken
    back by as many acts. Nothing is taken from lots that have ended: who asks leaves out the points that count as taken.
    """

    entry: UUID
    points: int
    own: tuple[UUID, ...]
    policy: ClawBackPolicy = ClawBackPolicy.DEFICIT


@dataclass(frozen=True, slots=True, kw_only=True)
class Forgiveness(_Act):
    """`points` > 0 of a deficit that the programme gives up; refused when the deficit is smaller."""

    points: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Transfer(_Act):
    """`points` > 0 moved to another holder in burn order; lots keep their end, age and store."""

    points: int
    to: UUID

    @property
    def holders(self) -> tuple[UUID, ...]:
        return (self.holder, self.to)


@dataclass(frozen=True, slots=True, kw_only=True)
class Merge(_Act):
    """Everything of `holder`, pending points and deficit too, moved to another holder; lots keep end, age and store."""

    to: UUID

    @property
    def holders(self) -> tuple[UUID, ...]:
        return (self.holder, self.to)


@dataclass(frozen=True, slots=True, kw_only=True)
class UnMerge(_Act):
    """What is left of the lots that the merge `entry` brought to `to` goes back to `holder`; a deficit stays where it is."""

    entry: UUID
    to: UUID

    @property
    def holders(self) -> tuple[UUID, ...]:
        return (self.holder, self.to)


type Act = Accrual | Burn | Adjustment | Reversal | Restore | ClawBack | Forgiveness | Transfer | Merge | UnMerge
