"""Terms through the API: drafted, judged, approved by a person, published."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from loyalty import publishing, terms
from loyalty.models import TermsVersion
from members import approving
from members.approving import Decision
from members.models import ApprovalRequest, User
from members.staffing import employ
from tests.api import Till, till
from tests.factories import member

pytestmark = pytest.mark.django_db


def drafted(owner: Till, **given: Any) -> int:
    answer = owner.post("/terms", given)
    assert answer.status_code == 201, answer.content
    version: int = answer.json()["version"]
    return version


def approve(version: int) -> None:
    """As finance does in the admin."""
    employ("finance@shop.example", role="finance")
    seen = publishing.review(version, now=timezone.now())
    by = User.objects.get(email="finance@shop.example").actor
    act = approving.act_on(publishing.VERB, seen)
    approving.decide(act, Decision.APPROVED, by=by, author=seen.drafted_by, now=timezone.now())


def test_a_draft_says_what_it_changes_and_a_benefit_starts_at_once() -> None:
    member()
    owner = till("configure")
    version = drafted(owner, point_value="0.02", expiry_months=24)
    shown = owner.get(f"/terms/{version}").json()
    assert (shown["status"], shown["effect"], shown["needs_approval"]) == ("draft", "benefit", False)
    assert shown["changes"][0] == {
        "topic": "Value of points", "before": "100 points are worth €1.00.", "after": "100 points are worth €2.00.",
        "effect": "benefit",
    }  # fmt: skip
    published = owner.post(f"/terms/{version}/publish", None)
    assert (published.status_code, published.json()["status"], published.json()["detriment"]) == (200, "in_force", False)
    assert published.json()["point_value"] == "0.02"
    assert terms.current(timezone.now()).version == version
    listed = owner.get("/terms").json()
    assert [(one["version"], one["status"]) for one in listed["items"]] == [(version, "in_force"), (1, "past")]


def test_a_detriment_waits_for_a_person_and_starts_after_the_notice() -> None:
    member()
    owner = till("configure")
    version = drafted(owner, point_value="0.008")
    first, again = (owner.post(f"/terms/{version}/publish", {}, key="same") for _ in range(2))
    assert (first.status_code, first.json()["status"]) == (202, "awaiting_approval")
    assert (again.json(), again["Idempotent-Replayed"]) == (first.json(), "true")
    assert owner.post(f"/terms/{version}/publish", {}).status_code == 202
    assert ApprovalRequest.objects.count() == 1
    assert TermsVersion.objects.get(version=version).published_at is None
    approve(version)
    assert owner.get(f"/terms/{version}").json()["status"] == "approved"
    published = owner.post(f"/terms/{version}/publish", {})
    assert (published.status_code, published.json()["status"], published.json()["detriment"]) == (200, "scheduled", True)
    starts = TermsVersion.objects.get(version=version).starts_at
    assert starts
    assert timedelta(days=60) <= starts - timezone.now() < timedelta(days=61, hours=2)
    assert owner.post(f"/terms/{version}/publish", {}).status_code == 409


def test_a_start_before_the_notice_ends_is_refused_with_the_first_day() -> None:
    member()
    owner = till("configure")
    version = drafted(owner, return_days=14, starts_at=(timezone.now() + timedelta(days=30)).isoformat())
    answer = owner.post(f"/terms/{version}/publish", {})
    assert (answer.status_code, answer.json()["type"]) == (422, "validation")
    assert answer.json()["errors"][0]["pointer"] == "/starts_at"
    assert "at the earliest" in answer.json()["detail"]
    assert not ApprovalRequest.objects.exists()


def test_an_unchanged_draft_is_a_no_op_that_says_so() -> None:
    owner = till("configure")
    version = drafted(owner)
    answer = owner.post(f"/terms/{version}/publish", {})
    assert (answer.status_code, answer.json()["status"]) == (200, "unchanged")
    assert TermsVersion.objects.filter(published_at=None).count() == 1


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"point_value": "-1"}, "/point_value"),
        ({"point_value": "NaN"}, "/point_value"),
        ({"point_value": "1e999999"}, "/point_value"),
        ({"expiry": "sometime"}, "/expiry"),
        ({"expiry": "fixed_day", "expiry_month": 13, "expiry_day": 1}, "/expiry_month"),
        ({"expiry_months": 10**30}, "/expiry_months"),
        ({"timezone": "a\0b"}, "/timezone"),
        ({"starts_at": "2026-07-01T00:00:00"}, "/starts_at"),
        ({"starts_at": "0001-01-01T00:00:00+14:00"}, "/starts_at"),
        ({"starts_at": "9999-12-31T23:59:59-14:00"}, "/starts_at"),
        ({"notice_days": None}, "/notice_days"),
        ({"version": 7}, "/version"),
    ],
)
def test_a_wrong_body_is_refused_at_its_field(body: dict[str, Any], pointer: str) -> None:
    answer = till("configure").post("/terms", body)
    assert answer.status_code == 422, answer.content
    assert pointer in [error["pointer"] for error in answer.json()["errors"]]
    assert TermsVersion.objects.count() == 1


def test_only_a_key_of_the_programme_that_may_configure_comes_in() -> None:
    assert till("pos", "read", "adjust").get("/terms").status_code == 403
    bound = till("configure", store="S1")
    assert bound.post("/terms", {}).json()["type"] == "forbidden-scope"
    assert bound.post("/terms/1/publish", {}).json()["type"] == "forbidden-scope"
    owner = till("configure")
    assert owner.get("/terms/99").status_code == 404
    assert owner.get("/terms/99999999999999999999").status_code == 404
    assert owner("POST", "/terms", {}, key=None).status_code == 400
    assert owner.post("/terms/1/publish", {"now": True}).status_code == 422
    assert TermsVersion.objects.count() == 1


def test_a_longer_list_costs_no_more_statements_and_is_paged() -> None:
    owner = till("configure")
    drafted(owner)
    owner.get("/terms")
    with CaptureQueriesContext(connection) as few:
        owner.get("/terms")
    for _ in range(10):
        drafted(owner)
    with CaptureQueriesContext(connection) as many:
        answer = owner.get("/terms").json()
    assert (len(many), len(answer["items"]), answer["next"]) == (len(few), 12, None)
    first = owner.get("/terms?limit=5").json()
    rest = owner.get(f"/terms?limit=200&cursor={first['next']}").json()
    assert [one["version"] for one in first["items"] + rest["items"]] == list(range(12, 0, -1))
    assert owner.get("/terms?cursor=bm9uc2Vuc2U").status_code == 422


def test_the_list_says_of_a_draft_what_its_own_page_says() -> None:
    member()
    owner = till("configure")
    worse = drafted(owner, point_value="0.008")
    stands = []
    owner.post(f"/terms/{worse}/publish", {})
    stands.append(both(owner, worse))
    approve(worse)
    stands.append(both(owner, worse))
    owner.post(f"/terms/{worse}/publish", {})
    stands.append(both(owner, worse))
    better = drafted(owner, point_value="0.01")
    assert owner.post(f"/terms/{better}/publish", {}).json()["status"] == "scheduled"
    stands.append(both(owner, worse))
    assert stands == ["awaiting_approval", "approved", "scheduled", "replaced"]


def both(owner: Till, version: int) -> str:
    listed: dict[int, str] = {one["version"]: one["status"] for one in owner.get("/terms").json()["items"]}
    assert listed[version] == owner.get(f"/terms/{version}").json()["status"]
    return listed[version]
