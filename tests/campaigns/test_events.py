"""Acts of members earn once, in whatever order they are told, by the days of the programme's calendar."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext

from campaigns import events
from campaigns.awarding import Recorded
from campaigns.models import Award, Event
from campaigns.purchases import record
from loyalty import queries, verifying
from loyalty.models import DocumentGuard, Lot, Posting
from loyalty.problems import Problem
from members.models import Member
from tests.campaigns.acting import act, check_in_rules, earned, recorded, rule
from tests.factories import NOW, ApplicationFactory, ReceiptFactory, StoreFactory, member, members

pytestmark = pytest.mark.django_db
PARIS = ZoneInfo("Europe/Paris")
DAY = timedelta(days=1)


def balance(of: Member) -> int:
    return queries.net_balances([of.holder])[of.holder]


def written() -> tuple[int, ...]:
    return tuple(model.objects.count() for model in (Event, Award, Posting, Lot, DocumentGuard))


def problems(*told: Any, now: datetime = NOW) -> list[tuple[str, int]]:
    before = written()
    answers = events.record(told, now=now)
    assert written() == before
    return [(one.slug, one.status) for one in answers if isinstance(one, Problem)]


def test_an_act_earns_by_the_rules_of_its_type_and_each_share_is_a_lot_of_its_own() -> None:
    check_in_rules()
    rule("reviews", 20, "review", expires="P14D")
    one = member()
    [event] = recorded(act(one, "review", data={"subject": "beans-250"}))
    award = event.awards.get()
    assert (event.points_earned, award.points, award.rule_version.rule.code, balance(one)) == (20, 20, "reviews", 20)
    line = queries.statement(one.holder)[0]
    assert (line.kind, line.points, line.entry) == ("bonus", 20, award.entry)
    assert award.expires_at == datetime(2026, 6, 29, 22, tzinfo=UTC), "its own end: fourteen days later, at midnight in Paris"
    assert all(finding.bad_row is None for finding in verifying.verify())


def test_the_same_id_never_pays_twice_and_other_content_is_refused() -> None:
    rule("quiz", 7, "custom:quiz")
    one, other = member(), member()
    told = act(one, "custom:quiz", number="Q1", data={"score": 3})
    [first] = events.record([told], now=NOW)
    assert isinstance(first, Recorded)
    before = written()
    again = replace(told, occurred_at=NOW.astimezone(PARIS), data={"score": 3})
    assert events.record([again, again], now=NOW + DAY) == [Recorded(first.id, replayed=True)] * 2
    for wrong in (replace(told, member=str(other.pk)), replace(told, data={"score": 4}), replace(told, type="custom:game")):
        assert problems(wrong) == [("duplicate-document", 409)]
    Member.objects.filter(pk=one.pk).update(status=Member.Status.BLOCKED)
    assert events.record([told], now=NOW + 60 * DAY) == [Recorded(first.id, replayed=True)], "it stands, whatever changed since"
    assert (written(), balance(one)) == (before, 7)


def test_what_cannot_be_taken_is_named_and_spoils_nothing() -> None:
    rule("quiz", 7, "custom:quiz")
    StoreFactory.create(code="S2", closed_at=NOW - DAY)
    one, blocked = member(), member()
    Member.objects.filter(pk=blocked.pk).update(status=Member.Status.BLOCKED)
    wrong = [
        act(one, "custom:quiz", store="S9"), act(one, "custom:quiz", store="S2"), act(blocked, "custom:quiz"),
        act(one, "custom:quiz", at=NOW + timedelta(minutes=6)), act(one, "custom:quiz", at=NOW - 31 * DAY),
        replace(act(one, "custom:quiz"), member="7K4QH2ZPW3"),
    ]  # fmt: skip
    slugs = [("unknown-store", 422), ("unknown-store", 422), ("not-eligible", 409), ("validation", 422), ("validation", 422)]
    assert problems(*wrong) == [*slugs, ("unknown-member", 422)]
    good = events.record([wrong[0], act(one, "custom:quiz"), wrong[3]], now=NOW)
    assert [isinstance(answer, Recorded) for answer in good] == [False, True, False]
    assert balance(one) == 7


def test_one_check_in_counts_a_day_and_each_seventh_in_a_row_brings_a_gift() -> None:
    check_in_rules()
    one = member()
    assert earned(*(act(one, at=NOW + n * DAY) for n in range(15))) == [5, 5, 5, 5, 5, 5, 55] * 2 + [5]
    [again] = recorded(act(one, at=NOW + timedelta(hours=3)), now=NOW + 15 * DAY)
    assert (again.points_earned, again.streak, again.trace["again"], balance(one)) == (0, 0, True, 13 * 5 + 2 * 55)
    assert earned(act(one, at=NOW + 16 * DAY), act(one, at=NOW + 17 * DAY)) == [5, 5], "a day was left out"
    assert Event.objects.get(day=(NOW + 17 * DAY).date()).streak == 2


def test_the_day_is_that_of_the_programme_not_of_the_phone() -> None:
    check_in_rules()
    one = member()
    before, after = datetime(2026, 6, 15, 23, 59, tzinfo=PARIS), datetime(2026, 6, 16, 0, 1, tzinfo=PARIS)
    abroad = datetime(2026, 6, 16, 7, 30, tzinfo=ZoneInfo("Asia/Tokyo"))  # still 0:30 in Paris
    assert earned(act(one, at=before), act(one, at=after), act(one, at=abroad)) == [5, 5, 0]
    assert sorted(Event.objects.filter(streak__gt=0).values_list("day", "streak")) == [
        (before.date(), 1),
        (after.date(), 2),
    ]


@pytest.mark.parametrize("spring", [True, False])
def test_the_night_of_the_changing_clock_is_one_day_like_another(spring: bool) -> None:
    check_in_rules()
    one = member()
    night = datetime(2026, 3, 29, tzinfo=PARIS) if spring else datetime(2026, 10, 25, tzinfo=PARIS)
    hours = [night + timedelta(minutes=minutes) for minutes in (-1, 1, 23 * 60 + 59, 24 * 60 + 1)]
    told = [act(one, at=hour.replace(tzinfo=PARIS)) for hour in hours]
    assert earned(*told) == [5, 5, 0, 5]
    assert list(Event.objects.filter(streak__gt=0).order_by("day").values_list("streak", flat=True)) == [1, 2, 3]


def test_a_day_told_late_joins_the_days_around_it() -> None:
    check_in_rules()
    one = member()
    days = [NOW + n * DAY for n in (0, 1, 2, 4, 5)]
    assert earned(*(act(one, at=day) for day in days)) == [5] * 5
    now = NOW + 6 * DAY
    [late] = recorded(act(one, at=NOW + 3 * DAY), now=now)
    assert (late.points_earned, late.streak) == (5, 4)
    assert list(Event.objects.order_by("day").values_list("streak", flat=True)) == [1, 2, 3, 4, 5, 6]
    assert earned(act(one, at=now)) == [55], "the seventh day in a row"


def test_days_told_in_any_order_count_up_to_the_same_row() -> None:
    rule("daily", 5, "check_in")
    orders = [[3, 1, 0, 2, 4], [4, 3, 2, 1, 0], [0, 2, 4, 1, 3]]
    for order in orders:
        one = member()
        for n in order:
            recorded(act(one, at=NOW + n * DAY), now=NOW + 5 * DAY)
        assert list(Event.objects.filter(member=one).order_by("day").values_list("streak", flat=True)) == [1, 2, 3, 4, 5]
        together = member()
        recorded(*(act(together, at=NOW + n * DAY) for n in order))
        assert list(Event.objects.filter(member=together).order_by("day").values_list("streak", flat=True)) == [1, 2, 3, 4, 5]


def test_a_late_day_is_judged_by_the_rules_of_that_day() -> None:
    rule("daily", 5, "check_in", now=NOW - 5 * DAY)
    one = member()
    assert earned(act(one, at=NOW - 6 * DAY), now=NOW) == [0], "the rule came later"
    assert earned(act(one, at=NOW - 4 * DAY), now=NOW) == [5]


@pytest.mark.parametrize("type_", ["review", "share", "survey_completed", "app_installed", "profile_completed"])
def test_some_acts_count_once_in_a_life_or_once_for_each_subject(type_: str) -> None:
    rule("once", 10, type_)
    one, later = member(), NOW + 20 * DAY
    told = [
        act(one, type_), act(one, type_, at=later), act(one, type_, data={"subject": "a"}),
        act(one, type_, data={"subject": "b"}), act(one, type_, data={"subject": "a", "more": 1}),
    ]  # fmt: skip
    assert earned(*told, now=later) == [10, 0, 10, 10, 0]
    assert earned(act(member(), type_), now=NOW) == [10], "of one member, not of all"


def test_acts_of_the_merchant_each_count_and_the_caps_of_their_rules_hold() -> None:
    rule("quiz", 4, "custom:quiz", caps=[{"unit": "points", "per": "member", "window": "day", "limit": 10}])
    rule("shares", 3, "share", caps=[{"unit": "times", "per": "member", "window": "week", "limit": 2}])
    one = member()
    assert earned(*(act(one, "custom:quiz") for _ in range(4))) == [4, 4, 2, 0]
    assert earned(act(one, "custom:quiz", at=NOW + DAY)) == [4]
    monday = datetime(2026, 6, 22, 8, tzinfo=UTC)
    shares = [act(one, "share", at=monday + n * DAY, data={"subject": str(n)}) for n in (-2, -1, 0, 1, 2, 7)]
    assert earned(*shares) == [3, 3, 3, 3, 0, 3]


def test_an_act_is_no_purchase_and_a_purchase_no_act() -> None:
    StoreFactory.create()
    rule("quiz", 4, "custom:quiz")
    one = member()
    assert earned(act(one, "custom:quiz", store="S1")) == [4]
    record([ReceiptFactory.build(member=str(one.pk), occurred_at=NOW)], now=NOW)
    lines = queries.statement(one.holder)
    assert [(line.kind, line.points, line.store) for line in lines] == [("earn", 18, "S1"), ("bonus", 4, "S1")]


def test_an_award_is_for_one_thing_and_a_thing_counts_once_says_the_database_too() -> None:
    check_in_rules()
    one = member()
    [event] = recorded(act(one))
    award = event.awards.get()
    for broken in ({"event": None}, {"purchase": event.pk}):
        with pytest.raises(IntegrityError, match="award_for_one_thing"), transaction.atomic():
            Award.objects.filter(pk=award.pk).update(**broken)
    [again] = recorded(act(one))
    with pytest.raises(IntegrityError, match="event_counts_once"), transaction.atomic():
        Event.objects.filter(pk=again.pk).update(once=event.once)


def test_a_batch_costs_as_many_statements_as_one_act() -> None:
    check_in_rules()
    rule("shares", 3, "share", caps=[{"unit": "points", "per": "member", "window": "rolling:P7D", "limit": 9}])
    StoreFactory.create()
    everybody = members(ApplicationFactory.build_batch(100))
    told = [[act(of, type_, store="S1") for type_ in ("check_in", "share")] for of in everybody]

    def statements(some: list[Any]) -> int:
        with CaptureQueriesContext(
            connection,
        ) as caught:
            assert [one.points_earned for one in recorded(*some)] == [5, 3] * (len(some) // 2)
        return len(caught)

    few = statements(told[0])
    assert statements([one for two in told[1:] for one in two]) == few
