"""The demo's acts: rules through the public verbs, check-ins by them, and nothing twice."""

import random
from datetime import timedelta

import pytest

from campaigns import events
from campaigns.awarding import Recorded
from campaigns.models import Event, RuleVersion
from config.demo import filling, menu
from loyalty import terms
from members.models import Member
from tests.factories import NOW, ApplicationFactory, members

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
