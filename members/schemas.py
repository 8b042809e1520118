"""Shapes of the member API; imports and forms are judged by the same ones."""

import calendar
import re
from datetime import date, datetime
from typing import Annotated, Any, Literal, NamedTuple

from django.conf import settings
from django.utils import timezone
from django.utils.translation import gettext as _
from ninja import Schema
from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    PlainValidator,
    StringConstraints,
    model_validator,
)

from loyalty.problems import Fault, Problem
from members import contacts

# RFC 3339.
MOMENT = re.compile(r"\A\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)\Z", re.ASCII)
BIRTHDAY = re.compile(r"\A(?:(\d{4})|-)-(\d\d)-(\d\d)\Z")

# More than anybody has: a number that slipped in from another column.
POINTS_MAX = 100_000_000
WHOLE = re.compile(r"\A[0-9]{1,18}\Z")
DAY = re.compile(r"\A\d{4}-\d\d-\d\d\Z", re.ASCII)
NEVER: Literal["never"] = "never"
# A day of the programme's calendar, or an instant.
type When = date | datetime


class Birthday(NamedTuple):
    year: int | None
    month: int
    day: int

    def __str__(self) -> str:
        return f"{self.year or '-'}-{self.month:02}-{self.day:02}"


def parse_birthday(text: str) -> Birthday:
    """From YYYY-MM-DD or --MM-DD. Raises ValueError for any other text or a day that no year has."""
    match = BIRTHDAY.match(text.strip())
    if match:
        year = int(match[1]) if match[1] else None
        month, day = int(match[2]), int(match[3])
        if 1 <= month <= 12 and 1 <= day <= calendar.monthrange(year or 2000, month)[1] and (year is None or year >= 1900):
            return Birthday(year, month, day)
    raise ValueError(_("Enter the birthday as YYYY-MM-DD, or as --MM-DD without the year."))


def unborn(text: str | None, now: datetime) -> Problem | None:
    """The problem of a birthday that is still to come."""
    birthday = parse_birthday(text) if text else None
    if birthday and birthday.year and date(birthday.year, birthday.month, birthday.day) > timezone.localtime(now).date():
        detail = _("The birthday is in the future.")
        return Problem("validation", detail, faults=[Fault("/birthday", detail)])
    return None


def known_language(code: str) -> str:
    if code.lower() not in dict(settings.LANGUAGES):
        raise ValueError(_("Choose one of: %(codes)s.") % {"codes": ", ".join(dict(settings.LANGUAGES))})
    return code.lower()


def no_nul(text: str) -> str:
    if "\0" in text:
        raise ValueError(_("Remove the character that is no text."))
    return text


def our_times[T: date](moment: T) -> T:
    """Far enough from the ends of the calendar that no offset leads beyond them."""
    if not 1970 <= moment.year < 2200:
        raise ValueError(_("Give a moment between 1970 and 2200."))
    return moment


def some_points(points: int) -> int:
    if points == 0:
        raise ValueError(_("Give the number of points, with a minus sign to take some away."))
    return points


def _birthday_text(text: str) -> str:
    return str(parse_birthday(text))


Name = Annotated[str, StringConstraints(strip_whitespace=True, max_length=80), AfterValidator(no_nul)]
Code = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=40), AfterValidator(no_nul)]
Email = Annotated[str, StringConstraints(max_length=254), AfterValidator(no_nul), AfterValidator(contacts.email)]
Phone = Annotated[str, StringConstraints(max_length=40), AfterValidator(no_nul), AfterValidator(contacts.phone)]
Language = Annotated[str, AfterValidator(known_language)]
BirthdayText = Annotated[str, AfterValidator(no_nul), AfterValidator(_birthday_text)]


class Strict(BaseModel):
    model_config = ConfigDict(extra="forbid")


class ConsentIn(Strict):
    channel: Literal["email", "sms", "push"]
    purpose: Literal["marketing", "service"]


class MemberPatch(Strict):
    """What can be changed; a field that is left out stays."""

    email: Email | None = None
    phone: Phone | None = None
    given_name: Name = ""
    family_name: Name = ""
    birthday: BirthdayText | None = None
    language: Language = "en"
    home_store: Code | None = None
    external_id: (
        Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=64), AfterValidator(no_nul)] | None
    ) = None
    consents: list[ConsentIn] = Field(default=[], max_length=6)


class MemberIn(MemberPatch):
    """An application. `verified`: the shop vouches for the contact."""

    referral_code: Code | None = None
    verified: bool = False


class MemberApplication(MemberIn):
    """As the API takes it: with a contact."""

    @model_validator(mode="after")
    def has_contact(self) -> "MemberApplication":
        if not self.email and not self.phone:
            raise ValueError(_("Give an e-mail address or a phone number."))
        return self


class MemberSearch(Strict):
    email: Email | None = None
    phone: Phone | None = None
    card: Annotated[str, StringConstraints(max_length=40), AfterValidator(no_nul)] | None = None

    @model_validator(mode="after")
    def exactly_one(self) -> "MemberSearch":
        if sum(value is not None for value in (self.email, self.phone, self.card)) != 1:
            raise ValueError(_("Search by one of email, phone and card."))
        return self


def _whole(text: str) -> int:
    points = int(text) if WHOLE.match(text) else 0
    if not 0 < points <= POINTS_MAX:
        raise ValueError(_("Write a whole number of points from 1 to %(most)s, in digits alone.") % {"most": POINTS_MAX})
    return points


def _written(text: str) -> When:
    try:
        when = date.fromisoformat(text) if DAY.match(text) else datetime.fromisoformat(text.upper())
    except ValueError:
        when = None
    if when is None or not (DAY.match(text) or MOMENT.match(text)):
        detail = _("Write a day, such as 2026-12-31, or a moment with its offset, such as 2026-06-15T10:30:00+02:00.")
        raise ValueError(detail)
    return when


def _when(text: str) -> When:
    return our_times(_written(text))


def _end(text: str) -> When | Literal["never"]:
    if text.lower() == NEVER:
        return NEVER
    when = _written(text)
    if when.year >= 2200:
        raise ValueError(_("Write never for points that do not end."))
    return our_times(when)


def _not_personal(text: str) -> str:
    if "@" in text:
        raise ValueError(_("Write no e-mail address here: the ledger forgets nothing."))
    return no_nul(text)


def _kept(length: int) -> Any:
    return Annotated[str, StringConstraints(min_length=1, max_length=length), AfterValidator(_not_personal)]


class OpeningIn(Strict):
    """One row. `id` is unique in the other system; days are whole days of the programme's calendar."""

    id: _kept(120)  # type: ignore[valid-type]
    member: Annotated[str, StringConstraints(max_length=80)]
    points: Annotated[int, PlainValidator(_whole)]
    expires_at: Annotated[When | Literal["never"] | None, PlainValidator(_end)] = None
    earned_at: Annotated[When | None, PlainValidator(_when)] = None
    available_at: Annotated[When | None, PlainValidator(_when)] = None
    store: Annotated[str, StringConstraints(max_length=40)] = ""
    reference: _kept(120) = ""  # type: ignore[valid-type]


class MemberOut(Schema):
    id: str
    card_number: str | None
    external_id: str | None
    given_name: str
    family_name: str
    email: str | None
    phone: str | None
    birthday: str | None
    language: str
    home_store: str | None
    status: str
    joined_at: str
    tier: Any
    tags: list[str]


class AdjustmentIn(Strict):
    """A correction; `reason` is one of our codes or the caller's own words, which the member reads."""

    member: Annotated[str, StringConstraints(max_length=80), AfterValidator(no_nul)]
    points: Annotated[int, Field(strict=True, ge=-POINTS_MAX, le=POINTS_MAX), AfterValidator(some_points)]
    reason: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200), AfterValidator(no_nul)]
    store: Code | None = None
    expires_at: Annotated[AwareDatetime, AfterValidator(our_times)] | None = None


class AdjustmentOut(Schema):
    id: str
    status: Literal["posted", "awaiting_approval", "refused"]
    balance: int
