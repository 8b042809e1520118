"""Receipts over HTTP: the main job, and what bad ones get."""

import base64
import json
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from campaigns.models import Purchase, PurchaseLine
from loyalty import verifying
from loyalty.models import DocumentGuard, IdempotencyRecord, Posting
from members.models import Member
from tests.api import Till, till
from tests.factories import ApplicationFactory, StoreFactory, member, members

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def shop() -> None:
    StoreFactory.create()


def receipt(of: Member, **given: Any) -> dict[str, Any]:
    lines = [
        {"line_id": "1", "sku": "flat-white", "category": "coffee", "quantity": "2", "net_amount": "12.50"},
        {"line_id": "2", "net_amount": "6.10"},
    ]
    return {
        "source": "till-1", "receipt_number": f"R{uuid4()}", "store": "S1", "member": str(of.pk),
        "occurred_at": timezone.now().isoformat(), "currency": "EUR", "lines": lines,
    } | given  # fmt: skip


def receipt_basket(of: Member) -> dict[str, Any]:
    return {name: value for name, value in receipt(of).items() if name not in ("source", "receipt_number", "occurred_at")}


def written() -> tuple[int, ...]:
    return tuple(model.objects.count() for model in (Purchase, PurchaseLine, Posting, DocumentGuard, IdempotencyRecord))


def test_a_receipt_becomes_points_that_everybody_sees_the_same() -> None:
    one, pos = member(), till()
    card = one.cards.get().number
    answer = pos.post("/purchases", receipt(one, member=f"{card[:4]} {card[4:].lower()}", receipt_number="R1"))
    assert answer.status_code == 201
    body = answer.json()
    assert (body["points_earned"], body["points_pending"], body["points_spent"]) == (18, 0, 0)
    assert (body["money_due"], body["currency"], body["balance"]) == ("18.60", "EUR", 18)
    [award] = body["awards"]
    assert (award["rule"], award["points"], award["explanation"]) == ("base", 18, "€18.60 × 1 = 18.6")
    balance = pos.get(f"/members/{one.pk}/balance").json()
    assert (balance["available"], balance["pending"], balance["value"]) == (18, 0, {"amount": "0.18", "currency": "EUR"})
    assert balance["expiring"] == [{"points": 18, "expires_at": award["expires_at"]}]
    [line] = pos.get(f"/members/{one.pk}/statement").json()["items"]
    assert (line["kind"], line["points"], line["balance_after"], line["store"], line["reference"]) == ("earn", 18, 18, "S1", "R1")
    assert line["explanation"] == "Purchase at Harbour shop: €18.60 × 1 = 18.6"
    kept = pos.get(f"/purchases/{body['id']}").json()
    assert [(line["line_id"], line["net_amount"], line["points"]) for line in kept["lines"]] == [
        ("1", "12.50", 12),
        ("2", "6.10", 6),
    ]
    trace = pos.get(f"/purchases/{body['id']}/trace").json()
    assert trace["explanation"] == ["€18.60 × 1 = 18.6", "Rounded down to 18 points."]
    assert all(finding.bad_row is None for finding in verifying.verify())


def test_a_quote_says_the_same_and_moves_nothing() -> None:
    one, pos = member(), till()
    basket, before = receipt_basket(one), written()
    answer = pos.post("/purchases/quote", basket)
    assert (answer.status_code, answer.json()["points_to_earn"]) == (200, 18)
    assert written()[:4] == before[:4]
    with_quote = pos.post("/purchases", receipt(one, quote=answer.json()["quote"]))
    assert (with_quote.status_code, with_quote.json()["points_earned"]) == (201, 18)


@pytest.mark.parametrize("late", [False, True])
def test_a_quote_that_is_over_or_for_somebody_else_is_refused(late: bool) -> None:
    one, other, pos = member(), member(), till()
    token = pos.post("/purchases/quote", receipt_basket(one)).json()["quote"]
    before = written()[:4]
    with time_machine.travel(timezone.now() + timedelta(minutes=16 if late else 1), tick=False):
        answer = pos.post("/purchases", receipt(one if late else other, quote=token))
    assert (answer.status_code, answer.json()["type"], written()[:4]) == (409, "quote-expired", before)


def test_a_receipt_that_stands_answers_whatever_has_changed_since() -> None:
    one, pos = member(), till()
    body = receipt(one)
    first = pos.post("/purchases", body).json()
    Member.objects.filter(pk=one.pk).update(status=Member.Status.BLOCKED)
    again = pos.post("/purchases", body)
    assert (again.status_code, again.json()["id"]) == (201, first["id"])


def test_the_same_receipt_counts_once_by_key_and_by_number() -> None:
    one, pos = member(), till()
    body = receipt(one)
    first = pos.post("/purchases", body, key="k1")
    again = pos.post("/purchases", body, key="k1")
    assert (again.status_code, again.json(), again["Idempotent-Replayed"]) == (201, first.json(), "true")
    other_key = pos.post("/purchases", body | {"lines": body["lines"][::-1]}, key="k2")
    assert (other_key.status_code, other_key.json()["id"]) == (201, first.json()["id"])
    before = written()
    other_body = pos.post("/purchases", body | {"currency": "USD"}, key="k1")
    assert (other_body.status_code, other_body.json()["type"]) == (422, "validation")
    other_lines = pos.post("/purchases", body | {"lines": body["lines"][:1]})
    assert (other_lines.status_code, other_lines.json()["type"]) == (409, "duplicate-document")
    assert pos.post("/purchases", body, key=None).status_code == 400
    assert written() == before


BAD: dict[str, tuple[dict[str, Any], str, str]] = {
    "unknown member": ({"member": "7K4QH2ZPW3"}, "unknown-member", "/member"),
    "unknown store": ({"store": "S9"}, "unknown-store", "/store"),
    "no lines": ({"lines": []}, "validation", "/lines"),
    "twice the same line": ({"lines": [{"line_id": "1", "net_amount": "1"}] * 2}, "validation", "/"),
    "negative amount": ({"lines": [{"line_id": "1", "net_amount": "-1.00"}]}, "validation", "/lines/0/net_amount"),
    "huge amount": ({"lines": [{"line_id": "1", "net_amount": "1" + "0" * 30}]}, "validation", "/lines/0/net_amount"),
    "three decimals": ({"lines": [{"line_id": "1", "net_amount": "1.005"}]}, "validation", "/lines/0/net_amount"),
    "NaN": ({"lines": [{"line_id": "1", "net_amount": "NaN"}]}, "validation", "/lines/0/net_amount"),
    "infinity": ({"lines": [{"line_id": "1", "net_amount": "Infinity"}]}, "validation", "/lines/0/net_amount"),
    "negative quantity": ({"lines": [{"line_id": "1", "net_amount": "1", "quantity": "-1"}]}, "validation", "/lines/0/quantity"),
    "words for money": ({"lines": [{"line_id": "1", "net_amount": "ten"}]}, "validation", "/lines/0/net_amount"),
    "wrong currency": ({"currency": "USD"}, "validation", "/currency"),
    "future": ({"occurred_at": (timezone.now() + timedelta(days=1)).isoformat()}, "validation", "/occurred_at"),
    "too old": ({"occurred_at": (timezone.now() - timedelta(days=31)).isoformat()}, "validation", "/occurred_at"),
    "no time zone": ({"occurred_at": "2026-06-15T12:00:00"}, "validation", "/occurred_at"),
    "no time": ({"occurred_at": "yesterday"}, "validation", "/occurred_at"),
    "unknown field": ({"tip": "1.00"}, "validation", "/tip"),
    "a text with a NUL": ({"receipt_number": "a\0b"}, "validation", "/receipt_number"),
    "no number": ({"receipt_number": " "}, "validation", "/receipt_number"),
    "a list for a text": ({"source": ["till"]}, "validation", "/source"),
    "seconds since 1970": ({"occurred_at": 1781600000}, "validation", "/occurred_at"),
    "the same in digits": ({"occurred_at": "1781600000"}, "validation", "/occurred_at"),
    "before the calendar": ({"occurred_at": "0001-01-01T00:00:00+01:00"}, "validation", "/occurred_at"),
    "after the calendar": ({"occurred_at": "9999-12-31T23:59:59-01:00"}, "validation", "/occurred_at"),
    "a huge sum": ({"lines": [{"line_id": str(i), "net_amount": "600000000"} for i in range(2)]}, "validation", "/lines"),
    "true for money": ({"lines": [{"line_id": "1", "net_amount": True}]}, "validation", "/lines/0/net_amount"),
    "an exponent": ({"lines": [{"line_id": "1", "net_amount": "1e3"}]}, "validation", "/lines/0/net_amount"),
    "an underscore": ({"lines": [{"line_id": "1", "net_amount": "1_000"}]}, "validation", "/lines/0/net_amount"),
    "digits of another script": ({"lines": [{"line_id": "1", "net_amount": "٣"}]}, "validation", "/lines/0/net_amount"),
    "more pieces than there are": (
        {"lines": [{"line_id": str(i), "quantity": "600000000", "net_amount": "1"} for i in (1, 2)]},
        "validation",
        "/lines",
    ),
    "points in a text": ({"points_tender": "0"}, "validation", "/points_tender"),
    "a field with a slash": ({"a/b~c": 1}, "validation", "/a~1b~0c"),
}


@pytest.mark.parametrize("case", BAD)
def test_a_bad_receipt_gets_a_problem_that_names_the_field_and_writes_nothing(case: str) -> None:
    wrong, slug, pointer = BAD[case]
    one, pos = member(), till()
    before = written()
    answer = pos.post("/purchases", receipt(one) | wrong)
    problem = answer.json()
    assert (answer.status_code, problem["type"], problem["status"]) == (422, slug, 422)
    assert answer["Content-Type"] == "application/problem+json"
    assert [fault["pointer"] for fault in problem["errors"]] == [pointer]
    assert answer["X-Request-Id"] == problem["request_id"]
    assert written() == before


@pytest.mark.parametrize("body", ["", "{", "[]", "null", "NaN", '{"lines": NaN}', b"\xff\xfe"])
def test_what_is_no_json_object_is_refused(body: str | bytes) -> None:
    answer = till().post("/purchases", body)
    assert answer.status_code in (400, 422)
    assert answer["Content-Type"] == "application/problem+json"


def test_a_blocked_card_earns_nothing() -> None:
    one = member()
    Member.objects.filter(pk=one.pk).update(status=Member.Status.BLOCKED)
    answer = till().post("/purchases", receipt(one))
    assert (answer.status_code, answer.json()["type"]) == (409, "not-eligible")


def test_keys_open_only_their_doors() -> None:
    one = member()
    assert till("read").post("/purchases", receipt(one)).json()["type"] == "forbidden-scope"
    assert till("pos", store="S2").post("/purchases", receipt(one)).status_code == 403
    assert till("adjust").get(f"/members/{one.pk}").status_code == 403
    assert Till("nonsense").get(f"/members/{one.pk}").status_code == 401
    assert Purchase.objects.count() == 0


def test_one_bad_item_never_spoils_a_batch() -> None:
    one, pos = member(), till()
    good, twin = receipt(one), receipt(one)
    items = [
        good,
        good | {"currency": "USD"},
        {"receipt_number": "x"},
        twin,
        twin,
        twin | {"store": "S9"},
        good | {"lines": good["lines"][:1]},
    ]
    results = pos.post("/purchases/batch", {"purchases": items}).json()["results"]
    assert [result["status"] for result in results] == [201, 422, 422, 201, 201, 422, 409]
    assert results[3]["id"] == results[4]["id"]
    assert Purchase.objects.count() == 2
    assert pos.get(f"/members/{one.pk}/balance").json()["available"] == 36


@pytest.mark.parametrize("number", ['"a\\u0000b"', '"\\ud800"', "NaN", "Infinity", '["x"]', '"' + "x" * 121 + '"'])
def test_what_cannot_be_stored_is_not_told_back(number: str) -> None:
    one, pos = member(), till()
    items = [receipt(one), receipt(one, receipt_number="@"), {"\0": 1}, {"\ud800": 1}]
    answer = pos.post("/purchases/batch", json.dumps({"purchases": items}).replace('"@"', number))
    assert answer.status_code == 200
    results = answer.json()["results"]
    assert [(result["status"], bool(result["receipt_number"])) for result in results] == [(201, True)] + [(422, False)] * 3
    assert Purchase.objects.count() == 1


def test_the_first_of_equal_numbers_in_a_batch_wins() -> None:
    one, pos = member(), till()
    lines = [[{"line_id": "1", "net_amount": str(i + 1)}] for i in range(100)]
    items = [receipt(one, receipt_number=f"R{i % 5}", lines=each) for i, each in enumerate(lines)]
    results = pos.post("/purchases/batch", {"purchases": items}).json()["results"]
    assert [i for i, result in enumerate(results) if result["status"] == 201] == [0, 1, 2, 3, 4]


def test_a_closed_store_takes_receipts_of_its_time_only() -> None:
    closed = timezone.now() - timedelta(days=3)
    StoreFactory.create(code="S3", closed_at=closed)
    one, pos = member(), till()
    answer = pos.post("/purchases", receipt(one, store="S3"))
    assert (answer.status_code, answer.json()["type"], "closed" in answer.json()["detail"]) == (422, "unknown-store", True)
    before = (closed - timedelta(hours=1)).isoformat()
    assert pos.post("/purchases", receipt(one, store="S3", occurred_at=before)).status_code == 201


def test_a_batch_costs_the_same_statements_whatever_its_size() -> None:
    pos, counts = till(), []
    pos.get("/purchases/" + str(uuid4()))  # the key's first use is noted
    people = members([ApplicationFactory.build() for _ in range(50)])
    for size in (4, 100, 1000):
        items = [receipt(people[i % min(size, 50)]) for i in range(size)]
        items[1] = items[0]  # a duplicate
        items[2]["currency"] = "USD"  # a refusal
        items[3]["member"] = items[0]["member"]  # a wallet that occurs twice
        with CaptureQueriesContext(connection) as made:
            assert pos.post("/purchases/batch", {"purchases": items}).status_code == 200
        counts.append(len(made))
    assert len(set(counts)) == 1, counts


def test_a_statement_goes_on_where_the_page_before_ended() -> None:
    one, pos = member(), till()
    pos.post("/purchases/batch", {"purchases": [receipt(one) for _ in range(5)]})
    seen: list[int] = []
    cursor: str | None = ""
    while cursor is not None:
        page = pos.get(f"/members/{one.pk}/statement?limit=2" + (f"&cursor={cursor}" if cursor else "")).json()
        seen += [line["balance_after"] for line in page["items"]]
        cursor = page["next"]
    assert seen == [90, 72, 54, 36, 18]
    deep = base64.urlsafe_b64encode(b"[" * 100_000).decode()
    for cursor in ("nonsense", deep):
        assert pos.get(f"/members/{one.pk}/statement?cursor={cursor}").status_code == 422
    assert pos.get(f"/members/{one.pk}/statement?limit=201").status_code == 422
