"""The journey's receipts as the API takes them."""

from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

from campaigns.schemas import PurchaseIn
from config.journey import reading

SOURCE = "complete-journey"
STORE_ZONE = "America/New_York"
CENTS = 2


def purchases(data: Path, limit: int | None, *, shift: timedelta, currency: str) -> Iterator[PurchaseIn]:
    """The first `limit` receipts, oldest first, moved by `shift`."""
    known = reading.products(data)
    for one in reading.receipts(data, limit):
        lines = []
        for line in one.lines:
            category, brand = known.get(line.product, ("", ""))
            lines.append({
                "line_id": str(line.product), "sku": str(line.product), "category": category, "brand": brand,
                "quantity": line.quantity, "net_amount": Decimal(line.cents).scaleb(-CENTS),
            })  # fmt: skip
        yield PurchaseIn(
            source=SOURCE, receipt_number=str(one.basket), store=store_code(one.store), member=f"external:{name(one.household)}",
            occurred_at=one.at + shift, currency=currency, lines=lines,
        )  # fmt: skip


def name(household: int) -> str:
    """The external id of its member."""
    return f"cj-{household}"


def store_code(store: int) -> str:
    return f"CJ{store}"
