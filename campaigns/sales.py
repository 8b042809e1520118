"""Receipts as they stand when something of them comes back: read for a batch in a constant number of statements."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db import connection

from campaigns import engine, rules
from campaigns.engine import Sifted
from campaigns.keeping import Held, Measure, Piece, Sold
from campaigns.models import Award, Purchase, PurchaseLine, PurchaseReturnLine
from campaigns.values import Counter, Judgement, Line, Occasion
from loyalty import queries, terms
from loyalty.terms import Terms

# Why a rule gave nothing that held by its circumstances: what was bought decided, and that is what a return changes.
BY_WHAT_WAS_BOUGHT = ("goods", "at_least", "hidden", "exclusive")
# Fields of a Sale, by the columns they are read from.
COLUMNS = {
    "id": "id", "source": "source", "receipt_number": "receipt_number", "member": "member_id", "holder": "member__holder",
    "store": "store_id", "store_code": "store__code", "occurred_at": "occurred_at", "currency": "currency",
    "tender_entry": "tender_entry", "qualifying_entry": "qualifying_entry",
}  # fmt: skip
OTHERS = """
select asked.id, other.id
  from unnest(%s::uuid[], %s::uuid[], %s::timestamptz[], %s::timestamptz[]) as asked (id, member, first, last)
  left join lateral (select id from campaigns_purchase p
                      where p.member_id = asked.member and p.occurred_at >= asked.first and p.occurred_at < asked.last
                        and p.returned_at is null and p.qualifying_entry is null and p.id <> all(%s)
                      order by p.occurred_at, p.id limit 1) other on true
"""


@dataclass(frozen=True, slots=True)
class AwardHeld:
    """An award of a receipt, as the ledger has it now."""

    id: int
    entry: UUID
    version: UUID
    holder: UUID
    held: Held


@dataclass(slots=True)
class Sale:
    """A receipt, what came back of it (`gone`) and what of that takes points back (`earning`: all but goodwill).

    `qualifying_left` is what it still counts for towards a tier.
    `at` is the moment by whose rules and terms it was judged, `used` what stood on the counters then. `keys` are the ids
    of the lines' rows.
    """

    id: UUID
    source: str
    receipt_number: str
    member: UUID
    holder: UUID
    store: int
    store_code: str
    occurred_at: datetime
    currency: str
    tender_entry: UUID | None
    qualifying_entry: UUID | None
    contract: Terms
    at: datetime
    used: dict[Counter, Decimal]
    sifted: Sifted = field(default_factory=lambda: Sifted(()))
    sold: list[Sold] = field(default_factory=list)
    keys: dict[str, int] = field(default_factory=dict)
    awards: list[AwardHeld] = field(default_factory=list)
    qualifying_left: int = 0
    gone: list[Piece] = field(default_factory=list)
    earning: list[Piece] = field(default_factory=list)

    def occasion(self, lines: Sequence[Line]) -> Occasion:
        """What was bought, if it had been `lines`. Circumstances were judged then and are not asked again."""
        return Occasion(
            member=self.member, at=self.at, zone=self.contract.zone, lines=tuple(lines), store=self.store_code,
            point_value=self.contract.point_value,
        )  # fmt: skip

    def judge(self, lines: Sequence[Line]) -> Judgement:
        """What the rules that held then give for these lines."""
        return engine.award(self.occasion(lines), self.sifted, self.used)


def holders(purchases: Iterable[UUID]) -> set[UUID]:
    """Whose wallets the receipts filled."""
    return set(Purchase.objects.filter(pk__in=set(purchases)).values_list("member__holder", flat=True))


def read(purchases: Sequence[UUID], now: datetime) -> dict[UUID, Sale]:
    """Each receipt that there is, as of `now`; asked behind the wallets' locks."""
    rows = list(Purchase.objects.filter(pk__in=purchases).values_list(*COLUMNS.values(), "trace"))
    published = terms.published()
    found = {row[0]: _sale(row, published) for row in rows}
    held = _rules({row[0]: row[-1] for row in rows})
    for id_, sale in found.items():
        sale.sifted = held[id_]
    _add_lines(found)
    _add_awards(found, now)
    _add_returns(found)
    return found


def _sale(row: Sequence[Any], published: list[Terms]) -> Sale:
    trace, occurred_at = row[-1], row[7]
    at = datetime.fromisoformat(trace["at"]) if "at" in trace else occurred_at
    used = {Counter(name, date.fromisoformat(day)): Decimal(much) for name, day, much in trace.get("used", ())}
    by_number = (one for one in published if one.version == trace.get("terms"))
    named = dict(zip(COLUMNS, row[:-1], strict=True))
    return Sale(**named, contract=next(by_number, None) or terms.in_force(published, at), at=at, used=used)


def _rules(traces: dict[UUID, dict[str, Any]]) -> dict[UUID, Sifted]:
    """The versions that held then, of those that the traces name."""
    named = {
        id_: [step["version"] for step in trace["rules"]]
        + [
            lost["version"]
            for lost in trace.get("rejected", ())
            if lost["reason"].partition(":")[0] in BY_WHAT_WAS_BOUGHT
        ]
        for id_, trace in traces.items()
    }  # fmt: skip
    versions = rules.by_versions({UUID(one) for some in named.values() for one in some})
    return {id_: Sifted(engine.in_turn(versions[UUID(one)] for one in some)) for id_, some in named.items()}


def _add_lines(found: dict[UUID, Sale]) -> None:
    columns = (
        "purchase_id", "id", "tender_points", "line_id", "net_amount", "quantity", "sku", "category", "brand", "excluded",
        "tender_amount",
    )  # fmt: skip
    rows: Iterable[tuple[Any, ...]] = PurchaseLine.objects.filter(purchase__in=found).order_by("id").values_list(*columns)
    for purchase, key, points, *line in rows:
        sale = found[purchase]
        sale.sold.append(Sold(Line(*line), points))
        sale.keys[line[0]] = key


def _add_awards(found: dict[UUID, Sale], now: datetime) -> None:
    rows = Award.objects.filter(purchase__in=found).order_by("id")
    awards = list(rows.values_list("purchase_id", "id", "entry", "rule_version_id", "rule_version__rule__code"))
    qualifying = {sale.id: sale.qualifying_entry for sale in found.values() if sale.qualifying_entry}
    standing = queries.awarded([*(entry for _, _, entry, _, _ in awards), *qualifying.values()], now)
    for purchase, id_, entry, version, rule in awards:
        one = standing[entry]
        found[purchase].awards.append(AwardHeld(id_, entry, version, one.holder, Held(rule, one.points, one.clawed, one.expired)))
    for purchase, entry in qualifying.items():
        one = standing[entry]
        found[purchase].qualifying_left = one.points - one.clawed


def _add_returns(found: dict[UUID, Sale]) -> None:
    rows = PurchaseReturnLine.objects.filter(purchase_return__purchase__in=found).order_by("id")
    for purchase, line, quantity, net, asked, goodwill in rows.values_list(
        "purchase_return__purchase_id", "line__line_id", "quantity", "net_amount", "asked", "purchase_return__goodwill"
    ):
        piece = Piece(line, quantity, net, Measure(asked))
        found[purchase].gone.append(piece)
        if not goodwill:
            found[purchase].earning.append(piece)


def others_of_the_day(gone: Sequence[Sale]) -> dict[UUID, UUID]:
    """Of sales of which nothing is kept: another of the same member and local day that counts for nothing yet, if there is."""
    if not gone:
        return {}
    days = [one.contract.day_of(one.occurred_at) for one in gone]
    first = [one.contract.midnight_after(day - timedelta(days=1)) for one, day in zip(gone, days, strict=True)]
    last = [one.contract.midnight_after(day) for one, day in zip(gone, days, strict=True)]
    ids = [one.id for one in gone]
    with connection.cursor() as cursor:
        cursor.execute(OTHERS, [ids, [one.member for one in gone], first, last, ids])
        return {id_: other for id_, other in cursor.fetchall() if other}
