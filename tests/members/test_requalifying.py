"""What happens at the end of a tier: kept, one down, recomputed; grace; news before it, once; changed tables."""

from datetime import UTC, datetime, timedelta

import pytest
from django.core.management import call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext

from config import relay
from loyalty import queries
from members import messaging, requalifying
from members.models import Member, Message, TierMembership
from members.queries import tiers_at
from members.requalifying import Reviewed
from members.tiers import Level
from tests.factories import ApplicationFactory, member, members
from tests.members.tiering import LEVELS, earn, gain, history, publish, standing

JOINED = datetime(2024, 2, 29, 12, 0, tzinfo=UTC)
NOW = datetime(2026, 6, 15, 12, 0, tzinfo=UTC)
END = datetime(2027, 12, 31, 23, 0, tzinfo=UTC)
IN_2027 = datetime(2027, 5, 1, 12, 0, tzinfo=UTC)
NEW_YEAR = datetime(2028, 1, 1, 5, 0, tzinfo=UTC)

pytestmark = pytest.mark.django_db


def golden(**given: object) -> Member:
    one = member(now=JOINED, **given)
    earn(gain(one, 1000, at=NOW), now=NOW)
    return one


@pytest.mark.parametrize(
    ("policy", "in_2027", "tier", "until"),
    [
        ("recompute", 1000, "gold", "2028-12-31T23:00"), ("recompute", 999, "silver", "2028-12-31T23:00"),
        ("recompute", 0, "regular", None),
        ("one_down", 0, "silver", "2028-12-31T23:00"), ("one_down", 1200, "gold", "2028-12-31T23:00"),
        ("keep", 0, "gold", "2028-12-31T23:00"),
    ],
)  # fmt: skip
def test_the_review(policy: str, in_2027: int, tier: str, until: str | None) -> None:
    publish(now=NOW, review=policy)
    one = golden()
    if in_2027:
        earn(gain(one, in_2027, at=IN_2027), now=IN_2027)
    assert requalifying.review(now=END - timedelta(seconds=1)).decided == 0
    assert requalifying.review(now=NEW_YEAR).decided == 1
    row = standing(one)
    assert (row.tier, row.reason, row.since) == (tier, "review", NEW_YEAR)
    assert row.until == (datetime.fromisoformat(until).replace(tzinfo=UTC) if until else None)
    assert requalifying.review(now=NEW_YEAR).decided == 0
    assert tiers_at([(one.pk, NEW_YEAR - timedelta(seconds=1)), (one.pk, NEW_YEAR)]) == ["gold", tier]


def test_a_spent_balance_demotes_nobody() -> None:
    publish(now=NOW, review="recompute")
    one = golden()
    earn(gain(one, 1000, at=IN_2027), now=IN_2027)
    assert queries.balances([one.holder], NOW)[one.holder].balance == 150, "bought nothing, only qualified"
    requalifying.review(now=NEW_YEAR)
    assert standing(one).tier == "gold"


def test_the_days_of_grace_keep_the_tier_and_let_it_be_reached_again() -> None:
    publish(now=NOW, review="one_down", grace_days=30)
    falling, saved, late = golden(), golden(), golden()
    earn(gain(saved, 1000, at=datetime(2028, 1, 10, tzinfo=UTC)), now=datetime(2028, 1, 10, tzinfo=UTC))
    earn(gain(late, 1000, at=datetime(2027, 12, 31, 20, tzinfo=UTC)), now=NEW_YEAR)
    assert standing(saved).until == datetime(2029, 12, 31, 23, tzinfo=UTC)
    assert requalifying.review(now=datetime(2028, 1, 30, 12, tzinfo=UTC)).decided == 0
    assert [standing(one).tier for one in (falling, saved, late)] == ["gold"] * 3
    assert standing(late).until == datetime(2028, 12, 31, 23, tzinfo=UTC)
    assert requalifying.review(now=datetime(2028, 1, 31, 12, tzinfo=UTC)).decided == 1
    assert [standing(one).tier for one in (falling, saved, late)] == ["silver", "gold", "gold"]


def test_a_review_that_comes_years_late_decides_one_period_after_the_other() -> None:
    publish(now=NOW, review="one_down")
    one = golden()
    requalifying.review(now=NEW_YEAR + timedelta(days=3 * 366))
    assert [tier for tier, _ in history(one)][-2:] == ["silver", "regular"]


def test_news_before_the_end_say_exactly_what_is_missing_once() -> None:
    publish(now=NOW)
    one, safe = golden(language="fr"), golden()
    earn(gain(one, 660, at=IN_2027), gain(safe, 1000, at=IN_2027), now=IN_2027)
    warned = [requalifying.review(now=datetime(2027, 11, day, 8, tzinfo=UTC)).warned for day in (1, 2, 3, 4, 5, 6)]
    assert warned == [1, 1, 1, 0, 0, 0], "sixty days before, and two later for an outage"
    assert requalifying.review(now=datetime(2027, 12, 17, 8, tzinfo=UTC)).warned == 1
    rows = Message.objects.filter(kind="tier_at_risk", channel="inbox").order_by("subject_key")
    assert [(row.member_id, row.subject_key) for row in rows] == [(one.pk, "2027-12-31:14"), (one.pk, "2027-12-31:60")]
    assert "340" in (body := messaging.inbox(one)[0]["body"])
    assert "31 décembre 2027" in body
    Member.objects.filter(pk=one.pk).update(language="en")
    one.refresh_from_db()
    body = messaging.inbox(one)[0]["body"]
    assert body.startswith("You need 340 more points by 31 December 2027 to stay Gold.")


def test_nobody_is_warned_where_tiers_are_kept() -> None:
    publish(now=NOW, review="keep")
    golden()
    assert requalifying.review(now=datetime(2027, 11, 2, 8, tzinfo=UTC)).warned == 0


def test_a_better_table_helps_at_once_and_pays_what_it_welcomes_with() -> None:
    publish(now=NOW)
    one = member(now=JOINED)
    earn(gain(one, 800, at=NOW), now=NOW)
    publish([*LEVELS[:2], Level("gold", "Gold", 750, 100)], now=NOW)
    assert requalifying.review(now=NOW) == Reviewed(moved=1)
    assert requalifying.review(now=NOW) == Reviewed()
    assert (standing(one).tier, queries.balances([one.holder], NOW)[one.holder].balance) == ("gold", 150)


def test_a_harder_table_takes_nothing_before_the_end_of_what_is_held() -> None:
    publish(now=NOW)
    one = golden()
    publish([*LEVELS[:2], Level("gold", "Gold", 3000, 100)], now=NOW)
    requalifying.review(now=NOW + timedelta(days=70))
    assert (standing(one).tier, standing(one).until) == ("gold", END)


def test_a_tier_that_is_taken_out_leads_to_the_one_below() -> None:
    publish(now=NOW)
    one, silver = golden(), member(now=JOINED)
    earn(gain(silver, 600, at=NOW), now=NOW)
    publish(LEVELS[:2], now=NOW)
    later = NOW + timedelta(days=61)
    assert requalifying.review(now=NOW).moved == 0
    assert requalifying.review(now=later).moved == 1
    assert (standing(one).tier, standing(one).reason, standing(one).until) == ("silver", "table", END)
    assert history(silver) == [("silver", "qualified")]


def test_batches_of_any_size_decide_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    publish(now=NOW, review="one_down", grace_days=10)
    everyone = members([ApplicationFactory.build() for _ in range(5)], now=JOINED)
    earn(*(gain(one, 1000, at=NOW) for one in everyone), now=NOW)
    earn(gain(everyone[2], 1000, at=IN_2027), now=IN_2027)
    monkeypatch.setattr(requalifying, "BATCH", 2)
    assert requalifying.review(now=NEW_YEAR).decided == 1, "those in the days of grace wait, and hide nobody behind them"
    assert requalifying.review(now=NEW_YEAR + timedelta(days=10)).decided == 4
    assert TierMembership.objects.filter(tier="silver", ended_at=None).count() == 4


def test_the_review_costs_the_same_for_few_and_for_many() -> None:
    publish(now=NOW)
    costs = []
    for many in (2, 200):
        everyone = members([ApplicationFactory.build() for _ in range(many)], now=JOINED)
        earn(*(gain(one, 1000, at=NOW) for one in everyone), now=NOW)
        with CaptureQueriesContext(connection) as asked:
            assert requalifying.review(now=NEW_YEAR).decided == many
        costs.append(len(asked))
    assert costs[0] == costs[1]


def test_the_command_says_what_it_did(capsys: pytest.CaptureFixture[str]) -> None:
    publish(now=NOW)
    call_command("review_tiers")
    assert "0 tiers reviewed" in capsys.readouterr().out


def test_the_review_is_told_to_others_but_not_as_a_tier_reached() -> None:
    publish(now=NOW, review="one_down")
    one = golden()
    relay.drain(now=NOW)
    requalifying.review(now=NEW_YEAR)
    relay.drain(now=NEW_YEAR)
    assert Message.objects.filter(member=one, kind="tier_up", channel="inbox").count() == 1
