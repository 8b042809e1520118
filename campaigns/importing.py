"""Receipts from a CSV file, one row a line of a receipt, by the same door as a till's."""

from collections.abc import Sequence

from django.utils import timezone

from campaigns.purchases import record
from campaigns.schemas import PurchaseIn
from loyalty.csvfiles import Layout, Record, text_only
from loyalty.problems import Fault, Problem

HEAD = ("source", "receipt_number", "store", "member", "occurred_at", "currency")
LINE = ("line_id", "sku", "category", "brand", "quantity", "net_amount")
LAYOUT = Layout(required=(*HEAD, "line_id", "net_amount"), optional=("sku", "category", "brand", "quantity"), group=HEAD[:2])


def parse(record: Record) -> PurchaseIn:
    """A receipt of neighbouring rows; they must agree on all but the line."""
    for row in record.rows:
        text_only(row)
    first = record.rows[0]
    for name in HEAD:
        if any(row[name] != first[name] for row in record.rows):
            raise Problem("validation", "", faults=[Fault(f"/{name}", "The rows of this receipt differ here.")])
    lines = [{name: row[name] for name in LINE if row.get(name, "").strip()} for row in record.rows]
    return PurchaseIn.model_validate({name: first[name].strip() for name in HEAD} | {"lines": lines})


def write(receipts: Sequence[PurchaseIn]) -> list[bool | Problem]:
    outcomes = record(receipts, now=timezone.now(), history=True)
    return [one if isinstance(one, Problem) else not one.replayed for one in outcomes]
