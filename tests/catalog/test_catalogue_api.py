"""Rewards, redemptions and vouchers as a till sees them."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from catalog import redeeming
from catalog.models import Code, CodePool, RewardPrice, Stock, Voucher
from loyalty.models import IdempotencyRecord
from members.models import Member
from tests.api import Till, till
from tests.catalog.selling import available, reward, rich, shop
from tests.factories import StoreFactory, member

pytestmark = pytest.mark.django_db


def slug(answer: Any, status: int) -> str:
    assert answer.status_code == status, answer.content
    return str(answer.json()["type"]).rpartition("/")[2]


def redeemed(one: Member, code: str, at: Till | None = None, **more: Any) -> Any:
    answer = (at or till()).post("/redemptions", {"member": str(one.pk), "reward": code, "confirm": True, **more})
    assert answer.status_code == 201, answer.content
    return answer.json()


def test_rewards_are_priced_for_the_member_and_for_everybody() -> None:
    one, cheap = rich(300, language="fr"), reward(code="tea", points=100, translations={"fr": {"title": "Thé"}})
    reward(code="gold", points=200, tiers=["gold"])
    reward(code="mug", points=300, money="2.50")
    RewardPrice.objects.create(reward=cheap, points=40, ends_at=timezone.now() + timedelta(hours=1))
    RewardPrice.objects.create(reward=cheap, points=1, tier="gold")
    Stock.objects.create(reward=reward(code="gone", points=50), left=0)
    items = till().get(f"/rewards?member={one.pk}").json()["items"]
    assert [(row["code"], row["points"], row["available"], row["unavailable_because"], row["stock"]) for row in items] == [
        ("gone", 50, False, "out-of-stock", 0),
        ("tea", 40, True, None, None),
        ("gold", 200, False, "tier", None),
        ("mug", 300, True, None, None),
    ]
    assert (items[1]["title"], items[3]["money"], items[1]["valid_until"] is None) == ("Thé", "2.50", False)
    plain = till().get("/rewards").json()["items"]
    assert [(row["code"], row["available"], row["title"]) for row in plain[1:3]] == [
        ("tea", True, "Flat white"),
        ("gold", True, "Flat white"),
    ]
    assert slug(till().get("/rewards?member=nobody"), 422) == "unknown-member"
    assert slug(till().get("/rewards?store=S9"), 422) == "unknown-store"
    assert slug(till("adjust").get("/rewards"), 403) == "forbidden-scope"
    for asked in (f"?member={one.pk}", "?store=S1"):
        assert slug(till("configure").get(f"/rewards{asked}"), 403) == "forbidden-scope"


def test_the_list_goes_on_by_its_cursor_at_a_constant_cost() -> None:
    one, counter = rich(), till()
    for number in range(20):
        reward(code=f"r{number:02}", points=10 * (number // 3))
    seen, cursor = [], ""
    while True:
        page = counter.get(f"/rewards?member={one.pk}&limit=7{cursor}").json()
        seen += [row["code"] for row in page["items"]]
        if page["next"] is None:
            break
        cursor = f"&cursor={page['next']}"
    assert seen == [f"r{number:02}" for number in range(20)]
    costs = []
    for limit in (2, 20):
        with CaptureQueriesContext(connection) as statements:
            counter.get(f"/rewards?member={one.pk}&limit={limit}")
        costs.append(len(statements))
    assert costs[0] == costs[1]
    for bad in ("x", "WzEsMl0", "W251bGwsImEiXQ"):
        assert slug(counter.get(f"/rewards?cursor={bad}"), 422) == "validation"


def test_reserve_confirm_fulfil_and_the_balance_meanwhile() -> None:
    one, sold, counter = rich(), reward(), till()
    answer = counter.post("/redemptions", {"member": str(one.pk), "reward": sold.code, "quantity": 2})
    held = answer.json()
    assert (answer.status_code, held["status"], held["points"], held["voucher"], held["balance"]) == (
        201,
        "reserved",
        800,
        None,
        200,
    )
    balance = counter.get(f"/members/{one.pk}/balance").json()
    assert (balance["available"], balance["reserved"]) == (200, 800)
    path = f"/redemptions/{held['id']}"
    assert slug(counter.post(f"{path}/fulfil", {}), 409) == "not-eligible"
    confirmed = counter.post(f"{path}/confirm", {}).json()
    assert (confirmed["status"], confirmed["voucher"]["kind"], confirmed["voucher"]["status"]) == ("confirmed", "item", "ready")
    assert counter.get(f"/members/{one.pk}/balance").json()["reserved"] == 0
    assert counter.post(f"{path}/fulfil", None).json()["status"] == "fulfilled"
    assert slug(counter.post(f"{path}/fulfil", {}), 409) == "already-used"
    assert slug(counter.post(f"{path}/cancel", {"by": "member"}), 409) == "not-eligible"
    assert counter.get(path).json()["voucher"]["status"] == "expired"
    assert slug(counter.get("/redemptions/0198c0de-0000-7000-8000-000000000000"), 404) == "not-found"


def test_what_stands_in_the_way_moves_nothing() -> None:
    one, poor, counter = rich(), rich(10), till()
    sold = reward(points=400, per_member=1)

    def refused(status: int, **more: Any) -> str:
        body = {"member": str(one.pk), "reward": sold.code} | more
        return slug(counter.post("/redemptions", body), status)

    assert refused(422, reward="nothing") == "validation"
    assert refused(422, member="nobody") == "unknown-member"
    assert refused(422, store="S9") == "unknown-store"
    assert refused(422, quantity=0) == "validation"
    assert refused(422, colour="red") == "validation"
    assert refused(409, member=str(poor.pk)) == "insufficient-points"
    assert refused(409, quantity=2) == "limit-reached"
    assert refused(409, points=300) == "quote-expired"
    assert refused(409, money="1.00") == "quote-expired"
    assert refused(409, member=str(member().pk)) == "not-eligible"
    Member.objects.filter(pk=one.pk).update(status="blocked")
    assert refused(409) == "not-eligible"
    Member.objects.filter(pk=one.pk).update(status="active")
    counted = reward()
    Stock.objects.create(reward=counted, left=0)
    assert refused(409, reward=counted.code) == "out-of-stock"
    assert refused(409, reward=reward(kind="code", code_pool=CodePool.objects.create(code="P", name="P")).code) == "out-of-stock"
    assert refused(409, reward=reward(ends_at=timezone.now() - timedelta(days=1)).code) == "expired"
    assert (available(one), available(poor)) == (1000, 10)
    told = counter.post("/redemptions", {"member": str(one.pk), "reward": sold.code, "points": 1}).json()
    assert (told["points"], told["money"]) == (400, "0.00")


def test_stock_counted_store_by_store_asks_for_the_store_and_gives_no_more() -> None:
    one, counter, sold = rich(), till(), reward(points=1)
    here, there = shop("S1"), shop("S2")
    Stock.objects.create(reward=sold, store_id=here.id, left=1)
    body = {"member": str(one.pk), "reward": sold.code}
    assert slug(counter.post("/redemptions", body), 422) == "validation"
    assert slug(counter.post("/redemptions", body | {"store": there.code}), 409) == "out-of-stock"
    assert counter.post("/redemptions", body | {"store": here.code}).status_code == 201
    assert slug(counter.post("/redemptions", body | {"store": here.code}), 409) == "out-of-stock"
    [row] = counter.get(f"/rewards?member={one.pk}").json()["items"]
    assert (row["stock"], row["unavailable_because"]) == (0, "out-of-stock")


def test_cancelling_gives_points_stock_and_reason() -> None:
    one, sold, counter = rich(), reward(), till()
    Stock.objects.create(reward=sold, left=1)
    path = f"/redemptions/{redeemed(one, sold.code)['id']}/cancel"
    assert slug(counter.post(path, {"by": "merchant"}), 422) == "validation"
    assert slug(counter.post(path, {"by": "somebody", "reason": "x"}), 422) == "validation"
    body = {"by": "merchant", "reason": "The machine is broken"}
    assert counter.post(path, body, key="k").json()["status"] == "cancelled"
    again = counter.post(path, body, key="k")
    assert (again.headers["Idempotent-Replayed"], again.json()["status"]) == ("true", "cancelled")
    assert (available(one), Stock.objects.get().left) == (1000, 1)


def test_a_code_is_shown_once_confirmed_and_only_to_tills() -> None:
    one, pool, counter = rich(), CodePool.objects.create(code="CINEMA", name="Cinema"), till()
    Code.objects.create(pool=pool, text="ABC-1")
    sold = reward(kind="code", code_pool=pool)
    held = counter.post("/redemptions", {"member": str(one.pk), "reward": sold.code}).json()
    assert (held["codes"], held["voucher"]) == ([], None)
    shown = counter.post(f"/redemptions/{held['id']}/confirm", {}).json()
    assert (shown["codes"], shown["status"]) == (["ABC-1"], "fulfilled")
    assert till("read").get(f"/redemptions/{held['id']}").json()["codes"] == []


def test_a_voucher_is_read_used_once_and_released() -> None:
    one, counter = rich(), till()
    StoreFactory.create()
    sold = reward(kind="voucher", voucher={"type": "amount", "amount": "5.00", "minimum_spend": "20.00"})
    given = redeemed(one, sold.code)["voucher"]
    path = f"/vouchers/{given['code'].lower()}"
    seen = counter.get(path).json()
    assert seen == given
    assert (seen["kind"], seen["value"], seen["minimum_spend"], seen["member"]) == ("amount", "5.00", "20.00", str(one.pk))
    used = {"store": "S1", "source": "till-1", "receipt_number": "R1", "amount": "30.00"}
    assert slug(counter.post(f"{path}/use", used | {"amount": "19.99"}), 409) == "not-eligible"
    assert slug(counter.post(f"{path}/use", used | {"store": "S9"}), 422) == "unknown-store"
    assert counter.post(f"{path}/use", used).json()["status"] == "used"
    assert counter.post(f"{path}/use", used).json()["used"] == 1
    assert slug(counter.post(f"{path}/use", used | {"receipt_number": "R2"}), 409) == "already-used"
    assert slug(counter.post(f"/redemptions/{_redemption(given)}/fulfil", {}), 409) == "already-used"
    assert slug(counter.post(f"/redemptions/{_redemption(given)}/cancel", {"by": "member"}), 409) == "already-used"
    assert counter.post(f"{path}/release", {"source": "till-1", "receipt_number": "R1"}).json()["status"] == "ready"
    assert counter.post(f"{path}/use", used | {"receipt_number": "R2"}).json()["status"] == "used"
    assert slug(counter.get("/vouchers/AAAAAAAAAAAAAA"), 404) == "not-found"
    listed = counter.get(f"/members/{one.pk}/vouchers").json()
    assert [row["code"] for row in listed["items"]] == [given["code"]]


def _redemption(given: dict[str, Any]) -> str:
    return str(Voucher.objects.get(code=given["code"]).redemption_id)


def test_a_members_vouchers_come_page_by_page_newest_first() -> None:
    one, counter = rich(), till()
    codes = [redeemed(one, reward(points=1).code)["voucher"]["code"] for _ in range(3)]
    first = counter.get(f"/members/{one.pk}/vouchers?limit=2").json()
    rest = counter.get(f"/members/{one.pk}/vouchers?limit=2&cursor={first['next']}").json()
    assert [row["code"] for row in first["items"] + rest["items"]] == codes[::-1]
    assert rest["next"] is None
    assert slug(counter.get(f"/members/{one.pk}/vouchers?cursor=WzFd"), 422) == "validation"


def test_a_key_of_a_store_acts_for_that_store_alone() -> None:
    one, sold, here, everywhere = rich(), reward(points=1), till("pos", store="S1"), till()
    shop("S2")
    body = {"member": str(one.pk), "reward": sold.code}
    assert slug(here.post("/redemptions", body | {"store": "S2"}), 403) == "forbidden-scope"
    assert here.post("/redemptions", body).json()["store"] == "S1"
    other = everywhere.post("/redemptions", body | {"store": "S2"}).json()["id"]
    for act, given in (("confirm", {}), ("fulfil", {}), ("cancel", {"by": "member"})):
        assert slug(here.post(f"/redemptions/{other}/{act}", given), 404) == "not-found"
    assert slug(here.get(f"/redemptions/{other}"), 404) == "not-found"
    code = redeemed(one, sold.code)["voucher"]["code"]
    used = {"source": "till-1", "receipt_number": "R1"}
    assert slug(here.post(f"/vouchers/{code}/use", used | {"store": "S2"}), 403) == "forbidden-scope"
    assert slug(everywhere.post(f"/vouchers/{code}/use", used), 422) == "validation"
    everywhere.post(f"/vouchers/{code}/use", used | {"store": "S2"})
    assert here.post(f"/vouchers/{code}/release", used).json()["status"] == "used"
    assert slug(here.get("/rewards?store=S2"), 403) == "forbidden-scope"


def test_an_answer_is_stored_once_and_says_nothing_of_the_person() -> None:
    one, sold, counter = rich(given_name="Zoltan", email="zoltan.canary@example.com", phone="+33612345678"), reward(), till()
    body = {"member": str(one.pk), "reward": sold.code, "confirm": True}
    first = counter.post("/redemptions", body, key="once")
    again = counter.post("/redemptions", body, key="once")
    assert (again.json(), again.headers["Idempotent-Replayed"]) == (first.json(), "true")
    assert slug(counter.post("/redemptions", body | {"quantity": 2}, key="once"), 422) == "validation"
    assert slug(counter.post("/redemptions", body, key=None), 400) == "validation"
    assert available(one) == 600
    stored = str(list(IdempotencyRecord.objects.values_list("answer", flat=True)))
    assert not any(word in stored for word in ("Zoltan", "canary", "33612345678"))


def test_a_reservation_that_lapsed_is_over() -> None:
    one, sold, counter = rich(), reward(), till()
    held = counter.post("/redemptions", {"member": str(one.pk), "reward": sold.code}).json()
    assert redeeming.lapse(now=timezone.now() + timedelta(minutes=16)) == 1
    assert slug(counter.post(f"/redemptions/{held['id']}/confirm", {}), 409) == "expired"
    assert (counter.get(f"/redemptions/{held['id']}").json()["status"], available(one)) == ("lapsed", 1000)
