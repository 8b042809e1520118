"""The check-in page as a member walks it, without JavaScript."""

import re
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.core import mail
from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from campaigns import greeting
from campaigns.models import Event
from config import relay
from loyalty import queries
from members.models import Member
from tests.campaigns.acting import act, check_in_rules, recorded, rule
from tests.factories import NOW, member
from tests.staff import signed_in, text

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)


def sign_in(of: Member) -> Client:
    cache.clear()  # the limits of sign-in
    client = Client()
    client.post("/sign-in/", {"email": of.email})
    found = re.search(r"\b\d{6}\b", str(mail.outbox[-1].body))
    assert found
    client.post("/sign-in/code/", {"code": found[0]})
    return client


def words(client: Client, page: str) -> str:
    """The page without its tags and with single spaces."""
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", text(client.get(page))))


def test_where_no_rule_pays_there_is_no_page_and_no_word_of_it() -> None:
    with time_machine.travel(NOW, tick=False):
        phone = sign_in(member())
        assert phone.get("/check-in/").status_code == 404
        assert phone.post("/check-in/").status_code == 404
        assert "/check-in/" not in text(phone.get("/card/"))
        rule("daily", 5, "check_in", now=NOW - 2 * DAY, when={"ends_at": (NOW - DAY).isoformat()})
        assert phone.get("/check-in/").status_code == 404
    assert Client().get("/check-in/").status_code == 302


def test_a_tap_a_day_brings_its_points_and_the_second_says_so_kindly() -> None:
    check_in_rules()
    one = member()
    with time_machine.travel(NOW, tick=False):
        phone = sign_in(one)
        assert "Check in for 5 points" in words(phone, "/card/")
        page = words(phone, "/check-in/")
        assert "Check in for 5 points" in page
        assert "50 extra points on 21 June 2026, for 7 days in a row." in page
        assert "A day ends at midnight, Central European Time." in page
        answer = phone.post("/check-in/", follow=True)
        assert answer.redirect_chain == [("/check-in/", 302)]
        assert "5 points for today. 1 day in a row." in text(answer)
        assert "You have checked in today already." in text(phone.post("/check-in/", follow=True))
        assert "Check in for" not in words(phone, "/check-in/")
        assert "Checked in today, 1 day in a row" in words(phone, "/card/")
    assert (Event.objects.count(), queries.net_balances([one.holder])[one.holder]) == (1, 5)


def test_the_day_of_the_gift_is_announced_and_explained() -> None:
    check_in_rules()
    one = member()
    recorded(*(act(one, at=NOW - n * DAY) for n in range(1, 7)), now=NOW)
    with time_machine.travel(NOW, tick=False):
        phone = sign_in(one)
        page = words(phone, "/check-in/")
        assert "6 days in a row" in page
        assert "Check in for 55 points" in page
        assert "50 points of today’s are the gift for 7 days in a row." in page
        phone.post("/check-in/")
        page = words(phone, "/check-in/")
        assert "7 days in a row" in page
        assert "50 extra points on 22 June 2026, for 14 days in a row." in page
        history = words(phone, "/history/")
        assert history.count("Check-in, day 7 in a row") == 2
        assert "Week, 50 points" in history
        entry = Event.objects.get(streak=7).awards.get(points=50).entry
        line = words(phone, f"/history/{entry}/")
    assert "Daily: 5 points Week: 50 points" in line
    assert "Receipt" not in line
    assert "Amount" not in line


def test_the_page_counts_days_by_the_programmes_midnight() -> None:
    check_in_rules()
    one = member()
    with time_machine.travel(datetime(2026, 6, 15, 21, 59, tzinfo=UTC), tick=False):  # 23:59 in Paris
        phone = sign_in(one)
        assert "5 points for today." in text(phone.post("/check-in/", follow=True))
    with time_machine.travel(datetime(2026, 6, 15, 22, 1, tzinfo=UTC), tick=False):
        assert "2 days in a row" in text(phone.post("/check-in/", follow=True))
    assert sorted(Event.objects.values_list("day__day", "streak")) == [(15, 1), (16, 2)]


def test_a_blocked_card_is_told_so_and_earns_nothing() -> None:
    check_in_rules()
    one = member()
    with time_machine.travel(NOW, tick=False):
        phone = sign_in(one)
        Member.objects.filter(pk=one.pk).update(status=Member.Status.BLOCKED)
        page = words(phone, "/check-in/")
        assert "This card is blocked or closed" in page
        assert "Check in for" not in page
        assert "/check-in/" not in text(phone.get("/card/"))
        assert "blocked or closed" in text(phone.post("/check-in/", follow=True))
    assert Event.objects.count() == 0


def test_whoever_has_only_just_joined_may_check_in_too() -> None:
    check_in_rules()
    cache.clear()
    with time_machine.travel(NOW, tick=False):
        phone = Client()
        phone.post("/j/", {"contact": "wei@example.com"})
        assert "5 points for today." in text(phone.post("/check-in/", follow=True))


def test_the_page_costs_the_same_for_a_long_run_of_days() -> None:
    check_in_rules()
    one = member()
    with time_machine.travel(NOW, tick=False):
        phone = sign_in(one)
        phone.get("/check-in/")
        with CaptureQueriesContext(connection) as few:
            phone.get("/check-in/")
        recorded(*(act(one, at=NOW - n * DAY) for n in range(1, 30)), now=NOW)
        with CaptureQueriesContext(connection) as many:
            assert "29 days in a row" in words(phone, "/check-in/")
    assert len(many) == len(few)


def test_staff_see_what_a_member_did_and_why_it_earned() -> None:
    check_in_rules()
    rule("cake", 50, "birthday")
    one = member(birthday="--06-15", now=NOW - 100 * DAY)
    recorded(act(one, number="E1"), now=NOW)
    with time_machine.travel(NOW, tick=False):
        greeting.keep_birthdays(now=NOW)
        relay.drain(now=NOW)
        desk = signed_in("owner")
        assert {"Check-in", "Birthday"} <= set(re.findall(r"Check-in|Birthday", words(desk, "/admin/campaigns/event/")))
        lists = {
            query: desk.get(f"/admin/campaigns/event/?{query}") for query in ("type=check_in", "type=custom:", "q=E1", "q=E2")
        }
        found = {query: [one.type for one in page.context["cl"].result_list] for query, page in lists.items()}
        assert found == {"type=check_in": ["check_in"], "type=custom:": [], "q=E1": ["check_in"], "q=E2": []}
        event = Event.objects.get(type="check_in")
        page = words(desk, f"/admin/campaigns/event/{event.pk}/change/")
        assert "Daily: 5 points" in page
        assert "Week: not on this day in a row." in page
        dossier = text(desk.get(f"/admin/members/member/{one.pk}/change/"))
        assert f"/admin/campaigns/event/{event.pk}/change/" in dossier
        assert desk.post(f"/admin/campaigns/event/{event.pk}/change/", {}).status_code == 403
        assert signed_in("cashier").get("/admin/campaigns/event/").status_code in (302, 403)


def test_the_card_says_what_waits_until_the_contact_is_proved() -> None:
    rule("welcome", 100, "sign_up", now=NOW - DAY)
    cache.clear()
    with time_machine.travel(NOW, tick=False):
        phone = Client()
        phone.post("/j/", {"contact": "wei@example.com"})
        assert "100 points as a welcome wait for that too." in words(phone, "/card/")
        found = re.search(r"\b\d{6}\b", str(mail.outbox[-1].body))
        assert found
        phone.post("/sign-in/code/", {"code": found[0]})
        relay.drain(now=NOW)
        page = words(phone, "/card/")
        assert "as a welcome" not in page
        assert "Welcome, 100 points" in page
