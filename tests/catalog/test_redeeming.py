"""A redemption from reservation to delivery, or back (SEMANTICS 7)."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from catalog import issuing, redeeming
from catalog.issuing import Use
from catalog.models import Code, CodePool, Redemption, Reward, RewardPrice, Stock, Voucher
from catalog.redeeming import Ask
from loyalty import queries, verifying
from loyalty.problems import Problem
from members.models import Member
from tests.factories import StoreFactory, give, member

pytestmark = pytest.mark.django_db
NOW = timezone.now()


def rich(points: int = 1000) -> Member:
    one = member()
    Member.objects.filter(pk=one.pk).update(email_verified_at=NOW)
    one.refresh_from_db()
    give(one.holder, points, at=NOW)
    return one


def reward(**given: Any) -> Reward:
    return Reward.objects.create(**{"code": "flat-white", "title": "Flat white", "kind": "goods", "points": 400} | given)


def has(one: Member) -> int:
    return queries.balances([one.holder], NOW)[one.holder].available


def slug(ask: Ask) -> str:
    with pytest.raises(Problem) as told:
        redeeming.reserve(ask, now=NOW)
    return told.value.slug


def test_points_go_at_once_and_a_voucher_is_used_once() -> None:
    one, shop = rich(), queries.stores_by_code([StoreFactory.create().code])["S1"]
    held = redeeming.reserve(Ask(one, reward(), store=shop), now=NOW)
    assert (held.status, held.points, has(one)) == ("reserved", 400, 600)
    assert redeeming.confirm(held.pk, now=NOW).status == "confirmed"
    assert redeeming.confirm(held.pk, now=NOW).status == "confirmed"
    voucher = Voucher.objects.get()
    use = Use(shop, "till-1", "R1")
    assert issuing.use(voucher.code.lower(), use, now=NOW).used == 1
    assert issuing.use(voucher.code, use, now=NOW).used == 1
    with pytest.raises(Problem, match="Used on") as told:
        issuing.use(voucher.code, Use(shop, "till-2", "R2"), now=NOW)
    assert told.value.slug == "already-used"
    assert issuing.release(voucher.code, "till-1", "R1", now=NOW).used == 0
    assert not [each for each in verifying.verify() if each.bad_row]


def test_what_comes_to_nothing_gives_points_stock_and_codes_back_to_where_they_were() -> None:
    one, pool = rich(), CodePool.objects.create(code="CINEMA", name="Cinema")
    Code.objects.create(pool=pool, text="ABC-1")
    sold = reward(kind="code", code_pool=pool)
    Stock.objects.create(reward=sold, left=1)
    held = redeeming.reserve(Ask(one, sold), now=NOW)
    assert slug(Ask(rich(), sold)) == "out-of-stock"
    assert redeeming.lapse(now=NOW + timedelta(minutes=14)) == 0
    assert redeeming.lapse(now=NOW + timedelta(minutes=15)) == 1
    assert redeeming.lapse(now=NOW + timedelta(minutes=16)) == 0
    assert (has(one), Stock.objects.get().left, Code.objects.filter(redemption=None).count()) == (1000, 1, 1)
    with pytest.raises(Problem, match="over"):
        redeeming.confirm(held.pk, now=NOW)
    again = redeeming.reserve(Ask(one, sold), now=NOW)
    assert redeeming.confirm(again.pk, now=NOW).status == "fulfilled"
    with pytest.raises(Problem):
        redeeming.cancel(again.pk, by_merchant=True, now=NOW)


def test_an_unused_voucher_gives_the_points_back_once() -> None:
    one = rich()
    held = redeeming.reserve(Ask(one, reward()), now=NOW)
    redeeming.confirm(held.pk, keep=False, now=NOW)
    assert redeeming.return_unused(now=NOW + timedelta(minutes=14)) == 0
    assert redeeming.return_unused(now=NOW + timedelta(minutes=15)) == 1
    assert redeeming.return_unused(now=NOW + timedelta(minutes=16)) == 0
    assert (has(one), Redemption.objects.get().status) == (1000, "returned")


def test_prices_limits_tiers_and_what_is_lacking() -> None:
    one, cheap = rich(), reward(code="cheap", per_member=1)
    RewardPrice.objects.create(reward=cheap, points=100, ends_at=NOW + timedelta(days=1))
    RewardPrice.objects.create(reward=cheap, points=10, tier="gold")
    held = redeeming.reserve(Ask(one, cheap, points=100), now=NOW)
    assert held.points == 100
    assert slug(Ask(one, cheap)) == "limit-reached"
    redeeming.cancel(held.pk, by_merchant=False, now=NOW)
    assert slug(Ask(one, cheap, points=400)) == "quote-expired"
    assert slug(Ask(one, reward(code="gold", tiers=["gold"]))) == "not-eligible"
    assert slug(Ask(one, reward(code="car", points=1001))) == "insufficient-points"
    assert slug(Ask(member(), reward(code="tea"))) == "not-eligible"
    assert has(one) == 1000
