"""Where rules meet, through the API; and what is judged worse, held against the engine itself."""

from datetime import UTC, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4, uuid5
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
from tests.members import tiering

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
    tiering.publish(now=timezone.now())
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


# Conditions, of which a rule has at most two, so that rules meet often and differ in little.
CONDITIONS: list[dict[str, Any]] = [
    {"weekdays": frozenset({1})}, {"hours": (time(10), time(14))}, {"hours": (time(20), time(2))}, {"stores": frozenset({"a"})},
    {"tiers": frozenset({"a"})}, {"tiers": frozenset({"a", "b"})}, {"segment": "x"}, {"skus": frozenset({"a"})},
    {"categories": frozenset({"a"})}, {"categories": frozenset({"a", "b"})}, {"brands": frozenset({"a"})},
    {"exclude_categories": frozenset({"b"})}, {"at_least_amount": Decimal(20)}, {"first_purchase": True}, {"birthday": "month"},
    {"every_visit": 2}, {"priority": 1},
]  # fmt: skip


def rate(code: str, value: int, conditions: list[dict[str, Any]]) -> Rule:
    fields: dict[str, Any] = {name: said for one in conditions for name, said in one.items()}
    return Rule(version=uuid5(UUID(int=1), f"{code} {value} {fields}"), code=code, kind=Kind.BASE, value=Decimal(value), **fields)


def rates(codes: str) -> st.SearchStrategy[Rule]:
    some = st.lists(st.sampled_from(CONDITIONS), max_size=2)
    return st.builds(rate, st.sampled_from(codes), st.integers(1, 4), some)


SETS = st.lists(rates("pqr"), min_size=1, max_size=3, unique_by=lambda one: one.code)
MONDAY = datetime(2026, 6, 15, tzinfo=UTC)
STANDINGS = [
    Standing(tier=tier, segments=segments, birthday=birthday, first_purchase=visit == 1, visit=visit)
    for tier in (None, "a", "b") for segments in (frozenset[str](), frozenset({"x"}))
    for birthday in (None, (6, 20)) for visit in (1, 2, 3)
]  # fmt: skip
OCCASIONS = [
    Occasion(
        member=UUID(int=1), at=MONDAY + timedelta(hours=hours), zone=PARIS, store=store, store_zone=PARIS, standing=standing,
        lines=(Line("1", Decimal(amount), sku=sku, category=category, brand=brand),),
    )
    for hours in (1, 10, 30, 34, 43) for store in ("a", "c") for standing in STANDINGS for amount in (10, 40)
    for sku in "ac" for category in "abc" for brand in "ac"
]  # fmt: skip


# Of no factor of the grid, so that each walk through it meets every value.
STRIDE = 83


def gains(before: list[Rule], after: list[Rule], first: int) -> list[int]:
    """What a hundred receipts, of all kinds that rules tell apart, get more."""
    some = OCCASIONS[first::STRIDE]
    return [engine.judge(one, after).points - engine.judge(one, before).points for one in some]


@settings(max_examples=400, deadline=None)
@given(SETS, rates("pqrs"), st.integers(0, STRIDE - 1))
def test_rates_not_judged_worse_never_give_less(before: list[Rule], new: Rule, first: int) -> None:
    after = [*(one for one in before if one.code != new.code), new]
    for judge in (weighing.effect, weighing.pair_by_pair):
        effect, changes = judge(before, after), gains(before, after, first)
        if effect is not Effect.DETRIMENT:
            assert min(changes) >= 0
        if effect is Effect.SAME:
            assert max(changes) <= 0


@settings(max_examples=100, deadline=None)
@given(SETS)
def test_the_same_rates_in_another_order_are_the_same(held: list[Rule]) -> None:
    assert weighing.effect(held, held[::-1]) is Effect.SAME


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
