"""Adjusting in the admin: the form, the page that shows the effect, what waits, and who may do what."""

from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from campaigns.purchases import record
from loyalty import limits, queries
from loyalty.ids import uuid7
from loyalty.models import GrantLimits
from members.models import Adjustment, ApiKey, ApprovalRequest, Member
from tests.factories import ReceiptFactory, StoreFactory, give, member
from tests.staff import signed_in, text

pytestmark = pytest.mark.django_db
APPROVALS = "/admin/members/approvalrequest/"


def address(one: Member) -> str:
    return f"/admin/members/member/{one.pk}/adjust/"


def typed(points: int = 500, **given: Any) -> dict[str, Any]:
    return {"direction": "give", "amount": points, "reason": "goodwill", "token": str(uuid7())} | given


def errors(response: Any) -> list[str]:
    return list(response.context["form"].errors)


def balance(one: Member) -> int:
    return queries.net_balances([one.holder])[one.holder]


def badge(client: Client) -> list[Any]:
    response: Any = client.get("/admin/")
    return [item.get("badge") for group in response.context["sidebar_navigation"] for item in group["items"] if "badge" in item]


def test_the_effect_is_shown_before_anything_moves_and_then_it_is_posted() -> None:
    one, store = member(), StoreFactory.create()
    give(one.holder, 1_240, at=timezone.now())
    owner, sent = signed_in("owner"), typed(store=store.pk, note="broken cup")
    shown = text(owner.post(address(one), sent))
    assert "1,240 → 1,740" in shown
    assert "Post +500 points" in shown
    assert "broken cup" in shown
    assert (balance(one), Adjustment.objects.count()) == (1_240, 0)
    done = owner.post(address(one), sent | {"confirmed": "1"}, follow=True)
    assert "Posted: +500 points." in text(done)
    assert balance(one) == 1_740
    assert Adjustment.objects.get().store == store


def test_going_back_keeps_what_was_typed() -> None:
    one, owner = member(), signed_in("owner")
    response: Any = owner.post(address(one), typed(77, note="cup") | {"change": "1"})
    assert (response.context["form"]["amount"].value(), response.context["form"]["note"].value()) == ("77", "cup")
    assert not response.context["form"].errors


@pytest.mark.parametrize(
    ("given", "place"),
    [
        ({"amount": ""}, "amount"), ({"amount": "0"}, "amount"), ({"amount": "-5"}, "amount"), ({"reason": ""}, "reason"),
        ({"reason": "other"}, "note"), ({"receipt": "R-unknown"}, "receipt"), ({"direction": "take"}, "__all__"),
        ({"store": "12345"}, "store"), ({"amount": str(10**30)}, "amount"), ({"token": "x"}, "token"),
    ],
)  # fmt: skip
def test_wrong_input_stands_at_its_field_and_moves_nothing(given: dict[str, Any], place: str) -> None:
    one, owner = member(), signed_in("owner")
    for confirmed in ({}, {"confirmed": "1"}):
        assert errors(owner.post(address(one), typed() | given | confirmed)) == [place]
    assert (balance(one), Adjustment.objects.count()) == (0, 0)


def test_a_receipt_of_the_member_stands_in_the_books() -> None:
    one, store = member(), StoreFactory.create()
    record([ReceiptFactory.build(member=str(one.pk), store=store.code, receipt_number="T-7")], now=timezone.now())
    signed_in("owner").post(address(one), typed(receipt="T-7", confirmed="1"))
    assert queries.statement(one.holder)[0].reference == "T-7"


def test_over_the_limit_the_page_says_so_and_a_second_person_posts_it() -> None:
    one, owner, finance = member(), signed_in("owner"), signed_in("finance")
    sent = typed(6_000)
    assert "This needs a second person." in text(owner.post(address(one), sent))
    owner.post(address(one), sent | {"confirmed": "1"})
    [asked] = ApprovalRequest.objects.all()
    page = f"{APPROVALS}{asked.pk}/change/"
    assert "adjust points" in text(finance.get(APPROVALS))
    assert "0 → 6,000" in text(finance.get(page))
    assert "somebody else decides" in text(owner.get(page))
    assert [badge(client) for client in (owner, finance, signed_in("support"))] == [[1], [1], []]
    finance.post(f"{APPROVALS}{asked.pk}/decide/", {"decision": "approved"})
    assert balance(one) == 6_000
    assert (Adjustment.objects.get().status, badge(owner)) == ("posted", [])
    assert "Finance" in text(owner.get(page))


def test_a_refusal_says_why() -> None:
    one, finance = member(), signed_in("finance")
    signed_in("support").post(address(one), typed(5, confirmed="1"))
    [asked] = ApprovalRequest.objects.all()
    decide = f"{APPROVALS}{asked.pk}/decide/"
    assert "Say why" in text(finance.post(decide, {"decision": "refused", "note": " "}, follow=True))
    assert "no receipt" in text(finance.post(decide, {"decision": "refused", "note": "no receipt"}, follow=True))
    assert (Adjustment.objects.get().status, balance(one)) == ("refused", 0)


def test_an_approval_that_can_not_be_carried_out_decides_nothing() -> None:
    one, finance = member(), signed_in("finance")
    signed_in("support").post(address(one), typed(5, confirmed="1"))
    Member.objects.update(status=Member.Status.BLOCKED)
    [asked] = ApprovalRequest.objects.all()
    said = text(finance.post(f"{APPROVALS}{asked.pk}/decide/", {"decision": "approved"}, follow=True))
    assert "blocked or closed" in said
    assert ApprovalRequest.objects.get().decision == ""


@pytest.mark.parametrize(
    ("role", "may"), [("owner", 302), ("manager", 302), ("support", 302), ("finance", 404), ("marketer", 404), ("cashier", 404)]
)
def test_only_roles_that_correct_reach_the_form(role: str, may: int) -> None:
    one, client = member(), signed_in(role)
    assert client.post(address(one), typed(confirmed="1")).status_code == may
    assert balance(one) == (500 if role in ("owner", "manager") else 0)
    assert ("Adjust points" in text(client.get(f"/admin/members/member/{one.pk}/change/"))) == (may == 302)


@pytest.mark.parametrize("role", ["manager", "marketer", "support", "cashier"])
def test_only_owner_and_finance_decide(role: str) -> None:
    one = member()
    signed_in("owner").post(address(one), typed(6_000, confirmed="1"))
    [asked] = ApprovalRequest.objects.all()
    assert signed_in(role).post(f"{APPROVALS}{asked.pk}/decide/", {"decision": "approved"}).status_code == 404
    assert balance(one) == 0


def test_a_manager_corrects_members_of_the_own_store_alone() -> None:
    mine, other = StoreFactory.create(code="S1"), StoreFactory.create(code="S2")
    ours, theirs = member(home_store=mine.code), member(home_store=other.code)
    manager = signed_in("manager", stores=["S1"])
    assert manager.post(address(theirs), typed(confirmed="1")).status_code == 404
    assert errors(manager.post(address(ours), typed(store=other.pk))) == ["store"]
    assert manager.post(address(ours), typed(confirmed="1")).status_code == 302
    response: Any = manager.get("/admin/members/adjustment/")
    assert [one.member for one in response.context["cl"].result_list] == [ours]


def test_the_adjustments_of_the_week_are_a_saved_view() -> None:
    one, owner = member(), signed_in("owner")
    owner.post(address(one), typed(confirmed="1"))
    shown = text(owner.get("/admin/members/adjustment/"))
    assert "Manual adjustments this week" in shown
    link = shown.partition("?requested_at_from=")[2][:10]
    response: Any = owner.get("/admin/members/adjustment/", {"requested_at_from": link})
    assert len(response.context["cl"].result_list) == 1


def test_limits_are_set_on_their_page() -> None:
    owner, page = signed_in("owner"), "/admin/loyalty/grantlimits/add/"
    response: Any = owner.get(page)
    assert response.context["adminform"].form.initial["single_points"] == 5_000
    lower = {"single_points": 100, "day_points": 200, "month_points": 300}
    assert "hold from now on" in text(owner.post(page, lower, follow=True))
    assert limits.current().single == 100
    higher = lower | {"single_points": 200}
    assert "Waits for a second person" in text(owner.post(page, higher, follow=True))
    assert limits.current().single == 100
    wrong: Any = owner.post(page, lower | {"day_points": 1})
    assert list(wrong.context["adminform"].form.errors) == ["day_points"]
    [asked] = ApprovalRequest.objects.all()
    finance = signed_in("finance")
    assert "100 → 200" in text(finance.get(f"{APPROVALS}{asked.pk}/change/"))
    finance.post(f"{APPROVALS}{asked.pk}/decide/", {"decision": "approved"})
    assert limits.current().single == 200
    assert signed_in("manager").get(page).status_code == 403
    assert GrantLimits.objects.count() == 3


def test_a_key_says_whose_grants_its_are() -> None:
    owner, finance = signed_in("owner"), signed_in("finance")
    owner.post("/admin/members/apikey/add/", {"name": "till", "scopes": ["pos"]})
    key = ApiKey.objects.get()
    page = f"/admin/members/apikey/{key.pk}/change/"
    shown = text(owner.get(page))
    assert "count as granted by whoever made the key" in shown
    assert "Ask a second person to trust it" in shown
    owner.post(f"/admin/members/apikey/{key.pk}/trust/")
    assert "Ask a second person to trust it" not in text(owner.get(page))
    [asked] = ApprovalRequest.objects.all()
    assert "no longer counted" in text(finance.get(f"{APPROVALS}{asked.pk}/change/"))
    finance.post(f"{APPROVALS}{asked.pk}/decide/", {"decision": "approved"})
    assert "not counted for purchases" in text(owner.get(page))
