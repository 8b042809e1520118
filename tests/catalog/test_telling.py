"""What members are told about their rewards: each once, in their language, with where to go."""

from datetime import timedelta
from typing import Any

import pytest
from django.core import mail
from django.core.management import call_command
from django.utils import timezone

from catalog import redeeming, tasks, telling
from catalog.models import Code, CodePool, Redemption, Reward, Stock, Voucher, Waiting
from catalog.redeeming import Ask
from config import relay
from members import messaging, sending
from members.models import Member, Message
from tests.catalog.selling import available, reward, rich

pytestmark = pytest.mark.django_db
NOW = timezone.now()


def redeemed(one: Member, sold: Reward, **given: Any) -> Redemption:
    return redeeming.confirm(redeeming.reserve(Ask(one, sold), now=NOW).pk, now=NOW, **given)


def sent(kind: str) -> list[str]:
    """Subject and text of the mails of this kind."""
    sending.send_due(now=timezone.now() + timedelta(days=1))
    ids = {f"<{one}@localhost>" for one in Message.objects.filter(kind=kind, channel="email").values_list("pk", flat=True)}
    return [f"{one.subject}\n{one.body}" for one in mail.outbox if one.extra_headers["Message-ID"] in ids]


def test_a_confirmed_redemption_is_told_once_in_the_members_language() -> None:
    one = rich(language="fr")
    sold = reward(translations={"fr": {"title": "Café crème"}})
    held = redeeming.reserve(Ask(one, sold), now=NOW)
    relay.drain(now=NOW)
    assert not Message.objects.filter(kind="redemption").exists()
    redeeming.confirm(held.pk, now=NOW)
    for _ in range(2):
        relay.drain(now=NOW)
    [text] = sent("redemption")
    assert "Café crème" in text
    assert "400 points" in text
    assert "http" in text
    assert Message.objects.filter(kind="redemption").count() == 2, "portal and mail"


def test_a_partners_code_is_told_once_though_it_is_handed_over_at_once() -> None:
    pool = CodePool.objects.create(code="CINEMA", name="Cinema")
    Code.objects.create(pool=pool, text="ABC-1")
    redeemed(rich(), reward(kind="code", code_pool=pool))
    relay.drain(now=NOW)
    [text] = sent("redemption")
    assert "ABC-1" not in text, "a code that is worth money does not travel by mail"


def test_a_shop_that_cancels_says_why_and_a_member_who_does_is_not_told() -> None:
    one, sold = rich(), reward()
    redeeming.cancel(redeemed(one, sold).pk, by_merchant=False, now=NOW)
    redeeming.cancel(redeemed(one, sold).pk, by_merchant=True, reason="The machine is broken", now=NOW)
    relay.drain(now=NOW)
    [text] = sent("redemption_cancelled")
    assert "Flat white was cancelled by the shop" in text
    assert "400 points are back" in text
    assert "The machine is broken" in text


def test_a_voucher_about_to_end_is_spoken_of_once() -> None:
    one = rich()
    redeemed(one, reward())
    redeemed(one, reward(), keep=False)
    redeemed(one, reward(points=1, kind="voucher", voucher={"type": "amount", "amount": "5", "valid_for": "P60D"}))
    first = Voucher.objects.order_by("pk")[0]
    early, due = first.valid_until - timedelta(days=3, minutes=1), first.valid_until - timedelta(days=2)
    assert telling.remind_of_vouchers(now=early) == 0
    for hours in (0, 1, 24):
        assert telling.remind_of_vouchers(now=due + timedelta(hours=hours)) == 1
    assert Message.objects.filter(kind="voucher_expiring").count() == 2
    assert "400 points come back" in str(messaging.inbox(one))
    Voucher.objects.filter(pk=first.pk).update(used=1)
    assert telling.remind_of_vouchers(now=due) == 0


def test_who_waits_is_told_once_when_the_reward_is_back() -> None:
    one, other, sold = rich(), rich(0), reward()
    stock = Stock.objects.create(reward=sold, left=0)
    empty = reward(kind="code", code_pool=CodePool.objects.create(code="P", name="P"))
    for each in (sold, empty):
        for who in (one, other):
            Waiting.objects.create(reward=each, member=who)
    assert telling.tell_who_waits(now=NOW) == 0
    Stock.objects.filter(pk=stock.pk).update(left=1)
    assert telling.tell_who_waits(now=NOW) == 2
    assert telling.tell_who_waits(now=NOW) == 0
    Waiting.objects.create(reward=sold, member=one)
    assert telling.tell_who_waits(now=NOW) == 1
    assert len([text for text in sent("back_in_stock") if "Flat white is back" in text]) == 3


def test_what_is_over_is_given_back_by_the_beat_and_by_command(capsys: pytest.CaptureFixture[str]) -> None:
    one, past = rich(), timezone.now() - timedelta(hours=1)
    for _ in range(2):
        redeeming.reserve(Ask(one, reward()), now=past)
    assert available(one) == 200
    call_command("keep_catalogue")
    assert available(one) == 1000
    assert "2 reservations and vouchers are over." in capsys.readouterr().out
    assert tasks.give_back_what_is_over() == 0
    assert not Redemption.objects.exclude(status="lapsed").exists()


def test_one_that_cannot_be_given_back_holds_up_no_other() -> None:
    one, past = rich(), timezone.now() - timedelta(hours=1)
    broken, good = (redeeming.reserve(Ask(one, reward()), now=past) for _ in range(2))
    Redemption.objects.filter(pk=broken.pk).update(points=9999)
    assert redeeming.lapse(now=timezone.now()) == 1
    assert set(Redemption.objects.values_list("pk", "status")) == {(broken.pk, "reserved"), (good.pk, "lapsed")}


def test_in_the_portal_a_message_is_words_and_a_link_to_its_page() -> None:
    one = rich()
    held = redeemed(one, reward())
    relay.drain(now=NOW)
    told = next(shown for shown in messaging.inbox(one) if shown["kind"] == "redemption")
    assert told["page"] == f"/redemptions/{held.pk}/"
    assert "http" not in told["body"]
    assert told["body"].startswith("Flat white is yours.")


@pytest.mark.parametrize(
    ("given", "head", "how"),
    [
        ({"kind": "donation"}, "Thank you: Flat white", "there is nothing more to do"),
        ({"fulfilment": "posted"}, "Flat white is yours", "It comes by post, to the address on its page."),
        ({}, "Flat white is yours", "Show its code at the till"),
        ({"money": "1.50"}, "Flat white is yours", "And €1.50 to pay at the till. Show its code at the till"),
    ],
)
def test_the_receipt_says_how_one_gets_it(given: dict[str, Any], head: str, how: str) -> None:
    redeemed(rich(), reward(**given))
    relay.drain(now=NOW)
    [text] = sent("redemption")
    assert text.startswith(head)
    assert how in text
