"""What stands above the ledger, as far as its pages for staff need to know."""

from collections.abc import Collection, Iterable
from typing import Protocol
from uuid import UUID

from django.http import HttpRequest


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
