"""Goods that earn nothing and cannot be paid in points (SEMANTICS 1.2): since when, till when, and who says so."""

from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest
from django.db import IntegrityError, connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from django.utils.formats import date_format

from campaigns import goods
from campaigns.awarding import Recorded
from campaigns.models import ExcludedGoods
from campaigns.purchases import record
from campaigns.schemas import LineIn
from config import relay
from loyalty import terms
from loyalty.models import AuditRecord
from loyalty.problems import Problem
from members.models import Message
from tests.campaigns.excluding import exclude
from tests.factories import NOW, ReceiptFactory, StoreFactory, member
from tests.staff import signed_in, text

pytestmark = pytest.mark.django_db
LIST = "/admin/campaigns/excludedgoods/"
INSTANT = timedelta(microseconds=1)


def test_goods_are_excluded_from_an_instant_on_and_before_another() -> None:
    gift = exclude("category", "gift cards", now=NOW)
    exclude("sku", "4711", since=NOW + timedelta(days=1), now=NOW)
    assert goods.end(gift.pk, now=NOW + timedelta(days=7))
    found = goods.excluded()
    held = {days: found.holds("1", "gift cards", NOW + timedelta(days=days)) for days in (-1, 0, 6, 7, 8)}
    assert held == {-1: False, 0: True, 6: True, 7: False, 8: False}
    assert found.holds("1", "gift cards", NOW + timedelta(days=7) - INSTANT)
    assert not found.holds("1", "gift cards", NOW - INSTANT)
    assert [found.holds("4711", "", NOW + timedelta(days=days)) for days in (0, 1, 900)] == [False, True, True]


def test_a_code_is_exact_and_of_its_kind() -> None:
    exclude("category", "Tabac", now=NOW)
    found = goods.excluded()
    assert found.holds("", "Tabac", NOW)
    for sku, category in (("Tabac", ""), ("", "tabac"), ("", "Tabac "), ("", ""), ("Tabac", "Tabacs")):
        assert not found.holds(sku, category, NOW)


def test_what_ended_can_be_excluded_again_and_what_has_not_begun_never_holds() -> None:
    first = exclude("sku", "4711", now=NOW)
    with pytest.raises(Problem, match="excluded already"):
        exclude("sku", "4711", since=NOW + timedelta(days=30), now=NOW)
    assert goods.end(first.pk, now=NOW + timedelta(days=1))
    assert not goods.end(first.pk, now=NOW + timedelta(days=2)), "it keeps the end that it has"
    second = exclude("sku", "4711", since=NOW + timedelta(days=9), now=NOW + timedelta(days=2))
    assert [goods.excluded().holds("4711", "", NOW + timedelta(days=days)) for days in (0, 1, 8, 9)] == [True, False, False, True]
    assert goods.end(second.pk, now=NOW + timedelta(days=3))
    assert not goods.excluded().holds("4711", "", NOW + timedelta(days=9))
    with pytest.raises(Problem, match="lies in the past"):
        exclude("sku", "4712", since=NOW - INSTANT, now=NOW)
    assert ExcludedGoods.objects.count() == 2


def test_the_database_says_the_same_again() -> None:
    for wrong in (
        {"kind": "sku", "code": ""},
        {"kind": "sku", "code": "1", "until": NOW - INSTANT},
    ):
        with pytest.raises(IntegrityError), transaction.atomic():
            ExcludedGoods.objects.create(since=NOW, published_at=NOW, **wrong)
    exclude("sku", "1", now=NOW)
    with pytest.raises(IntegrityError, match="goods_excluded_once"), transaction.atomic():
        ExcludedGoods.objects.create(kind="sku", code="1", since=NOW)


def test_one_statement_reads_them_all() -> None:
    for n in range(20):
        exclude("sku", str(n), now=NOW)
    with CaptureQueriesContext(connection) as asked:
        found = goods.excluded()
    assert len(asked) == 1
    assert all(found.holds(str(n), "", NOW) for n in range(20))


def add(client: Client, **given: str) -> Any:
    return client.post(f"{LIST}add/", {"kind": "category", "code": "tobacco", "starts_on": ""} | given)


def act(client: Client, name: str, one: ExcludedGoods) -> str:
    """Press the button, and press it again on the page that asks."""
    address = f"{LIST}{one.pk}/act/{name}/"
    asked: Any = client.post(address, follow=True)
    if asked.redirect_chain or "review" not in (asked.context or {}):
        return text(asked)
    seen = asked.context["review"].fingerprint
    return text(client.post(address, {"confirmed": "1", "fingerprint": seen}, follow=True))


def bought(category: str) -> None:
    """Somebody bought such goods."""
    StoreFactory.create(code="S9")
    one = member(home_store="S9")
    lines = [LineIn(line_id="1", net_amount=Decimal("9.00"), category=category)]
    receipt = ReceiptFactory.build(member=str(one.pk), store="S9", lines=lines)
    [outcome] = record([receipt], now=timezone.now())
    assert isinstance(outcome, Recorded)


def test_an_owner_excludes_what_nobody_bought_and_ends_it_and_both_are_written_down() -> None:
    client = signed_in("owner")
    assert add(client).status_code == 302
    one = ExcludedGoods.objects.get()
    assert not goods.excluded().holds("", "tobacco", timezone.now()), "a draft holds for nothing"
    assert "Published." in act(client, "publish", one)
    assert goods.excluded().holds("", "tobacco", timezone.now())
    page = f"{LIST}{one.pk}/change/"
    assert "Let these goods earn again" in text(client.get(page))
    assert client.post(page, {"kind": "sku", "code": "other"}).status_code == 403
    assert "no points are given for, and none can pay for: tobacco." in text(Client().get("/rules/"))
    asked = {"action": "end", "_selected_action": str(one.pk)}
    assert "tobacco" in text(client.post(LIST, asked))
    assert goods.excluded().holds("", "tobacco", timezone.now())
    assert "These earn again: tobacco." in text(client.post(LIST, asked | {"confirmed": "1"}, follow=True))
    assert not goods.excluded().holds("", "tobacco", timezone.now())
    assert "Let these goods earn again" not in text(client.get(page))
    records = AuditRecord.objects.filter(object_id=str(one.pk), object_type=goods.LABEL).order_by("number")
    assert [record.verb for record in records] == ["excludedgoods.drafted", "excludedgoods.published", "excludedgoods.ended"]
    assert "tobacco" in text(client.get(f"{LIST}{one.pk}/history/"))


def test_what_somebody_bought_is_excluded_after_the_notice_by_two_persons_and_members_are_told() -> None:
    bought("tobacco")
    owner, now = signed_in("owner"), timezone.now()
    contract = terms.current(now)
    soon = contract.day_of(now) + timedelta(days=2)
    assert add(owner, starts_on=soon.isoformat()).status_code == 302
    one = ExcludedGoods.objects.get()
    assert "days of notice" in text(owner.get(f"{LIST}{one.pk}/change/"))
    late = contract.day_of(now) + timedelta(days=contract.notice_days + 2)
    changed = {"kind": "category", "code": "tobacco", "starts_on": late.isoformat()}
    assert owner.post(f"{LIST}{one.pk}/change/", changed).status_code == 302
    assert "second person" in act(owner, "publish", one)
    assert "Waits for a second person." in act(owner, "ask", one)
    act(owner, "approve", one)
    assert "second person" in act(owner, "publish", one), "nobody approves their own"
    finance = signed_in("finance")
    assert "Approved." in act(finance, "approve", one)
    assert "Published." in act(owner, "publish", one)
    one.refresh_from_db()
    assert (one.detriment, one.since) == (True, contract.midnight_after(late - timedelta(days=1)))
    assert one.approved_by not in (None, one.drafted_by, one.published_by)
    assert not goods.excluded().holds("", "tobacco", now)
    assert one.since
    assert goods.excluded().holds("", "tobacco", one.since)
    page = text(Client().get("/rules/"))
    assert "Tobacco: earns no points and cannot be paid in points." in page
    assert date_format(late, "DATE_FORMAT") in page
    relay.drain(now=timezone.now())
    [told] = Message.objects.filter(kind=Message.Kind.TERMS_CHANGE, channel=Message.Channel.INBOX)
    assert told.facts["on"] == late.isoformat()
    assert "Tobacco: earns no points" in told.facts["said"]["en"][1]


def test_the_database_refuses_an_exclusion_without_approval_or_notice_and_another_word_later() -> None:
    held = exclude("sku", "4711", now=NOW)
    people: dict[str, Any] = {"drafted_by": uuid4(), "published_by": uuid4(), "published_at": NOW, "detriment": True}
    for wrong in ({"since": NOW + timedelta(days=900)}, {"since": NOW + timedelta(days=1), "approved_by": uuid4()}):
        with pytest.raises(IntegrityError), transaction.atomic():
            ExcludedGoods.objects.create(kind="sku", code="1", **people | wrong)
    for change in ({"code": "4712"}, {"since": NOW + timedelta(days=1)}):
        with pytest.raises(IntegrityError), transaction.atomic():
            ExcludedGoods.objects.filter(pk=held.pk).update(**change)
    with pytest.raises(IntegrityError), transaction.atomic():
        ExcludedGoods.objects.filter(pk=held.pk).delete()


def test_a_start_on_a_later_day_is_its_midnight_and_a_wrong_one_is_refused_at_its_field() -> None:
    owner = signed_in("owner")
    contract = terms.current(timezone.now())
    tomorrow = contract.day_of(timezone.now()) + timedelta(days=1)
    past = add(owner, starts_on=(tomorrow - timedelta(days=2)).isoformat())
    assert "lies in the past" in past.context["adminform"].form.errors["starts_on"][0]
    assert add(owner, starts_on=tomorrow.isoformat()).status_code == 302
    assert ExcludedGoods.objects.get().since == contract.midnight_after(tomorrow - timedelta(days=1))
    again = add(owner)
    assert again.context["adminform"].form.errors["code"] == ["These goods are excluded already, or will be."]
    assert add(owner, code=" ").context["adminform"].form.errors["code"] == ["Fill in the field “SKU or category”."]
    assert ExcludedGoods.objects.count() == 1


@pytest.mark.parametrize("role", ["manager", "marketer", "finance", "support"])
def test_others_look_on(role: str) -> None:
    one = exclude("sku", "4711", now=NOW)
    client = signed_in(role)
    assert "4711" in text(client.get(LIST))
    assert add(client).status_code == 403
    assert "Let these goods earn again" not in text(client.get(f"{LIST}{one.pk}/change/"))
    client.post(LIST, {"action": "end", "_selected_action": str(one.pk), "confirmed": "1"})
    assert ExcludedGoods.objects.get().until is None


def test_staff_bound_to_a_store_do_not_exclude_for_all() -> None:
    one = exclude("sku", "4711", now=NOW)
    StoreFactory.create()
    bound = signed_in("owner", stores=["S1"])
    assert bound.get(LIST).status_code == 200
    assert add(bound).status_code == 403
    bound.post(LIST, {"action": "end", "_selected_action": str(one.pk), "confirmed": "1"})
    assert ExcludedGoods.objects.get().until is None
