"""Shapes of the member API; imports and forms are judged by the same ones."""

import calendar
import re
from datetime import date, datetime
from typing import Annotated, Any, Literal, NamedTuple

from django.conf import settings
from django.utils import timezone
from django.utils.translation import gettext as _
from ninja import Schema
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, model_validator

from loyalty.problems import Fault, Problem
from members import contacts

BIRTHDAY = re.compile(r"\A(?:(\d{4})|-)-(\d\d)-(\d\d)\Z")


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
