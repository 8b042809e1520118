"""The till in a browser: how few touches each job takes, with a scanner that types, a camera, and no JavaScript."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.core.cache import cache
from django.utils import timezone
from playwright.sync_api import Browser, Page, expect

from campaigns.models import Purchase, PurchaseReturn
from catalog import redeeming
from catalog.models import Reward, Voucher
from catalog.redeeming import Ask
from members import codes
from members.models import Card, Member, Shift, SpendCode
from tests.config.tills import PIN, code, colleague
from tests.factories import StoreFactory, give, member

LANGUAGES = ["en", "fr", "zh-hans", "zh-hant"]


class Hand:
    """Counts what a person does: a tap, a scan, an Enter; typing into a field is one however long.

    It types when a field is ready, as a person does who looks.
    """

    def __init__(self, page: Page) -> None:
        self.page, self.touches = page, 0

    def scan(self, text: str) -> None:
        self.touches += 1
        expect(self.page.locator("input:focus")).to_be_editable()
        self.page.keyboard.type(text, delay=5)
        self.page.keyboard.press("Enter")

    def type(self, text: str) -> None:
        self.touches += 1
        expect(self.page.locator("input:focus")).to_be_editable()
        self.page.keyboard.type(text)

    def enter(self) -> None:
        self.touches += 1
        self.page.keyboard.press("Enter")

    def tap(self, name: str | re.Pattern[str], role: Any = "button") -> None:
        self.touches += 1
        self.page.get_by_role(role, name=name).first.click()


@pytest.fixture(autouse=True)
def shop(live_site: str) -> None:
    cache.clear()
    StoreFactory.create()


@pytest.fixture
def tablet(chromium: Browser, live_site: str) -> Iterator[Page]:
    """1024 × 768; what the browser complains of fails the test."""
    context = chromium.new_context(viewport={"width": 1024, "height": 768}, base_url=live_site)
    page, complaints = context.new_page(), list[str]()
    page.on("console", lambda one: complaints.append(one.text) if one.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    open_till(page)
    yield page
    context.close()
    assert [one for one in complaints if "409 (Conflict)" not in one] == []


def open_till(page: Page, site: str = "") -> None:
    colleague()
    page.goto(f"{site}/till/")
    page.get_by_label("Code of the till").fill(code())
    page.get_by_role("button", name="Register").click()
    page.get_by_label("PIN").fill(PIN)
    page.get_by_role("button", name="Aïcha").click()
    expect(page.locator("#code")).to_be_focused()


def rich(**given: Any) -> Member:
    known: dict[str, Any] = {"verified": True, "given_name": "Wei Chen"} | given
    one = member(**known)
    give(one.holder, 1000, at=timezone.now())
    return one


def card(one: Member) -> str:
    return Card.objects.get(member=one).number


def voucher(one: Member) -> Voucher:
    reward = Reward.objects.create(code="flat-white", title="Flat white", kind="goods", points=400)
    held = redeeming.reserve(Ask(one, reward), now=timezone.now())
    redeeming.confirm(held.pk, now=timezone.now())
    return Voucher.objects.get()


def test_a_shift_starts_in_two(tablet: Page) -> None:
    tablet.get_by_role("button", name="Lock (Aïcha)").click()
    expect(tablet.get_by_label("PIN")).to_be_focused()
    hand = Hand(tablet)
    hand.type(PIN)
    hand.enter()
    expect(tablet.locator("#code")).to_be_focused()
    assert hand.touches <= 2


def test_a_purchase_is_given_in_three_and_undone_in_two(tablet: Page) -> None:
    one, hand = rich(), Hand(tablet)
    hand.scan(card(one))
    expect(tablet.locator("#id_amount")).to_be_focused()
    hand.type("18.60")
    expect(tablet.get_by_text("Gives 18 points. New balance 1,018.")).to_be_visible()
    expect(tablet.get_by_role("button", name="Give 18 points")).to_be_visible()
    hand.enter()
    expect(tablet.get_by_test_id("result")).to_have_text("18 points given to Wei C.")
    assert hand.touches <= 3
    hand = Hand(tablet)
    hand.tap("Undo")
    expect(tablet.get_by_test_id("result")).to_contain_text("Undone:")
    assert hand.touches <= 2
    assert (Purchase.objects.count(), Purchase.objects.exclude(returned_at=None).count()) == (1, 1)


def test_a_reward_is_handed_over_in_two_and_a_scanner_presses_no_button(tablet: Page) -> None:
    one = rich()
    ready, hand = voucher(one), Hand(tablet)
    hand.scan(ready.code)
    expect(tablet.get_by_role("heading", name="Flat white")).to_be_visible()
    tablet.get_by_role("button", name="Accept reward").focus()
    tablet.keyboard.type(card(one), delay=5)
    tablet.keyboard.press("Enter")
    expect(tablet.locator("#id_amount")).to_be_focused()
    ready.refresh_from_db()
    assert ready.used == 0
    tablet.goto("/till/")
    hand = Hand(tablet)
    expect(tablet.locator("#code")).to_be_focused()
    hand.scan(ready.code)
    hand.tap("Accept reward")
    expect(tablet.get_by_test_id("result")).to_have_text("Flat white: hand it over to Wei C.")
    assert hand.touches <= 2
    hand.scan(ready.code)
    expect(tablet.get_by_text("Do not hand it over.")).to_be_visible()
    expect(tablet.get_by_text(re.compile("Used .+ at Harbour shop, by Aïcha"))).to_be_visible()


def test_a_card_is_made_in_four(tablet: Page) -> None:
    hand = Hand(tablet)
    hand.tap("New card", "link")
    expect(tablet.get_by_label("Phone number, e-mail address")).to_be_focused()
    assert tablet.locator("form.form input:visible").count() <= 2
    hand.type("06 12 34 56 78")
    hand.tap("Make card")
    expect(tablet.get_by_test_id("card-number")).to_have_text(re.compile(r"^\w{4} \w{3} \w{3}$"))
    assert hand.touches <= 4


def test_the_same_amount_twice_is_asked_about(tablet: Page) -> None:
    one, hand = rich(), Hand(tablet)
    for _ in range(2):
        hand.scan(card(one))
        expect(tablet.locator("#id_amount")).to_be_focused()
        hand.type("18.60")
        hand.enter()
        expect(tablet.locator("[data-testid=result], [role=alert]").first).to_be_visible()
    expect(tablet.get_by_text("Give it again?")).to_be_visible()
    tablet.wait_for_load_state("networkidle")  # the live sentence has come, and the button still asks
    tablet.get_by_role("button", name="Give again").click()
    expect(tablet.get_by_test_id("result")).to_be_visible()
    assert Purchase.objects.count() == 2
    tablet.goto(f"/till/member/{one.pk}/")
    hand.type("18.60")
    hand.enter()
    expect(tablet.get_by_text("Give it again?")).to_be_visible()
    tablet.locator("#id_amount").fill("5")
    expect(tablet.get_by_role("button", name="Give 5 points")).to_be_visible()
    expect(tablet.get_by_text("Give it again?")).to_be_hidden()


def test_keys_that_come_before_the_focus_are_not_lost(tablet: Page) -> None:
    one, blur = rich(), "() => document.activeElement.blur()"
    number = card(one)
    tablet.evaluate(blur)
    tablet.keyboard.press(number[0])
    expect(tablet.locator("#code")).to_be_focused()
    Hand(tablet).scan(number[1:])
    expect(tablet.locator("#id_amount")).to_be_focused()
    tablet.get_by_role("button", name="Lock (Aïcha)").click()
    expect(tablet.get_by_label("PIN")).to_be_focused()
    tablet.evaluate(blur)
    tablet.keyboard.type(PIN)
    expect(tablet.get_by_label("PIN")).to_have_value(PIN)


def test_what_stood_in_the_field_gives_way_to_the_next_scan(tablet: Page) -> None:
    one, hand = rich(), Hand(tablet)
    hand.scan("7K4Q000000")
    expect(tablet.get_by_text("No card 7K4Q000000.")).to_be_visible()
    hand.scan(card(one))
    expect(tablet.get_by_role("heading", name="Wei C.")).to_be_visible()
    tablet.goto(f"/till/member/{one.pk}/?amount=18.60")
    hand.type("5")
    expect(tablet.locator("#id_amount")).to_have_value("5")


def test_keys_on_the_screen_and_the_idle_lock_that_keeps_the_sale(tablet: Page) -> None:
    one = rich()
    tablet.clock.install()
    tablet.goto(f"/till/member/{one.pk}/")
    for key in ("1", "8", ".", "5"):
        tablet.get_by_role("group", name="Keys").get_by_role("button", name=key, exact=True).click()
    expect(tablet.locator("#id_amount")).to_have_value("18.5")
    tablet.clock.fast_forward(181_000)
    expect(tablet.get_by_text("What was begun is kept.")).to_be_visible()
    Shift.objects.update(ended_at=timezone.now())
    tablet.get_by_label("PIN").fill(PIN)
    tablet.get_by_label("PIN").press("Enter")
    expect(tablet.locator("#id_amount")).to_have_value("18.5")


def test_it_all_works_without_javascript(tablet: Page, live_site: str) -> None:
    browser, one = tablet.context.browser, rich()
    assert browser
    context = browser.new_context(java_script_enabled=False, base_url=live_site, viewport={"width": 1024, "height": 768})
    context.add_cookies([{"name": one["name"], "value": one["value"], "url": live_site} for one in tablet.context.cookies()])
    page = context.new_page()
    page.goto("/till/")
    hand = Hand(page)
    expect(page.locator("#code")).to_be_focused()
    hand.scan(card(one))
    expect(page.locator("#id_amount")).to_be_focused()
    hand.type("18.60")
    hand.enter()
    expect(page.get_by_test_id("result")).to_have_text("18 points given to Wei C.")
    assert hand.touches <= 3
    page.get_by_role("button", name="Undo").first.click()
    expect(page.get_by_test_id("result")).to_contain_text("Undone:")
    page.goto("/till/?code=7K4Q000000")
    expect(page.locator("#code")).to_be_focused()
    hand.scan(card(one))
    expect(page.get_by_role("heading", name="Wei C.")).to_be_visible()
    page.goto(f"/till/member/{one.pk}/?amount=5")
    page.get_by_role("button", name="Recount").click()
    expect(page.get_by_text("Gives 5 points. New balance 1,005.")).to_be_visible()
    context.close()


def test_points_above_the_limit_are_used_with_the_members_code(tablet: Page) -> None:
    one = rich()
    Reward.objects.create(code="beans", title="Beans", kind="goods", points=400)
    tablet.goto(f"/till/member/{one.pk}/rewards/")
    hand = Hand(tablet)
    hand.tap("Use 400 points")
    expect(tablet.get_by_label("Code of the member")).to_be_focused()
    assert small(tablet) == []
    hand.scan(codes.to_spend(SpendCode.objects.get().pk))
    expect(tablet.get_by_role("button", name="Accept reward")).to_be_visible()
    hand.tap("Accept reward")
    expect(tablet.get_by_test_id("result")).to_have_text("Beans: hand it over to Wei C.")
    assert hand.touches <= 3


def test_a_refund_says_what_it_takes_while_the_amount_is_typed(tablet: Page) -> None:
    one, hand = rich(), Hand(tablet)
    tablet.goto(f"/till/member/{one.pk}/")
    hand.type("18.60")
    hand.enter()
    expect(tablet.get_by_test_id("result")).to_be_visible()
    tablet.goto(f"/till/refund/{Purchase.objects.get().pk}/")
    expect(tablet.get_by_role("button", name="Take back 18 points")).to_be_visible()
    hand.type("8.60")
    expect(tablet.get_by_text("Takes back 8 points. New balance 1,010.")).to_be_visible()
    tablet.locator("#id_amount").fill("200")
    expect(tablet.get_by_text("Of this receipt €18.60 is left to return.")).to_be_visible()
    expect(tablet.locator("[data-take]")).to_be_disabled()
    tablet.locator("#id_amount").fill("8.60")
    tablet.get_by_role("button", name="Take back 8 points").dblclick()
    expect(tablet.get_by_test_id("result")).to_have_text("8 points taken back from Wei C.")
    assert PurchaseReturn.objects.count() == 1


PAGES = ("/till/", "/till/enrol/", "/till/refund/", "/till/help/", "/till/report/", "/till/offline/", "/till/lock/")


def small(page: Page) -> list[str]:
    """What a finger would miss: no 56 pixels high, or wide."""
    found = page.locator(
        "main :is(a, button, input:not([type=hidden]), select, summary):visible, header :is(a, button):visible"
    ).all()
    boxes = [(one.bounding_box(), one.evaluate("one => one.outerHTML.slice(0, 90)")) for one in found]
    labelled = [text for box, text in boxes if box and (box["height"] < 55.5 or box["width"] < 55.5)]
    return [text for text in labelled if 'type="checkbox"' not in text]


@pytest.mark.parametrize("size", [(360, 640), (1024, 768)])
def test_pages_fit_and_fingers_hit_in_every_language(tablet: Page, live_site: str, size: tuple[int, int]) -> None:
    one = rich()
    ready = voucher(one)
    tablet.set_viewport_size({"width": size[0], "height": size[1]})
    for language in LANGUAGES:
        tablet.context.add_cookies([{"name": "django_language", "value": language, "url": live_site}])
        for path in (*PAGES, f"/till/member/{one.pk}/", f"/till/member/{one.pk}/rewards/", f"/till/voucher/{ready.pk}/"):
            tablet.goto(path)
            assert tablet.evaluate("document.documentElement.scrollWidth") <= size[0], (language, path)
            assert small(tablet) == [], (language, path)
    keys = tablet.goto(f"/till/member/{one.pk}/") and tablet.locator(".till-keypad button").all()
    assert keys
    assert all((box := key.bounding_box()) and min(box["width"], box["height"]) >= 64 for key in keys)
