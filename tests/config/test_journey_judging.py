"""The second judge of rules, by sums done by hand: what it says is what imports are held against."""

import json
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from config.journey import rejudge

NOON = datetime(2017, 1, 2, 17, tzinfo=UTC)  # Monday in New York; 18:00 in Paris
GOODS = {"1": ("CHEESE", "National"), "2": ("APPLES", "National"), "3": ("SOUP", "Private"), "4": ("FUEL", "Private")}
type Judging = Callable[..., rejudge.Judge]


@pytest.fixture
def judging(tmp_path: Path) -> Judging:
    """A judge of these rules beside 1 point for each 1.00."""

    def judge(*rules: dict[str, Any], rate: str = "1") -> rejudge.Judge:
        file = tmp_path / "rules.json"
        file.write_text(json.dumps([{"kind": "bonus", "value": "1"} | one for one in rules]))
        return rejudge.Judge(
            rejudge.read(file, rate), GOODS, {"mia": "gold"}, ZoneInfo("Europe/Paris"), ZoneInfo("America/New_York"),
            Decimal("0.01"),
        )  # fmt: skip

    return judge


def given(judge: rejudge.Judge, *lines: tuple[str, int, int], at: datetime = NOON, member: str = "mia", store: str = "S1") -> Any:
    """Points by rule, and by line."""
    found = judge.receipt(member, store, at, lines)
    by_line = [sum(one.by_line[place] for one in found) for place in range(len(lines))]
    return {one.rule.code: one.points for one in found}, by_line


def test_the_vector_of_one_rounding(judging: Judging) -> None:
    rule = {"code": "half-more", "kind": "multiplier", "value": "1.5"}
    assert given(judging(rule), *[("1", 333, 1)] * 3) == ({"base": 9, "half-more": 5}, [5, 5, 4])  # 14.985


def test_multipliers_add_up(judging: Judging) -> None:
    twice, thrice = ({"code": f"x{by}", "kind": "multiplier", "value": by} for by in ("2", "3"))
    assert given(judging(twice, thrice), ("1", 1000, 1))[0] == {"base": 10, "x2": 10, "x3": 20}


def test_the_narrowest_rate_wins_each_line(judging: Judging) -> None:
    rates: list[dict[str, Any]] = [
        {"code": "fruit", "kind": "base", "value": "2", "what": {"categories": ["APPLES"]}},
        {"code": "gold", "kind": "base", "value": "5", "who": {"tiers": ["gold"]}},
        {"code": "cheese", "kind": "base", "value": "0.1", "what": {"skus": ["1"]}},
        {"code": "much-soup", "kind": "base", "value": "9", "what": {"categories": ["SOUP"]}, "at_least": {"amount": "20.00"}},
    ]
    basket = [("1", 1000, 1), ("2", 1000, 1), ("3", 1000, 1)]
    assert given(judging(*rates), *basket)[0] == {"cheese": 1, "fruit": 20, "gold": 50}
    assert given(judging(*rates), *basket, member="joe")[0] == {"cheese": 1, "fruit": 20, "base": 10}
    assert given(judging(*rates), ("3", 2000, 1))[0] == {"much-soup": 180}


@pytest.mark.parametrize(
    ("rule", "basket", "points"),
    [
        ({"per": "purchase", "value": "7", "at_least": {"amount": "10.00"}}, [("1", 999, 1)], 0),
        ({"per": "purchase", "value": "7", "at_least": {"amount": "10.00"}}, [("1", 1000, 1)], 7),
        ({"per": "purchase", "value": "7", "what": {"exclude_categories": ["FUEL"]}}, [("4", 5000, 9000)], 0),
        ({"per": "unit", "value": "3", "at_least": {"quantity": 2}}, [("1", 100, 1)], 0),
        ({"per": "unit", "value": "3", "at_least": {"quantity": 2}}, [("1", 100, 2), ("2", 0, 5)], 6),
        ({"value": "0.5", "what": {"brands": ["Private"]}}, [("1", 1000, 1), ("3", 400, 1)], 2),
    ],
)
def test_what_a_bonus_is_given_for(judging: Judging, rule: dict[str, Any], basket: Any, points: int) -> None:
    assert given(judging({"code": "bonus"} | rule, rate="0"), *basket)[0].get("bonus", 0) == points


@pytest.mark.parametrize(
    ("when", "hour", "holds"),
    [
        ({"weekdays": [1]}, 5, True),  # Monday begins in New York
        ({"weekdays": [1]}, 4, False),
        ({"hours": ["12:00", "13:00"]}, 17, True),
        ({"hours": ["11:00", "12:00"]}, 17, False),
        ({"hours": ["22:00", "01:00"]}, 5, True),
        ({"hours": ["22:00", "01:00"]}, 6, False),
    ],
)
def test_clocks_are_those_of_the_store(judging: Judging, when: dict[str, Any], hour: int, holds: bool) -> None:
    found = given(judging({"code": "now", "per": "purchase", "when": when}), ("1", 100, 1), at=NOON.replace(hour=hour))[0]
    assert ("now" in found) is holds


def test_a_first_purchase_is_first_once(judging: Judging) -> None:
    judge = judging({"code": "first", "per": "purchase", "who": {"first_purchase": True}})
    assert [given(judge, ("1", 100, 1), member=name)[0].get("first") for name in ("mia", "mia", "joe")] == [1, None, 1]


@pytest.mark.parametrize(
    ("cap", "days", "points"),
    [
        ({"unit": "points", "per": "member", "window": "month", "limit": 15}, (0, 1, 30), [10, 5, 10]),
        ({"unit": "money", "per": "member", "window": "week", "limit": "0.15"}, (0, 6, 7), [10, 5, 10]),
        ({"unit": "times", "per": "member", "window": "rolling:P7D", "limit": 2}, (0, 1, 6, 7, 8), [10, 10, 0, 10, 10]),
        ({"unit": "times", "per": "member", "window": "ever", "limit": 1}, (0, 400), [10, 0]),
        ({"unit": "points", "per": "member", "window": "day", "limit": 15}, (0, 0, 1), [10, 5, 10]),
    ],
)
def test_caps_let_through_what_is_left(judging: Judging, cap: dict[str, Any], days: tuple[int, ...], points: list[int]) -> None:
    judge = judging({"code": "capped", "per": "purchase", "value": "10", "caps": [cap]})
    found = [given(judge, ("1", 100, 1), at=NOON + timedelta(days=day))[0].get("capped", 0) for day in days]
    assert found == points


def test_caps_end_with_the_programme_s_day_and_are_each_member_s_and_store_s(judging: Judging) -> None:
    cap = {"unit": "times", "per": "member_store", "window": "day", "limit": 1}
    judge = judging({"code": "daily", "per": "purchase", "caps": [cap]})
    late = NOON.replace(hour=22, minute=30)
    visits = [(late, "mia", "S1"), (late + timedelta(hours=1), "mia", "S1"), (late, "joe", "S1"), (late, "mia", "S2")]
    assert all("daily" in given(judge, ("1", 100, 1), at=at, member=name, store=shop)[0] for at, name, shop in visits)
    assert "daily" not in given(judge, ("1", 100, 1), at=late + timedelta(hours=2))[0]


def test_of_an_exclusive_pair_the_one_holds_that_is_worth_more_after_its_caps(judging: Judging) -> None:
    cap = {"unit": "points", "per": "member", "window": "ever", "limit": 12}
    pair: list[dict[str, Any]] = [
        {"code": "a", "per": "purchase", "value": "8", "exclusive_group": "g"},
        {"code": "b", "value": "1", "caps": [cap], "exclusive_group": "g", "priority": 1},
    ]
    judge = judging(*pair)
    assert [given(judge, ("1", cents, 1))[0] for cents in (1000, 700, 700)] == [
        {"base": 10, "b": 10}, {"base": 7, "a": 8}, {"base": 7, "a": 8},
    ]  # fmt: skip
    assert given(judging(*pair), ("1", 800, 1))[0] == {"base": 8, "b": 8}, "of equals the lower priority"


def test_an_event_pays_once(judging: Judging) -> None:
    cap = {"unit": "times", "per": "member", "window": "ever", "limit": 1}
    judge = judging({"code": "hello", "kind": "event", "value": "50", "event_type": "sign_up", "caps": [cap]})
    assert [[one.points for one in judge.event("sign_up", "mia", "", NOON)] for _ in range(2)] == [[50], []]
    assert given(judge, ("1", 100, 1)) == ({"base": 1}, [1])


@pytest.mark.parametrize("said", [{"pending": "P3D"}, {"when": {"birthday": "day"}}, {"kind": "base", "per": "unit"}])
def test_what_it_does_not_know_it_refuses(judging: Judging, said: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="what this program does not know"):
        judging({"code": "odd"} | said)


def test_the_reconciler_imports_nothing_of_the_product() -> None:
    pytest.importorskip("pyarrow", reason="the optional group `journey` is not installed")
    folder = Path(rejudge.__file__).parent
    code = "import sys; sys.path.insert(0, sys.argv[1]); import reconcile; print(*sorted(sys.modules))"
    told = subprocess.run(
        [sys.executable, "-c", code, str(folder)], cwd=folder, capture_output=True, text=True, check=True
    ).stdout.split()  # fmt: skip
    rooms = {"config", "campaigns", "catalog", "members", "loyalty", "django"}
    assert {"rejudge", "expecting", "reconcile"} <= set(told)
    assert not rooms & {one.partition(".")[0] for one in told}
