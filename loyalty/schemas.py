"""What the API takes of the ledger's settings; what the values may be stands with the verbs."""

from decimal import Decimal

from pydantic import AwareDatetime, BaseModel, ConfigDict


class TermsIn(BaseModel):
    """The parts of a version that differ from the one before; a part that is left out stays."""

    model_config = ConfigDict(extra="forbid")

    currency: str = ""
    timezone: str = ""
    point_value: Decimal = Decimal(0)
    expiry: str = ""
    expiry_months: int | None = None
    expiry_round_up: str = ""
    expiry_month: int | None = None
    expiry_day: int | None = None
    pending_days: int = 0
    return_days: int = 0
    claw_back: str = ""
    notice_days: int = 0
    tender_min: int = 0
    tender_step: int = 0
    tender_max_percent: int = 0
    starts_at: AwareDatetime | None = None


class Nothing(BaseModel):
    """A body that says nothing."""

    model_config = ConfigDict(extra="forbid")
