"""Filters of lists that go by days of the programme's zone."""

from datetime import date, datetime, time, timedelta
from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.timezone import get_current_timezone
from unfold.contrib.filters.admin import RangeDateFilter

# A till's clock may run ahead of ours by this much.
AHEAD = timedelta(minutes=5)


class Between(RangeDateFilter):
    """From the start of one day to the end of another; `?<field>_from=2026-06-01&<field>_to=2026-06-30`."""

    def bounds(self) -> tuple[datetime | None, datetime | None]:
        first, last = (self._day(f"{self.parameter_name}_{end}") for end in ("from", "to"))
        return _midnight(first) if first else None, _midnight(last + timedelta(days=1)) if last else None

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        since, until = self.bounds()
        if since:
            queryset = queryset.filter(**{f"{self.parameter_name}__gte": since})
        return queryset.filter(**{f"{self.parameter_name}__lt": until}) if until else queryset

    def _day(self, name: str) -> date | None:
        try:
            return date.fromisoformat(str(self.used_parameters.get(name)))
        except ValueError:
            return None


class Happened(Between):
    """What happened after a day was recorded after it too, which is what the ledger's index knows."""

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        since, _until = self.bounds()
        rows = super().queryset(request, queryset)
        return rows.filter(recorded_at__gte=since - AHEAD) if since else rows


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), get_current_timezone())
