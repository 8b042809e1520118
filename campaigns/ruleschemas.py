"""The shape of an earn rule as the API takes it; the admin's form is judged by the same one. What is missing is the default."""

import re
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any, Literal, Self

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from pydantic import AfterValidator, Field, StringConstraints, field_validator, model_validator

from campaigns import eventkinds, specs
from campaigns.schemas import NUMBER, Moment
from campaigns.values import Kind
from loyalty.validators import CODE
from members.schemas import Strict, no_nul

HOUR = re.compile(r"([01]\d|2[0-3]):[0-5]\d")
DURATION = re.compile(r"P(0|[1-9]\d{0,4})([DWMY])")
WINDOWS = ("day", "week", "month", "year", "ever")
ROLLING = re.compile(r"rolling:P([1-9]\d{0,2})D")
FUNDED = re.compile(r"store|centre|partner:[A-Za-z0-9][A-Za-z0-9._-]{0,39}")
# The longest window that a cap may look back, a leap year.
ROLLING_MAX = 366
# A duration beyond it leaves the calendar of any programme.
DAYS_MAX = {"D": 3650, "W": 520, "M": 120, "Y": 10}
VALUE_MAX, FACTOR_MAX, NAMES_MAX, CAPS_MAX = Decimal(10**6), Decimal(100), 500, 6
# Addresses of the API that are no rule's.
RESERVED = {"overlaps"}


def _code(text: str) -> str:
    try:
        CODE(text)
    except ValidationError as error:
        raise ValueError(error.messages[0]) from error
    return text


def _duration(text: str) -> str:
    match = DURATION.fullmatch(text)
    if not match or int(match[1]) > DAYS_MAX[match[2]]:
        raise ValueError(_("Write a duration of days, weeks, months or years up to ten years, such as P14D or P3M."))
    return text


def _hour(text: str) -> str:
    if not HOUR.fullmatch(text):
        raise ValueError(_("Write an hour from 00:00 to 23:59, such as 10:00."))
    return text


def _window(text: str) -> str:
    match = ROLLING.fullmatch(text)
    if text not in WINDOWS and not (match and int(match[1]) <= ROLLING_MAX):
        raise ValueError(_("Choose one of: %(codes)s.") % {"codes": ", ".join((*WINDOWS, "rolling:P<1-366>D"))})
    return text


def _funded(text: str) -> str:
    if not FUNDED.fullmatch(text):
        raise ValueError(_("Choose one of: %(codes)s.") % {"codes": "store, centre, partner:<code>"})
    return text


def _number(value: Any) -> Any:
    """Digits as text or as a number of JSON, which may be exact or not: its shortest spelling counts."""
    text = str(value)
    if value is not None and (isinstance(value, bool) or not NUMBER.match(text)):
        raise ValueError(_("Write a plain number, such as 12.50."))
    return None if value is None else text


Code = Annotated[str, StringConstraints(max_length=40), AfterValidator(no_nul), AfterValidator(_code)]
Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=80), AfterValidator(no_nul)]
Sku = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=64), AfterValidator(no_nul)]
Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=120), AfterValidator(no_nul)]
Duration = Annotated[str, AfterValidator(_duration)]
Times = Annotated[int, Field(strict=True, ge=2, le=1000)]


class WhenIn(Strict):
    starts_at: Moment | None = None
    ends_at: Moment | None = None
    weekdays: Annotated[list[Annotated[int, Field(strict=True, ge=1, le=7)]], Field(max_length=7)] = []
    hours: Annotated[list[Annotated[str, AfterValidator(_hour)]], Field(min_length=2, max_length=2)] | None = None
    birthday: Literal["day", "week", "month"] | None = None

    @model_validator(mode="after")
    def can_hold(self) -> Self:
        if self.starts_at and self.ends_at and self.ends_at <= self.starts_at:
            raise ValueError(_("The end is not after the start."))
        if self.hours and self.hours[0] == self.hours[1]:
            raise ValueError(_("The hours end when they begin. Leave them out for the whole day."))
        return self


class WhereIn(Strict):
    stores: Annotated[list[Code], Field(max_length=NAMES_MAX)] = []


class WhoIn(Strict):
    tiers: Annotated[list[Code], Field(max_length=50)] = []
    segment: Code | None = None
    first_purchase: Annotated[bool, Field(strict=True)] = False
    every_visit: Times | None = None
    streak: Times | None = None


class WhatIn(Strict):
    skus: Annotated[list[Sku], Field(max_length=NAMES_MAX)] = []
    categories: Annotated[list[Text], Field(max_length=NAMES_MAX)] = []
    brands: Annotated[list[Text], Field(max_length=NAMES_MAX)] = []
    exclude_categories: Annotated[list[Text], Field(max_length=NAMES_MAX)] = []


class Least(Strict):
    amount: Decimal | None = None
    quantity: Decimal | None = None

    @field_validator("amount", "quantity", mode="before")
    @classmethod
    def is_number(cls, value: Any) -> Any:
        return _number(value)

    @field_validator("amount", "quantity")
    @classmethod
    def is_some(cls, value: Decimal | None) -> Decimal | None:
        if value is not None and not (0 < value < 10**9 and value == round(value, 3)):
            raise ValueError(_("Give more than 0, with at most three decimals."))
        return value


class CapIn(Strict):
    unit: Literal["times", "points", "money"]
    per: Literal["member", "member_store", "rule", "rule_store", "campaign", "programme"]
    window: Annotated[str, AfterValidator(_window)]
    limit: Decimal

    @field_validator("limit", mode="before")
    @classmethod
    def is_number(cls, value: Any) -> Any:
        return _number(value)

    @model_validator(mode="after")
    def is_countable(self) -> Self:
        limit, whole = self.limit, self.limit == self.limit.to_integral_value()
        if not 0 < limit <= 10**12 or (self.unit != "money" and not whole) or limit != round(limit, 3):
            raise ValueError(_("A limit is more than 0; of points and of times it is a whole number."))
        return self


class RuleIn(Strict):
    """A rule without its code, which stands in the address. Words that only fit another kind of rule are refused."""

    code: Code | None = None
    name: Name | None = None
    kind: Kind
    value: Decimal
    per: Literal["amount", "purchase", "unit"] | None = None
    event_type: Annotated[str, StringConstraints(max_length=48)] | None = None
    when: WhenIn = WhenIn()
    where: WhereIn = WhereIn()
    who: WhoIn = WhoIn()
    what: WhatIn = WhatIn()
    at_least: Least = Least()
    caps: Annotated[list[CapIn], Field(max_length=CAPS_MAX)] = []
    priority: Annotated[int, Field(strict=True, ge=0, le=10_000)] = specs.PRIORITY
    exclusive_group: Code | None = None
    expires: Duration | None = None
    pending: Duration | None = None
    funded_by: Annotated[str, AfterValidator(_funded)] | None = None

    @field_validator("value", mode="before")
    @classmethod
    def is_number(cls, value: Any) -> Any:
        return _number(value)

    @field_validator("value")
    @classmethod
    def is_value(cls, value: Decimal) -> Decimal:
        if not 0 <= value < VALUE_MAX or value != round(value, 6):
            raise ValueError(_("Give an amount of at least 0 with at most six decimals."))
        return value

    @field_validator("expires")
    @classmethod
    def ends_after_it_begins(cls, text: str | None) -> str | None:
        if text and text[1:-1] == "0":
            raise ValueError(_("Points that end at once are worth nothing. Give at least one day."))
        return text

    @field_validator("event_type")
    @classmethod
    def is_event(cls, text: str | None) -> str | None:
        if text is not None and not eventkinds.is_known(text):
            raise ValueError(_("Choose one of: %(codes)s.") % {"codes": ", ".join((*eventkinds.TYPES, "custom:<name>"))})
        return text

    def spec(self) -> dict[str, Any]:
        """What it says beside its kind, its value and its two instants, in the canonical form."""
        said = self.model_dump(exclude={"code", "name", "kind", "value"})
        return specs.canonical(said)

    @property
    def starts_at(self) -> datetime | None:
        return self.when.starts_at

    @property
    def ends_at(self) -> datetime | None:
        return self.when.ends_at

    def misfits(self) -> dict[str, str]:
        """What does not fit the kind of rule, by pointer."""
        wrong: dict[str, str] = {}
        match self.kind:
            case Kind.MULTIPLIER if not 1 < self.value <= FACTOR_MAX:
                wrong["/value"] = _("A multiplier is more than 1 and at most 100.")
            case Kind.BONUS | Kind.EVENT if not self.value:
                wrong["/value"] = _("This rule would give nothing. Give more than 0 points.")
            case Kind.BASE if self.exclusive_group:
                wrong["/exclusive_group"] = _(
                    "Of base rates one holds for each line anyway; an exclusive group is for other rules."
                )
        if self.kind is Kind.EVENT and self.event_type is None:
            wrong["/event_type"] = _("Name the act for which the points are.")
        if self.kind is not Kind.EVENT:
            wrong |= {"/event_type": _("Only a rule for an act names one.")} if self.event_type else {}
            wrong |= {"/who/streak": _("Days in a row are counted for acts, not for purchases.")} if self.who.streak else {}
        else:
            wrong |= self._without_receipt()
        if self.per and self.kind not in (Kind.BASE, Kind.BONUS) and self.per != "amount":
            wrong["/per"] = _("Only base rates and bonuses are paid per amount, purchase or unit.")
        return wrong

    def _without_receipt(self) -> dict[str, str]:
        """An act has no lines and is no purchase."""
        asked = {
            "/what": self.what != WhatIn(), "/at_least": self.at_least != Least(),
            "/who/first_purchase": self.who.first_purchase, "/who/every_visit": self.who.every_visit is not None,
        }  # fmt: skip
        return {
            pointer: _("An act has no receipt, so it cannot be asked for here.")
            for pointer, is_asked in asked.items()
            if is_asked
        }
