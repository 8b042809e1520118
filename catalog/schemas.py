"""The shape of a reward as the API takes it; the admin's form is judged by the same one. What is missing is the default."""

import re
from collections.abc import Iterator
from decimal import Decimal
from typing import Annotated, Any, Literal, Self

from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from pydantic import AfterValidator, AwareDatetime, BeforeValidator, Field, StringConstraints, model_validator

from loyalty.validators import CODE
from members.schemas import MOMENT, POINTS_MAX, Strict, known_language, no_nul, our_times

HOUR = re.compile(r"([01]\d|2[0-3]):[0-5]\d")
DURATION = re.compile(r"P([1-9]\d{0,3})([DWMY])")
NUMBER = re.compile(r"\A[0-9]{1,12}(\.[0-9]{1,6})?\Z", re.ASCII)
# A voucher that lives longer than this is a promise that nobody keeps.
DAYS_MAX = {"D": 3650, "W": 520, "M": 120, "Y": 10}
MONEY_MAX, STOCK_MAX, USES_MAX = Decimal(10**8), 10**9, 1000
NAMES_MAX, TIERS_MAX, PRICES_MAX, CATEGORIES_MAX = 500, 50, 20, 50
PERCENT_MAX = 100


def _code(text: str) -> str:
    try:
        CODE(text)
    except ValidationError as error:
        raise ValueError(error.messages[0]) from error
    return text


def _number(value: Any) -> Any:
    """Digits as text or as a number of JSON, which may be exact or not: its shortest spelling counts."""
    if value is None or isinstance(value, Decimal):
        return value
    if isinstance(value, bool) or not NUMBER.match(str(value)):
        raise ValueError(_("Write a plain number, such as 12.50."))
    return str(value)


def _money(value: Decimal) -> Decimal:
    if not 0 <= value < MONEY_MAX or value != round(value, 3):
        raise ValueError(_("Give an amount of at least 0 with the decimals of its currency."))
    return value


def _moment(value: Any) -> Any:
    if isinstance(value, str) and not MOMENT.match(value):
        raise ValueError(_("Write the moment with its offset, such as 2026-06-15T10:30:00+02:00."))
    return value


def _hour(text: str) -> str:
    if not HOUR.fullmatch(text):
        raise ValueError(_("Write an hour from 00:00 to 23:59, such as 10:00."))
    return text


def _duration(text: str) -> str:
    match = DURATION.fullmatch(text)
    if not match or int(match[1]) > DAYS_MAX[match[2]]:
        raise ValueError(_("Write a duration from a day to ten years, such as P14D or P3M."))
    return text


def text(most: int, *, least: int = 0) -> Any:
    """A text without spaces around it."""
    return Annotated[
        str, StringConstraints(strip_whitespace=True, min_length=least, max_length=most), AfterValidator(no_nul)
    ]  # fmt: skip


Code = Annotated[str, StringConstraints(max_length=40), AfterValidator(no_nul), AfterValidator(_code)]
Language = Annotated[str, AfterValidator(known_language)]
Money = Annotated[Decimal, BeforeValidator(_number), AfterValidator(_money)]
Moment = Annotated[AwareDatetime, BeforeValidator(_moment), AfterValidator(our_times)]
Points = Annotated[int, Field(strict=True, ge=0, le=POINTS_MAX)]
Left = Annotated[int, Field(strict=True, ge=0, le=STOCK_MAX)]
Count = Annotated[int, Field(strict=True, ge=1, le=USES_MAX)]
Yes = Annotated[bool, Field(strict=True)]


class WindowIn(Strict):
    """When something holds; days and hours are those of the shop."""

    starts_at: Moment | None = None
    ends_at: Moment | None = None
    weekdays: Annotated[list[Annotated[int, Field(strict=True, ge=1, le=7)]], Field(max_length=7)] = []
    hours: Annotated[list[Annotated[str, AfterValidator(_hour)]], Field(min_length=2, max_length=2)] | None = None

    @model_validator(mode="after")
    def can_hold(self) -> Self:
        if self.starts_at and self.ends_at and self.ends_at <= self.starts_at:
            raise ValueError(_("The end is not after the start."))
        if self.hours and self.hours[0] == self.hours[1]:
            raise ValueError(_("The hours end when they begin. Leave them out for the whole day."))
        return self


class NamedIn(Strict):
    """A price in another language."""

    name: text(80) = ""  # type: ignore[valid-type]


class PriceIn(WindowIn):
    """Another price; the member gets the best that holds."""

    name: text(80) = ""  # type: ignore[valid-type]
    points: Points
    money: Money = Decimal(0)
    tier: Code | None = None
    birthday_month: Yes = False
    translations: Annotated[dict[Language, NamedIn], Field(max_length=len(settings.LANGUAGES))] = {}


class VoucherIn(Strict):
    """What a voucher of the reward gives; `amount` is money, or the percentage.

    `keeps_rest`: of an amount of money, what one receipt does not use stays on the voucher for the next.
    """

    type: Literal["amount", "percent", "item"]
    amount: Money = Decimal(0)
    minimum_spend: Money = Decimal(0)
    uses: Count = 1
    keeps_rest: Yes = False
    valid_for: Annotated[str, AfterValidator(_duration)] = "P30D"
    categories: Annotated[list[text(80, least=1)], Field(max_length=CATEGORIES_MAX)] = []  # type: ignore[valid-type]

    def unlike_money(self) -> Iterator[tuple[str, str]]:
        """What does not fit a voucher that keeps its rest."""
        if self.type != "amount":
            yield "/voucher/keeps_rest", _("Only an amount of money can be used little by little.")
        if self.uses != 1:
            yield "/voucher/uses", _("What stays on the voucher decides how often it can be used.")

    @model_validator(mode="after")
    def gives_something(self) -> Self:
        if self.type == "item" and self.amount:
            raise ValueError(_("A free item has no amount."))
        if self.type != "item" and not self.amount:
            raise ValueError(_("Say how much it takes off."))
        if self.type == "percent" and self.amount > PERCENT_MAX:
            raise ValueError(_("A percentage is at most 100."))
        return self


class WordsIn(Strict):
    """The reward in another language; what is left out is shown as it stands in the programme's own."""

    title: text(120) = ""  # type: ignore[valid-type]
    description: text(2000) = ""  # type: ignore[valid-type]
    picture_text: text(160) = ""  # type: ignore[valid-type]


class RewardIn(Strict):
    """A reward without its code, which stands in the address.

    Stock moves by itself, so one that is left out stays as it is; `null` means that nobody counts.
    """

    code: Code | None = None
    title: text(120, least=1)  # type: ignore[valid-type]
    description: text(2000) = ""  # type: ignore[valid-type]
    kind: Literal["goods", "service", "voucher", "code", "trial", "donation"]
    category: Code | None = None
    points: Points
    money: Money = Decimal(0)
    cost: Money | None = None
    fulfilment: Literal["shop", "at_once", "posted"] = "shop"
    stock: Left | None = None
    stock_by_store: Annotated[dict[Code, Left], Field(max_length=NAMES_MAX)] = {}
    low_water: Left | None = None
    per_member: Annotated[int, Field(strict=True, ge=1, le=STOCK_MAX)] | None = None
    stores: Annotated[list[Code], Field(max_length=NAMES_MAX)] = []
    tiers: Annotated[list[Code], Field(max_length=TIERS_MAX)] = []
    available: WindowIn = WindowIn()
    voucher: VoucherIn | None = None
    code_pool: Code | None = None
    prices: Annotated[list[PriceIn], Field(max_length=PRICES_MAX)] = []
    translations: Annotated[dict[Language, WordsIn], Field(max_length=len(settings.LANGUAGES))] = {}
    picture_text: text(160) = ""  # type: ignore[valid-type]
    withdrawn: Yes = False

    def misfits(self) -> Iterator[tuple[str, str]]:
        """What does not fit the kind of reward, each with its pointer."""
        if self.kind == "voucher" and self.voucher is None:
            yield "/voucher", _("Say what the voucher gives.")
        if self.kind in ("code", "donation") and self.voucher:
            yield "/voucher", _("This kind of reward gives no voucher.")
        elif self.kind != "voucher" and self.voucher and self.voucher.type != "item":
            yield "/voucher/type", _("Only a voucher takes an amount or a percentage off; this one is for the item itself.")
        if self.voucher and self.voucher.keeps_rest:
            yield from self.voucher.unlike_money()
        if self.kind == "voucher" and self.fulfilment != "shop":
            yield "/fulfilment", _("A voucher is used in the shop.")
        if self.kind == "code" and self.code_pool is None:
            yield "/code_pool", _("Name the pool that the codes come from.")
        if self.kind != "code" and self.code_pool:
            yield "/code_pool", _("Only partners’ codes come from a pool.")
        for store in sorted(set(self.stock_by_store) - set(self.stores)) if self.stores else ():
            yield f"/stock_by_store/{store}", _("The reward is not offered in this shop.")
