"""Checking in with a thumb: two taps from the card, one award however often the button is hit, in every language."""

from datetime import timedelta

from django.core.cache import cache
from django.utils import timezone
from playwright.sync_api import Page, expect

from campaigns.models import Award, Event
from tests.browser.test_portal import LANGUAGES, join, shop, verify
from tests.campaigns.acting import act, check_in_rules, recorded

__all__ = ["shop"]


def arrive(page: Page) -> None:
    """A member with three days in a row behind them."""
    cache.clear()
    now = timezone.now()
    check_in_rules(now=now - timedelta(days=40))
    member = join(page)
    recorded(*(act(member, at=now - timedelta(days=n)) for n in (1, 2, 3)), now=now)
    verify(page)


def test_two_taps_from_the_card_and_a_second_tap_changes_nothing(phone: Page) -> None:
    arrive(phone)
    phone.get_by_test_id("check-in").click()
    button = phone.get_by_role("button", name="Check in for 5 points")
    assert button.evaluate("one => one.getBoundingClientRect().bottom") < 588, "above the tab bar"
    button.dblclick()
    expect(phone.get_by_text("4 days in a row", exact=True)).to_be_visible()
    expect(phone.locator("[aria-current=date]")).to_have_count(1)
    expect(phone.locator(".is-today.is-done")).to_have_count(1)
    assert (Event.objects.filter(streak=4).count(), Award.objects.count()) == (1, 4)


def test_checking_in_works_without_javascript(phone: Page, live_site: str) -> None:
    arrive(phone)
    browser, cookies = phone.context.browser, phone.context.cookies()
    assert browser
    context = browser.new_context(java_script_enabled=False, base_url=live_site)
    context.add_cookies([{"name": one["name"], "value": one["value"], "url": live_site} for one in cookies])
    page = context.new_page()
    page.goto("/check-in/")
    page.get_by_role("button", name="Check in for 5 points").click()
    expect(page.get_by_text("5 points for today. 4 days in a row.")).to_be_visible()
    context.close()


def test_the_page_fits_a_small_phone_in_every_language(phone: Page, live_site: str) -> None:
    arrive(phone)
    phone.set_viewport_size({"width": 320, "height": 568})
    for language in LANGUAGES:
        phone.context.add_cookies([{"name": "django_language", "value": language, "url": live_site}])
        for path in ("/check-in/", "/card/"):
            phone.goto(path)
            assert phone.locator("html").get_attribute("lang") == language
            assert phone.evaluate("document.documentElement.scrollWidth") <= 320, (language, path)
        phone.goto("/check-in/")
        for cell in phone.locator(".calendar th, .calendar td").all():
            assert cell.evaluate("one => one.scrollWidth <= one.clientWidth"), (language, cell.inner_text())
