"""Rewards through the API: put whole, refused at their fields, read back in one form."""

from typing import Any

import pytest

from catalog.models import Category, CodePool, Reward, RewardPrice, Stock
from loyalty.models import AuditRecord
from tests.api import Till, till
from tests.factories import StoreFactory

pytestmark = pytest.mark.django_db
WHOLE: dict[str, Any] = {
    "title": "Five off", "description": "For the next visit.", "kind": "voucher", "category": "treats", "points": 450,
    "money": "1.50", "cost": "4.20", "stock": 7, "stock_by_store": {"S1": 3}, "per_member": 1, "stores": ["S1"],
    "available": {
        "starts_at": "2026-01-01T00:00:00+01:00", "ends_at": "2030-01-01T00:00:00+01:00", "weekdays": [7, 6],
        "hours": ["10:00", "14:00"],
    },
    "voucher": {"type": "amount", "amount": "5.00", "minimum_spend": "20.00", "uses": 1, "valid_for": "P30D"},
    "prices": [
        {"name": "Happy hour", "points": 300, "weekdays": [3], "hours": ["15:00", "17:00"]},
        {"points": 200, "birthday_month": True},
    ],
    "translations": {"fr": {"title": "Cinq euros"}},
}  # fmt: skip


def put(owner: Till, at: str = "mug", **given: Any) -> Any:
    return owner("PUT", f"/rewards/{at}", {"title": "Mug", "kind": "goods", "points": 400} | given)


def test_the_whole_of_a_reward_is_kept_and_answered_in_one_form() -> None:
    StoreFactory.create()
    Category.objects.create(code="treats", name="Treats")
    owner = till("configure")
    made = owner("PUT", "/rewards/five-off", WHOLE)
    assert made.status_code == 201, made.content
    shown = made.json()
    for name in ("title", "kind", "points", "money", "cost", "stock", "stock_by_store", "per_member", "stores", "translations"):
        assert shown[name] == WHOLE[name], name
    assert shown["voucher"] == WHOLE["voucher"] | {"categories": [], "keeps_rest": False}
    assert (shown["available"]["weekdays"], shown["available"]["hours"]) == ([6, 7], ["10:00", "14:00"])
    assert [(one["points"], one["birthday_month"]) for one in shown["prices"]] == [(200, True), (300, False)]
    assert (shown["code"], shown["currency"], shown["picture"], shown["withdrawn"]) == ("five-off", "EUR", None, False)
    assert owner.get("/rewards/five-off").json() == shown
    rows = list(RewardPrice.objects.values_list("pk", flat=True))
    again = owner("PUT", "/rewards/five-off", WHOLE)
    assert (again.status_code, again.json()) == (200, shown)
    assert list(RewardPrice.objects.values_list("pk", flat=True)) == rows
    assert [one.verb for one in AuditRecord.objects.filter(object_type="catalog.reward")] == ["reward.added"]


def test_a_put_replaces_all_but_the_stock_that_it_leaves_out() -> None:
    StoreFactory.create()
    owner = till("configure")
    put(owner, stock=7, stock_by_store={"S1": 3}, per_member=2, prices=[{"points": 1}])
    Stock.objects.filter(store=None).update(left=5)
    second = put(owner, points=500).json()
    assert (second["points"], second["per_member"], second["prices"]) == (500, None, [])
    assert (second["stock"], second["stock_by_store"]) == (5, {"S1": 3})
    [changed] = AuditRecord.objects.filter(verb="reward.changed")
    assert changed.changes["points"] == [400, 500]
    assert put(owner, stock=None, stock_by_store={}).json()["stock"] is None
    assert not Stock.objects.exists()


def test_a_reward_is_withdrawn_and_offered_again() -> None:
    owner = till("configure")
    assert put(owner, withdrawn=True).json()["withdrawn_at"]
    assert put(owner).json()["withdrawn_at"] is None


@pytest.mark.parametrize(
    ("given", "pointer", "said"),
    [
        ({"title": " "}, "/title", ""),
        ({"title": "a\0b"}, "/title", "no text"),
        ({"kind": "car"}, "/kind", ""),
        ({"points": -1}, "/points", ""),
        ({"points": "100"}, "/points", ""),
        ({"points": True}, "/points", ""),
        ({"money": "-1"}, "/money", "plain number"),
        ({"money": "1e3"}, "/money", "plain number"),
        ({"money": "1.005"}, "/money", "EUR has 2 decimals"),
        ({"cost": "0.001"}, "/cost", "EUR has 2 decimals"),
        ({"stock": -1}, "/stock", ""),
        ({"stock_by_store": {"S9": 1}}, "/stock_by_store/S9", "no store S9"),
        ({"stores": ["S1"], "stock_by_store": {"S2": 1}}, "/stock_by_store/S2", "not offered"),
        ({"per_member": 0}, "/per_member", ""),
        ({"stores": ["S9"]}, "/stores", "no store S9"),
        ({"tiers": ["gold"]}, "/tiers", "no tier gold"),
        ({"prices": [{"points": 1, "tier": "gold"}]}, "/prices/0/tier", "no tier gold"),
        ({"prices": [{"points": 1, "hours": ["10:00", "10:00"]}]}, "/prices/0", "end when they begin"),
        ({"category": "none"}, "/category", "no category none"),
        ({"code_pool": "NONE"}, "/code_pool", ""),
        ({"kind": "code"}, "/code_pool", "Name the pool"),
        ({"kind": "code", "code_pool": "NONE"}, "/code_pool", "no pool of codes NONE"),
        ({"kind": "voucher"}, "/voucher", "what the voucher gives"),
        ({"kind": "donation", "voucher": {"type": "item"}}, "/voucher", "gives no voucher"),
        ({"voucher": {"type": "amount", "amount": "5"}}, "/voucher/type", "Only a voucher"),
        ({"kind": "voucher", "voucher": {"type": "amount"}}, "/voucher", "how much"),
        ({"kind": "voucher", "voucher": {"type": "percent", "amount": "101"}}, "/voucher", "at most 100"),
        ({"kind": "voucher", "voucher": {"type": "item", "amount": "1"}}, "/voucher", "no amount"),
        ({"kind": "voucher", "voucher": {"type": "item", "valid_for": "30 days"}}, "/voucher/valid_for", "P14D"),
        ({"kind": "voucher", "voucher": {"type": "item", "uses": 0}}, "/voucher/uses", ""),
        ({"available": {"hours": ["25:00", "10:00"]}}, "/available/hours/0", "such as 10:00"),
        ({"available": {"weekdays": [8]}}, "/available/weekdays/0", ""),
        ({"available": {"starts_at": "2026-01-01"}}, "/available/starts_at", "offset"),
        ({"translations": {"tlh": {"title": "x"}}}, "/translations/tlh", "Choose one of"),
        ({"code": "other"}, "/code", "another one"),
        ({"colour": "red"}, "/colour", ""),
    ],
)  # fmt: skip
def test_a_wrong_reward_is_refused_at_its_field_and_nothing_is_kept(given: dict[str, Any], pointer: str, said: str) -> None:
    StoreFactory.create()
    StoreFactory.create(code="S2", name="Hill shop")
    answer = put(till("configure"), **given)
    assert answer.status_code == 422, answer.content
    details = {one["pointer"]: one["detail"] for one in answer.json()["errors"]}
    assert pointer in details, details
    assert said in details[pointer]
    assert not Reward.objects.exists()


def test_codes_come_from_a_pool_that_is_there() -> None:
    CodePool.objects.create(code="CINEMA", name="Cinema")
    shown = put(till("configure"), kind="code", code_pool="CINEMA").json()
    assert (shown["code_pool"], shown["voucher"]) == ("CINEMA", None)


def test_only_a_key_of_the_programme_keeps_the_catalogue() -> None:
    StoreFactory.create()
    assert put(till("pos")).status_code == 403
    assert put(till("configure", store="S1")).status_code == 403
    assert till("configure").get("/rewards/none").status_code == 404
    assert put(till("configure"), "no%20code").status_code == 422
    assert not Reward.objects.exists()


def test_who_keeps_the_catalogue_lists_it_as_it_was_put() -> None:
    owner = till("pos", "configure")
    for points in (300, 100, 200):
        put(owner, at=f"R{points}", points=points, cost="2.10", withdrawn=points == 200)
    listed = owner.get("/rewards?limit=2").json()
    assert [row["code"] for row in listed["items"]] == ["R100", "R200"]
    assert listed["items"] == [owner.get(f"/rewards/{code}").json() for code in ("R100", "R200")]
    [last] = owner.get(f"/rewards?limit=2&cursor={listed['next']}").json()["items"]
    assert (last["code"], last["cost"]) == ("R300", "2.10")
    StoreFactory.create(code="S9")
    priced = owner.get("/rewards?store=S9").json()["items"]
    assert [(row["code"], row["available"]) for row in priced] == [("R100", True), ("R300", True)]
    assert "cost" not in priced[0], "what a till reads"
    assert "cost" not in till("pos").get("/rewards").json()["items"][0]
