"""Earn rules through the API: written, refused in words, published, approved, followed, ended."""

from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from campaigns import publishing, reporting, rules
from campaigns.models import EarnRule, RuleVersion, Segment
from campaigns.values import Cap
from loyalty.models import AuditRecord, OutboxEvent
from members import approving
from members.approving import Decision
from members.models import ApprovalRequest, User
from members.staffing import employ
from tests.api import Till, till
from tests.factories import StoreFactory, member
from tests.members import tiering

pytestmark = pytest.mark.django_db
WEEKEND: dict[str, Any] = {
    "code": "weekend-double", "name": "Double points weekend", "kind": "multiplier", "value": "2", "per": None,
    "event_type": None,
    "when": {"ends_at": "2030-01-01T00:00:00+01:00", "weekdays": [7, 6], "hours": ["10:00", "14:00"], "birthday": "week"},
    "where": {"stores": ["S1"]}, "who": {"tiers": ["gold"], "segment": "lapsed", "first_purchase": False},
    "what": {"skus": [], "categories": ["tea", "coffee"], "brands": [], "exclude_categories": ["gift-card"]},
    "at_least": {"amount": "50.00", "quantity": 2},
    "caps": [{"unit": "points", "per": "member", "window": "rolling:P7D", "limit": 100}],
    "priority": 50, "exclusive_group": "weekend", "expires": "P14D", "pending": "P0D", "funded_by": "partner:ACME",
}  # fmt: skip


@pytest.fixture(autouse=True)
def tiers() -> None:
    tiering.publish(now=timezone.now())


def put(owner: Till, address: str, **given: Any) -> Any:
    return owner("PUT", f"/earn-rules/{address}", {"kind": "bonus", "value": "10", "per": "purchase"} | given)


def publish(owner: Till, code: str) -> Any:
    return owner.post(f"/earn-rules/{code}/publish", {})


def steady(shown: dict[str, Any]) -> dict[str, Any]:
    """Without what the moment says."""
    return shown | {"earliest_start": None}


def approve(code: str) -> None:
    """As finance does in the admin."""
    employ("finance@shop.example", role="finance")
    draft = RuleVersion.objects.get(rule__code=code, published_at=None)
    seen = publishing.review(draft.pk, now=timezone.now())
    by = User.objects.get(email="finance@shop.example").actor
    act = approving.act_on(publishing.VERB, seen)
    approving.decide(act, Decision.APPROVED, by=by, author=seen.drafted_by, now=timezone.now())


def in_force(code: str) -> list[Any]:
    now = timezone.now()
    return [one for one in rules.in_force(rules.published(now), now) if one.code == code]


def test_the_whole_of_a_rule_is_kept_and_answered_in_one_form() -> None:
    StoreFactory.create()
    Segment.objects.create(code="lapsed", name="Lapsed")
    owner = till("configure")
    made = owner("PUT", "/earn-rules/weekend-double", WEEKEND)
    assert made.status_code == 201, made.content
    shown = made.json()
    assert (shown["status"], shown["version"], shown["starts_at"]) == ("draft", 1, None)
    for name in ("code", "name", "kind", "value", "where", "at_least", "caps", "priority", "expires", "funded_by"):
        assert shown[name] == WEEKEND[name], name
    assert shown["what"]["categories"] == ["coffee", "tea"]
    assert shown["when"]["weekdays"] == [6, 7]
    assert shown["who"] == {"tiers": ["gold"], "segment": "lapsed", "first_purchase": False, "every_visit": None, "streak": None}
    again = owner("PUT", "/earn-rules/weekend-double", WEEKEND | {"what": WEEKEND["what"] | {"categories": ["coffee", "tea"]}})
    assert (again.status_code, steady(again.json())) == (200, steady(shown))
    assert RuleVersion.objects.filter(rule__code="weekend-double").count() == 1
    assert steady(owner.get("/earn-rules/weekend-double").json()) == steady(shown)
    answer = publish(owner, "weekend-double")
    assert (answer.status_code, answer.json()["status"]) == (200, "in_force"), answer.content
    [rule] = in_force("weekend-double")
    assert (rule.tiers, rule.caps, rule.pending) == ({"gold"}, (Cap("points", "member", "rolling:P7D", Decimal(100)),), "P0D")
    assert [rule] == list(rules.by_versions([rule.version]).values())


def test_what_pays_once_says_so_by_a_cap_that_nobody_has_to_write() -> None:
    owner = till("configure")
    for code, who in (("first", {"first_purchase": True}), ("tenth", {"every_visit": 10})):
        put(owner, code, who=who)
        assert publish(owner, code).status_code == 200
    streak = {"kind": "event", "per": None, "event_type": "check_in", "who": {"streak": 7}}
    put(owner, "streak", **streak)
    publish(owner, "streak")
    once, daily = Cap("times", "member", "ever", Decimal(1)), Cap("times", "member", "day", Decimal(1))
    assert [in_force(code)[0].caps for code in ("first", "tenth", "streak")] == [(once,), (daily,), (daily,)]
    assert owner.get("/earn-rules/first").json()["caps"] == []


@pytest.mark.parametrize(
    ("given", "pointer", "said"),
    [
        ({"kind": "multiplier", "value": "0.5"}, "/value", "more than 1 and at most 100"),
        ({"kind": "multiplier", "value": "101"}, "/value", "more than 1 and at most 100"),
        ({"value": "-1"}, "/value", "at least 0"),
        ({"value": "1e3"}, "/value", "plain number"),
        ({"value": True}, "/value", "plain number"),
        ({"kind": "bonsu"}, "/kind", ""),
        ({"kind": "event", "per": None}, "/event_type", "Name the act"),
        ({"kind": "event", "per": None, "event_type": "dancing"}, "/event_type", "check_in"),
        ({"kind": "event", "per": None, "event_type": "review", "what": {"skus": ["1"]}}, "/what", "no receipt"),
        ({"kind": "base", "exclusive_group": "a"}, "/exclusive_group", "one holds"),
        ({"kind": "base", "event_type": "review"}, "/event_type", "Only a rule for an act"),
        ({"who": {"streak": 3}}, "/who/streak", "not for purchases"),
        ({"who": {"every_visit": 1}}, "/who/every_visit", ""),
        ({"when": {"hours": ["9:00", "14:00"]}}, "/when/hours/0", "such as 10:00"),
        ({"when": {"hours": ["10:00", "10:00"]}}, "/when", "end when they begin"),
        ({"when": {"weekdays": [0]}}, "/when/weekdays/0", ""),
        ({"value": "0"}, "/value", "would give nothing"),
        ({"kind": "event", "per": None, "event_type": "review", "value": "0"}, "/value", "would give nothing"),
        ({"kind": "multiplier", "per": None, "value": "1"}, "/value", "more than 1"),
        ({"when": 5}, "/when", "Give an object."),
        ({"who": {"every_visit": 1}}, "/who/every_visit", "Give at least 2."),
        ({"when": {"starts_at": "2031-01-01T00:00:00Z", "ends_at": "2030-01-01T00:00:00Z"}}, "/when", "not after the start"),
        ({"expires": "14 days"}, "/expires", "P14D"),
        ({"expires": "P0D"}, "/expires", "worth nothing"),
        ({"pending": "P99999Y"}, "/pending", "ten years"),
        ({"caps": [{"unit": "points", "per": "member", "window": "rolling:P367D", "limit": 1}]}, "/caps/0/window", "rolling"),
        ({"caps": [{"unit": "points", "per": "member", "window": "day", "limit": 0}]}, "/caps/0", "more than 0"),
        ({"caps": [{"unit": "times", "per": "member", "window": "day", "limit": "1.5"}]}, "/caps/0", "whole number"),
        ({"at_least": {"amount": "0"}}, "/at_least/amount", "more than 0"),
        ({"funded_by": "nobody"}, "/funded_by", "partner:<code>"),
        ({"where": {"stores": ["S9"]}}, "/where/stores", "no store S9"),
        ({"who": {"segment": "ghosts"}}, "/who/segment", "no segment ghosts"),
        ({"who": {"tiers": ["g old"]}}, "/who/tiers/0", "letters"),
        ({"code": "other"}, "/code", "another one"),
        ({"colour": "red"}, "/colour", ""),
        ({"name": "a\0b"}, "/name", ""),
    ],
)  # fmt: skip
def test_a_wrong_rule_is_refused_at_its_field_and_nothing_is_kept(given: dict[str, Any], pointer: str, said: str) -> None:
    answer = put(till("configure"), "wrong", **given)
    assert answer.status_code == 422, answer.content
    details = {one["pointer"]: one["detail"] for one in answer.json()["errors"]}
    assert pointer in details, details
    assert said in details[pointer]
    assert EarnRule.objects.count() == 1


def test_a_published_rule_is_frozen_and_followed_from_a_future_instant() -> None:
    owner = till("configure")
    put(owner, "gift")
    assert publish(owner, "gift").json()["status"] == "in_force"
    assert publish(owner, "gift").status_code == 409
    second = put(owner, "gift", value="20")
    assert (second.status_code, second.json()["version"], second.json()["status"]) == (200, 2, "draft")
    assert "future instant" in publish(owner, "gift").json()["detail"]
    put(owner, "gift", value="20", when={"starts_at": (timezone.now() - timedelta(hours=1)).isoformat()})
    assert "lies in the past" in publish(owner, "gift").json()["detail"]
    soon = timezone.now() + timedelta(hours=1)
    put(owner, "gift", value="20", when={"starts_at": soon.isoformat()})
    assert publish(owner, "gift").json()["status"] == "scheduled"
    assert in_force("gift")[0].value == 10
    assert rules.in_force(rules.published(soon), soon)[1].value == 20
    with pytest.raises(IntegrityError, match="frozen"), transaction.atomic():
        RuleVersion.objects.filter(rule__code="gift", version=1).update(spec={})
    rule, now = EarnRule.objects.get(code="gift"), timezone.now() + timedelta(hours=2)
    with pytest.raises(IntegrityError, match="bought already"), transaction.atomic():
        RuleVersion.objects.create(rule=rule, version=3, kind="bonus", value=1, starts_at=now, published_at=now)


def test_a_rule_stays_of_its_kind_and_the_same_again_is_not_published() -> None:
    owner = till("configure")
    put(owner, "gift")
    publish(owner, "gift")
    assert put(owner, "gift", kind="multiplier", value="2", per=None).status_code == 409
    put(owner, "gift")
    answer = publish(owner, "gift")
    assert (answer.status_code, answer.json()["status"]) == (200, "unchanged")
    assert RuleVersion.objects.filter(rule__code="gift", published_at__isnull=False).count() == 1


@pytest.mark.parametrize(
    "given",
    [
        {"kind": "multiplier", "value": "10.5", "per": None},
        {"value": "5001"},
        {"per": "unit", "value": "5001"},
        {"per": "amount", "value": "10.5"},
        {"kind": "event", "per": None, "event_type": "share", "value": "5001"},
    ],
)
def test_an_unusually_generous_rule_waits_for_a_second_person(given: dict[str, Any]) -> None:
    owner = till("configure")
    put(owner, "rich", **given)
    assert owner.get("/earn-rules/rich").json()["needs_approval"]
    first = publish(owner, "rich")
    assert (first.status_code, first.json()["status"]) == (202, "awaiting_approval")
    assert publish(owner, "rich").status_code == 202
    assert ApprovalRequest.objects.count() == 1
    assert not in_force("rich")
    approve("rich")
    assert owner.get("/earn-rules/rich").json()["status"] == "approved"
    put(owner, "rich", **given, priority=7)
    assert publish(owner, "rich").status_code == 202, "an approval is for what was approved"
    approve("rich")
    assert publish(owner, "rich").json()["status"] == "in_force"
    assert RuleVersion.objects.get(rule__code="rich").approved_by


def test_what_is_no_more_than_usual_needs_nobody() -> None:
    owner = till("configure")
    for code, given in (
        ("ten", {"kind": "multiplier", "value": "10", "per": None}), ("many", {"value": "5000"}),
        ("rate", {"per": "amount", "value": "10"}),
    ):  # fmt: skip
        put(owner, code, **given)
        assert publish(owner, code).status_code == 200


@pytest.mark.parametrize(
    ("given", "apart"),
    [
        ({"kind": "event", "per": None, "event_type": "check_in", "value": "1700"}, {"event_type": "share"}),
        ({"value": "1700"}, {"exclusive_group": "one"}),
        ({"value": "1700", "what": {"skus": ["a"]}}, {"where": {"stores": ["S2"]}}),
        ({"per": "amount", "value": "4"}, {"who": {"tiers": ["gold"]}}),
        ({"kind": "multiplier", "per": None, "value": "4.5"}, {"who": {"tiers": ["gold"]}}),
    ],
)
def test_many_small_rules_for_one_receipt_or_act_are_a_generous_one(given: dict[str, Any], apart: dict[str, Any]) -> None:
    for code in ("S1", "S2"):
        StoreFactory.create(code=code)
    owner = till("configure")
    first = {"where": {"stores": ["S1"]}, "who": {"tiers": ["silver"]}, "exclusive_group": "one"}
    asked = {name: first[name] for name in first if name in apart}
    for number, status in enumerate((200, 200, 202), 1):
        goods = {"what": {"skus": [f"sku-{number}"]}} if "what" in given else {}
        put(owner, f"r{number}", **given | asked | goods)
        assert publish(owner, f"r{number}").status_code == (200 if "exclusive_group" in asked else status)
    put(owner, "other", **given | apart)
    assert publish(owner, "other").status_code == 200


@pytest.mark.parametrize("priority", [0, 9999])
def test_the_rate_is_not_raised_alone_step_by_step(priority: int) -> None:
    """By a rate in front of the programme's own, or by one behind it that no line ever gets."""
    member()
    owner = till("configure")
    put(owner, "more", kind="base", per="amount", value="10", priority=priority)
    assert publish(owner, "more").json()["status"] == "in_force"
    for code, given in (("more", {"kind": "base", "priority": priority}), ("extra", {})):
        put(owner, code, per="amount", value="100", **given)
        assert publish(owner, code).status_code == 202
    assert publishing.programme_rate([one.rule for one in rules.published(timezone.now())]) == (1 if priority else 10)


def test_an_offer_ends_earlier_by_a_version_from_a_future_instant() -> None:
    owner = till("configure")
    put(owner, "gift")
    publish(owner, "gift")
    actor = UUID(int=1)
    soon = timezone.now() + timedelta(seconds=30)
    ended = publishing.end("gift", at=soon, actor=actor, now=timezone.now())
    assert (ended.starts_at, ended.ends_at) == (soon, soon)
    published = rules.published(timezone.now())
    before = [one.code for one in rules.in_force(published, soon - timedelta(seconds=1))]
    assert (before, [one.code for one in rules.in_force(published, soon)]) == (["base", "gift"], ["base"])
    assert "gift" not in [one.rule.code for one in rules.published(soon)]
    assert AuditRecord.objects.filter(verb="ruleversion.ended", object_id=str(ended.pk)).exists()


def test_an_offer_that_ends_takes_with_it_what_was_announced() -> None:
    owner, now = till("configure"), timezone.now()
    later, soon = now + timedelta(days=20), now + timedelta(minutes=1)
    put(owner, "gift")
    publish(owner, "gift")
    put(owner, "gift", value="20", when={"starts_at": later.isoformat()})
    assert publish(owner, "gift").json()["status"] == "scheduled"
    ended = publishing.end("gift", at=soon, actor=UUID(int=1), now=now)
    for since in (now, soon, later):
        published = rules.published(since)
        holding = [[one.code for one in rules.in_force(published, at)] for at in (soon - timedelta(seconds=1), soon, later)]
        assert holding[1:] == [["base"], ["base"]]
        assert since > now or holding[0] == ["base", "gift"]
    rows = RuleVersion.objects.filter(rule__code="gift").order_by("version")
    states = publishing.states(rows, now=later)
    assert [states[one.pk] for one in rows] == ["past", "replaced", "ended"]
    assert [one.starts_at for one in reporting.entries(now) if one.rule.code == "gift"] == [rows[0].starts_at]
    assert ended.starts_at == soon


def test_a_better_base_rate_for_some_starts_at_once_and_a_worse_one_after_the_notice() -> None:
    member()
    owner = till("configure")
    put(owner, "coffee", kind="base", per="amount", value="3", what={"categories": ["coffee"]})
    assert owner.get("/earn-rules/coffee").json()["effect"] == "benefit"
    assert publish(owner, "coffee").json()["status"] == "in_force"
    put(owner, "fuel", name="Fuel", kind="base", per="amount", value="0.2", what={"categories": ["fuel"]})
    shown = owner.get("/earn-rules/fuel").json()
    assert (shown["effect"], shown["needs_approval"]) == ("detriment", False), "nobody bought fuel within a year"
    put(owner, "shop", kind="base", per="amount", value="0.5", where={"stores": [StoreFactory.create().code]})
    assert owner.get("/earn-rules/shop").json()["needs_approval"]
    assert publish(owner, "shop").status_code == 202
    approve("shop")
    answer = publish(owner, "shop").json()
    assert answer["status"] == "scheduled"
    [told] = [one.payload for one in OutboxEvent.objects.filter(type="terms.published") if one.payload.get("rule") == "shop"]
    assert told["said"]["fr"][1].startswith("0,5 point")


def test_the_public_page_and_the_sentence_for_newcomers_speak_of_base_rates_alone() -> None:
    owner = till("configure")
    put(owner, "coffee", kind="base", per="amount", value="3", what={"categories": ["coffee"]})
    publish(owner, "coffee")
    put(owner, "gift")
    publish(owner, "gift")
    page = owner.client.get("/rules/").content.decode()
    assert "1 point per €1.00." in page
    assert "3 points per €1.00 on coffee." in page
    assert "10 extra points" not in page
    assert "1 point per €1.00. 100 points are worth" in owner.client.get("/j/").content.decode()


def test_rules_that_ended_or_were_replaced_are_not_read() -> None:
    owner = till("configure")
    for code in ("one", "two", "three"):
        put(owner, code)
        publish(owner, code)
    now = timezone.now()
    publishing.end("two", at=now + timedelta(minutes=1), actor=UUID(int=1), now=now)
    late = now + timedelta(minutes=2)
    assert sorted(one.rule.code for one in rules.published(late)) == ["base", "one", "three"]
    with CaptureQueriesContext(connection) as asked:
        rules.published(late)
    assert len(asked) == 1


def test_a_longer_list_costs_no_more_statements_and_is_paged() -> None:
    owner = till("configure")
    StoreFactory.create()
    for n in range(2):
        put(owner, f"r{n}", where={"stores": ["S1"]})
    owner.get("/earn-rules")
    with CaptureQueriesContext(connection) as few:
        owner.get("/earn-rules")
    for n in range(2, 12):
        put(owner, f"r{n}", where={"stores": ["S1"]})
    with CaptureQueriesContext(connection) as many:
        answer = owner.get("/earn-rules").json()
    assert (len(many), len(answer["items"]), answer["next"]) == (len(few), 13, None)
    first = owner.get("/earn-rules?limit=5").json()
    rest = owner.get(f"/earn-rules?limit=200&cursor={first['next']}").json()
    assert [one["code"] for one in first["items"] + rest["items"]] == sorted(EarnRule.objects.values_list("code", flat=True))


def test_only_a_key_of_the_programme_that_may_configure_comes_in() -> None:
    assert till("pos", "read", "adjust").get("/earn-rules").status_code == 403
    bound = till("configure", store="S1")
    assert put(bound, "gift").json()["type"] == "forbidden-scope"
    owner = till("configure")
    assert owner("PUT", "/earn-rules/gift", {"kind": "bonus", "value": "1"}, key=None).status_code == 400
    assert owner.get("/earn-rules/none").status_code == 404
    assert publish(owner, "none").status_code == 404
    assert put(owner, "overlaps").status_code == 405
    assert put(owner, "a%20b").status_code == 422
    assert EarnRule.objects.count() == 1
