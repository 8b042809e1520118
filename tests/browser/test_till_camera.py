"""The till's camera: a card's QR code, held before it, opens the member's page."""

import io
import json
import shutil
from collections.abc import Callable
from pathlib import Path

import segno
from django.core.cache import cache
from PIL import Image
from playwright.sync_api import Browser, expect

from tests.browser.conftest import QUIET
from tests.browser.test_till import card, open_till, rich
from tests.factories import StoreFactory

# Pictures until the code is read: the first that shows the scene shows the code.
PICTURES = 3
# Counts the pictures that were looked at, and how long that took without what surrounds it: a busy machine only waits longer.
COUNT = """(() => {
  const read = CanvasRenderingContext2D.prototype.getImageData;
  const send = HTMLFormElement.prototype.requestSubmit;
  const seen = { pictures: 0, first: 0, last: 0 };
  CanvasRenderingContext2D.prototype.getImageData = function (...given) {
    seen.last = performance.now();
    seen.first ||= seen.last;
    seen.pictures += 1;
    return read.apply(this, given);
  };
  HTMLFormElement.prototype.requestSubmit = function (...given) {
    const done = performance.now();
    const told = { pictures: seen.pictures, decoding: done - seen.last, whole: done - seen.first };
    sessionStorage.setItem("seen", JSON.stringify(told));
    return send.apply(this, given);
  };
})();"""


def film(text: str, into: Path) -> None:
    """Still pictures of the code as a phone shows it, one after the other (MJPEG)."""
    drawn = io.BytesIO()
    segno.make(text, error="m", micro=False).save(drawn, kind="png", scale=6, border=4)
    code, scene = Image.open(drawn).convert("RGB"), Image.new("RGB", (640, 480), "#556")
    scene.paste(code, ((640 - code.width) // 2, (480 - code.height) // 2))
    still = io.BytesIO()
    scene.save(still, "JPEG", quality=85)
    into.write_bytes(still.getvalue() * 10)


def test_a_code_before_the_camera_opens_the_member(
    chromium: Browser, live_site: str, tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    cache.clear()
    StoreFactory.create()
    one = rich()
    film(card(one), tmp_path / "card.mjpeg")
    program = shutil.which("chromium") or shutil.which("google-chrome")
    seen = [f"--use-file-for-fake-video-capture={tmp_path / 'card.mjpeg'}", "--use-fake-device-for-media-stream"]
    browser = chromium.browser_type.launch(executable_path=program, args=[*QUIET, *seen])
    try:
        context = browser.new_context(base_url=live_site, permissions=["camera"], viewport={"width": 360, "height": 640})
        page = context.new_page()
        page.add_init_script(COUNT)
        open_till(page)
        page.get_by_role("button", name="Camera").click()
        expect(page.get_by_role("heading", name="Wei C.")).to_be_visible()
        told = json.loads(page.evaluate("sessionStorage.getItem('seen')"))
        record_property("camera", told)  # --junit-xml prints it
        assert 1 <= told["pictures"] <= PICTURES
        refused = browser.new_context(base_url=live_site)
        refused.add_cookies([{"name": each["name"], "value": each["value"], "url": live_site} for each in context.cookies()])
        other = refused.new_page()
        other.goto("/till/")
        other.get_by_role("button", name="Camera").click()
        expect(other.get_by_text("The camera cannot be used.")).to_be_visible()
    finally:
        browser.close()
