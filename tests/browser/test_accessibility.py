"""axe over the pages of members and of the till: nothing to complain of, light and dark, in Latin and in Chinese letters."""

import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.utils import timezone
from playwright.sync_api import Browser, Page, expect

from catalog import issuing, redeeming
from catalog.issuing import Use
from catalog.models import Code, CodePool, Reward, RewardPrice, Stock, Voucher
from catalog.redeeming import Ask
from loyalty import queries
from members.models import Member
from tests.browser.test_portal import join, shop, verify
from tests.browser.test_till import open_till, rich, voucher
from tests.factories import give
from tests.members.tiering import publish

__all__ = ["shop"]

TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
LOOKS = [("light", "en"), ("dark", "en"), ("light", "zh-hant"), ("dark", "zh-hant")]
SHOWN = [(width, language) for width in (320, 360) for language in ("en", "fr", "zh-hans", "zh-hant")]


@pytest.fixture
def page(chromium: Browser, live_site: str) -> Iterator[Page]:
    context = chromium.new_context(viewport={"width": 360, "height": 640}, base_url=live_site, reduced_motion="reduce")
    yield context.new_page()
    context.close()


def speak(page: Page, language: str, site: str) -> None:
    page.context.add_cookies([{"name": "django_language", "value": language, "url": site}])


def insist(page: Page, path: str = "") -> None:
    """No violation on this page."""
    if path:
        page.goto(path)
    found = Axe().run(page, options={"runOnly": TAGS, "resultTypes": ["violations"]})
    assert found.violations_count == 0, f"{page.url}\n{found.generate_report()}"


def reward(code: str, **given: Any) -> Reward:
    return Reward.objects.create(**{"code": code, "title": "Flat white", "kind": "goods", "points": 80} | given)


def catalogue() -> None:
    """One of everything that the list can show."""
    long = {"fr": {"title": "Un très grand café crème à emporter, avec deux viennoiseries du matin"}}
    reward("flat-white", translations=long, money="4.00", per_member=3, description="A double shot under silky milk.")
    RewardPrice.objects.create(reward=reward("cake", points=90), name="Quiet hours", points=60, hours=["00:00", "23:59"])
    Stock.objects.create(reward=reward("flask", title="Insulated flask"), left=0)
    Stock.objects.create(reward=reward("mug", title="Mug"), left=3, store_id=queries.stores_by_code(["S1"])["S1"].id)
    reward("beans", points=600, title="Beans of the month, 250 g", ends_at=timezone.now() + timedelta(days=9))
    reward("class", title="Latte art class", tiers=["gold"])
    reward("tree", kind="donation", points=5, title="Plant a coffee tree")
    pool = CodePool.objects.create(code="REX", name="Rex cinema")
    Code.objects.create(pool=pool, text="REX-1234-5678")
    reward("cinema", kind="code", code_pool=pool, points=10, title="Ticket for the Rex cinema")


def redeem(one: Member, code: str, *, keep: bool = True, at: Any = None) -> str:
    now = at or timezone.now()
    held = redeeming.reserve(Ask(one, Reward.objects.get(code=code)), now=now, actor=one.holder)
    return str(redeeming.confirm(held.pk, keep=keep, now=now, actor=one.holder).pk)


def settled(page: Page) -> list[str]:
    """A verified member with one of everything; the addresses of all pages M05 and M08 to M12, in each of their states."""
    catalogue()
    publish(now=timezone.now())
    one = join(page)
    give(one.holder, 500, at=timezone.now() - timedelta(days=40))
    verify(page)
    one.refresh_from_db()
    used, ready, partner, tree = (redeem(one, code) for code in ("flat-white", "flat-white", "cinema", "tree"))
    over = redeem(one, "cake", keep=False, at=timezone.now() - timedelta(hours=1))
    spent = Voucher.objects.get(redemption_id=used)
    issuing.use(spent.code, Use(queries.stores_by_code(["S1"])["S1"], "till-1", "R7"), now=timezone.now())
    waits = redeeming.reserve(Ask(one, Reward.objects.get(code="cake")), now=timezone.now(), actor=one.holder)
    rewards = [f"/rewards/{one.code}/" for one in Reward.objects.all()]
    held = [f"/redemptions/{one}/" for one in (used, ready, partner, tree, over, waits.pk)]
    return ["/card/", "/rewards/", "/rewards/?points=50", *rewards, *held, "/vouchers/"]


@pytest.mark.timeout(400)
@pytest.mark.parametrize(("scheme", "language"), LOOKS)
def test_the_pages_of_members(page: Page, live_site: str, scheme: Any, language: str) -> None:
    page.emulate_media(color_scheme=scheme)
    speak(page, language, live_site)
    insist(page, "/j/S1/")
    speak(page, "en", live_site)
    every = settled(page)
    speak(page, language, live_site)
    for path in every:
        insist(page, path)
        assert page.locator("html").get_attribute("lang") == language, path


def test_the_pages_of_whoever_has_nothing_yet(page: Page) -> None:
    join(page)
    for path in ("/card/", "/rewards/", "/vouchers/"):
        insist(page, path)
    reward("flat-white")
    for path in ("/card/", "/rewards/", "/rewards/flat-white/"):
        insist(page, path)


@pytest.mark.timeout(400)
def test_nothing_sticks_out_of_a_small_phone_in_any_language(page: Page, live_site: str) -> None:
    every = settled(page)
    for width, language in SHOWN:
        speak(page, language, live_site)
        page.set_viewport_size({"width": width, "height": 640})
        for path in every:
            page.goto(path)
            assert page.locator("html").get_attribute("lang") == language, path
            assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), (width, language, path)


@pytest.mark.timeout(400)
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_pages_of_the_till(page: Page, scheme: Any) -> None:
    page.set_viewport_size({"width": 1024, "height": 768})
    page.emulate_media(color_scheme=scheme)
    one = rich()
    open_till(page)
    for path in ("/till/", "/till/help/", "/till/enrol/", "/till/refund/", "/till/report/"):
        insist(page, path)
    held = voucher(one)
    for path in (f"/till/member/{one.pk}/", f"/till/member/{one.pk}/rewards/", f"/till/voucher/{held.pk}/"):
        insist(page, path)
    page.goto(f"/till/member/{one.pk}/")
    page.get_by_label("Amount").fill("18.60")
    page.get_by_role("button", name="Give 18 points").click()
    expect(page.get_by_test_id("result")).to_be_visible()
    insist(page)
    page.goto("/till/")
    page.get_by_role("button", name=re.compile("Lock")).click()
    expect(page.get_by_label("PIN")).to_be_focused()
    insist(page)
