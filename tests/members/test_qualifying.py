"""Receipts qualify: each window's value, tiers at once with their reward, returns that take both back."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext

from config import relay
from loyalty import posting, queries
from loyalty.models import OutboxEvent, Wallet
from loyalty.queries import Span
from members import messaging, overriding, qualifying, requalifying
from members.models import Member, TierMembership
from members.qualifying import TakeBack
from members.queries import tiers_at
from members.tiers import Level
from tests.factories import ApplicationFactory, member, members
from tests.members.tiering import FINANCE, LEVELS, OWNER, earn, gain, give_back, history, publish, standing

NOW = datetime(2026, 6, 15, 12, 0, tzinfo=UTC)
JOINED = datetime(2024, 2, 29, 12, 0, tzinfo=UTC)
END_OF_2027 = datetime(2027, 12, 31, 23, 0, tzinfo=UTC)  # midnight in Paris

pytestmark = pytest.mark.django_db


def balance(one: Member, now: datetime = NOW) -> int:
    return queries.balances([one.holder], now)[one.holder].balance


def value(one: Member, after: datetime, before: datetime) -> int:
    return queries.qualifying([span := Span(one.holder, after, before)]).get(span, 0)


def test_without_a_table_nothing_is_posted_and_one_statement_asks() -> None:
    one = member(now=JOINED)
    with transaction.atomic(), CaptureQueriesContext(connection) as asked:
        assert earn(gain(one, 5000, at=NOW), now=NOW) == [None]
    assert len([each for each in asked if "members_tier" in each["sql"]]) == 1
    assert len(asked) <= 4  # with the test's own lock and savepoint
    assert not Wallet.objects.filter(point_type="qualifying").exists()


def test_a_tier_is_reached_at_once_and_holds_to_the_end_of_the_next_year() -> None:
    publish(now=NOW)
    one = member(now=JOINED)
    first, second = earn(gain(one, 499, at=NOW), gain(one, 0, at=NOW), now=NOW)
    assert first
    assert second is None
    assert history(one) == []
    earn(gain(one, 1, at=NOW), now=NOW + timedelta(hours=1))
    row = standing(one)
    assert (row.tier, row.until, row.reason, row.since) == ("silver", END_OF_2027, "qualified", NOW + timedelta(hours=1))
    assert balance(one) == 50, "the entry reward"
    assert tiers_at([(one.pk, NOW), (one.pk, NOW + timedelta(hours=1)), (one.pk, NOW + timedelta(days=900))]) == [
        "regular", "silver", "silver",
    ]  # fmt: skip


def test_who_passes_two_tiers_at_once_is_paid_for_both_in_any_order_of_receipts() -> None:
    publish(now=NOW)
    at_once, in_turn = member(now=JOINED), member(now=JOINED)
    earn(gain(at_once, 1200, at=NOW), now=NOW)
    earn(gain(in_turn, 600, at=NOW), now=NOW)
    earn(gain(in_turn, 600, at=NOW), now=NOW)
    assert [history(one) for one in (at_once, in_turn)] == [[("silver", "qualified"), ("gold", "qualified")]] * 2
    assert [balance(one) for one in (at_once, in_turn)] == [150, 150]
    assert tiers_at([(at_once.pk, NOW), (in_turn.pk, NOW)]) == ["gold", "gold"]


def test_the_facts_go_out_and_the_member_is_told_once() -> None:
    publish(now=NOW)
    one = member(now=JOINED, language="fr")
    earn(gain(one, 1200, at=NOW), now=NOW)
    [fact] = OutboxEvent.objects.filter(type="tier.changed")
    assert (fact.subject, fact.payload["tier"], fact.payload["before"], fact.payload["up"]) == (one.pk, "gold", "regular", True)
    for _ in range(2):
        OutboxEvent.objects.update(handled_at=None)
        relay.drain(now=NOW)
    assert [each["kind"] for each in messaging.inbox(one)].count("tier_up") == 1
    assert "31 décembre 2027" in messaging.inbox(one)[0]["body"]


@pytest.mark.parametrize(
    ("basis", "given", "units"),
    [("points", {"points": 700}, 700), ("spend", {"spend": Decimal("7.05")}, 705), ("visits", {"first_visit": True}, 1)],
)
def test_what_is_counted(basis: str, given: dict[str, Any], units: int) -> None:
    publish(now=NOW, basis=basis)
    one = member(now=JOINED)
    points = given.pop("points", 0)
    earn(gain(one, points, at=NOW, **given), now=NOW)
    wallet = Wallet.objects.get(holder=one.holder, point_type="qualifying")
    assert wallet.balance == units
    assert balance(one) == (50 if units >= 500 else 0)


@pytest.mark.parametrize(
    ("window", "receipts", "now", "tier", "until"),
    [
        # The last moment of the programme's year, and the first of the next, in Paris.
        ("calendar_year", ["2025-12-31T22:59:59", "2026-06-15T12:00:00"], NOW, "regular", None),
        ("calendar_year", ["2025-12-31T23:00:00", "2026-06-15T12:00:00"], NOW, "silver", "2027-12-31T23:00:00"),
        # Twelve months back from the day itself: 16 June 2025 counts, the 15th does not. Paris is two hours ahead.
        ("rolling", ["2025-06-15T21:59:59", "2026-06-15T12:00:00"], NOW, "regular", None),
        ("rolling", ["2025-06-15T22:00:00", "2026-06-15T12:00:00"], NOW, "silver", "2027-06-15T22:00:00"),
        # Joined on 29 February 2024: the year begins on 28 February 2026, and the next ends before 28 February 2028... the 29th.
        ("anniversary", ["2026-02-27T22:59:59", "2026-06-15T12:00:00"], NOW, "regular", None),
        ("anniversary", ["2026-02-27T23:00:00", "2026-06-15T12:00:00"], NOW, "silver", "2028-02-28T23:00:00"),
    ],
)  # fmt: skip
def test_what_counts_together(window: str, receipts: list[str], now: datetime, tier: str, until: str | None) -> None:
    publish(now=NOW, window=window)
    one = member(now=JOINED)
    for at in receipts:
        earn(gain(one, 300, at=datetime.fromisoformat(at).replace(tzinfo=UTC)), now=now)
    assert tiers_at([(one.pk, now)]) == [tier]
    if until:
        assert standing(one).until == datetime.fromisoformat(until).replace(tzinfo=UTC)


def test_a_late_receipt_counts_in_its_own_year_and_lifts_as_long_as_that_is_worth() -> None:
    publish(now=NOW)
    one = member(now=JOINED)
    earn(gain(one, 600, at=datetime(2024, 12, 1, tzinfo=UTC)), now=NOW)
    assert history(one) == [], "what was reached in 2024 ended with 2025"
    earn(gain(one, 600, at=datetime(2025, 12, 1, tzinfo=UTC)), now=NOW)
    assert (standing(one).tier, standing(one).until) == ("silver", datetime(2026, 12, 31, 23, tzinfo=UTC))


def test_a_higher_tier_ends_no_later_one_and_a_lower_value_changes_nothing() -> None:
    publish(now=NOW)
    one = member(now=JOINED)
    earn(gain(one, 1000, at=NOW), now=NOW)
    before = history(one)
    earn(gain(one, 600, at=datetime(2025, 12, 1, tzinfo=UTC)), now=NOW)
    earn(gain(one, 3000, at=NOW), now=NOW)
    assert history(one) == before


def test_a_return_takes_from_its_own_period() -> None:
    publish(now=NOW)
    one = member(now=JOINED)
    year = datetime(2024, 12, 31, 23, tzinfo=UTC), datetime(2025, 12, 31, 23, tzinfo=UTC), datetime(2026, 12, 31, 23, tzinfo=UTC)
    old = gain(one, 300, at=datetime(2025, 12, 1, tzinfo=UTC))
    [entry] = earn(old, now=NOW)
    earn(gain(one, 200, at=NOW), now=NOW)
    give_back(old, entry, 120, now=NOW)
    assert (value(one, year[0], year[1]), value(one, year[1], year[2])) == (180, 200)


def test_returns_leave_no_tier_and_no_reward_that_was_reached_with_what_came_back() -> None:
    publish(now=NOW)
    one = member(now=JOINED)
    small, large = gain(one, 600, at=NOW), gain(one, 900, at=NOW)
    [_, entry] = earn(small, large, now=NOW)
    assert (standing(one).tier, balance(one)) == ("gold", 150)
    give_back(large, entry, 400, now=NOW)
    assert (standing(one).tier, balance(one)) == ("gold", 150), "1100 are left"
    give_back(large, entry, 500, now=NOW)
    assert (standing(one).tier, standing(one).reason, standing(one).until, balance(one)) == ("silver", "return", END_OF_2027, 50)
    earn(gain(one, 400, at=NOW), now=NOW)
    assert (standing(one).tier, balance(one)) == ("gold", 150), "reached for good now, and paid for"


def test_a_return_leaves_what_last_year_gave() -> None:
    publish(now=NOW)
    one = member(now=JOINED)
    earn(gain(one, 600, at=datetime(2025, 12, 1, tzinfo=UTC)), now=NOW)
    new = gain(one, 1000, at=NOW)
    [entry] = earn(new, now=NOW)
    give_back(new, entry, 1000, now=NOW)
    assert (standing(one).tier, standing(one).until) == ("silver", datetime(2026, 12, 31, 23, tzinfo=UTC))
    assert balance(one) == 50


def test_buying_and_returning_pays_the_reward_never_twice() -> None:
    publish(now=NOW)
    one = member(now=JOINED)
    for _ in range(3):
        bought = gain(one, 500, at=NOW)
        [entry] = earn(bought, now=NOW)
        give_back(bought, entry, 500, now=NOW)
    assert (balance(one), tiers_at([(one.pk, NOW)])) == (0, ["regular"])


def test_an_entry_reward_comes_once_in_twelve_months() -> None:
    publish(now=NOW, window="rolling", review="recompute", levels=[LEVELS[0], Level("silver", "Silver", 500, 50)])
    one = member(now=JOINED)
    paid = []
    for at in (NOW, datetime(2027, 6, 14, 12, tzinfo=UTC), datetime(2027, 6, 16, 12, tzinfo=UTC)):
        TierMembership.objects.filter(member=one, ended_at=None).update(ended_at=at)  # as a review leaves no tier behind
        earn(gain(one, 500, at=at), now=at)
        paid.append(TierMembership.objects.filter(member=one, reward__isnull=False).count())
    assert paid == [1, 1, 2]


def test_returns_one_after_the_other_take_tier_after_tier() -> None:
    publish(now=NOW)
    one = member(now=JOINED)
    bought = gain(one, 1200, at=NOW)
    [entry] = earn(bought, now=NOW)
    left = []
    for points in (300, 500, 400):
        give_back(bought, entry, points, now=NOW)
        left.append((standing(one).tier, balance(one)))
    assert left == [("silver", 50), ("regular", 0), ("regular", 0)]


@pytest.mark.parametrize(("policy", "left"), [("recompute", "regular"), ("one_down", "silver"), ("keep", "gold")])
def test_a_return_after_the_review_lets_it_decide_anew(policy: str, left: str) -> None:
    publish(now=NOW, review=policy)
    one, december, new_year = member(now=JOINED), datetime(2027, 12, 30, 12, tzinfo=UTC), datetime(2028, 1, 1, 5, tzinfo=UTC)
    earn(gain(one, 1000, at=NOW), now=NOW)
    bought = gain(one, 1000, at=december)
    [entry] = earn(bought, now=december)
    requalifying.review(now=new_year)
    give_back(bought, entry, 1000, now=new_year + timedelta(days=9))
    assert standing(one).tier == left
    assert requalifying.review(now=new_year + timedelta(days=10)).decided == 0


def test_a_return_does_not_bring_back_what_was_set_by_hand_and_corrected() -> None:
    publish(now=NOW)
    one = member(now=JOINED)
    for tier in ("gold", "regular"):
        made = overriding.write(one.pk, tier, last=date(2026, 12, 1), why="old card", actor=OWNER, now=NOW)
        if overriding.is_waiting(made):
            overriding.decide(made.pk, approved=True, by=FINANCE, now=NOW)
    bought = gain(one, 500, at=NOW)
    [entry] = earn(bought, now=NOW)
    give_back(bought, entry, 500, now=NOW)
    assert tiers_at([(one.pk, NOW)]) == ["regular"]


@pytest.mark.parametrize("many", [2, 200])
def test_a_batch_of_returns_costs_the_same_for_few_and_for_many(many: int) -> None:
    publish(now=NOW)
    everyone = members([ApplicationFactory.build() for _ in range(many)], now=JOINED)
    gains = [gain(one, 1200, at=NOW) for one in everyone]
    entries = earn(*gains, now=NOW)
    parts = [
        TakeBack(
            member=of.member, holder=of.holder, occurred_at=NOW, key=f"back:{of.key}", entry=entry, base_points=900,
            spend=Decimal(0), first_visit=False,
        )
        for of, entry in zip(gains, entries, strict=True) if entry
    ]  # fmt: skip
    with transaction.atomic(), CaptureQueriesContext(connection) as asked:
        posting.lock([one.holder for one in everyone])
        qualifying.take_back(parts, now=NOW)
    assert TierMembership.objects.filter(tier="regular", ended_at=None).count() == many
    assert len(asked) == 26


@pytest.mark.parametrize("many", [2, 200])
def test_a_batch_costs_the_same_for_few_and_for_many(many: int) -> None:
    publish(now=NOW)
    everyone = members([ApplicationFactory.build() for _ in range(many)], now=JOINED)
    with CaptureQueriesContext(connection) as asked:
        earn(*(gain(one, 1200, at=NOW) for one in everyone), now=NOW)
    with CaptureQueriesContext(connection) as again:
        earn(*(gain(one, 10, at=NOW) for one in everyone), now=NOW)
    assert TierMembership.objects.filter(tier="gold", ended_at=None).count() == many
    assert (len(asked), len(again)) == (15, 10)


def test_history_is_not_rewritten() -> None:
    publish(now=NOW)
    one = member(now=JOINED)
    earn(gain(one, 600, at=NOW), now=NOW)
    with pytest.raises(IntegrityError, match="history of tiers stays"), transaction.atomic():
        TierMembership.objects.filter(member=one).update(tier="gold")
