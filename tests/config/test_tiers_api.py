"""Tiers through the API: each PUT a version of the table; what a member has and what is missing."""

from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest
from django.utils import timezone

from members import approving, publishing
from members.approving import Decision
from members.models import ApprovalRequest, TierTable, User
from members.staffing import employ
from members.tiers import Level
from tests.api import Till, till
from tests.factories import member
from tests.members.tiering import earn, gain

pytestmark = pytest.mark.django_db
GOLD: dict[str, Any] = {"name": "Gold", "threshold": 1000, "entry_reward": 100, "translations": {"fr": {"name": "Or"}}}


def put(owner: Till, code: str, **body: Any) -> Any:
    return owner("PUT", f"/tiers/{code}", body)


def three(owner: Till, **table: Any) -> None:
    for code, name, threshold in (("regular", "Regular", 0), ("silver", "Silver", 500)):
        answer = put(owner, code, name=name, threshold=threshold, **({"table": table} if table else {}))
        assert answer.status_code == 201, answer.content
    assert put(owner, "gold", **GOLD).status_code == 201


def approve_newest() -> None:
    """As finance does in the admin."""
    employ("finance@shop.example", role="finance")
    draft = publishing.versions()[0]
    seen = publishing.review(draft.version, now=timezone.now())
    by = User.objects.get(email="finance@shop.example").actor
    act = approving.act_on(publishing.VERB, seen)
    approving.decide(act, Decision.APPROVED, by=by, author=seen.drafted_by, now=timezone.now())


def test_put_makes_a_tier_and_get_reads_it() -> None:
    member()
    owner = till("configure")
    three(owner, window="rolling", review="one_down", grace_days=14)
    shown = owner.get("/tiers").json()
    assert [(one["code"], one["threshold"]) for one in shown["items"]] == [("regular", 0), ("silver", 500), ("gold", 1000)]
    table = {"version": 3, "basis": "points", "window": "rolling", "review": "one_down", "grace_days": 14}
    assert shown["table"] == table
    assert owner.get("/tiers/gold").json() == {"code": "gold", **GOLD, "table": table}
    assert owner.get("/tiers/none").status_code == 404
    assert till("pos").get("/tiers").status_code == 403


def test_a_benefit_starts_at_once_and_the_same_again_changes_nothing() -> None:
    member()
    owner = till("configure")
    three(owner)
    better = GOLD | {"threshold": 900}
    first = put(owner, "gold", **better)
    assert (first.status_code, first.json()["status"], first.json()["detriment"]) == (200, "in_force", False)
    again = put(owner, "gold", **better)
    assert (again.status_code, again.json()["status"]) == (200, "unchanged")
    assert TierTable.objects.count() == 4


def test_a_detriment_waits_for_a_person_and_starts_after_the_notice() -> None:
    member()
    owner = till("configure")
    three(owner)
    harder = GOLD | {"threshold": 2000}
    first, answer = (put(owner, "gold", **harder) for _ in range(2))
    assert first.json()["version"] == answer.json()["version"]
    assert (answer.status_code, answer.json()["status"], answer.json()["effect"]) == (202, "awaiting_approval", "detriment")
    assert "2,000 points" in answer.json()["changes"][0]["after"]
    assert (ApprovalRequest.objects.count(), TierTable.objects.filter(published_at=None).count()) == (1, 1)
    approve_newest()
    done = put(owner, "gold", **harder)
    assert (done.status_code, done.json()["status"], done.json()["detriment"]) == (200, "scheduled", True)
    assert owner.get("/tiers/gold").json()["threshold"] == 1000, "until the notice is over"


def test_what_is_left_out_stays_and_other_names_are_listed_as_a_change() -> None:
    member()
    owner = till("configure")
    three(owner)
    harder = {"name": "Gold", "threshold": 2000}
    assert put(owner, "gold", name="Gold", threshold=900).status_code == 200
    held = owner.get("/tiers/gold").json()
    assert (held["translations"], held["entry_reward"]) == (GOLD["translations"], 100)
    waits = put(owner, "gold", **harder).json()
    assert (waits["effect"], waits["detriment"], waits["needs_approval"]) == ("detriment", True, True)
    assert owner.get("/tiers").json()["versions"][0]["detriment"] is True
    draft = publishing.versions()[0]
    renamed = [*publishing.plain(draft).levels[:2], Level("gold", "Gold", 900, 100, (("fr", "Doré"),))]
    [line] = publishing.review(publishing.draft({}, renamed, actor=uuid4()).version, now=timezone.now()).lines
    assert line.before.endswith("In other languages: Or (fr).")
    assert line.after.endswith("In other languages: Doré (fr).")
    done = put(owner, "gold", name="Gold", threshold=900, translations={})
    assert (done.status_code, done.json()["translations"]) == (200, {})


def test_a_start_before_the_notice_ends_is_refused_and_leaves_no_draft() -> None:
    member()
    owner = till("configure")
    three(owner)
    soon = (timezone.now() + timedelta(days=30)).isoformat()
    answer = put(owner, "gold", **GOLD | {"threshold": 2000, "starts_at": soon})
    assert answer.status_code == 422
    assert "60 days of notice" in answer.json()["detail"]
    assert not TierTable.objects.filter(published_at=None).exists()


def test_what_counts_is_refused_once_there_is_a_table() -> None:
    owner = till("configure")
    three(owner)
    answer = put(owner, "gold", **GOLD | {"table": {"basis": "spend"}})
    assert answer.status_code == 422
    assert "What counts stays" in answer.json()["detail"]
    assert put(owner, "gold", **GOLD | {"threshold": "10.5"}).status_code == 422
    assert put(owner, "gold", **GOLD | {"threshold": 500}).status_code == 422, "silver has it"


def test_a_key_of_a_store_does_not_touch_the_tiers() -> None:
    assert put(till("configure", store="S1"), "gold", **GOLD).status_code == 403


def test_a_member_has_a_tier_and_something_missing_to_the_next() -> None:
    reader, one = till("read"), member()
    empty = reader.get(f"/members/{one.pk}/balance").json()
    assert (empty["tier"], empty["next_tier"]) == (None, None)
    assert reader.get(f"/members/{one.pk}").json()["tier"] is None
    three(till("configure"))
    now = timezone.now()
    earn(gain(one, 660, at=now), now=now)
    shown = reader.get(f"/members/{one.pk}/balance").json()
    assert (shown["tier"]["code"], shown["tier"]["name"]) == ("silver", "Silver")
    assert shown["tier"]["valid_until"].startswith(f"{now.year + 1}-12-31T23:00")
    assert shown["next_tier"] == {"code": "gold", "name": "Gold", "missing": 340, "unit": "points"}
    assert reader.get(f"/members/{one.pk}").json()["tier"] == "silver"


def test_money_is_told_as_money() -> None:
    reader, one, now = till("read"), member(), timezone.now()
    owner = till("configure")
    put(owner, "gold", name="Gold", threshold="250.50", table={"basis": "spend"})
    earn(gain(one, at=now, spend=Decimal("100.25")), now=now)
    shown = reader.get(f"/members/{one.pk}/balance").json()
    assert (shown["tier"], shown["next_tier"]) == (
        None, {"code": "gold", "name": "Gold", "missing": "150.25", "unit": "EUR"},
    )  # fmt: skip
    assert owner.get("/tiers/gold").json()["threshold"] == "250.50"
