"""The date hierarchy of a list: years, months or days between the first and the last row, by the index of the column.

Django's own reads every row for its years; a ledger has too many.
"""

import calendar
from collections.abc import Callable, Mapping
from datetime import date, timedelta
from typing import Any

from django.db.models import Max, Min, QuerySet
from django.utils.formats import date_format
from django.utils.text import capfirst
from django.utils.timezone import localtime
from django.utils.translation import gettext as _

type Link = Callable[[dict[str, Any], list[str]], str]


def dates_of(rows: QuerySet[Any], field: str, params: Mapping[str, Any], link: Link) -> dict[str, Any]:
    """`choices` and `back` of the date links above a list whose address has `params`."""
    year, month, day = (_number(params, f"{field}__{part}") for part in ("year", "month", "day"))
    ends = rows.order_by().aggregate(first=Min(field), last=Max(field))
    if ends["first"] is None:
        return {"choices": [], "back": _back(field, link, year, month if day else None) if year else None}
    first, last = localtime(ends["first"]).date(), localtime(ends["last"]).date()

    def to(**parts: int) -> str:
        return link({f"{field}__{part}": number for part, number in parts.items()}, [f"{field}__"])

    back = _back(field, link, year, month if day else None) if year else None
    if not year and first.year == last.year:
        year = first.year
    if year and month and day:
        return {"back": back, "choices": [{"title": date_format(date(year, month, day), "DATE_FORMAT")}]}
    if year and month:
        days = _days(max(first, date(year, month, 1)), min(last, date(year, month, calendar.monthrange(year, month)[1])))
        choices = [
            {"title": date_format(one, "MONTH_DAY_FORMAT"), "link": to(year=year, month=month, day=one.day)} for one in days
        ]
    elif year:
        months = [m for m in range(1, 13) if (first.year, first.month) <= (year, m) <= (last.year, last.month)]
        choices = [
            {"title": capfirst(date_format(date(year, m, 1), "YEAR_MONTH_FORMAT")), "link": to(year=year, month=m)}
            for m in months
        ]
    else:
        choices = [{"title": str(y), "link": to(year=y)} for y in range(first.year, last.year + 1)]
    return {"back": back, "choices": choices}


def _back(field: str, link: Link, year: int, month: int | None) -> dict[str, str]:
    """One level up: from a day to its month, from a month or year to all dates."""
    if month:
        address = link({f"{field}__year": year, f"{field}__month": month}, [f"{field}__"])
        return {"title": date_format(date(year, month, 1), "YEAR_MONTH_FORMAT"), "link": address}
    return {"title": _("All dates"), "link": link({}, [f"{field}__"])}


def _days(first: date, last: date) -> list[date]:
    return [first + timedelta(days=n) for n in range((last - first).days + 1)]


def _number(params: Mapping[str, Any], name: str) -> int | None:
    value = params.get(name)
    text = value[-1] if isinstance(value, list) else value
    return int(text) if text and str(text).isdigit() and int(text) < date.max.year else None
