"""Tiers in the admin: a table from draft to publication, tiers by hand with two people, the history on the member's page."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from members.models import TierOverride, TierTable
from tests.config.test_terms_admin import act
from tests.factories import ApplicationFactory, member, members
from tests.members.tiering import earn, gain, publish, standing
from tests.staff import signed_in, text

pytestmark = pytest.mark.django_db
LIST, BY_HAND = "/admin/members/tiertable/", "/admin/members/tieroverride/"
FORM: dict[str, Any] = {
    "basis": "points", "window": "calendar_year", "review": "one_down", "grace_days": "14", "starts_on": "",
    "code_0": "silver", "name_0": "Silver", "threshold_0": "500", "reward_0": "50", "fr_0": "Argent", "zh-hans_0": "银",
    "code_1": "gold", "name_1": "Gold", "threshold_1": "1000", "reward_1": "",
}  # fmt: skip


def drafted(owner: Client, **given: Any) -> TierTable:
    response = owner.post(f"{LIST}add/", FORM | given)
    assert response.status_code == 302, text(response)
    return TierTable.objects.get(published_at=None)


def test_a_first_table_is_drafted_looked_at_and_published() -> None:
    member()
    owner = signed_in("owner")
    one = drafted(owner)
    page = text(owner.get(f"{LIST}{one.pk}/change/"))
    for said in ("Silver: from 500 points on. 50 points on reaching it.", "Gold: from 1,000 points on.", "Publish this change"):
        assert said in page, said
    assert "Published." in text(act(owner, "publish", one, page=LIST))
    silver = one.tiers.get(code="silver")
    assert (silver.names, silver.entry_reward) == ({"fr": "Argent", "zh-hans": "银"}, 50)
    frozen = text(owner.get(f"{LIST}{one.pk}/change/"))
    assert "If you do not reach it again by then, you go one tier down." in frozen
    assert 'name="code_0"' not in frozen


def test_a_worse_table_goes_by_a_second_person() -> None:
    member()
    owner, finance = signed_in("owner"), signed_in("finance")
    act(owner, "publish", drafted(owner), page=LIST)
    one = drafted(owner, threshold_1="2000")
    page = text(owner.get(f"{LIST}{one.pk}/change/"))
    assert "60 days of notice" in page
    assert "Ask for approval" in page
    act(owner, "ask", one, page=LIST)
    assert "publish tiers" in text(finance.get("/admin/members/approvalrequest/?decision__exact="))
    assert "Approved" in text(act(finance, "approve", one, page=LIST))
    assert "Published." in text(act(owner, "publish", one, page=LIST))
    one.refresh_from_db()
    assert one.detriment


def test_a_draft_is_changed_and_what_is_wrong_stands_at_its_field() -> None:
    owner = signed_in("owner")
    one = drafted(owner)
    assert owner.post(f"{LIST}{one.pk}/change/", FORM | {"threshold_1": "900"}).status_code == 302
    assert one.tiers.get(code="gold").threshold == 900
    assert "Give a threshold from 0 on." in text(owner.post(f"{LIST}{one.pk}/change/", FORM | {"threshold_1": ""}))
    assert "a code and a threshold of its own" in text(owner.post(f"{LIST}{one.pk}/change/", FORM | {"threshold_1": "500"}))
    assert "Give a threshold with fewer decimals." in text(owner.post(f"{LIST}{one.pk}/change/", FORM | {"threshold_1": "1.5"}))
    act(owner, "discard", one, page=LIST)
    assert not TierTable.objects.exists()


def test_others_look_and_do_not_write() -> None:
    one = publish(now=timezone.now())
    for role, seen in (("marketer", 200), ("support", 200), ("cashier", 403)):
        client = signed_in(role)
        assert client.get(f"{LIST}{one.pk}/change/").status_code == seen
        assert client.post(f"{LIST}add/", FORM).status_code == 403


def test_support_asks_for_a_tier_and_the_owner_agrees() -> None:
    now = timezone.now()
    one = member(now=now)
    publish(now=now)
    support, owner = signed_in("support"), signed_in("owner")
    last = (now + timedelta(days=90)).date().isoformat()
    form = {"member": str(one.pk), "tier": "gold", "until": last, "why": "moved from the old card"}
    assert "a second person has to agree first" in text(support.post(f"{BY_HAND}add/", form, follow=True))
    override = TierOverride.objects.get()
    page = f"{BY_HAND}{override.pk}/change/"
    assert "Agree, and set the tier" not in text(support.get(page))
    assert support.post(f"{BY_HAND}{override.pk}/decide/approve/").status_code == 403
    assert "Agree, and set the tier" in text(owner.get(page))
    assert owner.get(f"{BY_HAND}{override.pk}/decide/approve/").status_code == 403
    assert "set a tier by hand" in text(owner.get("/admin/members/approvalrequest/?decision__exact="))
    assert "Approved." in text(owner.post(f"{BY_HAND}{override.pk}/decide/approve/", follow=True))
    assert standing(one).tier == "gold"
    shown = text(owner.get(f"/admin/members/member/{one.pk}/change/"))
    assert "set by hand" in shown
    assert "Gold" in shown


def test_the_lists_cost_the_same_for_few_and_for_many() -> None:
    now = timezone.now()
    publish(now=now)
    owner, support = signed_in("owner"), signed_in("support")
    costs: dict[str, list[int]] = {LIST: [], BY_HAND: []}
    last = (now + timedelta(days=90)).date().isoformat()
    for many in (2, 20):
        for one in members([ApplicationFactory.build() for _ in range(many)], now=now):
            support.post(f"{BY_HAND}add/", {"member": str(one.pk), "tier": "gold", "until": last, "why": "old card"})
            publish(now=now, grace_days=TierTable.objects.count())
        for page, asked in costs.items():
            with CaptureQueriesContext(connection) as found:
                assert owner.get(page).status_code == 200
            asked.append(len(found))
    assert all(len(set(asked)) == 1 for asked in costs.values()), costs


def test_the_member_page_shows_the_history() -> None:
    now = timezone.now()
    one = member(now=now)
    publish(now=now)
    earn(gain(one, 1200, at=now), now=now)
    shown = text(signed_in("support").get(f"/admin/members/member/{one.pk}/change/"))
    assert shown.index("Gold") < shown.index("Silver"), "newest first"
    assert f"31 December {now.year + 1}" in shown
