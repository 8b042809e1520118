"""A till whose connection goes, and one whose browser is killed between the server's commit and its answer."""

import json
import os
import re
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from django.core.cache import cache
from django.utils import timezone
from playwright.sync_api import Browser, BrowserType, Error, Page, Route, expect

from campaigns.models import Purchase
from loyalty import queries
from members.models import Member, Shift, TillAct
from tests.browser.conftest import QUIET
from tests.browser.test_till import card, open_till, rich, voucher
from tests.config.tills import PIN
from tests.factories import StoreFactory, member

WAITING = """async () => {
  const opened = indexedDB.open("till", 1);
  const base = await new Promise((done) => { opened.onsuccess = () => done(opened.result); });
  const rows = base.transaction("sales").objectStore("sales").getAll();
  return await new Promise((done) => { rows.onsuccess = () => { base.close(); done(rows.result.length); }; });
}"""


@pytest.fixture(autouse=True)
def shop(live_site: str) -> None:
    cache.clear()
    StoreFactory.create()


@pytest.fixture
def till(chromium: Browser, live_site: str) -> Iterator[Page]:
    context = chromium.new_context(viewport={"width": 1024, "height": 768}, base_url=live_site)
    page = context.new_page()
    open_till(page)
    page.evaluate("() => navigator.serviceWorker.ready.then(() => true)")
    yield page
    context.close()


def has(one: Member) -> int:
    return queries.net_balances([one.holder])[one.holder]


def note(page: Page, number: str, amount: str) -> None:
    """Scan a card, type an amount, Enter."""
    page.get_by_label("Card number").focus()
    page.keyboard.type(number, delay=5)
    page.keyboard.press("Enter")
    expect(page.get_by_label("Amount paid")).to_be_focused()
    page.keyboard.type(amount)
    page.keyboard.press("Enter")
    expect(page.get_by_text("Kept. It will be sent")).to_be_visible()


def test_sales_are_noted_without_a_connection_and_sent_once_with_it(till: Page) -> None:
    one, two = rich(), member()
    till.context.set_offline(True)
    till.goto("/till/")
    expect(till.get_by_role("heading", name="No connection. Sales can still be noted.")).to_be_visible()
    for who, amount in ((one, "18.60"), (two, "10")):
        note(till, card(who), amount)
    expect(till.locator("[data-queue-count]")).to_have_text("2")
    assert str(has(one)) not in till.locator("main").inner_text()
    till.get_by_label("Amount paid").fill("200.01")
    till.get_by_label("Card number").fill(card(one))
    till.get_by_role("button", name="Keep this sale").click()
    expect(till.get_by_text("Offline this is too much.")).to_be_visible()
    assert not Purchase.objects.exists()
    till.context.set_offline(False)
    expect(till.locator("[data-queue]")).to_be_hidden()
    assert (has(one), has(two), Purchase.objects.count()) == (1018, 10, 2)
    till.reload()
    till.goto("/till/")
    expect(till.locator("#code")).to_be_visible()
    assert (Purchase.objects.count(), till.evaluate(WAITING)) == (2, 0)


def test_a_reward_is_refused_without_a_connection_and_says_why(till: Page) -> None:
    ready = voucher(rich())
    till.context.set_offline(True)
    till.goto("/till/")
    till.get_by_label("Card number").fill(ready.code)
    till.get_by_role("button", name="Keep this sale").click()
    expect(till.get_by_text("Rewards need a connection.")).to_be_visible()
    assert till.evaluate(WAITING) == 0


def test_a_sale_on_its_page_waits_when_the_connection_goes_under_it(till: Page) -> None:
    one = rich()
    till.goto(f"/till/member/{one.pk}/")
    till.locator("#id_amount").fill("18.60")
    till.context.set_offline(True)
    till.get_by_role("button", name=re.compile("Give")).click()
    expect(till.locator("[data-queue-count]")).to_have_text("1")
    till.context.set_offline(False)
    expect(till.locator("[data-queue]")).to_be_hidden()
    assert (has(one), Purchase.objects.count()) == (1018, 1)


def test_without_a_connection_the_till_locks_itself_and_what_is_noted_then_waits_for_a_pin(till: Page) -> None:
    one, two = rich(), member()
    till.clock.install()
    till.goto(f"/till/member/{one.pk}/")
    expect(till.locator("#id_amount")).to_be_focused()
    till.context.set_offline(True)
    till.clock.fast_forward(181_000)
    expect(till.get_by_text("The till is locked.")).to_be_visible()
    assert "Wei" not in till.locator("main").inner_text()
    till.get_by_label("Card number").fill(card(two))
    till.get_by_label("Amount paid").fill("10")
    till.get_by_role("button", name="Keep this sale").click()
    expect(till.get_by_text("once the connection is back and a PIN was entered")).to_be_visible()
    Shift.objects.update(ended_at=timezone.now())
    till.context.set_offline(False)
    till.goto("/till/")
    expect(till.get_by_label("PIN")).to_be_visible()
    expect(till.locator("[data-queue-count]")).to_have_text("1")
    till.get_by_label("PIN").fill(PIN)
    till.get_by_label("PIN").press("Enter")
    expect(till.get_by_text("Noted while the till was locked:")).to_be_visible()
    assert not Purchase.objects.exists()
    till.get_by_role("button", name="Send in my name").click()
    expect(till.locator("[data-queue]")).to_be_hidden()
    assert (has(two), Purchase.objects.count(), TillAct.objects.get().offline) == (10, 1, True)


@contextmanager
def browser_of(folder: Path, engine: BrowserType) -> Iterator[tuple[Page, subprocess.Popen[bytes]]]:
    """A browser of its own, in a process that can be killed; what it has stored lies in `folder`."""
    program = shutil.which("chromium") or shutil.which("google-chrome")
    assert program
    port = folder / "DevToolsActivePort"
    port.unlink(missing_ok=True)
    command = [program, *QUIET, "--headless=new", "--remote-debugging-port=0", f"--user-data-dir={folder}", "about:blank"]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True) as process:
        try:
            deadline = time.monotonic() + 30
            while not port.exists() or len(port.read_text().split()) < 2:
                assert time.monotonic() < deadline
                time.sleep(0.05)
            browser = engine.connect_over_cdp(f"http://127.0.0.1:{port.read_text().split()[0]}")
            context = browser.contexts[0]
            page = context.new_page()
            yield page, process
        finally:
            kill(process)


def shut(page: Page, process: subprocess.Popen[bytes]) -> None:
    """As a person does, so that its cookies are on the disk: a browser writes them half a minute late."""
    with suppress(Error):
        page.context.new_cdp_session(page).send("Browser.close")
    process.wait(30)


def kill(process: subprocess.Popen[bytes]) -> None:
    """The whole browser at once, as a power cut would."""
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def test_killed_between_commit_and_answer_with_the_pin_expired_since_it_is_one_purchase(
    chromium: Browser, live_site: str, tmp_path: Path
) -> None:
    one, seen = rich(), list[dict[str, Any]]()
    with browser_of(tmp_path, chromium.browser_type) as (page, process):
        open_till(page, live_site)
        shut(page, process)
    with browser_of(tmp_path, chromium.browser_type) as (page, process):
        page.goto(f"{live_site}/till/member/{one.pk}/")

        def committed(route: Route) -> None:
            """The server has answered; the browser never learns."""
            seen.append(route.fetch().json())
            kill(process)

        page.route("**/till/sales/", committed)
        page.locator("#id_amount").fill("18.60")
        page.get_by_role("button", name=re.compile("Give")).click(no_wait_after=True)
        with suppress(Error):  # the browser is gone
            while process.poll() is None:
                page.wait_for_timeout(50)
    assert [answer["taken"] for answer in seen[0]["answers"]] == [True]
    assert (Purchase.objects.count(), has(one)) == (1, 1018)
    Shift.objects.update(ended_at=timezone.now())
    with browser_of(tmp_path, chromium.browser_type) as (page, _process):
        with page.expect_response("**/till/sales/") as sent:
            page.goto(f"{live_site}/till/")
        expect(page.get_by_label("PIN")).to_be_visible()
        resent = json.loads(sent.value.request.post_data or "")["sales"]
        assert [sale["number"] for sale in resent] == [TillAct.objects.get().number]
        assert sent.value.json() == seen[0]
        expect(page.locator("[data-queue]")).to_be_hidden()
        assert page.evaluate(WAITING) == 0
    assert (Purchase.objects.count(), TillAct.objects.count(), has(one)) == (1, 1, 1018)
