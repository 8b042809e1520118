"""Events over HTTP: what a shop's own app tells of its members."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.utils import timezone

from campaigns.models import Event
from loyalty.models import DocumentGuard, IdempotencyRecord, Posting
from members.models import Member
from tests.api import till
from tests.campaigns.acting import check_in_rules, rule
from tests.factories import StoreFactory, member

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def rules() -> None:
    StoreFactory.create()
    check_in_rules()
    rule("reviews", 20, "review")


def event(of: Member, **given: Any) -> dict[str, Any]:
    return {"id": f"E{uuid4()}", "type": "check_in", "member": str(of.pk), "occurred_at": timezone.now().isoformat()} | given


def written() -> tuple[int, ...]:
    return tuple(model.objects.count() for model in (Event, Posting, DocumentGuard, IdempotencyRecord))


def test_an_event_becomes_points_that_everybody_sees_the_same() -> None:
    one, pos = member(), till()
    card = one.cards.get().number
    answer = pos.post("/events", event(one, member=f"{card[:4]} {card[4:].lower()}", id="E1", store="S1"))
    body = answer.json()
    assert (answer.status_code, body["points_earned"], body["balance"]) == (201, 5, 5)
    [award] = body["awards"]
    assert (award["rule"], award["campaign"], award["points"], award["explanation"]) == ("daily", None, 5, "5 points")
    assert body["explanation"] == ["Daily: 5 points", "Week: not on this day in a row."]
    [line] = pos.get(f"/members/{one.pk}/statement").json()["items"]
    assert (line["kind"], line["points"], line["store"], line["reference"]) == ("bonus", 5, "S1", "E1")
    assert line["explanation"] == "Check-in: Daily, 5 points"
    again = pos.post("/events", event(one)).json()
    assert (again["points_earned"], again["awards"], again["balance"]) == (0, [], 5)
    assert again["explanation"] == ["This counts once a day, and it was counted before."]


def test_an_event_counts_once_by_key_and_by_id() -> None:
    one, pos, other = member(), till(), till()
    body = event(one, type="review", data={"subject": "beans-250", "stars": 5, "text": None})
    first = pos.post("/events", body, key="k1")
    again = pos.post("/events", body, key="k1")
    assert (again.status_code, again.json(), again["Idempotent-Replayed"]) == (201, first.json(), "true")
    assert other.post("/events", body).json()["id"] == first.json()["id"], "another key pays nothing again"
    before = written()
    changed = pos.post("/events", body | {"data": {}})
    assert (changed.status_code, changed.json()["type"]) == (409, "duplicate-document")
    assert pos.post("/events", body, key=None).status_code == 400
    assert written() == before


BAD: dict[str, tuple[dict[str, Any], str, str]] = {
    "unknown member": ({"member": "7K4QH2ZPW3"}, "unknown-member", "/member"),
    "unknown store": ({"store": "S9"}, "unknown-store", "/store"),
    "unknown type": ({"type": "dance"}, "validation", "/type"),
    "an own type without a name": ({"type": "custom:"}, "validation", "/type"),
    "an own type with a space": ({"type": "custom:a b"}, "validation", "/type"),
    "a birthday": ({"type": "birthday"}, "validation", "/type"),
    "a welcome": ({"type": "sign_up"}, "validation", "/type"),
    "a friend brought along": ({"type": "referral_qualified"}, "validation", "/type"),
    "no type": ({"type": None}, "validation", "/type"),
    "future": ({"occurred_at": (timezone.now() + timedelta(days=1)).isoformat()}, "validation", "/occurred_at"),
    "too old": ({"occurred_at": (timezone.now() - timedelta(days=31)).isoformat()}, "validation", "/occurred_at"),
    "no time zone": ({"occurred_at": "2026-06-15T12:00:00"}, "validation", "/occurred_at"),
    "unknown field": ({"points": 100}, "validation", "/points"),
    "no id": ({"id": " "}, "validation", "/id"),
    "a text with a NUL": ({"id": "a\0b"}, "validation", "/id"),
    "half a character": ({"id": "a\ud800"}, "validation", "/id"),
    "a number for a text": ({"id": 5}, "validation", "/id"),
    "a list for details": ({"data": []}, "validation", "/data"),
    "a number as the subject": ({"data": {"subject": 5}}, "validation", "/data"),
    "a long subject": ({"data": {"subject": "a" * 121}}, "validation", "/data"),
    "a detail that is a list": ({"data": {"x": [1]}}, "validation", "/data/x"),
    "a long detail": ({"data": {"x": "a" * 501}}, "validation", "/data/x"),
    "a detail without a name": ({"data": {"": 1}}, "validation", "/data/"),
    "many details": ({"data": {str(i): i for i in range(21)}}, "validation", "/data"),
}


@pytest.mark.parametrize("case", BAD)
def test_a_bad_event_gets_a_problem_that_names_the_field_and_writes_nothing(case: str) -> None:
    wrong, slug, pointer = BAD[case]
    one, pos = member(), till()
    before = written()
    answer = pos.post("/events", event(one) | wrong)
    problem = answer.json()
    assert (answer.status_code, problem["type"]) == (422, slug)
    assert [fault["pointer"] for fault in problem["errors"]] == [pointer]
    assert written() == before


DEEP: dict[str, Any] = {"list": [1], "object": {"a": 1}, "NaN": float("nan"), "huge": 10**400, "NUL": "a\0b", "half": "\udc00"}


@pytest.mark.parametrize("case", DEEP)
def test_details_are_plain_values(case: str) -> None:
    one, pos = member(), till()
    before = written()
    answer = pos.post("/events", event(one, data={"value": DEEP[case]}))
    assert answer.status_code in (400, 422)
    assert written() == before


def test_a_blocked_card_earns_nothing_and_keys_open_only_their_doors() -> None:
    one, blocked = member(), member()
    Member.objects.filter(pk=blocked.pk).update(status=Member.Status.BLOCKED)
    before = written()
    answer = till().post("/events", event(blocked))
    assert (answer.status_code, answer.json()["type"]) == (409, "not-eligible")
    assert till("read").post("/events", event(one)).json()["type"] == "forbidden-scope"
    bound = till("pos", store="S2")
    assert bound.post("/events", event(one, store="S1")).status_code == 403
    assert written() == before
    assert bound.post("/events", event(one, store="S2")).status_code == 201
