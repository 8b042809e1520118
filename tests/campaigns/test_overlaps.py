"""Where rules meet, through the API; and what is judged worse, held against the engine itself."""

from datetime import UTC, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

import pytest
from django.utils import timezone
from hypothesis import given, settings
from hypothesis import strategies as st

from campaigns import engine, weighing
from campaigns.models import Segment
from campaigns.values import Kind, Line, Occasion, Per, Rule, Standing
from loyalty.judging import Effect
from tests.api import Till, till
from tests.factories import StoreFactory

PARIS = ZoneInfo("Europe/Paris")


def put(owner: Till, code: str, *, published: bool = True, **given: Any) -> None:
    body = {"kind": "bonus", "value": "10", "per": "purchase"} | given
    if body["kind"] in ("multiplier", "event"):
        body["per"] = None
    answer = owner("PUT", f"/earn-rules/{code}", body)
    assert answer.status_code == 201, answer.content
    if published:
        assert owner.post(f"/earn-rules/{code}/publish", {}).status_code == 200


def found(owner: Till) -> list[tuple[str, tuple[str, ...]]]:
    items = owner.get("/earn-rules/overlaps").json()["items"]
    assert all(one["text"].endswith(".") for one in items)
    return [(one["kind"], tuple(one["rules"])) for one in items]


@pytest.mark.django_db
def test_bonuses_and_multipliers_add_up_where_they_can_hold_together() -> None:
    owner = till("configure")
    put(owner, "coffee", what={"categories": ["coffee"]})
    put(owner, "tea", what={"categories": ["tea"]})
    put(owner, "illy", published=False, what={"brands": ["illy"]})
    put(owner, "monday", kind="multiplier", value="2", when={"weekdays": [1]}, what={"categories": ["tea"]})
    put(owner, "tuesday", kind="multiplier", value="3", when={"weekdays": [2]})
    put(owner, "check-in", kind="event", event_type="check_in")
    pairs = found(owner)
    assert {kind for kind, _pair in pairs} == {"add_up"}
    assert sorted(tuple(sorted(pair)) for _kind, pair in pairs) == [
        ("coffee", "illy"), ("coffee", "tuesday"), ("illy", "monday"), ("illy", "tea"), ("illy", "tuesday"), ("monday", "tea"),
        ("tea", "tuesday"),
    ]  # fmt: skip


@pytest.mark.django_db
def test_of_a_group_the_best_wins_and_caps_of_the_programme_are_shared() -> None:
    owner = till("configure")
    cap = {"unit": "points", "per": "programme", "window": "day", "limit": 1000}
    put(owner, "a", exclusive_group="g", caps=[cap])
    put(owner, "b", exclusive_group="g", caps=[cap | {"limit": 500}])
    put(owner, "c", kind="event", event_type="review", caps=[cap])
    kinds = [kind for kind, _pair in found(owner)]
    assert kinds == ["best_wins", "shared_cap", "shared_cap", "shared_cap"]
    assert "at most 1,000 points per day for all offers together" in owner.get("/earn-rules/overlaps").json()["items"][1]["text"]


@pytest.mark.django_db
def test_a_base_rule_that_another_always_precedes_is_told() -> None:
    owner = till("configure")
    put(owner, "coffee", kind="base", per="amount", value="3", what={"categories": ["coffee"]}, priority=10)
    put(owner, "gold", kind="base", per="amount", value="4", published=False, who={"tiers": ["gold"]})
    put(owner, "again", kind="base", per="amount", value="3", published=False, what={"categories": ["coffee"]})
    pairs = found(owner)
    assert pairs[0] == ("hidden", ("again", "coffee"))
    assert sorted(pairs[1:]) == [
        ("precedes", ("base", "again")), ("precedes", ("base", "coffee")), ("precedes", ("base", "gold")),
        ("precedes", ("gold", "again")), ("precedes", ("gold", "coffee")),
    ]  # fmt: skip


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("given_", "said"),
    [
        ({"where": {"stores": ["GONE"]}}, "closed or unknown"),
        ({"who": {"segment": "empty"}}, "nobody is in its segment"),
        ({"who": {"first_purchase": True, "every_visit": 3}}, "no later visit"),
        ({"what": {"categories": ["a"], "exclude_categories": ["a", "b"]}}, "leaves out all goods"),
        ({"kind": "multiplier", "value": "1"}, "gives nothing"),
        ({"when": {"weekdays": [3], "starts_at": "2030-06-14T00:00:00Z", "ends_at": "2030-06-16T00:00:00Z"}}, "days of the week"),
        ({"when": {"ends_at": "2020-01-01T00:00:00Z"}}, "ends before it begins"),
    ],
)
def test_a_rule_that_can_never_hold_is_told_and_why(given_: dict[str, Any], said: str) -> None:
    StoreFactory.create(code="GONE", closed_at=timezone.now())
    Segment.objects.create(code="empty", name="Empty")
    owner = till("configure")
    put(owner, "never", published=False, **given_)
    [item] = owner.get("/earn-rules/overlaps").json()["items"]
    assert (item["kind"], item["rules"]) == ("never", ["never"])
    assert said in item["text"]


NAMES = st.frozensets(st.sampled_from("ab"), max_size=2)
RULES = st.builds(
    Rule, version=st.uuids(), code=st.sampled_from(["p", "q", "r", "s"]), kind=st.just(Kind.BASE),
    value=st.integers(0, 4).map(Decimal), weekdays=st.frozensets(st.sampled_from([1, 2]), max_size=2),
    hours=st.sampled_from([None, (time(10), time(14)), (time(20), time(2))]), stores=NAMES, tiers=NAMES,
    segment=st.sampled_from([None, "x"]), skus=NAMES, categories=NAMES, brands=st.frozensets(st.just("a"), max_size=1),
    exclude_categories=st.frozensets(st.just("b"), max_size=1),
    at_least_amount=st.sampled_from([None, Decimal(20)]), first_purchase=st.booleans(), birthday=st.sampled_from([None, "month"]),
    priority=st.sampled_from([1, 2]),
)  # fmt: skip
SETS = st.lists(RULES, min_size=1, max_size=3, unique_by=lambda one: one.code)
LINES = st.builds(
    Line, line_id=st.uuids().map(str), net_amount=st.sampled_from([Decimal(10), Decimal(40)]), sku=st.sampled_from("abc"),
    category=st.sampled_from("abc"), brand=st.sampled_from("ab"),
)  # fmt: skip
STANDINGS = st.builds(
    Standing, tier=st.sampled_from([None, "a", "b"]), segments=st.sampled_from([frozenset(), frozenset({"x"})]),
    birthday=st.sampled_from([None, (6, 20)]), first_purchase=st.booleans(),
)  # fmt: skip
MONDAY = datetime(2026, 6, 15, tzinfo=UTC)
MOMENTS = st.integers(0, 24 * 7).map(lambda hours: MONDAY + timedelta(hours=hours))
OCCASIONS = st.builds(
    Occasion, member=st.just(UUID(int=1)), at=MOMENTS,
    zone=st.just(PARIS), lines=st.lists(LINES, min_size=1, max_size=3).map(tuple), store=st.sampled_from(["a", "c"]),
    store_zone=st.just(PARIS), standing=STANDINGS,
)  # fmt: skip


@settings(max_examples=300, deadline=None)
@given(SETS, SETS, st.lists(OCCASIONS, min_size=1, max_size=6))
def test_rates_that_are_not_judged_worse_never_give_less(
    before: list[Rule], after: list[Rule], occasions: list[Occasion]
) -> None:
    effect = weighing.effect(before, after)
    changes = [engine.judge(one, after).points - engine.judge(one, before).points for one in occasions]
    if effect is not Effect.DETRIMENT:
        assert min(changes) >= 0
    if effect is Effect.SAME:
        assert max(changes) <= 0


@settings(max_examples=100, deadline=None)
@given(SETS)
def test_the_same_rates_in_another_order_are_the_same(rates: list[Rule]) -> None:
    assert weighing.effect(rates, rates[::-1]) is Effect.SAME


@pytest.mark.parametrize(
    ("changed", "effect"),
    [
        ({"value": Decimal(2)}, Effect.BENEFIT),
        ({"value": Decimal("0.5")}, Effect.DETRIMENT),
        ({"stores": frozenset({"a"})}, Effect.DETRIMENT),
        ({"per": Per.UNIT}, Effect.DETRIMENT),
        ({"expires": "P14D"}, Effect.DETRIMENT),
        ({"pending": "P0D"}, Effect.BENEFIT),
        ({"priority": 1}, Effect.SAME),
    ],
)
def test_what_a_change_of_the_only_rate_is_for_members(changed: dict[str, Any], effect: Effect) -> None:
    fields: dict[str, Any] = {"version": uuid4(), "code": "base", "kind": Kind.BASE, "value": Decimal(1)}
    assert weighing.effect([Rule(**fields)], [Rule(**fields | changed)]) is effect
