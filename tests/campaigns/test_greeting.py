"""What the house records itself: welcomes, completed profiles and birthdays, each once and on its day."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone

from campaigns import greeting
from campaigns.models import Event
from config import relay
from loyalty import queries
from loyalty.models import OutboxEvent
from members import accounts, changing
from members.enrolling import Enrolled, enrol
from members.models import Member, User
from members.schemas import MemberPatch
from tests.campaigns.acting import rule
from tests.factories import NOW, ApplicationFactory, member

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)


def events(of: Member) -> list[tuple[str, int]]:
    return list(Event.objects.filter(member=of).order_by("type").values_list("type", "points_earned"))


def prove(of: Member) -> None:
    """A code proves the member's address."""
    accounts.bind(User.objects.get_or_create(email=of.email)[0])


def test_the_welcome_waits_until_the_contact_is_proved_and_comes_once() -> None:
    rule("welcome", 100, "sign_up")
    one = member()
    relay.drain(now=timezone.now())
    assert events(one) == []
    for _ in range(2):
        prove(one)
        relay.drain(now=timezone.now())
    assert events(one) == [("sign_up", 100)]
    changing.change(one.pk, MemberPatch(email="new@example.com"), now=timezone.now(), trusted=False)
    one.refresh_from_db()
    prove(one)
    OutboxEvent.objects.filter(type="member.known").update(handled_at=None)  # as after a crash
    relay.drain(now=timezone.now())
    assert events(one) == [("sign_up", 100)]


def test_a_shop_that_vouches_for_a_contact_proves_it_too() -> None:
    rule("welcome", 100, "sign_up")
    joined, changed = member(verified=True), member()
    changing.change(changed.pk, MemberPatch(phone="+33612345678"), now=timezone.now(), trusted=True)
    relay.drain(now=timezone.now())
    assert [events(one) for one in (joined, changed)] == [[("sign_up", 100)]] * 2


def test_who_is_brought_along_from_another_system_is_not_welcomed_as_new() -> None:
    rule("welcome", 100, "sign_up")
    rule("profile", 30, "profile_completed")
    [answer] = enrol([ApplicationFactory.build(verified=True, birthday="--06-15")], now=timezone.now(), again=True)
    assert isinstance(answer, Enrolled)
    relay.drain(now=timezone.now())
    assert not Event.objects.exists()


def test_a_welcome_is_the_one_of_the_day_of_joining_and_its_points_begin_when_it_comes() -> None:
    rule("summer", 100, "sign_up", when={"starts_at": (NOW - DAY).isoformat(), "ends_at": (NOW + DAY).isoformat()})
    early, within, late = (member(now=NOW + n * DAY, verified=True) for n in (-2, 0, 2))
    now = NOW + 90 * DAY
    relay.drain(now=now)
    assert [events(one) for one in (early, within, late)] == [[], [("sign_up", 100)], []]
    [lot] = queries.open_lots(within.holder, now)
    assert (lot.points, lot.earned_at) == (100, now)


def test_a_profile_is_complete_with_name_and_birthday_once() -> None:
    rule("profile", 30, "profile_completed")
    one, at_once = member(given_name=""), member(birthday="--02-29")
    relay.drain(now=timezone.now())
    assert (events(one), events(at_once)) == ([], [("profile_completed", 30)])
    for patch in (MemberPatch(birthday="--06-15"), MemberPatch(given_name="Wei"), MemberPatch(given_name="Wen")):
        changing.change(one.pk, patch, now=timezone.now(), trusted=False)
        relay.drain(now=timezone.now())
    assert events(one) == [("profile_completed", 30)]


def born(text: str, *, told: datetime = NOW - 100 * DAY, **given: Any) -> Member:
    return member(birthday=text, now=told, **given)


def test_a_birthday_is_kept_once_on_its_day_and_not_within_thirty_days_of_telling() -> None:
    rule("cake", 50, "birthday")
    one, other = born("1990-06-15"), born("--06-16")
    new = born("--06-15", told=NOW - 29 * DAY)
    just = born("--06-15", told=datetime(2026, 5, 15, 21, 59, tzinfo=UTC))  # a minute before the thirty days begin
    assert greeting.keep_birthdays(now=NOW) == 2
    assert greeting.keep_birthdays(now=NOW + timedelta(hours=1)) == 0
    assert [events(each) for each in (one, other, new, just)] == [[("birthday", 50)], [], [], [("birthday", 50)]]
    event = Event.objects.get(member=one)
    assert event.occurred_at == datetime(2026, 6, 14, 22, tzinfo=UTC), "the day begins at midnight in Paris"
    assert greeting.keep_birthdays(now=NOW + 365 * DAY) == 3
    assert len(events(one)) == 2


def test_a_birthday_that_moves_is_not_kept_twice_in_a_year() -> None:
    rule("cake", 50, "birthday")
    one = born("--06-15")
    greeting.keep_birthdays(now=NOW)
    Member.objects.filter(pk=one.pk).update(birth_month=9, birth_day=1)  # as staff may, once
    assert greeting.keep_birthdays(now=datetime(2026, 9, 1, 12, tzinfo=UTC)) == 0
    assert greeting.keep_birthdays(now=datetime(2027, 9, 1, 12, tzinfo=UTC)) == 1


def test_the_29th_of_february_is_the_28th_in_other_years() -> None:
    rule("cake", 50, "birthday")
    one = born("--02-29", told=datetime(2026, 6, 1, tzinfo=UTC))
    kept = [datetime(year, month, day, 12, tzinfo=UTC) for year, month, day in ((2027, 2, 28), (2028, 2, 28), (2028, 2, 29))]
    assert [greeting.keep_birthdays(now=now) for now in kept] == [1, 0, 1]
    assert greeting.keep_birthdays(now=datetime(2029, 2, 28, 12, tzinfo=UTC)) == 1
    assert len(events(one)) == 3


def test_a_birthday_that_an_outage_held_up_is_kept_by_the_rules_of_its_day() -> None:
    rule("cake", 50, "birthday", now=NOW - 100 * DAY, when={"ends_at": (NOW + timedelta(hours=11)).isoformat()})
    one = born("--06-15")
    assert greeting.keep_birthdays(now=NOW + 3 * DAY) == 0
    assert greeting.keep_birthdays(now=NOW + 2 * DAY) == 1
    assert events(one) == [("birthday", 50)]


def test_nothing_is_written_where_no_rule_pays() -> None:
    one = born("--06-15", verified=True)
    relay.drain(now=NOW)
    assert greeting.keep_birthdays(now=NOW) == 0
    assert events(one) == []
