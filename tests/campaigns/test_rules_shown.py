"""What the API shows of rules that wait, that are ended, and that cannot start."""

from datetime import datetime, timedelta
from uuid import UUID

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from django.utils.formats import date_format

from campaigns import publishing
from loyalty import terms
from tests.api import till
from tests.campaigns.test_rules_api import publish, put

pytestmark = pytest.mark.django_db


def test_more_drafts_that_wait_cost_no_more_statements() -> None:
    owner = till("configure")

    def cost() -> int:
        with CaptureQueriesContext(connection) as asked:
            items = owner.get("/earn-rules").json()["items"]
        assert {one["status"] for one in items if one["code"] != "base"} == {"awaiting_approval"}
        return len(asked)

    for n in range(2):
        put(owner, f"rich-{n}", value="9000")
        assert publish(owner, f"rich-{n}").status_code == 202
    few = cost()
    for n in range(2, 8):
        put(owner, f"rich-{n}", value="9000")
        publish(owner, f"rich-{n}")
    assert cost() == few


def test_the_effect_of_an_offer_agrees_with_its_changes() -> None:
    owner = till("configure")
    shown = put(owner, "gift").json()
    assert (shown["effect"], [one["effect"] for one in shown["changes"]]) == ("benefit", ["benefit"])
    publish(owner, "gift")
    worse = put(owner, "gift", value="5").json()
    assert (worse["effect"], [one["effect"] for one in worse["changes"]]) == ("detriment", ["detriment"])
    assert worse["needs_approval"] is False


def test_a_start_that_is_past_is_told_at_its_place_in_the_rule() -> None:
    owner = till("configure")
    put(owner, "gift", when={"starts_at": "2020-01-01T00:00:00Z"})
    answer = publish(owner, "gift")
    assert (answer.status_code, [one["pointer"] for one in answer.json()["errors"]]) == (422, ["/when/starts_at"])


def test_an_ended_offer_is_shown_as_it_held_with_its_end() -> None:
    owner, now = till("configure"), timezone.now()
    put(owner, "gift")
    publish(owner, "gift")
    soon = now + timedelta(minutes=1)
    publishing.end("gift", at=soon, actor=UUID(int=1), now=now)
    shown = owner.get("/earn-rules/gift").json()
    assert (shown["status"], shown["version"]) == ("in_force", 1)
    assert datetime.fromisoformat(shown["when"]["ends_at"]) == soon
    assert datetime.fromisoformat(shown["starts_at"]) < soon
    assert " until " in shown["sentence"]
    assert shown["sentence"] == owner.get("/earn-rules").json()["items"][1]["sentence"]


def test_an_announced_offer_that_is_ended_says_when_and_never_that_it_holds_backwards() -> None:
    owner, now = till("configure"), timezone.now()
    contract = terms.current(now)
    midnight = contract.midnight_after(contract.day_of(now))
    put(owner, "gift", when={"starts_at": (midnight + timedelta(days=5)).isoformat()})
    publish(owner, "gift")
    publishing.end("gift", at=midnight, actor=UUID(int=1), now=now)
    shown = owner.get("/earn-rules/gift").json()
    day = date_format(contract.day_of(midnight), "DATE_FORMAT")
    assert shown["sentence"] == f"10 extra points for a purchase, ended on {day} at 00:00."
