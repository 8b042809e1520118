"""When a change may start, and who has to agree: the same for the terms and for the rates of campaigns (SEMANTICS 9)."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from loyalty import terms
from loyalty.judging import Effect
from loyalty.models import PointType, Wallet
from loyalty.problems import Fault, Problem
from loyalty.terms import Terms
from loyalty.wording import Line

# Whoever plans further ahead has mistyped the year.
FURTHEST = timedelta(days=3660)


@dataclass(frozen=True, slots=True)
class Approval:
    """A second person agreed to exactly this content."""

    by: UUID
    fingerprint: str


@dataclass(frozen=True, slots=True)
class Notice:
    """What a change asks of whoever publishes it at `now`.

    `detriment`: worse, and somebody is there whom it touches. `first` is the earliest start. `starts_at` is when it would
    start: as was asked, else as soon as it may.
    """

    detriment: bool
    first: datetime
    starts_at: datetime
    days: int


@dataclass(frozen=True, slots=True)
class Review:
    """A draft against what it follows: what differs, whether it is better or worse, and what that asks for.

    `kind` and `id` say what it is a draft of (a model's label, a primary key). `fingerprint` names the content and what it
    is compared with: an approval is bound to it. `follows` is the number of the version that it is compared with, where that
    one was announced and has not begun. `offer`: it is no term of the programme, so it needs no notice; `generous`: it gives
    so much that one person alone cannot publish it; `undated`: it cannot be published without a start; `ends_at`: the end it
    was given.
    """

    kind: str
    id: str
    lines: list[Line]
    effect: Effect
    notice: Notice
    fingerprint: str
    drafted_by: UUID | None
    follows: int | None = None
    offer: bool = False
    generous: bool = False
    undated: bool = False
    ends_at: datetime | None = None

    @property
    def needs_second(self) -> bool:
        return self.notice.detriment or self.generous


def insist_on_unchanged(seen: str | None, standing: str) -> None:
    """Raises Problem when a draft is no longer what was `seen` as its form was opened; None saw nothing to compare."""
    if seen is not None and seen != standing:
        raise Problem("not-eligible", _("This has changed or was decided meanwhile. Look at it again."), status=409)


def judged(
    effect: Effect,
    *,
    asked: datetime | None,
    not_before: datetime,
    now: datetime,
    touches: bool = True,
) -> Notice:
    """`not_before` is the start of what it follows: no version starts before an older one.

    `touches`: somebody bought what it is about.
    """
    contract = terms.current(now)
    detriment = effect is Effect.DETRIMENT and touches and touches_somebody()
    days = contract.notice_days if detriment else 0
    first = max(now + timedelta(days=days), not_before)
    soonest = max(_whole_day(contract, now, days), not_before) if detriment else first
    return Notice(detriment, first, asked or soonest, days)


def state(version: int, starts: Mapping[int, datetime | None], *, now: datetime) -> str:
    """`draft`, `scheduled`, `in_force` or `past`; `replaced` if another version took its place before it began.

    `starts` are those of all published versions of the same thing, by their numbers; they rise with them (SEMANTICS 9).
    """
    start = starts.get(version)
    if start is None:
        return "draft"
    later = [other for number, other in starts.items() if number > version and other]
    if any(other <= start for other in later):
        return "replaced"
    if start > now:
        return "scheduled"
    return "past" if any(other <= now for other in later) else "in_force"


def insist_on_time(review: Review, *, now: datetime) -> None:
    """Raises Problem when the start is earlier than it may be, and names the first day on which it may."""
    notice = review.notice
    if review.undated:
        raise _wrong(_("Say from when it holds: a version that follows another starts at a future instant."))
    if notice.starts_at > now + FURTHEST:
        raise _wrong(_("The start is more than ten years away."))
    if notice.starts_at >= notice.first:
        return
    contract = terms.current(now)
    if notice.starts_at < now:
        raise _wrong(_("The start lies in the past. Leave it out to start as soon as possible."))
    if notice.starts_at >= now + timedelta(days=notice.days):
        text = _("The version before starts on %(date)s; this one can start then at the earliest.")
        raise _wrong(text % {"date": day(contract, notice.first)})
    text = ngettext(
        "This is worse for members, so it needs %(days)s day of notice: it can start on %(date)s at the earliest.",
        "This is worse for members, so it needs %(days)s days of notice: it can start on %(date)s at the earliest.",
        notice.days,
    )
    soonest = max(_whole_day(contract, now, notice.days), notice.first)
    raise _wrong(text % {"days": notice.days, "date": day(contract, soonest)})


def insist_on_end(review: Review) -> None:
    """Raises Problem when it would end before it holds."""
    if review.ends_at and review.ends_at <= review.notice.starts_at:
        detail = _("It would end before it starts.")
        raise Problem("validation", detail, faults=[Fault("/ends_at", detail)])


def insist_on_second(review: Review, approval: Approval | None, *, publisher: UUID) -> None:
    """Raises Problem unless somebody who neither drafted nor publishes it agreed to this content, where that is asked."""
    if not review.needs_second:
        return
    if approval is None:
        generous = _("This gives unusually many points: a second person has to approve it first.")
        worse = _("This is worse for members: a second person has to approve it first.")
        raise Problem("not-eligible", worse if review.notice.detriment else generous, status=409)
    if approval.fingerprint != review.fingerprint:
        raise Problem("not-eligible", _("This has changed since it was approved. Ask for approval again."), status=409)
    if approval.by in (review.drafted_by, publisher):
        raise Problem("not-eligible", _("Whoever drafts or publishes a change cannot approve it as well."), status=409)


def touches_somebody() -> bool:
    """Is there anybody whom a change could touch? Before the first member there is not."""
    return Wallet.objects.exists()


def holders_with_points() -> int:
    return Wallet.objects.filter(balance__gt=0, point_type=PointType.REDEEMABLE).count()


def day(contract: Terms, at: datetime) -> str:
    """26 January 2027, in the programme's zone."""
    return date_format(contract.day_of(at), "DATE_FORMAT")


def _whole_day(contract: Terms, now: datetime, days: int) -> datetime:
    """The first midnight of the programme's zone after so many days."""
    return contract.midnight_after(contract.day_of(now + timedelta(days=days)))


def _wrong(detail: str) -> Problem:
    return Problem("validation", detail, faults=[Fault("/starts_at", detail)])
