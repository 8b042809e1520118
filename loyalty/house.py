"""What stands above the ledger, as far as its pages for staff need to know."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from uuid import UUID

from django.http import HttpRequest

from loyalty.limits import Limits
from loyalty.notice import Review


@dataclass(frozen=True, slots=True)
class Standing:
    """A draft that was put before a second person: who asked, and who approved or refused it, if anybody has.

    `own`: who cannot decide it, for they drafted it, asked for it, or made the key that did. `hopeless`: nobody answers for
    such a key, so it can only be refused.
    """

    asked_by: UUID
    asked_at: datetime
    own: frozenset[UUID]
    hopeless: bool
    approved_by: UUID | None = None
    refused_by: UUID | None = None


class House(Protocol):
    """What the ledger's pages ask of the rooms above; the site answers (config.adminsite)."""

    def stores_of(self, request: HttpRequest) -> Collection[int] | None:
        """The stores to which this member of staff is bound; None for every store."""

    def members(self, holders: Iterable[UUID]) -> dict[UUID, tuple[str, str]]:
        """The address and the name of who holds the wallets."""

    def staff(self, actors: Iterable[UUID]) -> dict[UUID, str]:
        """The names under which actors work."""

    def holders_of(self, text: str) -> set[UUID]:
        """Whom a card number or another system's number names."""

    def entries_of(self, text: str) -> set[UUID]:
        """What was posted for a receipt number."""

    def cause_of(self, entry: UUID) -> tuple[str, str] | None:
        """The address and the words of what an entry was posted for."""

    def approval_of(self, verb: str, review: Review) -> Standing | None:
        """How the act on exactly this content stands; None while nobody asked."""

    def ask_approval(self, verb: str, review: Review, *, by: UUID, now: datetime) -> None:
        """Let the act wait for a second person."""

    def decide(self, verb: str, review: Review, *, approved: bool, by: UUID, now: datetime) -> None:
        """Approve or refuse what waits. Raises Problem, also when `by` wrote it or asked for it."""

    def called(self, verb: str, ids: Collection[str]) -> dict[str, str]:
        """The names of what waits for a second person in the rooms above, by id."""

    def propose_limits(self, given: Limits, *, by: UUID, now: datetime) -> tuple[int, bool]:
        """Set the limits for granting points, or ask a second person; the setting's number, and whether it holds at once."""
