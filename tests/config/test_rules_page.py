"""The public page of rules: what holds, what will change, what changed."""

from datetime import timedelta
from decimal import Decimal
from uuid import uuid4

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from django.utils.formats import date_format

from campaigns import drafting
from campaigns import publishing as rates
from loyalty import publishing, terms
from loyalty.notice import Approval
from members.access import EARN_ONLY_CARD
from tests.factories import holder, member
from tests.staff import text

pytestmark = pytest.mark.django_db
OWNER, FINANCE = uuid4(), uuid4()


def change(days_ago: int = 0, **given: object) -> None:
    now = timezone.now() - timedelta(days=days_ago)
    version = publishing.draft(given, actor=OWNER).version
    approval = Approval(FINANCE, publishing.review(version, now=now).fingerprint)
    publishing.publish(version, actor=OWNER, approval=approval, now=now)


def page(language: str = "en") -> str:
    response = Client().get("/rules/", headers={"Accept-Language": language})
    assert response.status_code == 200
    return text(response)


def test_the_rules_of_today_are_told_to_anybody_and_that_nothing_has_changed() -> None:
    shown = page()
    for sentence in (
        "1 point per €1.00.",
        "100 points are worth €1.00.",
        "Points pay for up to 100% of the goods that earn points, from 1 point on.",
        "Points expire 12 months after they can be used, at the end of the month.",
        "A change for the worse is announced at least 60 days before.",
        "Nothing has changed since the programme began.",
    ):
        assert sentence in shown
    assert "What will change" not in shown
    assert "All versions in full" not in shown


def test_what_will_change_stands_above_what_changed_with_the_rule_before_and_after() -> None:
    holder()
    change(days_ago=3, expiry_months=24)
    change(point_value=Decimal("0.008"))
    shown = page()
    coming, past = shown.index("What will change"), shown.index("What has changed")
    assert coming < shown.index("100 points are worth €0.80.") < past
    assert past < shown.index("Points expire 24 months after", past)
    assert "worse for you" in shown[coming:past]
    assert "keep their old value until that day" in shown[coming:past]
    assert "better for you" in shown[past:]
    assert "Points you already have: not affected." in shown[past:]
    starts = terms.published()[0].starts_at
    assert date_format(terms.current(timezone.now()).day_of(starts), "DATE_FORMAT") in shown[coming:past]
    in_force = shown[: shown.index("These rules hold today")]
    assert "100 points are worth €1.00." in in_force
    assert "€0.80" not in in_force
    assert shown.count("<details") == 3


def test_a_changed_rate_is_told_and_what_was_replaced_before_it_began_is_not() -> None:
    holder()
    draft = drafting.draft("base", Decimal("0.5"), actor=OWNER)
    approval = Approval(FINANCE, rates.review(draft.pk, now=timezone.now()).fingerprint)
    rates.publish(draft.pk, actor=OWNER, approval=approval, now=timezone.now())
    assert "0.5 points per €1.00." in page()
    back = drafting.draft("base", Decimal(1), actor=OWNER)
    rates.publish(back.pk, actor=OWNER, now=timezone.now())
    shown = page()
    assert "0.5 points per" not in shown
    assert "What will change" not in shown


@pytest.mark.parametrize(
    ("language", "said"), [("fr", "Règles et changements"), ("zh-hans", "规则与变更"), ("zh-hant", "規則與變更")]
)
def test_it_speaks_the_languages(language: str, said: str) -> None:
    assert f"<h1>{said}</h1>" in page(language)


def test_it_is_linked_from_where_people_stand() -> None:
    assert 'href="/rules/"' in text(Client().get("/j/"))
    client, one = Client(), member()
    session = client.session
    session[EARN_ONLY_CARD] = str(one.pk)
    session.save()
    assert text(client.get("/card/")).count('href="/rules/"') >= 1


def test_more_versions_cost_no_more_statements() -> None:
    page()
    with CaptureQueriesContext(connection) as few:
        page()
    for days in range(31, 41):
        change(return_days=days)
    with CaptureQueriesContext(connection) as many:
        page()
    assert len(many) == len(few)
