"""The demo: rules, acts and rewards through the public verbs, and nothing twice."""

import random
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from campaigns import events
from campaigns.awarding import Recorded
from campaigns.models import Event, RuleVersion
from catalog import pictures
from catalog.models import Code, Redemption, Reward, Voucher
from config.demo import counter, filling, menu, offer, redeeming
from loyalty import terms, verifying
from members.models import Device, Member, StaffProfile
from members.staffing import employ
from tests.factories import NOW, ApplicationFactory, give, members

pytestmark = pytest.mark.django_db


def test_the_demos_acts_are_published_once_and_pay_for_check_ins() -> None:
    contract = terms.current(NOW)
    people = members(ApplicationFactory.build_batch(3))
    cards = [one.cards.get().number for one in people]
    told = list(filling.check_ins(cards, random.Random(filling.SEED), contract, now=NOW))  # noqa: S311
    for _ in range(2):
        filling.publish_acts(now=NOW - timedelta(days=filling.ACTS_DAYS))
        assert all(isinstance(one, Recorded) for one in events.record(told, now=NOW))
    assert RuleVersion.objects.filter(kind="event").count() == len(menu.ACTS)
    first = Event.objects.filter(member=Member.objects.get(cards__number=cards[0])).order_by("day")
    assert list(first.values_list("streak", "points_earned")) == [(n, 5) for n in range(1, 7)]
    assert Event.objects.count() == len(told)
    assert Event.objects.filter(points_earned=0).count() == 0


def test_the_demos_catalogue_is_put_once_and_had_for_points() -> None:
    contract = terms.current(NOW)
    filling.stores()
    filling.tiers(now=NOW - timedelta(days=20))
    draw = random.Random(filling.SEED)  # noqa: S311
    for _ in range(2):
        redeeming.stock_up(draw, now=NOW - timedelta(days=20))
    standing = list(Reward.objects.all())
    assert {one.code for one in standing} == set(offer.REWARDS)
    assert all(pictures.is_kept(str(one.picture.name)) and set(one.translations) == set(offer.LANGUAGES) for one in standing)
    assert Code.objects.count() == redeeming.CODES
    people = members(ApplicationFactory.build_batch(12, verified=True), now=NOW - timedelta(days=20))
    for one in people:
        give(one.holder, 500, at=NOW - timedelta(days=19))
    cards = [one.cards.get().number for one in people]
    assert redeeming.some(cards, draw, contract, now=NOW - timedelta(days=7)) == redeeming.AT_A_TIME
    redeeming.for_the_logins(cards, contract, now=NOW)
    assert [Redemption.objects.filter(member=one).count() for one in people[:2]] == [2, 2]
    assert Voucher.objects.filter(member=people[0], used=0).count() == 1
    assert not [each for each in verifying.verify() if each.bad_row]


def test_the_demos_till_can_be_bound_and_opened_and_a_second_run_keeps_its_pins() -> None:
    filling.stores()
    for role in ("manager", "cashier", "marketer"):
        employ(f"{role}@demo.example", role=role, name=menu.STAFF[role], stores=["harbour"])
    told, first = counter.give_pins(now=timezone.now()), counter.code(now=timezone.now())
    assert [line.split()[1] for line in told] == ["Aïcha", "Marc"]
    assert counter.give_pins(now=timezone.now()) == []
    client, typed = Client(), counter.code(now=timezone.now()).split("/till/")[1].partition("(")[0]
    assert client.post("/till/register/", {"code": first.split("/till/")[1].partition("(")[0]}).status_code == 200
    assert client.post("/till/register/", {"code": typed}).status_code == 302
    staff = StaffProfile.objects.get(role="cashier").pk
    assert client.post("/till/lock/", {"staff": staff, "pin": told[0].split()[-1]})["Location"] == "/till/"
    counter.code(now=timezone.now())
    assert Device.objects.count() == 2, "the one that works is left alone"
