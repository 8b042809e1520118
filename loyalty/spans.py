"""Spans of days and of hours, as rules and rewards write them."""

from datetime import date, time, timedelta

from loyalty.terms import add_months


def later(day: date, duration: str) -> date:
    """The day an ISO 8601 duration of days, weeks, months or years (P14D) after `day`."""
    count, unit = int(duration[1:-1]), duration[-1]
    if unit in "DW":
        return day + timedelta(days=count * (7 if unit == "W" else 1))
    return add_months(day, count * (12 if unit == "Y" else 1))


def in_hours(hours: tuple[time, time] | None, now: time) -> bool:
    """From the first hour on and before the second, over midnight too; None is the whole day."""
    if hours is None:
        return True
    start, end = hours
    return start <= now < end if start < end else now >= start or now < end
