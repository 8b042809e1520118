"""Points that staff spend for a member: above the shop's limit only with a code that the member was sent and reads out."""

import re
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.core import mail
from django.core.cache import cache
from django.test import Client
from django.utils import timezone

from campaigns.models import Purchase
from catalog.models import Redemption, Reward
from config import retention
from loyalty import limits
from loyalty.problems import Problem
from members import codes, messaging, sending, spending
from members.models import Consent, Member, Message, Shift, SpendCode, StaffProfile, TillAct
from tests.config.test_till import has, heading, rich, sell
from tests.config.tills import BOSS_PIN, colleague, trusted, unlocked
from tests.factories import StoreFactory
from tests.staff import text

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def fresh() -> None:
    cache.clear()


def goods(points: int = 400) -> Reward:
    return Reward.objects.create(code=f"goods-{points}", title="Beans", kind="goods", points=points)


def redeem(till: Client, one: Member, reward: Reward, **given: Any) -> Any:
    wanted = {"reward": reward.code, "points": str(reward.points), "number": f"N-{TillAct.objects.count()}"}
    return till.post(f"/till/member/{one.pk}/rewards/", wanted | given, follow=True)


def mailed() -> str:
    """The code of the last mail."""
    sending.send_due(now=timezone.now())
    found = re.match(r"[0-9]{6}", str(mail.outbox[-1].body).strip())
    assert found, mail.outbox[-1].body
    return found[0]


def wrong() -> str:
    right = codes.to_spend(SpendCode.objects.latest("id").pk)
    return f"{(int(right) + 1) % 10**6:06}"


def test_above_the_limit_the_member_is_asked_for_a_code_that_works_once() -> None:
    till, one, beans = unlocked(), rich(), goods()
    asked = redeem(till, one, beans)
    assert "For 400 points ask the member for the code" in text(asked)
    assert (has(one), Redemption.objects.count(), SpendCode.objects.count()) == (1000, 0, 1)
    code = mailed()
    assert "wants to use 400 points of your card" in str(mail.outbox[-1].body)
    assert one.email not in text(asked)
    assert code not in text(asked)
    mistyped = redeem(till, one, beans, member_code=wrong())
    assert (mistyped.status_code, "This is not the code." in text(mistyped), has(one)) == (409, True, 1000)
    redeem(till, one, beans, member_code=f"{code[:3]} {code[3:]}")
    assert (has(one), Redemption.objects.get().status, TillAct.objects.get().unproved) == (600, "confirmed", 0)
    again = redeem(till, one, beans, member_code=code)
    assert (again.status_code, "This code is over." in text(again), has(one)) == (409, True, 600)
    assert SpendCode.objects.count() == 1
    assert not Message.objects.filter(facts__icontains=code).exists()


def test_five_tries_and_three_mails_are_all() -> None:
    till, one, beans = unlocked(), rich(), goods()
    redeem(till, one, beans)
    right = mailed()
    for _ in range(spending.TRIES):
        assert "This is not the code." in text(redeem(till, one, beans, member_code=wrong()))
    late = text(redeem(till, one, beans, member_code=right))
    assert "Wrong five times." in late
    assert (has(one), SpendCode.objects.count()) == (1000, 1)
    redeem(till, one, beans, anew="1")
    redeem(till, one, beans, anew="1")
    assert "Too many codes were asked for" in text(redeem(till, one, beans, anew="1"))
    redeem(till, one, beans, member_code=mailed())
    assert has(one) == 600


def test_below_the_limit_staff_is_believed_until_a_day_has_used_it_up() -> None:
    till, one, small = unlocked(), rich(), goods(100)
    for left in (900, 800):
        redeem(till, one, small)
        assert has(one) == left
    assert "ask the member for the code" in text(redeem(till, one, small))
    assert spending.used(one.pk, now=timezone.now()) == 200
    till.post(f"/till/done/{TillAct.objects.latest('id').pk}/undo/")
    redeem(till, one, small)
    assert has(one) == 800
    with time_machine.travel(timezone.now() + timedelta(hours=24, seconds=1)):
        assert spending.used(one.pk, now=timezone.now()) == 0


def test_points_as_money_need_the_code_too() -> None:
    till, one = unlocked(), rich()
    asked = sell(till, one, points="500")
    assert (asked.status_code, "For 500 points ask the member" in text(asked)) == (409, True)
    assert not Purchase.objects.exists()
    done = sell(till, one, points="500", member_code=mailed())
    assert (heading(done), has(one)) == ("487 points of Wei used", 513)
    assert sell(till, one, "3", points="150").status_code == 200
    assert "For 100 points ask" in text(sell(till, one, "2", points="100"))
    assert [act.unproved for act in TillAct.objects.order_by("id")] == [0, 150]


def test_a_code_is_of_its_member_its_shop_its_points_and_its_ten_minutes() -> None:
    unlocked()
    one, other, now = rich(), rich(), timezone.now()
    made = spending.send(one, Shift.objects.get(), 300, now=now)
    code, shop = codes.to_spend(made.pk), made.shop_id
    elsewhere = StoreFactory.create(code="S9").pk
    refused: list[tuple[Member, int, int, Any]] = [
        (other, shop, 300, now), (one, elsewhere, 300, now), (one, shop, 301, now), (one, shop, 300, now + spending.VALID),
    ]  # fmt: skip
    for who, where, points, at in refused:
        with pytest.raises(Problem, match="This code is over"):
            spending.check(who, where, points, code, now=at)
    assert spending.check(one, shop, 300, code, now=now) == made
    assert spending.send(one, Shift.objects.get(), 200, now=now) == made


def test_who_has_no_address_uses_no_more_than_the_limit_and_who_wants_no_reminders_gets_the_code() -> None:
    till, quiet, beans = unlocked(), rich(), goods()
    nobody = rich(email=None, phone="+33612345678")
    assert "has no confirmed e-mail address for a code. 200 points a day" in text(redeem(till, nobody, beans))
    assert has(nobody) == 1000
    Consent.objects.create(member=quiet, channel="email", purpose="service", granted=False)
    redeem(till, quiet, beans)
    redeem(till, quiet, beans, member_code=mailed())
    assert has(quiet) == 600


def test_points_that_are_not_there_are_refused_before_a_code_is_sent() -> None:
    till, one, beans = unlocked(), rich(300), goods()
    assert "fewer points than that" in text(redeem(till, one, beans))
    assert not SpendCode.objects.exists()
    trusted(0)
    assert "ask the member for the code" in text(redeem(till, one, goods(1)))


def test_codes_are_forgotten_after_a_month() -> None:
    redeem(unlocked(), rich(), goods())
    for days, left in ((29, 1), (31, 0)):
        retention.forget(now=timezone.now() + timedelta(days=days))
        assert SpendCode.objects.count() == left


def test_a_sale_above_both_limits_takes_the_member_s_code_and_the_manager_s_pin_on_one_page() -> None:
    till, one = unlocked(), rich()
    limits.propose(limits.Limits(40, 45, 100), by=StaffProfile.objects.get().user.actor, now=timezone.now())
    boss = colleague("Marc", role="manager", pin=BOSS_PIN)
    sell(till, one, "40")
    sell(till, one, "25", points="500")
    code = mailed()
    refused = sell(till, one, "25", points="500", member_code=code)
    assert "A manager gives it" in text(refused)
    assert re.search(rf'name="member_code" value="{code}"', text(refused)), "it is not to be typed twice"
    sell(till, one, "25", points="500", member_code=code, manager=boss.pk, manager_pin=BOSS_PIN)
    assert has(one) == 1000 + 40 - 500 + 20


def test_a_code_goes_out_before_all_mail_that_was_due_earlier() -> None:
    unlocked()
    one, now = rich(), timezone.now()
    early = now - timedelta(hours=1)
    messaging.queue([messaging.News(one, Message.Kind.BIRTHDAY, str(year)) for year in range(3)], now=early)
    spending.send(one, Shift.objects.get(), 300, now=now)
    assert sending.send_due(now=now, limit=1).sent == 1
    assert str(mail.outbox[-1].subject).endswith("is your code for the till")
