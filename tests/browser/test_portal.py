"""The portal in a browser: joining, the card above the fold, the passbook that adds up."""

import re
from datetime import timedelta

import pytest
from django.core import mail
from django.core.cache import cache
from django.utils import timezone
from playwright.sync_api import Page, expect

from campaigns.purchases import record
from members.models import Member
from tests.factories import ReceiptFactory, StoreFactory, give
from tests.members.tiering import earn, gain, publish

LANGUAGES = ["en", "fr", "zh-hans", "zh-hant"]


@pytest.fixture(autouse=True)
def shop(live_site: str) -> None:
    cache.clear()
    StoreFactory.create()


def join(page: Page, email: str = "wei@example.com") -> Member:
    page.goto("/j/S1/")
    page.get_by_label("E-mail address").fill(email)
    page.get_by_role("button", name="Get my card").click()
    expect(page.get_by_test_id("member-code")).to_be_visible()
    return Member.objects.get(email=email)


def verify(page: Page) -> None:
    found = re.search(r"\b\d{6}\b", str(mail.outbox[-1].body))
    assert found
    page.goto("/sign-in/code/")
    page.get_by_label("6-digit code").fill(f" {found[0][:3]} {found[0][3:]} ")
    page.get_by_role("button", name="Confirm").click()
    expect(page).to_have_url(re.compile("/card/$"))


def test_a_poster_becomes_a_card_with_one_field_and_one_tap(phone: Page) -> None:
    phone.goto("/j/S1/")
    assert phone.locator("input:visible").count() <= 3
    assert phone.locator("input[required]:visible").count() == 1
    assert not phone.get_by_label("Send me offers by e-mail").is_checked()
    member = join(phone)
    box = phone.get_by_test_id("member-code").bounding_box()
    assert box
    assert min(box["width"], box["height"]) >= 98
    verify(phone)
    member.refresh_from_db()
    assert member.is_verified


def test_joining_works_without_javascript(phone: Page, live_site: str) -> None:
    browser = phone.context.browser
    assert browser
    page = browser.new_context(java_script_enabled=False, base_url=live_site).new_page()
    join(page, "no-script@example.com")
    verify(page)


def test_balance_worth_and_expiry_stand_above_the_tab_bar_in_every_language(phone: Page, live_site: str) -> None:
    member, now = join(phone), timezone.now()
    days = [now - timedelta(days=40 * n) for n in range(3)]
    record([ReceiptFactory.build(member=str(member.pk), occurred_at=day) for day in days], now=now, history=True)
    verify(phone)
    for language in LANGUAGES:
        phone.context.add_cookies([{"name": "django_language", "value": language, "url": live_site}])
        phone.goto("/card/")
        assert phone.locator("html").get_attribute("lang") == language
        tabs = phone.get_by_role("navigation").first.bounding_box()
        assert tabs
        for name in ("balance", "worth", "expiry"):
            box = phone.get_by_test_id(name).bounding_box()
            assert box
            assert box["y"] + box["height"] < tabs["y"], (language, name)
        assert phone.evaluate("document.documentElement.scrollWidth") <= 360


def test_the_ruler_stands_between_the_card_and_the_expiry_in_every_language(phone: Page, live_site: str) -> None:
    member, now = join(phone), timezone.now()
    publish(now=now, review="one_down", grace_days=30)
    give(member.holder, 700, at=now)
    earn(gain(member, 660, at=now), now=now)
    verify(phone)
    for language in LANGUAGES:
        phone.context.add_cookies([{"name": "django_language", "value": language, "url": live_site}])
        phone.goto("/card/")
        tabs = phone.get_by_role("navigation").first.bounding_box()
        progress, expiry = phone.get_by_test_id("progress").bounding_box(), phone.get_by_test_id("expiry").bounding_box()
        assert tabs
        assert progress
        assert expiry
        assert progress["y"] + progress["height"] <= expiry["y"]
        assert expiry["y"] + expiry["height"] < tabs["y"], language
        assert "340" in phone.get_by_test_id("progress").inner_text()
        phone.get_by_test_id("progress").click()
        expect(phone).to_have_url(re.compile("/tier/$"))
        expect(phone.get_by_test_id("tier")).to_have_text("Silver")
        assert phone.evaluate("document.documentElement.scrollWidth") <= 360


def test_each_balance_of_the_passbook_is_the_one_before_plus_the_points(phone: Page) -> None:
    member, now = join(phone), timezone.now()
    record([ReceiptFactory.build(member=str(member.pk), occurred_at=now - timedelta(days=n)) for n in range(5)], now=now)
    verify(phone)
    phone.goto("/history/")
    rows = [
        [int(re.sub(r"[^\d-]", "", cell.replace("−", "-")) or 0) for cell in row.locator("td").all_inner_texts()[-2:]]
        for row in phone.locator("tbody tr").all()
        if row.locator("td").count() >= 2
    ]
    assert len(rows) == 5
    assert all(after == before + points for (points, after), (_points, before) in zip(rows, [*rows[1:], [0, 0]], strict=True))
    phone.locator("tbody a").first.click()
    expect(phone.get_by_text("€18.60 × 1 = 18.6")).to_be_visible()
