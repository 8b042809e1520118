"""The catalogue as a member looks through it: what is set aside, shelves, prices by name, what a tier opens."""

import pytest
import time_machine

from catalog.models import Category, Redemption, RewardPrice
from tests.config.test_check_in import sign_in, words
from tests.config.test_rewards_page import DAY, MINUTE, redeem, reward, rich
from tests.factories import NOW
from tests.members.tiering import publish
from tests.staff import text

pytestmark = pytest.mark.django_db


def test_what_is_set_aside_is_said_where_it_was_redeemed() -> None:
    one = rich(100)
    reward()
    reward("tea", 90)
    with time_machine.travel(NOW, tick=False):
        client = sign_in(one)
        redeem(client)
        set_aside = Redemption.objects.get()
        for page in ("/rewards/", "/rewards/flat-white/"):
            shown = text(client.get(page))
            assert f"/redemptions/{set_aside.pk}/" in shown
            assert "Flat white is set aside for you (15 minutes left" in words(client, page)
        assert "set aside" not in words(client, "/rewards/tea/")
    with time_machine.travel(NOW + 16 * MINUTE, tick=False):
        assert "set aside" not in words(client, "/rewards/flat-white/")


def test_the_list_is_narrowed_by_category_in_the_language_of_the_reader() -> None:
    shelf = Category.objects.create(code="bar", name="At the bar", translations={"fr": {"name": "Au comptoir"}})
    Category.objects.create(code="empty", name="Empty shelf")
    reward("tea", category=shelf)
    reward("mug")
    client = sign_in(rich())
    client.cookies["django_language"] = "fr"
    page = words(client, "/rewards/")
    assert "Au comptoir" in page
    assert "Empty shelf" not in page
    narrowed = text(client.get("/rewards/?category=bar"))
    assert 'href="/rewards/tea/"' in narrowed
    assert 'href="/rewards/mug/"' not in narrowed


def test_prices_are_called_in_the_language_of_the_reader() -> None:
    names = {"zh-hant": {"name": "會員日"}}
    RewardPrice.objects.create(reward=reward(), name="Member day", points=10, translations=names)
    client = sign_in(rich())
    assert "Member day" in words(client, "/rewards/")
    client.cookies["django_language"] = "zh-hant"
    assert "會員日" in words(client, "/rewards/flat-white/")


def test_a_reward_for_a_tier_leads_to_how_it_is_reached_and_a_gift_is_given() -> None:
    publish(now=NOW - DAY)
    reward("class", tiers=["gold"])
    reward("tree", kind="donation", points=5)
    client = sign_in(rich())
    shown = text(client.get("/rewards/class/"))
    assert "Only for Gold members." in shown
    assert 'href="/tier/"' in shown
    answer = redeem(client, "tree")
    client.post(answer.redirect_chain[-1][0], {"choice": "keep"})
    assert "Given" in words(client, answer.redirect_chain[-1][0])
