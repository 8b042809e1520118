"""Shapes of the purchase API; files and tills that were offline are judged by the same ones."""

import re
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any

from django.utils.translation import gettext as _
from ninja import Schema
from pydantic import AfterValidator, AwareDatetime, BeforeValidator, Field, StringConstraints, field_validator, model_validator

from catalog import issuing
from members.schemas import MOMENT, Strict, no_nul, our_times


def _text(length: int, *, empty: bool = False) -> Any:
    limits = StringConstraints(strip_whitespace=True, min_length=0 if empty else 1, max_length=length)
    return Annotated[str, limits, AfterValidator(no_nul)]


def _plain_number(value: Any) -> Any:
    if isinstance(value, bool) or (isinstance(value, str) and not NUMBER.match(value)):
        raise ValueError(_("Write a plain number, such as 12.50."))
    return value


def _written_moment(value: Any) -> Any:
    if not (isinstance(value, datetime) or (isinstance(value, str) and MOMENT.match(value))):
        raise ValueError(_("Write the moment with its offset, such as 2026-06-15T10:30:00+02:00."))
    return value


def _voucher(text: str) -> str:
    code = issuing.parse(text)
    if code is None:
        raise ValueError(_("This is no voucher’s code."))
    return code


VOUCHERS_MAX = 20
AMOUNT_MAX = Decimal(10) ** 9
POINTS_MAX = 10**12
NUMBER_LENGTH = 120
NUMBER = re.compile(r"\A-?[0-9]+(\.[0-9]+)?\Z")
Amount = Annotated[Decimal, BeforeValidator(_plain_number), Field(ge=0, le=AMOUNT_MAX, decimal_places=3, max_digits=13)]
Quantity = Amount
Moment = Annotated[AwareDatetime, BeforeValidator(_written_moment), AfterValidator(our_times)]


class LineIn(Strict):
    line_id: _text(40)  # type: ignore[valid-type]
    sku: _text(64, empty=True) = ""  # type: ignore[valid-type]
    category: _text(80, empty=True) = ""  # type: ignore[valid-type]
    brand: _text(80, empty=True) = ""  # type: ignore[valid-type]
    quantity: Quantity = Decimal(1)
    net_amount: Amount


class BasketIn(Strict):
    """A purchase without numbers, to be quoted."""

    store: _text(40)  # type: ignore[valid-type]
    member: _text(80)  # type: ignore[valid-type]
    occurred_at: Moment | None = None
    currency: _text(3)  # type: ignore[valid-type]
    lines: Annotated[list[LineIn], Field(min_length=1, max_length=1000)]

    @field_validator("lines")
    @classmethod
    def add_up(cls, lines: list[LineIn]) -> list[LineIn]:
        if max(sum(line.net_amount for line in lines), sum(line.quantity for line in lines)) > AMOUNT_MAX:
            raise ValueError(_("The lines come to more than %(amount)s.") % {"amount": AMOUNT_MAX})
        return lines

    @model_validator(mode="after")
    def lines_are_told_apart(self) -> "BasketIn":
        if len({line.line_id for line in self.lines}) != len(self.lines):
            raise ValueError(_("Give each line its own line_id."))
        return self


class PurchaseIn(BasketIn):
    """`quote` holds the rules and terms of the moment it was given, for 15 minutes. Each voucher is used once with it."""

    source: _text(60)  # type: ignore[valid-type]
    receipt_number: _text(NUMBER_LENGTH)  # type: ignore[valid-type]
    occurred_at: Moment
    quote: _text(400) | None = None  # type: ignore[valid-type]
    points_tender: Annotated[int, Field(strict=True, ge=0, le=POINTS_MAX)] = 0
    vouchers: Annotated[list[Annotated[str, AfterValidator(_voucher)]], Field(max_length=VOUCHERS_MAX)] = []

    @field_validator("vouchers")
    @classmethod
    def each_once(cls, codes: list[str]) -> list[str]:
        if len(set(codes)) != len(codes):
            raise ValueError(_("Name each voucher once."))
        return codes


class BatchIn(Strict):
    """Each item is judged by itself, so it is taken as it comes."""

    purchases: Annotated[list[dict[str, Any]], Field(min_length=1, max_length=1000)]


class ReturnLineIn(Strict):
    """All that is left of the line, or a quantity, or an amount, or that quantity for that amount."""

    line_id: _text(40)  # type: ignore[valid-type]
    quantity: Annotated[Quantity, Field(gt=0)] | None = None
    net_amount: Amount | None = None

    @model_validator(mode="after")
    def brings_something(self) -> "ReturnLineIn":
        if self.quantity is None and self.net_amount == 0:
            raise ValueError(_("Give a quantity, or an amount above zero."))
        return self


class ReturnIn(Strict):
    """What of a purchase came back: lines, or an amount of money. With `goodwill` the member keeps the points."""

    return_number: _text(NUMBER_LENGTH)  # type: ignore[valid-type]
    occurred_at: Moment
    lines: Annotated[list[ReturnLineIn], Field(min_length=1, max_length=1000)] | None = None
    amount: Annotated[Amount, Field(gt=0)] | None = None
    goodwill: Annotated[bool, Field(strict=True)] = False
    reason: _text(200, empty=True) = ""  # type: ignore[valid-type]

    @model_validator(mode="after")
    def says_what_came_back(self) -> "ReturnIn":
        if (self.lines is None) == (self.amount is None):
            raise ValueError(_("Give the lines that came back, or an amount."))
        if self.lines and len({line.line_id for line in self.lines}) != len(self.lines):
            raise ValueError(_("Name each line once."))
        if self.goodwill and not self.reason:
            raise ValueError(_("Give a reason for letting the member keep the points."))
        return self


class ReceiptReturnIn(ReturnIn):
    """A return by the number of its receipt; it waits for a sale that is not known yet. `store` is that of the sale."""

    source: _text(60)  # type: ignore[valid-type]
    receipt_number: _text(NUMBER_LENGTH)  # type: ignore[valid-type]
    store: _text(40) | None = None  # type: ignore[valid-type]


class AwardOut(Schema):
    rule: str
    campaign: str | None
    points: int
    available_at: str
    expires_at: str | None
    explanation: str


class VoucherUseOut(Schema):
    """What a voucher took off a receipt; `remaining` is what that left on one that keeps its rest."""

    code: str
    amount: str
    remaining: str | None


class PurchaseOut(Schema):
    id: str
    points_earned: int
    points_pending: int
    points_spent: int
    discount: str
    money_due: str
    currency: str
    awards: list[AwardOut]
    voucher_uses: list[VoucherUseOut]
    balance: int


class ReturnOut(Schema):
    id: str
    points_clawed_back: int
    points_returned: int
    money_back: str
    balance: int


class WaitingOut(Schema):
    """A return whose sale is not known yet (`parked`), or came and does not fit it (`problem`, told by `detail`)."""

    id: str
    status: str
    detail: str = ""
