"""Opening stores by program; staff open them in the admin."""

from collections.abc import Iterable
from dataclasses import dataclass

from loyalty.models import Store


@dataclass(frozen=True, slots=True)
class NewStore:
    """`timezone` is a name like Europe/Paris."""

    code: str
    name: str
    timezone: str
    region: str = ""


def open_stores(stores: Iterable[NewStore]) -> None:
    """Open each store; one whose code is taken stays as it is."""
    rows = [Store(code=one.code, name=one.name, timezone=one.timezone, region=one.region) for one in stores]
    Store.objects.bulk_create(rows, ignore_conflicts=True)
