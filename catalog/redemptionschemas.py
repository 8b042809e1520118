"""Shapes of what tills send to redeem rewards and to use vouchers."""

from decimal import Decimal
from typing import Annotated, Any, Literal

from django.utils.translation import gettext as _
from pydantic import AfterValidator, Field, StringConstraints, model_validator

from members.schemas import Strict, no_nul

QUANTITY_MAX = 100
POINTS_MAX = 10**12


def _text(length: int, *, empty: bool = False) -> Any:
    limits = StringConstraints(strip_whitespace=True, min_length=0 if empty else 1, max_length=length)
    return Annotated[str, limits, AfterValidator(no_nul)]


Money = Annotated[Decimal, Field(ge=0, le=10**9, decimal_places=3, max_digits=13)]


class RedemptionIn(Strict):
    """`points` and `money` are what the member was told it costs in all; at another price it is refused."""

    member: _text(80)  # type: ignore[valid-type]
    reward: _text(40)  # type: ignore[valid-type]
    quantity: Annotated[int, Field(strict=True, ge=1, le=QUANTITY_MAX)] = 1
    store: _text(40) | None = None  # type: ignore[valid-type]
    confirm: Annotated[bool, Field(strict=True)] = False
    keep: Annotated[bool, Field(strict=True)] = True
    points: Annotated[int, Field(strict=True, ge=0, le=POINTS_MAX)] | None = None
    money: Money | None = None


class ConfirmIn(Strict):
    """`keep`: the voucher lives as long as the reward says; else for 15 minutes."""

    keep: Annotated[bool, Field(strict=True)] = True


class CancelIn(Strict):
    by: Literal["member", "merchant"]
    reason: _text(200, empty=True) = ""  # type: ignore[valid-type]

    @model_validator(mode="after")
    def the_shop_says_why(self) -> "CancelIn":
        if self.by == "merchant" and not self.reason:
            raise ValueError(_("Say why: the member is told."))
        return self


class UseIn(Strict):
    """`amount`: what the goods that the voucher is for cost; one that keeps its rest is not used without it."""

    store: _text(40) | None = None  # type: ignore[valid-type]
    source: _text(60)  # type: ignore[valid-type]
    receipt_number: _text(120)  # type: ignore[valid-type]
    amount: Money | None = None


class ReleaseIn(Strict):
    """Of which receipt the use is given back."""

    store: _text(40) | None = None  # type: ignore[valid-type]
    source: _text(60)  # type: ignore[valid-type]
    receipt_number: _text(120)  # type: ignore[valid-type]
