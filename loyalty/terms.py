"""The terms in force, and what they say about time and worth. Dates are the programme's; instants are UTC."""

import calendar
import zoneinfo
from bisect import bisect_right
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import ROUND_DOWN, Decimal

from loyalty.models import TermsVersion

# Later than any expiry.
FOREVER = datetime(9999, 1, 1, tzinfo=UTC)
ROUND_UP_MONTHS = {"month": 1, "quarter": 3, "year": 12}
# Digits after the point, where they are not two (ISO 4217).
MINOR_UNITS = {"JPY": 0, "KRW": 0, "VND": 0, "CLP": 0, "ISK": 0, "XOF": 0, "XAF": 0, "KWD": 3, "BHD": 3, "TND": 3}


@dataclass(frozen=True, slots=True)
class Terms:
    """One published version. `point_value` is money of `currency` for one point."""

    id: int
    version: int
    currency: str
    zone: zoneinfo.ZoneInfo
    point_value: Decimal
    expiry: str
    expiry_months: int
    expiry_round_up: str
    expiry_month: int
    expiry_day: int
    pending_days: int
    starts_at: datetime
    return_days: int = 30
    claw_back: str = "deficit"
    notice_days: int = 60
    tender_min: int = 1
    tender_step: int = 1
    tender_max_percent: int = 100

    @property
    def minor_units(self) -> int:
        return minor_units(self.currency)

    @property
    def coin(self) -> Decimal:
        """The currency's smallest."""
        return Decimal(1).scaleb(-self.minor_units)

    def worth(self, points: int) -> Decimal:
        """Money value of `points`, rounded towards zero to the currency's smallest unit."""
        return (points * self.point_value).quantize(Decimal(1).scaleb(-self.minor_units), ROUND_DOWN)

    def usable_from(self, occurred_at: datetime) -> datetime:
        return occurred_at + timedelta(days=self.pending_days)

    def ends(self, activated_at: datetime) -> datetime | None:
        """The instant from which points activated then can no longer be spent; None if no date ends them.

        It is the local midnight after the last day (SEMANTICS 2.4): 31 January + 1 month → after 28 or 29 February.
        """
        if self.expiry in (TermsVersion.Expiry.NEVER, TermsVersion.Expiry.INACTIVITY):
            return None
        return self.midnight_after(self.last_day_of_lot(self.day_of(activated_at)))

    def last_day_of_lot(self, day: date) -> date:
        """The last day of points activated on `day`, for whoever does nothing more; `date.max` if they never end."""
        match self.expiry:
            case TermsVersion.Expiry.MONTHS:
                return round_up(add_months(day, self.expiry_months), self.expiry_round_up)
            case TermsVersion.Expiry.FIXED_DAY:
                return next_fixed_day(day, self.expiry_month, self.expiry_day)
            case TermsVersion.Expiry.INACTIVITY:  # counted from the purchase
                return add_months(day - timedelta(days=self.pending_days), self.expiry_months)
        return date.max

    def alive_until(self, active_at: datetime) -> datetime | None:
        """Under terms that end points after inactivity, the instant to which an act at `active_at` keeps the wallet alive."""
        if self.expiry != TermsVersion.Expiry.INACTIVITY:
            return None
        return self.midnight_after(add_months(self.day_of(active_at), self.expiry_months))

    def midnight_after(self, day: date) -> datetime:
        """The first instant from which it is never `day` again: local midnight, nearly always.

        Clocks that go back from 0:01 make midnight come twice and the day resume between; clocks that go forward over
        midnight leave it out.
        """
        midnight = datetime.combine(day + timedelta(days=1), time(), self.zone)
        first, second = (midnight.replace(fold=fold).astimezone(UTC) for fold in (0, 1))
        if first < second:
            return second if self.last_day(second) <= day else first
        # Left out, it lies after `second`, by no more than what is left out; else both are the same.
        seconds = range(int((first - second).total_seconds()))
        gone = bisect_right(seconds, day, key=lambda passed: self.day_of(second + timedelta(seconds=passed)))
        return second + timedelta(seconds=gone)

    def day_of(self, instant: datetime) -> date:
        return instant.astimezone(self.zone).date()

    def last_day(self, expires_at: datetime) -> date:
        """The last day on which points that end at `expires_at` can be used."""
        return self.day_of(expires_at - timedelta(microseconds=1))


def minor_units(currency: str) -> int:
    return MINOR_UNITS.get(currency, 2)


def up_to_step(points: int, step: int) -> int:
    """The fewest points that are at least `points` and a multiple of `step`."""
    return -(-points // step) * step


def add_months(day: date, months: int) -> date:
    """The same day `months` later, or that month's last day where it is shorter."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))


def round_up(day: date, unit: str) -> date:
    """The last day of the month, quarter or year that holds `day`; a day stays itself."""
    months = ROUND_UP_MONTHS.get(unit)
    if months is None:
        return day
    month = (day.month + months - 1) // months * months
    return date(day.year, month, calendar.monthrange(day.year, month)[1])


def next_fixed_day(day: date, month: int, number: int) -> date:
    """The first such day of a year that is not before `day`; 30 February is the month's last day."""
    for year in (day.year, day.year + 1):
        fixed = date(year, month, min(number, calendar.monthrange(year, month)[1]))
        if fixed >= day:
            return fixed
    raise AssertionError("a year has every fixed day")


def published() -> list[Terms]:
    """Every published version, newest start first."""
    versions = TermsVersion.objects.exclude(published_at=None).order_by("-starts_at", "-version")
    return [as_terms(one) for one in versions]


def in_force(versions: list[Terms], at: datetime) -> Terms:
    """The version that governs what happens at `at`; the first one governs all that lies before it."""
    return next((one for one in versions if one.starts_at <= at), versions[-1])


def held_before(versions: list[Terms], one: Terms) -> Terms:
    """What holds until `one` starts: not what was announced for the same day and is replaced by it."""
    return max((each for each in versions if each.starts_at < one.starts_at), key=lambda each: (each.starts_at, each.version))


def alive_until(versions: list[Terms], at: datetime) -> datetime | None:
    """To when an act at `at` keeps a wallet alive: by any version that had started, for its points may be of an older one."""
    return max((until for one in versions if one.starts_at <= at and (until := one.alive_until(at))), default=None)


def current(now: datetime) -> Terms:
    return in_force(published(), now)


def as_terms(one: TermsVersion) -> Terms:
    """The version as a plain value; a draft that starts as soon as it may starts at no time yet."""
    return Terms(
        id=one.pk, version=one.version, currency=one.currency, zone=zoneinfo.ZoneInfo(one.timezone),
        point_value=one.point_value, expiry=one.expiry, expiry_months=one.expiry_months or 0,
        expiry_round_up=one.expiry_round_up, expiry_month=one.expiry_month or 0, expiry_day=one.expiry_day or 0,
        pending_days=one.pending_days, starts_at=one.starts_at or FOREVER, return_days=one.return_days,
        claw_back=one.claw_back, notice_days=one.notice_days, tender_min=one.tender_min, tender_step=one.tender_step,
        tender_max_percent=one.tender_max_percent,
    )  # fmt: skip
