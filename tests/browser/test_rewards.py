"""Points into a code with a thumb: two taps from the card, given back again, in every language, and without scripts."""

import re
from datetime import timedelta
from typing import Any

from django.utils import timezone
from playwright.sync_api import Browser, Page, expect

from catalog import issuing
from catalog.issuing import Use
from catalog.models import Category, Redemption, Reward, Stock, Voucher, Waiting
from config.pages import card
from loyalty import queries
from members.models import Member
from members.staffing import employ
from tests.browser.test_portal import LANGUAGES, join, shop, verify
from tests.factories import give

__all__ = ["shop"]


def arrive(page: Page, points: int = 500) -> Member:
    """A verified member with points."""
    one = join(page)
    give(one.holder, points, at=timezone.now() - timedelta(days=1))
    verify(page)
    return one


def reward(code: str = "flat-white", **given: Any) -> Reward:
    return Reward.objects.create(**{"code": code, "title": "Flat white", "kind": "goods", "points": 80} | given)


def available(one: Member) -> int:
    return queries.balances([one.holder], timezone.now())[one.holder].available


def without_scripts(phone: Page, live_site: str) -> Page:
    browser, cookies = phone.context.browser, phone.context.cookies()
    assert browser
    context = browser.new_context(java_script_enabled=False, base_url=live_site, viewport={"width": 360, "height": 640})
    context.add_cookies([{"name": one["name"], "value": one["value"], "url": live_site} for one in cookies])
    return context.new_page()


def test_two_taps_from_the_card_to_the_code_and_the_points_back(phone: Page) -> None:
    reward()
    one = arrive(phone)
    phone.goto("/card/")
    phone.get_by_test_id("redeem").click()
    expect(phone.get_by_test_id("after")).to_have_text("420")
    assert phone.get_by_role("button", name="Use now").evaluate("one => one.getBoundingClientRect().bottom") < 588
    phone.get_by_role("button", name="Use now").click()
    expect(phone.get_by_test_id("voucher-code")).to_be_visible()
    expect(phone.get_by_test_id("left")).to_have_text(re.compile("15 minutes left, until"))
    assert phone.get_by_test_id("voucher-code").evaluate("one => one.getBoundingClientRect().bottom") < 588, "above the tab bar"
    assert available(one) == 420
    phone.get_by_text("Give the points back").click()
    phone.get_by_role("button", name="Give the voucher back").click()
    expect(phone.get_by_text("80 points are back on your card.")).to_be_visible()
    assert available(one) == 500


def test_the_code_stands_on_white_in_the_dark_and_turns_over_when_it_was_used(chromium: Browser, live_site: str) -> None:
    reward()
    context = chromium.new_context(viewport={"width": 360, "height": 640}, base_url=live_site, color_scheme="dark")
    page = context.new_page()
    arrive(page)
    page.goto("/card/")
    page.get_by_test_id("redeem").click()
    page.get_by_role("button", name="Keep as voucher").click()
    box = page.get_by_role("img", name="Code of the voucher").bounding_box()
    assert box
    assert box["width"] >= 200
    one, stub = Voucher.objects.get(), page.locator(".voucher-stub")
    assert stub.evaluate("one => getComputedStyle(one).backgroundColor") == "rgb(255, 255, 255)"
    drawn = page.locator(".voucher-qr path").last.get_attribute("d")
    assert drawn
    assert drawn in card.qr(one.code)
    [harbour] = queries.stores_by_code(["S1"]).values()
    issuing.use(one.code, Use(harbour, "till-1", "R7"), now=timezone.now())
    page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    expect(page.get_by_test_id("voucher-words")).to_have_text(re.compile(r"Used on .* at Harbour shop, receipt R7\."))
    context.close()


def test_two_tabs_and_the_back_button_take_points_once(phone: Page) -> None:
    reward()
    one = arrive(phone)
    other = phone.context.new_page()
    for page in (phone, other):
        page.goto("/rewards/flat-white/")
    phone.get_by_role("button", name="Redeem for 80 points").dblclick()
    expect(phone.get_by_test_id("after")).to_have_text("420")
    other.get_by_role("button", name="Redeem for 80 points").click()
    expect(other.get_by_text("your points were taken once, not twice")).to_be_visible()
    other.get_by_role("button", name="Keep as voucher").click()
    expect(other.get_by_test_id("voucher-code")).to_be_visible()
    phone.get_by_role("button", name="Use now").click()
    expect(phone.get_by_text("your points were taken once, not twice")).to_be_visible()
    expect(phone.get_by_test_id("voucher-code")).to_be_visible()
    other.go_back()
    expect(other.get_by_test_id("voucher-code")).to_be_visible()
    assert (Redemption.objects.count(), available(one)) == (1, 420)


def test_the_last_one_is_taken_by_one_of_two(phone: Page, chromium: Browser, live_site: str) -> None:
    Stock.objects.create(reward=reward(), left=1)
    arrive(phone)
    context = chromium.new_context(base_url=live_site)
    other = context.new_page()
    second = join(other, "second@example.com")
    give(second.holder, 500, at=timezone.now() - timedelta(days=1))
    verify(other)
    for page in (phone, other):
        page.goto("/rewards/flat-white/")
        expect(page.get_by_text("1 left.")).to_be_visible()
    phone.get_by_role("button", name="Redeem for 80 points").click()
    expect(phone.get_by_test_id("after")).to_have_text("420")
    other.get_by_role("button", name="Redeem for 80 points").click()
    expect(other.get_by_text("Somebody else took the last one. No points were taken.")).to_be_visible()
    other.get_by_role("button", name="Tell me when it is back").click()
    expect(other.get_by_text("Flat white: we send you a message when it is back.")).to_be_visible()
    assert available(second) == 500
    assert Waiting.objects.get().member == second
    context.close()


def test_all_of_it_works_without_scripts(phone: Page, live_site: str) -> None:
    reward()
    one = arrive(phone)
    page = without_scripts(phone, live_site)
    page.goto("/rewards/?points=mine")
    page.get_by_role("button", name="Redeem Flat white").click()
    page.get_by_role("button", name="Keep as voucher").click()
    expect(page.get_by_test_id("voucher-code")).to_be_visible()
    page.goto("/vouchers/")
    page.get_by_role("link", name=re.compile("Flat white")).click()
    page.get_by_text("Give the points back").click()
    page.get_by_role("button", name="Give the voucher back").click()
    expect(page.get_by_text("You gave it back on")).to_be_visible()
    assert available(one) == 500
    page.context.close()


def test_the_pages_fit_a_small_phone_in_every_language(phone: Page, live_site: str) -> None:
    long = {"fr": {"title": "Un très grand café crème à emporter, avec deux viennoiseries"}}
    reward(translations=long, money="4.00", description="A double shot under silky milk.")
    Stock.objects.create(reward=reward("flask", points=90, title="Insulated flask"), left=0)
    reward("beans", points=600, title="Beans of the month, 250 g")
    arrive(phone)
    phone.goto("/rewards/flat-white/")
    phone.get_by_role("button", name="Redeem for 80 points").click()
    confirm = phone.url
    phone.set_viewport_size({"width": 320, "height": 568})

    def fits(*pages: str) -> None:
        for language in LANGUAGES:
            phone.context.add_cookies([{"name": "django_language", "value": language, "url": live_site}])
            for path in pages:
                phone.goto(path)
                assert phone.locator("html").get_attribute("lang") == language
                assert phone.evaluate("document.documentElement.scrollWidth") <= 320, (language, path)
                for each in phone.locator("main :is(button, select, .link, summary)").all():
                    box = each.bounding_box() if each.is_visible() else None
                    assert box is None or box["height"] >= 44, (language, path, each.inner_text())

    fits("/card/", "/rewards/", "/rewards/flat-white/", "/rewards/flask/", "/rewards/beans/", confirm)
    phone.goto(confirm)
    phone.locator("button[value=keep]").click()
    fits("/card/", "/vouchers/", phone.url)


def test_the_closest_reward_stands_above_the_tab_bar_in_every_language(phone: Page, live_site: str) -> None:
    reward()
    arrive(phone, 60)
    for language in LANGUAGES:
        phone.context.add_cookies([{"name": "django_language", "value": language, "url": live_site}])
        phone.goto("/card/")
        place = phone.get_by_test_id("next-reward")
        assert place.evaluate("one => one.getBoundingClientRect().bottom") < 587, language
        assert "20" in place.inner_text()


def test_the_way_back_from_a_confirmation_says_that_it_is_set_aside(phone: Page) -> None:
    reward()
    arrive(phone, 100)
    phone.goto("/rewards/flat-white/")
    phone.get_by_role("button", name="Redeem for 80 points").click()
    expect(phone.get_by_test_id("after")).to_have_text("20")
    phone.go_back()
    phone.reload()
    expect(phone.get_by_test_id("set-aside")).to_contain_text("Flat white is set aside for you")
    phone.goto("/rewards/")
    phone.get_by_test_id("set-aside").get_by_role("link").click()
    expect(phone.get_by_test_id("after")).to_have_text("20")


def test_the_list_is_narrowed_behind_one_word(phone: Page) -> None:
    reward(category=Category.objects.create(code="bar", name="At the bar"))
    reward("mug", title="Mug")
    arrive(phone)
    phone.goto("/rewards/")
    expect(phone.get_by_label("Kind")).to_be_hidden()
    phone.get_by_text("Filter").click()
    phone.get_by_label("Kind").select_option("At the bar")
    phone.get_by_role("button", name="Show").click()
    expect(phone.get_by_role("link", name="Mug")).to_have_count(0)
    expect(phone.get_by_role("link", name="Flat white")).to_be_visible()
    expect(phone.get_by_label("Kind")).to_be_visible()


def test_a_double_click_makes_a_reward_once_and_says_no_wrong(chromium: Browser, live_site: str) -> None:
    password = employ("lea@shop.example", role="marketer")
    context = chromium.new_context(viewport={"width": 1280, "height": 800}, base_url=live_site)
    page = context.new_page()
    page.goto("/accounts/login/?next=/admin/catalog/reward/add/")
    page.locator("input[type=email]").fill("lea@shop.example")
    page.locator("input[type=password]").fill(password)
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile(r"^[^?]+/reward/add/$"))  # with its scripts
    page.locator("#id_title").press_sequentially("Spring mug")
    expect(page.locator("#id_code")).to_have_value("spring-mug")
    page.locator("#id_points").fill("100")
    page.get_by_role("button", name="Save and continue editing").dblclick()
    expect(page).to_have_url(re.compile("/change/$"))
    expect(page.get_by_text("Who pays what when")).to_be_visible()
    assert Reward.objects.get().code == "spring-mug"
    context.close()
