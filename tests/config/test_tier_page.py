"""The member's tier in the portal: on the card, on its own page, among the rules, in the passbook."""

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from members.access import EARN_ONLY_CARD
from members.models import Member
from members.tiers import Level
from tests.factories import member
from tests.members.tiering import LEVELS, earn, gain, publish
from tests.staff import text

pytestmark = pytest.mark.django_db


def browser(one: Member) -> Client:
    """Where the member has joined, and may look at the own card."""
    client = Client()
    session = client.session
    session[EARN_ONLY_CARD] = str(one.pk)
    session.save()
    return client


def test_a_programme_without_tiers_says_nothing_of_them() -> None:
    client = browser(member())
    assert "tier" not in text(client.get("/card/")).lower()
    assert client.get("/tier/").status_code == 404


def test_the_card_says_what_is_missing_and_by_when() -> None:
    now = timezone.now()
    one = member(now=now)
    publish(now=now)
    earn(gain(one, 660, at=now), now=now)
    client = browser(one)
    shown = text(client.get("/card/"))
    assert f"340 points to Gold by 31 December {now.year}" in shown
    assert "Silver" in shown
    page = text(client.get("/tier/"))
    for said in (
        f"It is yours until 31 December {now.year + 1}.", "On reaching Gold you get 100 points.", "Keeping Silver",
        f"To stay Silver you need 500 points between 1 January {now.year + 1} and 31 December {now.year + 1}.",
        "you have the tier that you reached in that time", "In this period so far: 660 points.",
    ):  # fmt: skip
        assert said in page, said
    assert "Silver reached" in text(client.get("/history/")), "the entry reward"


def test_the_highest_tier_and_the_one_of_everybody() -> None:
    now = timezone.now()
    top, new = member(now=now), member(now=now)
    publish(now=now)
    earn(gain(top, 1000, at=now), now=now)
    assert "You have the highest tier." in text(browser(top).get("/tier/"))
    assert f"500 points to Silver by 31 December {now.year}" in text(browser(new).get("/tier/"))


def test_about_to_drop_reached_again_and_grace() -> None:
    now = timezone.now()
    publish(now=now, window="rolling", grace_days=30, review="one_down")
    dropping, safe, graced = (member(now=now - timedelta(days=800)) for _ in range(3))
    past = now - timedelta(days=330)
    earn(gain(dropping, 500, at=past), gain(safe, 1000, at=past), now=past)
    earn(gain(graced, 500, at=now - timedelta(days=375)), now=now - timedelta(days=375))
    earn(gain(safe, 1000, at=now), now=now)
    earn(gain(dropping, 200, at=now), now=now)
    shown = text(browser(dropping).get("/tier/"))
    assert "You need 300 more points by" in shown
    assert "to stay Silver." in shown
    assert "you have reached Gold again" in text(browser(safe).get("/tier/"))
    shown = text(browser(graced).get("/tier/"))
    assert "It was valid until" in shown
    assert "stays yours until" in shown


def test_the_rules_tell_the_tiers_and_how_they_change() -> None:
    now = timezone.now()
    member(now=now)
    publish(now=now)
    publish([*LEVELS[:2], Level("gold", "Gold", 3000, 100, (("fr", "Or"),))], now=now)
    shown = text(Client().get("/rules/"))
    for said in ("Gold: from 1,000 points on. 100 points on reaching it.", "Gold: from 3,000 points on.", "worse for you"):
        assert said in shown, said
    assert "Or" in text(Client().get("/rules/", headers={"Accept-Language": "fr"}))
