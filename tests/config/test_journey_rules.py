"""The import with twelve rules, on a slice written here that every one of them pays for, and that fills every cap."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime, timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.core.management import CommandError, call_command

from campaigns import engine
from campaigns.models import Award, Purchase
from campaigns.values import Judgement, Occasion
from config.journey import preparing
from loyalty import verifying
from loyalty.models import Posting
from tests.committing import Database
from tests.config.test_journey import Basket, write

arrow = pytest.importorskip("pyarrow", reason="the optional group `journey` is not installed")
parquet = pytest.importorskip("pyarrow.parquet")

PRODUCTS = {
    1: ("CHEESE", "National"), 2: ("APPLES", "National"), 3: ("SOUP", "Private"), 4: ("COUPON/MISC ITEMS", "Private"),
    5: (None, None), 1082185: ("TROPICAL FRUIT", "National"), 1127831: ("BERRIES", "National"),
}  # fmt: skip
INCOMES = {1: "150-174K", 2: "75-99K", 3: "Under 15K"}
RULES = {
    "base", "thin-margin", "fresh-counter", "member-day", "gold", "silver", "late-hours", "big-basket", "own-brand",
    "fruit-bowl", "first-purchase", "welcome", "profile",
}  # fmt: skip

# Six weeks with a basket each nine hours, of four households; its cents make remainders of all kinds.
START = datetime(2017, 1, 2, 1, 30)  # noqa: DTZ001 - as in the files, UTC; in New York the evening before
SLICE: list[Basket] = [
    (10_000 + n, 1 + n % 4, 300 + n % 3 // 2, START + n * timedelta(hours=9), [
        (1, 1, 1.99 + n % 13), (2, 2, 0.37 * (n % 5)), (3, 3, 4.05 * (n % 7)), (4, 1201, 11.13 * (n % 2)), (5, 1, 0.49),
        (1082185, n % 4, 0.59 * (n % 4)), *([(1127831, 1, 2.5)] if n % 6 == 0 else []), *([(99, 1, 70.01)] if n % 3 else []),
    ])
    for n in range(110)
]  # fmt: skip
LAST = "10109"
type Import = Callable[..., str]


@pytest.fixture
def data(tmp_path: Path) -> Path:
    write(tmp_path, SLICE)
    products = [{"product_id": id_, "product_category": one[0], "brand": one[1]} for id_, one in PRODUCTS.items()]
    parquet.write_table(arrow.Table.from_pylist(products), tmp_path / "products.parquet")
    households = [{"household_id": id_, "income": income} for id_, income in INCOMES.items()]
    parquet.write_table(arrow.Table.from_pylist(households), tmp_path / "demographics.parquet")
    return tmp_path


@pytest.fixture
def bring(committing_db: Database, data: Path) -> Import:
    """Runs the command on the slice; what it printed. The batch is small, so that there are several."""

    def run(**options: Any) -> str:
        out = StringIO()
        try:
            call_command("import_complete_journey", stdout=out, **{"data": data, "batch": 13, "rules": preparing.RULES} | options)
        except CommandError as error:
            raise CommandError(f"{error}\n{out.getvalue()}") from error
        return out.getvalue()

    return run


def told() -> list[dict[str, Any]]:
    return list(Purchase.objects.order_by("occurred_at").values_list("trace", flat=True))


def test_all_rules_pay_all_caps_fill_and_every_sum_agrees(bring: Import) -> None:
    said = bring(expire_until=date(2017, 6, 30))
    assert "2 members are in a tier, 2 of them since now" in said
    assert "\n0 differences" in said
    assert set(Award.objects.values_list("rule_version__rule__code", flat=True)) == RULES
    assert Award.objects.filter(event__type="sign_up", points=50).count() == 4
    assert Award.objects.filter(event__type="profile_completed", points=25).count() == 3
    steps = [step for trace in told() for step in trace["rules"]]
    assert {(step["rule"], step["cut"]["unit"]) for step in steps if "cut" in step} == {
        ("late-hours", "money"), ("own-brand", "points"), ("fruit-bowl", "points"), ("big-basket", "times"),
    }  # fmt: skip
    lost = {(one["rule"], one["reason"]) for trace in told() for one in trace["rejected"]}
    assert {("own-brand", "exclusive:big-basket"), ("big-basket", "exclusive:own-brand")} <= lost
    swept = Posting.objects.filter(kind="expire").count()
    assert swept == Award.objects.filter(rule_version__rule__code__in=["late-hours", "first-purchase"]).count() > 4
    assert not [found for found in verifying.verify() if found.bad_row]


def test_stopped_half_way_and_repeated_it_ends_in_the_same(bring: Import) -> None:
    bring(limit=40)
    said = bring(batch=1000)
    assert "110 receipts, 40 of them known before" in said
    assert "2 members are in a tier, 0 of them since now" in said
    points = list(Purchase.objects.order_by("receipt_number").values_list("points_earned", flat=True))
    assert "\n0 differences" in bring(limit=5)
    assert list(Purchase.objects.order_by("receipt_number").values_list("points_earned", flat=True)) == points


def test_one_point_too_many_for_one_rule_is_found(bring: Import, monkeypatch: pytest.MonkeyPatch) -> None:
    award = engine.award

    def generous(occasion: Occasion, *given: Any) -> Judgement:
        """A point of one receipt goes to another rule; all sums of the receipt stay as they are."""
        right = award(occasion, *given)
        if occasion.at != max(at for *_, at, _ in SLICE).replace(tzinfo=occasion.at.tzinfo):
            return right
        first, second, *rest = right.granted
        moved = [replace(first, points=first.points + 1), replace(second, points=second.points - 1), *rest]
        return replace(right, granted=moved)

    monkeypatch.setattr(engine, "award", generous)
    with pytest.raises(CommandError, match="does not reconcile") as told:
        bring()
    assert f"receipts: points rule by rule, {LAST}: files base" in str(told.value)
    assert "receipts: points, " not in str(told.value)


def test_a_forgotten_cap_is_found(bring: Import, monkeypatch: pytest.MonkeyPatch) -> None:
    award = engine.award
    monkeypatch.setattr(engine, "award", lambda occasion, sifted, _used: award(occasion, sifted, {}))
    with pytest.raises(CommandError, match="receipts: points, "):
        bring()


def test_a_lot_that_ends_a_day_late_is_found(bring: Import, committing_db: Database) -> None:
    bring()
    with psycopg.connect(committing_db.url("postgres")) as owner:
        owner.execute("set session_replication_role = replica")
        owner.execute("""update campaigns_award set expires_at = expires_at + interval '1 day' where id = (
                             select max(a.id) from campaigns_award a join campaigns_purchase p on p.id = a.purchase_id
                              where p.receipt_number = '10000')""")
    with pytest.raises(CommandError, match="receipts: when those of each rule end, 10000"):
        bring()


def test_other_words_than_those_that_stand_are_refused(bring: Import, tmp_path: Path) -> None:
    bring(limit=10)
    rules = json.loads(preparing.RULES.read_text())
    rules[0]["value"] = "0.5"
    other = tmp_path / "other.json"
    other.write_text(json.dumps(rules))
    with pytest.raises(CommandError, match="The rule thin-margin stands with other words"):
        bring(rules=other)
    with pytest.raises(CommandError, match="checked against rules that it knows"):
        bring(rules=None)
    assert Purchase.objects.count() == 10


def test_receipts_that_came_without_the_rules_are_not_judged_anew(bring: Import) -> None:
    bring(rules=None, limit=10)
    with pytest.raises(CommandError, match="checked against rules that it knows"):
        bring()
    assert set(Award.objects.values_list("rule_version__rule__code", flat=True)) == {"base"}


def test_of_equal_remainders_the_earlier_line_gets_the_point(bring: Import, data: Path) -> None:
    write(data, [(1, 3, 300, START + timedelta(hours=15), [(5, 1, 0.67), (6, 1, 1.0), (7, 1, 1.33)])])
    assert "0 differences" in bring()
