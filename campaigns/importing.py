"""Receipts from a CSV file, one row a line of a receipt, by the same door as a till's."""

from collections.abc import Callable, Sequence

from django.utils import timezone

from campaigns import purchases
from campaigns.schemas import PurchaseIn
from loyalty import documents
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
    lines = [{name: row[name].strip() for name in LINE if row.get(name, "").strip()} for row in record.rows]
    return PurchaseIn.model_validate({name: first[name].strip() for name in HEAD} | {"lines": lines})


def judging() -> Callable[[Sequence[PurchaseIn]], list[bool | Problem]]:
    """Judges the batches of one file as `write` would; keeps what stands on each receipt, some 300 bytes."""
    met: dict[tuple[str, str, str], bytes] = {}

    def judged(receipts: Sequence[PurchaseIn]) -> list[bool | Problem]:
        now = timezone.now()
        facts = purchases.gather(receipts, now=now)
        names = [(one.source, one.receipt_number, purchases.KIND) for one in receipts]
        met.update((name, print_) for name, (_id, print_) in documents.standing(names).items())
        answers: list[bool | Problem] = []
        for one, name in zip(receipts, names, strict=True):
            member, problem = facts.members.get(one.member), purchases.refusal(one, facts, now=now, history=True)
            print_ = purchases.document_print(one, member) if member else None
            if name in met and print_ == met[name]:
                answers.append(False)
            elif problem or print_ is None or name in met:
                answers.append(problem or purchases.number_taken())
            else:
                met[name] = print_
                answers.append(True)
        return answers

    return judged


def write(receipts: Sequence[PurchaseIn]) -> list[bool | Problem]:
    outcomes = purchases.record(receipts, now=timezone.now(), history=True)
    return [one if isinstance(one, Problem) else not one.replayed for one in outcomes]
