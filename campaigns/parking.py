"""Returns that arrive before their sale wait for it (SEMANTICS 1.7); the result is that of the sale first.

A return is parked under an exclusive lock, sales are written under a shared one: whichever comes second sees the first. Sales
take theirs before any other lock, and whoever parks asks for none behind the exclusive one, so that nobody locks anybody out.
"""

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from django.db import connection, transaction
from django.utils.translation import gettext as _

from campaigns import returns
from campaigns.models import Purchase, PurchaseReturn
from campaigns.returns import Claim, Taken
from campaigns.schemas import ReceiptReturnIn
from loyalty import documents, queries
from loyalty.ids import uuid7
from loyalty.problems import Problem

# Of advisory locks, for this use alone.
LOCK = 0x5E7E5E
type Receipt = tuple[str, str]
WAITING = """
select r.id from campaigns_purchasereturn r
  join unnest(%s::text[], %s::text[]) as came (source, number) on r.source = came.source and r.receipt_number = came.number
 where r.purchase_id is null and r.problem = '' order by r.occurred_at, r.id for update of r
"""


class _SaleCame(Exception):
    """Between our looking and our locking."""


def take(body: ReceiptReturnIn, *, now: datetime, actor: UUID | None = None) -> Taken | Problem:
    """Take the return of a receipt by its number, or let it wait for the sale."""
    if problem := returns.too_early(body, now):
        return problem
    purchase = _purchase(body)
    if purchase is None:
        try:
            with transaction.atomic():
                return _park(body, now=now, actor=actor)
        except _SaleCame:
            purchase = _purchase(body)
            assert purchase is not None, "a sale that came is there"
    if body.store is not None and purchase.store.code != body.store:
        return _elsewhere()
    [answer] = returns.take([Claim(purchase.pk, body)], now=now, actor=actor)
    return answer


def sales_are_coming() -> None:
    """Until this transaction ends, no return is parked. Called before wallets are locked."""
    with connection.cursor() as cursor:
        cursor.execute("select pg_advisory_xact_lock_shared(%s)", [LOCK])


def sales_came(purchases: Mapping[Receipt, UUID], *, now: datetime) -> None:
    """Take the returns that waited for these receipts, just written by this transaction."""
    if not purchases:
        return
    with connection.cursor() as cursor:
        cursor.execute(WAITING, [[source for source, _ in purchases], [number for _, number in purchases]])
        ids = [id_ for (id_,) in cursor.fetchall()]
    if not ids:
        return
    rows = sorted(PurchaseReturn.objects.filter(pk__in=ids), key=lambda one: ids.index(one.pk))
    stores = dict(Purchase.objects.filter(pk__in=purchases.values()).values_list("pk", "store__code"))
    answers: dict[UUID, Taken | Problem] = {}
    claims: dict[UUID, Claim] = {}
    for one in rows:
        body, purchase = ReceiptReturnIn.model_validate(one.content), purchases[one.source, one.receipt_number]
        if body.store in (None, stores[purchase]):
            claims[one.pk] = Claim(purchase, body, one.pk)
        else:
            answers[one.pk] = _elsewhere()
    answers |= zip(claims, returns.take(list(claims.values()), now=now), strict=True)
    for one in rows:
        answer = answers[one.pk]
        one.problem = answer.detail[:300] if isinstance(answer, Problem) else ""
    PurchaseReturn.objects.bulk_update([one for one in rows if one.problem], ["problem"])


def _park(body: ReceiptReturnIn, *, now: datetime, actor: UUID | None) -> Taken | Problem:
    if body.store is not None and not queries.stores_by_code([body.store]):
        return Problem("unknown-store", _("There is no store %(code)s.") % {"code": body.store})
    id_, print_ = uuid7(), returns.document_print(body, body.receipt_number)
    [taken] = documents.take([documents.Document(body.source, body.return_number, returns.KIND, id_, print_)])
    if not taken.fresh:
        return Taken(taken.id, replayed=True) if taken.same else returns.number_taken()
    with connection.cursor() as cursor:
        cursor.execute("select pg_advisory_xact_lock(%s)", [LOCK])
    if _purchase(body):
        raise _SaleCame
    PurchaseReturn.objects.create(
        pk=id_, source=body.source, return_number=body.return_number, receipt_number=body.receipt_number,
        occurred_at=body.occurred_at, recorded_at=now, goodwill=body.goodwill, reason=body.reason, actor=actor,
        content=body.model_dump(mode="json"),
    )  # fmt: skip
    return Taken(id_, replayed=False)


def _purchase(body: ReceiptReturnIn) -> Purchase | None:
    rows = Purchase.objects.filter(source=body.source, receipt_number=body.receipt_number)
    return rows.select_related("store").first()


def _elsewhere() -> Problem:
    return Problem("unknown-store", _("This receipt is of another store."))
