"""What runs low is told to whoever keeps the catalogue: once each time that it falls, not with each redemption."""

from datetime import timedelta

import pytest
from django.core import mail
from django.utils import timezone

from catalog import keeping, lowwater, redeeming, tasks
from catalog.models import Code, CodePool, Reward, Stock
from catalog.redeeming import Ask
from loyalty import terms
from members import messaging, sending
from members.models import Member, Message, User
from members.staffing import employ
from tests.catalog.selling import reward, rich, shop
from tests.staff import signed_in, text

pytestmark = pytest.mark.django_db
NOW = timezone.now()


@pytest.fixture(autouse=True)
def staff() -> None:
    shop()
    for role, stores in (("owner", ()), ("marketer", ()), ("finance", ()), ("manager", ("S1",))):
        employ(f"{role}@shop.example", role=role, stores=stores)
    employ("gone@shop.example", role="marketer")
    User.objects.filter(email="gone@shop.example").update(is_active=False)


def sent() -> list[tuple[str, str]]:
    """To whom and what about, of the mails that go out now."""
    mail.outbox.clear()
    sending.send_due(now=timezone.now() + timedelta(days=1))
    return sorted((one.to[0].partition("@")[0], str(one.subject)) for one in mail.outbox)


def redeem(one: Member, sold: Reward) -> None:
    redeeming.reserve(Ask(one, sold), now=NOW)


def test_stock_that_falls_to_its_mark_is_told_once_and_again_after_it_was_filled() -> None:
    one, sold = rich(), reward(points=10, title="Mug", low_water=2)
    Stock.objects.create(reward=sold, left=4)
    redeem(one, sold)
    tasks.tell_of_rewards()
    assert sent() == []
    for _ in range(2):
        redeem(one, sold)
        tasks.tell_of_rewards()
    assert sent() == [("marketer", "Mug: 2 left."), ("owner", "Mug: 2 left.")]
    assert f"/admin/catalog/reward/{sold.pk}/change/" in str(mail.outbox[0].body)
    [html] = Message.objects.filter(user__email="owner@shop.example")
    assert "because you keep the catalogue" in messaging.rendered(html, terms.published(), NOW)[2]
    keeping.restock(sold.code, {None: 5}, actor=one.pk)
    tasks.tell_of_rewards()
    keeping.restock(sold.code, {None: -6}, actor=one.pk)
    tasks.tell_of_rewards()
    assert [subject for _to, subject in sent()] == ["Mug: 0 left."] * 2


def test_each_shop_falls_by_itself_and_what_nobody_offers_is_not_told() -> None:
    quay = shop("S2")
    Stock.objects.create(reward=reward(title="Mug", low_water=3), store_id=quay.id, left=1)
    Stock.objects.create(reward=reward(title="Cup", low_water=3, withdrawn_at=NOW), left=1)
    Stock.objects.create(reward=reward(title="Jug"), left=1)
    assert lowwater.tell(now=NOW) == 1
    [low] = lowwater.standing()
    assert (low.name, low.left, low.store) == ("Mug", 1, quay.name)
    assert lowwater.tell(now=NOW + timedelta(hours=1)) == 0
    assert f"Mug: 1 left at {low.store}." in text(signed_in("marketer").get("/admin/"))


def test_a_pool_that_runs_dry_is_told_once() -> None:
    pool = CodePool.objects.create(code="REX", name="Rex", low_water=2)
    Code.objects.bulk_create([Code(pool=pool, text=f"REX-{number}") for number in range(3)])
    sold, one = reward(kind="code", code_pool=pool, points=10), rich()
    for _ in range(2):
        redeem(one, sold)
        tasks.tell_of_rewards()
    assert sent() == [("marketer", "Rex: 2 codes left to hand out."), ("owner", "Rex: 2 codes left to hand out.")]
    page = text(signed_in("owner").get("/admin/members/message/"))
    assert "owner@shop.example" in page
    assert "stock runs low" in page


def test_who_left_meanwhile_is_not_written_to() -> None:
    Stock.objects.create(reward=reward(low_water=1, title="Mug"), left=1)
    lowwater.tell(now=NOW)
    User.objects.filter(email="owner@shop.example").update(is_active=False)
    assert [to for to, _subject in sent()] == ["marketer"]
    assert Message.objects.exclude(failed_at=None).get().user.email == "owner@shop.example"  # type: ignore[union-attr]


def test_the_mark_is_kept_by_the_api_and_in_the_admin() -> None:
    sold = reward(code="mug", low_water=7)
    assert keeping.document(keeping.find("mug"), 2)["low_water"] == 7
    assert 'name="low_water" value="7"' in text(signed_in("marketer").get(f"/admin/catalog/reward/{sold.pk}/change/"))
