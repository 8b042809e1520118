"""Columns of lists: whole numbers flush right with real minus signs, instants in the programme's zone."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from django.contrib import admin
from django.utils.formats import date_format, number_format
from django.utils.timezone import localtime
from django.utils.translation import gettext as _

# What the first versions of terms and rates carry for their start lies before.
BEGINNING = datetime(1970, 1, 2, tzinfo=UTC)

type Column = Callable[[Any, Any], str | None]


def signed(number: int | None, *, plus: bool = False) -> str:
    """1,240 or −350 as the reader's language writes it, with a real minus sign; `plus` marks gains."""
    if number is None:
        return ""
    text = number_format(abs(number), force_grouping=True)
    return f"−{text}" if number < 0 else f"+{text}" if plus and number > 0 else text


def quantity(number: Decimal) -> str:
    """2 or 0.512: no more decimals than it needs."""
    return number_format(f"{number.normalize():f}", force_grouping=True)


def moment(instant: datetime | None) -> str | None:
    """15 Jun 2026, 14:03, in the zone of the programme."""
    return date_format(localtime(instant), "SHORT_DATETIME_FORMAT") if instant else None


def last_day(end: datetime | None) -> str:
    """31 December 2027, of what ends with the midnight after it, in the zone of the programme."""
    return date_format(localtime(end - timedelta(microseconds=1)), "DATE_FORMAT") if end else ""


def since(instant: datetime | None) -> str | None:
    """A moment; the first versions of terms and rates hold from the beginning."""
    return moment(instant) if instant is None or instant > BEGINNING else str(_("from the beginning"))


def figure(name: str, label: Any, *, plus: bool = False, ordering: str | None = None) -> Column:
    """A column of whole numbers, flush right."""

    @admin.display(description=label, ordering=ordering or name)
    def column(_page: Any, row: Any) -> str:
        return signed(follow(row, name), plus=plus)

    column.formatting = "price"  # type: ignore[attr-defined]
    return column


def instant(name: str, label: Any) -> Column:
    """A column of points in time."""

    @admin.display(description=label, ordering=name)
    def column(_page: Any, row: Any) -> str | None:
        return moment(follow(row, name))

    return column


def follow(row: Any, path: str) -> Any:
    for part in path.split("__"):
        row = getattr(row, part, None)
    return row
