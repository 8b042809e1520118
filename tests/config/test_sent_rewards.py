"""What members redeem and is not fetched: given to a good cause, or sent by post to an address."""

import pytest
import time_machine

from catalog import redeeming
from catalog.models import Redemption
from tests.config.test_check_in import sign_in, words
from tests.config.test_rewards_page import redeem, reward, rich
from tests.factories import NOW
from tests.staff import text

pytestmark = pytest.mark.django_db


def test_a_donation_and_what_comes_by_post() -> None:
    one = rich()
    reward("tree", 20, kind="donation")
    reward("book", 100, fulfilment="posted")
    with time_machine.travel(NOW, tick=False):
        phone = sign_in(one)
        page = redeem(phone, "tree")
        assert "Give 20 points" in text(page)
        assert "Given on 15 June 2026. Thank you." in text(phone.post(page.redirect_chain[-1][0], follow=True))
        page = redeem(phone, "book")
        address = page.redirect_chain[-1][0]
        assert "Write where we should send it" in text(phone.post(address, {"choice": "keep", "address": " "}))
        assert Redemption.objects.get(reward__code="book").status == "reserved"
        given = {"choice": "keep", "address": "Wei Chen\n1 Harbour Road"}
        assert "Ordered on 15 June 2026. It comes by post." in text(phone.post(address, given, follow=True))
        assert "The address is kept." in text(phone.post(address, {"choice": "address", "address": "2 Hill"}, follow=True))
        assert "2 Hill" in text(phone.get(address))
        redeeming.fulfil(Redemption.objects.get(reward__code="book").pk, now=NOW)
        assert "Sent on 15 June 2026." in words(phone, address)
        assert "2 Hill" not in text(phone.get(address))
