"""What a hostile eye tries on what points buy: the last one, the last second, the wrong person, the same thing twice."""

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.utils import timezone
from django.utils.formats import date_format

from catalog import handout, issuing, redeeming
from catalog.issuing import Use
from catalog.models import Code, CodePool, Redemption, Reward, Stock, Voucher
from catalog.redeeming import Ask
from loyalty import queries, terms
from loyalty.problems import Problem
from members.models import Member
from tests.api import till
from tests.catalog.selling import available, reward, rich, shop
from tests.factories import member

pytestmark = pytest.mark.django_db
NOW = timezone.now()


def refused(act: Any) -> str:
    with pytest.raises(Problem) as told:
        act()
    return told.value.slug


def held(one: Member, *, quantity: int = 1, **given: Any) -> Redemption:
    return redeeming.confirm(redeeming.reserve(Ask(one, reward(**given), quantity), now=NOW).pk, now=NOW)


def block(one: Member) -> Member:
    one.status = Member.Status.BLOCKED
    one.save(update_fields=["status"])
    return one


@pytest.mark.parametrize("points", [0, 10])
def test_the_last_one_is_not_for_who_may_have_none(points: int) -> None:
    sold = reward(points=points)
    Stock.objects.create(reward=sold, left=1)
    for one in (member(), block(rich())):
        assert refused(lambda one=one: redeeming.reserve(Ask(one, sold), now=NOW)) == "not-eligible"
    assert (Stock.objects.get().left, Redemption.objects.count()) == (1, 0)


def test_a_blocked_card_neither_confirms_nor_uses_what_it_has() -> None:
    one, here = rich(), shop()
    pool = CodePool.objects.create(code="CINEMA", name="Cinema")
    Code.objects.create(pool=pool, text="ABC-1")
    code = redeeming.reserve(Ask(one, reward(kind="code", code_pool=pool)), now=NOW)
    given = Voucher.objects.get(redemption=held(one))
    block(one)
    assert refused(lambda: redeeming.confirm(code.pk, now=NOW)) == "not-eligible"
    assert refused(lambda: issuing.use(given.code, Use(here, "till", "R1"), now=NOW)) == "not-eligible"
    assert not Code.objects.exclude(shown_at=None).exists()
    given.refresh_from_db()
    assert given.used == 0
    assert redeeming.lapse(now=code.reserved_until) == 1
    assert available(one) == 600


def test_what_is_counted_shop_by_shop_is_fetched_where_it_was_taken_from() -> None:
    one, here, there = rich(), shop("S1"), shop("S2")
    sold = reward(points=1)
    for store in (here, there):
        Stock.objects.create(reward=sold, store_id=store.id, left=1)
    one_here = redeeming.confirm(redeeming.reserve(Ask(one, sold, store=here), now=NOW).pk, now=NOW)
    code = Voucher.objects.get(redemption=one_here).code
    assert refused(lambda: issuing.use(code, Use(there, "till", "R1"), now=NOW)) == "not-eligible"
    assert issuing.use(code, Use(here, "till", "R1"), now=NOW).used == 1


def test_a_voucher_used_by_itself_is_not_used_again_on_the_same_receipt() -> None:
    one, counter = rich(), till()
    shop()
    five = held(one, kind="voucher", voucher={"type": "amount", "amount": "5.00", "uses": 2}, points=1)
    code = Voucher.objects.get(redemption=five).code
    at_till = {"store": "S1", "source": "till-1", "receipt_number": "R1"}
    assert counter.post(f"/vouchers/{code}/use", at_till | {"amount": "1000000000"}).status_code == 200
    bought = {
        "member": str(one.pk), "occurred_at": NOW.isoformat(), "currency": "EUR", "vouchers": [code],
        "lines": [{"line_id": "1", "net_amount": "9.00"}],
    }  # fmt: skip
    answer = counter.post("/purchases", at_till | bought)
    assert (answer.status_code, answer.json()["type"].rpartition("/")[2]) == (409, "already-used"), answer.content
    assert counter.post("/purchases", at_till | bought | {"receipt_number": "R2"}).json()["discount"] == "5.00"


def test_a_purchase_larger_than_any_and_a_price_larger_than_any_are_no_error_of_ours() -> None:
    one, counter = rich(), till()
    shop()
    all_off = held(one, kind="voucher", voucher={"type": "percent", "amount": "100"}, points=1)
    body = {
        "source": "till-1", "receipt_number": "R1", "store": "S1", "member": str(one.pk), "occurred_at": NOW.isoformat(),
        "currency": "EUR", "vouchers": [Voucher.objects.get(redemption=all_off).code],
        "lines": [{"line_id": "1", "net_amount": "1000000000"}],
    }  # fmt: skip
    assert counter.post("/purchases", body).json()["discount"] == "1000000000.00"
    sold = reward(points=1, money="99999999.00")
    asked = counter.post("/redemptions", {"member": str(one.pk), "reward": sold.code, "quantity": 100})
    assert (asked.status_code, asked.json()["money"]) == (201, "9999999900.00")


def test_whoever_gives_a_voucher_back_after_its_end_loses_nothing_by_it() -> None:
    one = rich()
    bought = held(one, kind="voucher", voucher={"type": "amount", "amount": "5.00"})
    given = Voucher.objects.get(redemption=bought)
    late = given.valid_until + timedelta(days=400)  # the points' own end is past by then
    redeeming.cancel(bought.pk, by_merchant=False, now=late)
    assert queries.balances([one.holder], late)[one.holder].available == 400


def test_what_was_fetched_in_part_is_handed_over_whole_or_over_with_its_time() -> None:
    one, here = rich(), shop()
    some = [held(one, quantity=2, points=1) for _ in range(2)]
    for place, each in enumerate(some):
        issuing.use(Voucher.objects.get(redemption=each).code, Use(here, "till", f"R{place}"), now=NOW)
    assert set(handout.waiting(None)) == set(some)
    assert redeeming.fulfil(some[0].pk, now=NOW).status == "fulfilled"
    late = Voucher.objects.get(redemption=some[1]).valid_until
    assert redeeming.return_unused(now=late) == 1
    some[1].refresh_from_db()
    assert (some[1].status, handout.waiting(None).count()) == ("fulfilled", 0)


def test_a_reservation_holds_what_was_promised_whatever_becomes_of_the_reward() -> None:
    one, sold = rich(), reward(kind="voucher", voucher={"type": "amount", "amount": "5.00"}, points=100)
    waits = redeeming.reserve(Ask(one, sold), now=NOW)
    Reward.objects.filter(pk=sold.pk).update(
        voucher={"type": "percent", "amount": "1.00"}, points=900, withdrawn_at=NOW, ends_at=NOW, per_member=1
    )
    redeeming.confirm(waits.pk, now=NOW)
    given = Voucher.objects.get()
    assert (given.type, f"{given.value:.2f}", available(one)) == ("amount", "5.00", 900)


def test_a_reservation_whose_time_is_over_stands_in_nobodys_way_before_the_sweep() -> None:
    one, sold = rich(400), reward(per_member=1)
    Stock.objects.create(reward=sold, left=1)
    first = redeeming.reserve(Ask(one, sold), now=NOW)
    assert refused(lambda: redeeming.reserve(Ask(one, sold), now=NOW)) == "limit-reached"
    late = first.reserved_until
    assert refused(lambda: redeeming.confirm(first.pk, now=late)) == "expired"
    again = redeeming.reserve(Ask(one, sold), now=late)
    assert (statuses(first), statuses(again)) == (["reserved", "lapsed"], ["reserved"])
    assert (redeeming.lapse(now=late), Stock.objects.get().left, available(one)) == (0, 0, 0)


def statuses(one: Redemption) -> list[str]:
    return list(one.steps.order_by("id").values_list("status", flat=True))


def test_what_a_voucher_bought_is_had_with_its_last_use_and_not_when_that_is_given_back() -> None:
    one, here = rich(), shop()
    five = held(one, kind="voucher", voucher={"type": "amount", "amount": "5.00", "uses": 2})
    code, path = Voucher.objects.get(redemption=five).code, ["reserved", "confirmed"]
    issuing.use(code, Use(here, "till", "R1"), now=NOW)
    assert statuses(five) == path
    issuing.use(code, Use(here, "till", "R2"), now=NOW)
    issuing.use(code, Use(here, "till", "R2"), now=NOW)
    assert statuses(five) == [*path, "fulfilled"]
    for act in (redeeming.fulfil, lambda id_, now: redeeming.cancel(id_, by_merchant=True, now=now)):
        assert refused(lambda act=act: act(five.pk, now=NOW)) == "already-used"
    for number in ("R1", "R1", "R2"):
        issuing.release(code, "till", number, now=NOW)
    assert statuses(five) == [*path, "fulfilled", "confirmed"]
    assert redeeming.cancel(five.pk, by_merchant=True, now=NOW).status == "cancelled"
    assert available(one) == 1000


def test_a_use_given_back_after_the_time_of_a_voucher_used_in_part_changes_nothing_until_none_is_left() -> None:
    one, here = rich(), shop()
    five = held(one, kind="voucher", voucher={"type": "amount", "amount": "5.00", "uses": 3})
    given = Voucher.objects.get(redemption=five)
    for number in ("R1", "R2"):
        issuing.use(given.code, Use(here, "till", number), now=NOW)
    late = given.valid_until
    assert redeeming.return_unused(now=late) == 1
    issuing.release(given.code, "till", "R1", now=late)
    assert (redeeming.return_unused(now=late), statuses(five)[-1]) == (0, "fulfilled")
    issuing.release(given.code, "till", "R2", now=late)
    assert redeeming.return_unused(now=late) == 1
    assert statuses(five)[-2:] == ["confirmed", "returned"]


def test_a_voucher_says_why_it_is_no_good_any_more() -> None:
    one, here = rich(), shop()

    def told(bought: Redemption, now: datetime = NOW) -> str:
        with pytest.raises(Problem) as problem:
            issuing.use(Voucher.objects.get(redemption=bought).code, Use(here, "till", "R1", Decimal(1)), now=now)
        return f"{problem.value.slug}: {problem.value.detail}"

    handed, cancelled, over = (held(one, points=1) for _ in range(3))
    redeeming.fulfil(handed.pk, now=NOW)
    redeeming.cancel(cancelled.pk, by_merchant=True, now=NOW)
    contract = terms.current(NOW)
    last = contract.last_day(Voucher.objects.get(redemption=over).valid_until)
    assert told(handed) == "already-used: This was handed over before."
    assert told(cancelled) == f"expired: It ended on {date_format(contract.day_of(NOW))}."
    assert told(over, NOW + timedelta(days=32)) == f"expired: It ended on {date_format(last)}."
    small = held(one, kind="voucher", voucher={"type": "amount", "amount": "5", "minimum_spend": "20"}, points=1)
    assert told(small) == "not-eligible: The receipt has to come to €20.00."


def test_what_the_shop_handed_over_of_the_rest_stays_handed_over_when_a_receipt_comes_back() -> None:
    one, here = rich(), shop()
    mugs = held(one, quantity=2, points=1)
    code = Voucher.objects.get(redemption=mugs).code
    issuing.use(code, Use(here, "till", "R1"), now=NOW)
    redeeming.fulfil(mugs.pk, now=NOW)
    assert refused(lambda: issuing.use(code, Use(here, "till", "R2"), now=NOW)) == "already-used"
    issuing.release(code, "till", "R1", now=NOW)
    assert refused(lambda: issuing.use(code, Use(here, "till", "R2"), now=NOW)) == "expired"
    assert statuses(mugs)[-1] == "fulfilled"
