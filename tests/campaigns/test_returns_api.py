"""Returns over HTTP: SEMANTICS 3 by its vectors, and what bad ones get."""

from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from campaigns import drafting, publishing
from campaigns.models import ClawBack, Purchase, PurchaseReturn
from loyalty import posting, queries, verifying
from loyalty import publishing as terms_publishing
from loyalty.acts import Burn
from loyalty.models import DocumentGuard, OutboxEvent, Posting
from members.models import Member, TierMembership
from members.tiers import Level
from tests.api import Till, till
from tests.factories import StoreFactory, member
from tests.members import tiering
from tests.staff import signed_in, text

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def shop() -> None:
    StoreFactory.create()


def bought(of: Member, *lines: tuple[str, str] | tuple[str, str, str], pos: Till | None = None, **given: Any) -> dict[str, Any]:
    """A purchase of lines (id, amount, quantity), as the API answered it."""
    body = sale(of, *lines, **given)
    answer = (pos or till()).post("/purchases", body)
    assert answer.status_code == 201, answer.json()
    return answer.json()  # type: ignore[no-any-return]


def sale(of: Member, *lines: tuple[str, str] | tuple[str, str, str], **given: Any) -> dict[str, Any]:
    """Each line is of a category of its own, named like the line."""
    named = [
        {"line_id": id_, "category": id_, "net_amount": net, "quantity": more[0] if more else "1"} for id_, net, *more in lines
    ]
    return {
        "source": "till-1", "receipt_number": f"R{uuid4()}", "store": "S1", "member": str(of.pk),
        "occurred_at": timezone.now().isoformat(), "currency": "EUR", "lines": named,
    } | given  # fmt: skip


def back(*lines: tuple[str, ...], **given: Any) -> dict[str, Any]:
    """A return of lines (id, quantity, amount), where empty texts leave out."""
    named = [
        {"line_id": id_} | {name: text for name, text in zip(("quantity", "net_amount"), more, strict=False) if text}
        for id_, *more in lines
    ]
    what: dict[str, Any] = {"lines": named} if lines else {}
    return {"return_number": f"B{uuid4()}", "occurred_at": timezone.now().isoformat()} | what | given


def returned(purchase: dict[str, Any], body: dict[str, Any], *scopes: str) -> Any:
    return till(*scopes).post(f"/purchases/{purchase['id']}/returns", body)


def written() -> tuple[int, ...]:
    return tuple(model.objects.count() for model in (PurchaseReturn, ClawBack, Posting, DocumentGuard, OutboxEvent))


def rate(value: str) -> None:
    """Another rate than one point for each 1.00, from now on: nobody has a wallet yet."""
    draft = drafting.draft("base", Decimal(value), actor=uuid4())
    assert publishing.publish(draft.pk, actor=uuid4(), now=timezone.now()).published


def offer(code: str, value: str, **more: Any) -> None:
    owner = till("configure")
    answer = owner("PUT", f"/earn-rules/{code}", {"kind": "bonus", "per": "purchase", "value": value} | more)
    assert answer.status_code == 201, answer.json()
    assert owner.post(f"/earn-rules/{code}/publish", {}).status_code == 200


def nothing_is_wrong() -> bool:
    return all(finding.bad_row is None for finding in verifying.verify())


def test_small_pieces_leak_nothing() -> None:
    """1 point per 10.00, receipt 100.00 returned as 20 × 5.00 → all 10 points gone (SEMANTICS 3)."""
    rate("0.1")
    purchase = bought(member(), ("1", "100.00"))
    assert purchase["points_earned"] == 10
    answers = [returned(purchase, back(amount="5.00")).json() for _ in range(20)]
    assert [one["points_clawed_back"] for one in answers] == [1, 0] * 10
    assert (sum(one["points_clawed_back"] for one in answers), answers[-1]["balance"]) == (10, 0)
    assert [one["money_back"] for one in answers] == ["5.00"] * 20
    more = returned(purchase, back(amount="0.01"))
    assert more.json()["detail"] == "This receipt was returned already."
    assert (more.status_code, more.json()["net_amount_left"]) == (409, "0.00")
    assert Purchase.objects.get().returned_at is not None
    assert nothing_is_wrong()


def test_the_worked_example_of_the_docs() -> None:
    """A 10.00 (+10), B 10.00 (+20), C 20.00, 1 point per 1.00 → 70; without A and B 50 are taken back (SEMANTICS 3)."""
    offer("a", "10", what={"categories": ["A"]})
    offer("b", "20", what={"categories": ["B"]})
    one = member()
    purchase = bought(one, ("A", "10.00"), ("B", "10.00"), ("C", "20.00", "2"))
    assert purchase["points_earned"] == 70
    first = returned(purchase, back(("A",), ("B",))).json()
    assert (first["points_clawed_back"], first["money_back"], first["balance"]) == (50, "20.00", 20)
    second = returned(purchase, back(("C", "1"))).json()
    assert (second["points_clawed_back"], second["money_back"], second["balance"]) == (10, "10.00", 10)
    third = returned(purchase, back(amount="2.50")).json()
    assert (third["points_clawed_back"], third["money_back"], third["balance"]) == (3, "2.50", 7)
    last = returned(purchase, back(("C",))).json()
    assert (last["points_clawed_back"], last["money_back"], last["balance"]) == (7, "7.50", 0)
    assert nothing_is_wrong()


def test_thresholds_and_bonuses_fall_away_when_what_is_kept_no_longer_reaches_them() -> None:
    offer("basket", "50", at_least={"amount": "30.00"})
    offer("three", "15", at_least={"quantity": "3"})
    purchase = bought(member(), ("1", "30.00", "3"))
    assert purchase["points_earned"] == 95
    first = returned(purchase, back(("1", "", "0.01")))
    assert (first.json()["points_clawed_back"], first.json()["balance"]) == (66, 29)


def test_what_a_return_takes_back_is_room_again_in_its_window() -> None:
    caps = [{"unit": "points", "per": "member", "window": "month", "limit": "25"}]
    offer("capped", "20", caps=caps)
    offer("first", "100", who={"first_purchase": True})
    one = member()
    purchase = bought(one, ("1", "1.00"))
    assert purchase["points_earned"] == 121
    assert bought(one, ("1", "1.00"))["points_earned"] == 6  # 5 left under the cap
    assert returned(purchase, back(("1",))).json()["points_clawed_back"] == 121
    assert bought(one, ("1", "1.00"))["points_earned"] == 21  # 20 came back into the window
    other = member()
    assert returned(bought(other, ("1", "1.00")), back(("1",))).json()["balance"] == 0
    assert bought(other, ("1", "1.00"))["points_earned"] == 121  # it is the first again, for nothing was kept of the other


def test_rules_that_changed_since_and_terms_that_followed_say_nothing() -> None:
    offer("gift", "10")
    purchase = bought(member(), ("1", "10.00", "2"))
    with time_machine.travel(timezone.now() + timedelta(days=1), tick=False):
        owner = till("configure")
        later = {
            "kind": "bonus",
            "per": "purchase",
            "value": "3",
            "when": {"starts_at": (timezone.now() + timedelta(hours=1)).isoformat()},
        }
        assert owner("PUT", "/earn-rules/gift", later).status_code in (200, 201)
        assert owner.post("/earn-rules/gift/publish", {}).status_code == 200
    with time_machine.travel(timezone.now() + timedelta(days=2), tick=False):
        assert returned(purchase, back(("1", "1"))).json()["balance"] == 15


def test_where_spent_points_forbid_a_return_nothing_moves() -> None:
    draft = terms_publishing.draft({"claw_back": "refuse"}, actor=uuid4())
    terms_publishing.publish(draft.version, actor=uuid4(), now=timezone.now())
    one = member()
    purchase = bought(one, ("1", "20.00"), ("2", "5.00"))
    posting.burn([Burn(key="b", holder=one.holder, points=15, occurred_at=timezone.now())], now=timezone.now())
    before = written()
    answer = returned(purchase, back(("1",)))
    assert (answer.status_code, answer.json()["type"], written()) == (409, "insufficient-points", before)
    assert returned(purchase, back(("2",))).json()["balance"] == 5


def test_a_return_is_told_with_its_purchase_and_answers_again() -> None:
    one = member()
    purchase = bought(one, ("1", "12.50", "2"), ("2", "6.10"))
    body = back(("1", "1"))
    answer = returned(purchase, body)
    told = answer.json()
    assert (answer.status_code, set(told)) == (201, {"id", "points_clawed_back", "points_returned", "money_back", "balance"})
    assert (told["points_clawed_back"], told["points_returned"], told["money_back"], told["balance"]) == (6, 0, "6.25", 12)
    [kept] = till().get(f"/purchases/{purchase['id']}").json()["returns"]
    assert (kept["id"], kept["return_number"], kept["goodwill"]) == (told["id"], body["return_number"], False)
    line = {"line_id": "1", "quantity": "1.000", "net_amount": "6.25", "money_back": "6.25", "points_returned": 0}
    assert kept["lines"] == [line]
    before = written()
    again = returned(purchase, body | {"lines": [{"quantity": "1.00", "line_id": "1"}]})
    assert (again.status_code, again.json()) == (201, told)
    other = returned(purchase, body | {"lines": [{"line_id": "2"}]})
    assert (other.status_code, other.json()["type"]) == (409, "duplicate-document")
    assert written() == before
    [event] = OutboxEvent.objects.filter(type="purchase.returned")
    assert (event.subject, event.payload["points"]) == (one.pk, 6)
    [_, taken] = sorted(till().get(f"/members/{one.pk}/statement").json()["items"], key=lambda line: -line["points"])
    assert (taken["kind"], taken["points"], taken["store"]) == ("return", -6, "S1")
    assert nothing_is_wrong()


def test_by_quantity_the_last_piece_brings_the_rest() -> None:
    purchase = bought(member(), ("1", "10.00", "3"))
    money = [returned(purchase, back(("1", "1"))).json()["money_back"] for _ in range(3)]
    assert money == ["3.33", "3.33", "3.34"]


def test_what_is_spent_is_owed() -> None:
    one = member()
    purchase = bought(one, ("1", "20.00"))
    posting.burn([Burn(key="b", holder=one.holder, points=15, occurred_at=timezone.now())], now=timezone.now())
    assert returned(purchase, back(("1",))).json()["balance"] == -15
    assert bought(one, ("1", "18.00"))["balance"] == 3
    assert nothing_is_wrong()


def test_points_that_expired_count_as_taken() -> None:
    one = member()
    purchase = bought(one, ("1", "20.00"))
    posting.burn([Burn(key="b", holder=one.holder, points=5, occurred_at=timezone.now())], now=timezone.now())
    with time_machine.travel(timezone.now() + timedelta(days=900), tick=False):
        for swept in (False, True):
            if swept:
                posting.expire(now=timezone.now())
            answer = returned(purchase, back(("1", "", "10.00"))).json()
            assert (answer["points_clawed_back"], answer["balance"]) == ((0, 15), (5, -5))[swept]
    assert nothing_is_wrong()


def test_goodwill_gives_the_money_back_and_leaves_the_points() -> None:
    purchase = bought(member(), ("1", "10.00"), ("2", "5.00"))
    wanted = back(("1",), goodwill=True, reason="broken")
    assert returned(purchase, wanted).json()["type"] == "forbidden-scope"
    assert returned(purchase, wanted | {"reason": " "}, "pos", "adjust").status_code == 422
    answer = returned(purchase, wanted, "pos", "adjust").json()
    assert (answer["points_clawed_back"], answer["money_back"], answer["balance"]) == (0, "10.00", 15)
    again = returned(purchase, back(("1",)))
    assert (again.status_code, again.json()["quantity_left"], again.json()["net_amount_left"]) == (409, "0", "0.00")
    assert again.json()["detail"] == "Line 1 was returned already."
    rest = returned(purchase, back(("2",))).json()
    assert (rest["points_clawed_back"], rest["balance"]) == (5, 10)
    assert Purchase.objects.get().returned_at is None


def test_points_that_paid_go_back_to_their_lots() -> None:
    one, pos = member(verified=True), till()
    bought(one, ("1", "1000.00"))
    ends = queries.open_lots(one.holder, timezone.now())[0].expires_at
    purchase = bought(one, ("1", "4.00"), ("2", "6.00"), points_tender=500)
    assert (purchase["money_due"], purchase["points_earned"], purchase["balance"]) == ("5.00", 5, 505)
    first = returned(purchase, back(("1",))).json()
    assert (first["points_returned"], first["money_back"], first["points_clawed_back"]) == (200, "2.00", 2)
    second = returned(purchase, back(("2",), goodwill=True, reason="kind"), "pos", "adjust").json()
    assert (second["points_returned"], second["money_back"], second["points_clawed_back"]) == (300, "3.00", 0)
    assert second["balance"] == 1003
    assert {lot.expires_at for lot in queries.open_lots(one.holder, timezone.now())} == {ends}
    assert pos.get(f"/purchases/{purchase['id']}").json()["returns"][0]["lines"][0]["points_returned"] == 200
    assert nothing_is_wrong()


BAD: dict[str, tuple[dict[str, Any], int, str]] = {
    "neither lines nor amount": ({"lines": None}, 422, "/"),
    "lines and amount": ({"amount": "1.00"}, 422, "/"),
    "an unknown line": ({"lines": [{"line_id": "9"}]}, 422, "/lines"),
    "the same line twice": ({"lines": [{"line_id": "1"}] * 2}, 422, "/"),
    "nothing of a line": ({"lines": [{"line_id": "1", "net_amount": "0"}]}, 422, "/lines/0"),
    "no quantity": ({"lines": [{"line_id": "1", "quantity": "0"}]}, 422, "/lines/0/quantity"),
    "three decimals": ({"lines": [{"line_id": "1", "net_amount": "1.005"}]}, 422, "/lines/0/net_amount"),
    "a negative amount": ({"lines": None, "amount": "-5"}, 422, "/amount"),
    "more than was bought": ({"lines": [{"line_id": "1", "quantity": "3"}]}, 409, ""),
    "more than was paid": ({"lines": None, "amount": "18.61"}, 409, ""),
    "future": ({"occurred_at": (timezone.now() + timedelta(days=1)).isoformat()}, 422, "/occurred_at"),
    "before the sale": ({"occurred_at": (timezone.now() - timedelta(days=1)).isoformat()}, 422, "/occurred_at"),
    "no number": ({"return_number": ""}, 422, "/return_number"),
    "unknown field": ({"refund": 1}, 422, "/refund"),
}


@pytest.mark.parametrize("case", BAD)
def test_a_bad_return_gets_a_problem_and_moves_nothing(case: str) -> None:
    wrong, status, pointer = BAD[case]
    purchase = bought(member(), ("1", "12.50", "2"), ("2", "6.10"))
    before = written()
    answer = returned(purchase, back(("1",)) | wrong)
    assert (answer.status_code, answer.json()["type"]) == (status, "validation"), answer.json()
    assert [fault["pointer"] for fault in answer.json().get("errors", ())] == ([pointer] if pointer else [])
    assert written() == before


def test_only_a_till_of_the_store_takes_its_goods_back() -> None:
    StoreFactory.create(code="S2")
    purchase = bought(member(), ("1", "12.50"))
    assert till("read").post(f"/purchases/{purchase['id']}/returns", back(("1",))).status_code == 403
    assert till("pos", store="S2").post(f"/purchases/{purchase['id']}/returns", back(("1",))).status_code == 404
    assert till().post(f"/purchases/{uuid4()}/returns", back(("1",))).status_code == 404
    number = Purchase.objects.get().receipt_number
    by_number = back(("1",), source="till-1", receipt_number=number)
    assert till("pos", store="S2").post("/returns", by_number).json()["type"] == "unknown-store"
    assert till("pos", store="S1").post("/returns", by_number).json()["points_clawed_back"] == 12


def test_a_return_that_comes_before_its_sale_waits_for_it() -> None:
    one, other, pos = member(), member(), till()
    first, twin = sale(one, ("1", "12.50", "2"), ("2", "6.10")), sale(other, ("1", "12.50", "2"), ("2", "6.10"))
    parts = [back(("1", "1")), back(amount="3.00"), back(("2",))]
    for body in parts:
        answer = pos.post("/returns", body | {"source": "till-1", "receipt_number": first["receipt_number"]})
        assert (answer.status_code, answer.json()["status"]) == (202, "parked")
        again = pos.post("/returns", body | {"source": "till-1", "receipt_number": first["receipt_number"]})
        assert again.json() == answer.json()
    assert pos.post("/purchases/batch", {"purchases": [first, sale(one, ("1", "1.00"))]}).status_code == 200
    late = pos.post("/purchases", twin).json()
    told = [returned(late, body | {"return_number": f"B{place}"}).json() for place, body in enumerate(parts)]
    rows = PurchaseReturn.objects.filter(purchase__receipt_number=first["receipt_number"]).order_by("occurred_at", "id")
    assert [row.points_clawed_back for row in rows] == [one["points_clawed_back"] for one in told]
    assert [f"{row.money_back:.2f}" for row in rows] == [one["money_back"] for one in told]
    balances = queries.net_balances([one.holder, other.holder])
    assert balances[one.holder] == balances[other.holder] + 1
    replay = pos.post("/returns", parts[0] | {"source": "till-1", "receipt_number": first["receipt_number"]})
    assert (replay.status_code, replay.json()["points_clawed_back"]) == (201, told[0]["points_clawed_back"])
    assert nothing_is_wrong()


def test_a_waiting_return_that_does_not_fit_its_sale_is_kept_and_says_why() -> None:
    one, pos = member(), till()
    body = sale(one, ("1", "12.50"))
    lost = back(("7",)) | {"source": "till-1", "receipt_number": body["receipt_number"]}
    good = back(("1", "", "2.50")) | {"source": "till-1", "receipt_number": body["receipt_number"]}
    assert [pos.post("/returns", each).status_code for each in (lost, good)] == [202, 202]
    assert pos.post("/purchases", body).json()["balance"] == 10
    answer = pos.post("/returns", lost)
    assert (answer.status_code, answer.json()["status"]) == (202, "problem")
    assert answer.json()["detail"] == "The receipt has no line 7."


def test_a_batch_of_sales_costs_the_same_statements_whatever_waits() -> None:
    one, pos, counts = member(), till(), []
    pos.get("/purchases/" + str(uuid4()))
    for size in (2, 20):
        sales = [sale(one, ("1", "12.50"), ("2", "1.00")) for _ in range(size)]
        for each in sales:
            pos.post("/returns", back(("1",), source="till-1", receipt_number=each["receipt_number"]))
            pos.post("/returns", back(("7",), source="till-1", receipt_number=each["receipt_number"]))
        with CaptureQueriesContext(connection) as made:
            results = pos.post("/purchases/batch", {"purchases": sales}).json()["results"]
        assert [result["status"] for result in results] == [201] * size
        counts.append(len(made))
    assert PurchaseReturn.objects.filter(purchase=None).exclude(problem="").count() == 22
    assert len(set(counts)) == 1, counts


def test_a_tier_reached_with_what_came_back_is_lost_with_its_reward() -> None:
    tiering.publish(now=timezone.now())
    one = member()
    purchase = bought(one, ("1", "600.00", "2"))
    assert (tiering.standing(one).tier, purchase["balance"]) == ("silver", 650)
    kind = returned(purchase, back(("1", "", "200.00"), goodwill=True, reason="kind"), "pos", "adjust").json()
    assert (kind["balance"], tiering.standing(one).tier) == (650, "silver")
    assert returned(purchase, back(("1", "1"))).json()["balance"] == 300
    assert TierMembership.objects.filter(member=one, ended_at=None).exclude(tier="regular").count() == 0
    assert returned(purchase, back(("1",))).json()["balance"] == 0  # all goods are back
    assert nothing_is_wrong()


def test_staff_see_what_came_back_and_what_waits() -> None:
    purchase, pos = bought(member(), ("1", "12.50", "2")), till()
    told = returned(purchase, back(("1", "1"), return_number="B-1")).json()
    pos.post("/returns", back(("1",), source="till-1", receipt_number="R-unknown", return_number="B-2"))
    owner = signed_in("owner")
    assert "B-1" in text(owner.get(f"/admin/campaigns/purchase/{purchase['id']}/change/"))
    page = text(owner.get(f"/admin/campaigns/purchasereturn/{told['id']}/change/"))
    assert all(
        said in page for said in ("Goods for €6.25 came back.", "What was kept earns 6 points.", "6 points were taken back.")
    )
    waiting = text(owner.get("/admin/campaigns/purchasereturn/?state=waiting"))
    assert ("B-1" in waiting, "B-2" in waiting, "waits for its sale" in waiting) == (False, True, True)
    parked = PurchaseReturn.objects.get(return_number="B-2")
    assert "R-unknown" in text(owner.get(f"/admin/campaigns/purchasereturn/{parked.pk}/change/"))


def test_a_visit_stays_while_another_receipt_of_its_day_is_kept() -> None:
    now = timezone.now()
    tiering.publish((Level("regular", "Regular", 0), Level("silver", "Silver", 1)), now=now, basis="visits")
    one = member()
    first, second = bought(one, ("1", "10.00")), bought(one, ("1", "20.00"))
    returned(first, back(("1",)))
    assert tiering.standing(one).tier == "silver"
    returned(second, back(("1",)))
    assert not TierMembership.objects.filter(member=one, ended_at=None, tier="silver").exists()
