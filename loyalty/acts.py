"""What callers ask of the ledger, and what it answers. Plain values in, plain values out.

Points are whole; instants are aware; `key` makes an act exactly-once and is unique in the whole ledger; `holder` is
the random id that a wallet belongs to; `reason` is a code, never free text.
"""

from dataclasses import dataclass
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
class Accrual:
    """`points` > 0 granted as one lot, usable from `available_at` until `expires_at` (None: never ends)."""

    key: str
    holder: UUID
    points: int
    occurred_at: datetime
    available_at: datetime
    expires_at: datetime | None
    kind: Kind = Kind.EARN
    store: int | None = None
    reference: str = ""
    reason: str = ""
    terms: int | None = None
    rule_version: UUID | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Burn:
    """`points` > 0 spent from the lots that end soonest."""

    key: str
    holder: UUID
    points: int
    occurred_at: datetime
    store: int | None = None
    reference: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Adjustment:
    """A staff correction by `points` ≠ 0, with a reason; a positive one opens a lot, a negative one burns."""

    key: str
    holder: UUID
    points: int
    reason: str
    occurred_at: datetime
    expires_at: datetime | None = None
    store: int | None = None
    reference: str = ""
    terms: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Reversal:
    """The exact undoing of `entry`, once; refused when points that it granted are spent."""

    entry: UUID
    holder: UUID
    occurred_at: datetime
    reason: str = "reversed"

    @property
    def key(self) -> str:
        return f"reverse:{self.entry}"


type Act = Accrual | Burn | Adjustment | Reversal
