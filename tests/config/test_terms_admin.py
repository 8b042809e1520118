"""Programme rules in the admin: a draft, its comparison, a second person, publication; each act written down."""

import re
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from campaigns.models import EarnRule, RuleVersion
from loyalty import publishing
from loyalty.models import AuditRecord, TermsVersion
from members.models import ApprovalRequest, User
from members.staffing import employ
from tests.factories import StoreFactory, holder, member
from tests.staff import signed_in, text

pytestmark = pytest.mark.django_db
LIST = "/admin/loyalty/termsversion/"
FORM: dict[str, Any] = {
    "point_value": "0.01", "pending_days": "0", "expiry": "months", "expiry_months": "12", "expiry_round_up": "month",
    "expiry_month": "", "expiry_day": "", "return_days": "30", "claw_back": "deficit", "notice_days": "60", "starts_on": "",
    "currency": "EUR", "timezone": "Europe/Paris", "tender_min": "1", "tender_step": "1", "tender_max_percent": "100",
}  # fmt: skip


def drafted(owner: Client, **given: Any) -> TermsVersion:
    response = owner.post(f"{LIST}add/", FORM | given)
    assert response.status_code == 302, text(response)
    return TermsVersion.objects.get(published_at=None)


def act(client: Client, name: str, one: Any, *, page: str = LIST, fingerprint: str | None = None) -> Any:
    """Press the button, and press it again on the page that asks."""
    asked: Any = client.post(f"{page}{one.pk}/act/{name}/", follow=True)
    if asked.status_code != 200 or asked.redirect_chain:
        return asked
    seen = fingerprint or (asked.context["review"].fingerprint if "review" in asked.context else "")
    return client.post(f"{page}{one.pk}/act/{name}/", {"confirmed": "1", "fingerprint": seen}, follow=True)


def verbs(of: Any) -> Sequence[str]:
    return [one.verb for one in AuditRecord.objects.filter(object_id=str(of.pk)).order_by("number")]


def test_a_worse_draft_is_compared_approved_by_finance_and_published_by_the_owner() -> None:
    member(), holder()
    owner, finance = signed_in("owner"), signed_in("finance")
    one = drafted(owner, point_value="0.008", return_days="45")
    shown = text(owner.get(f"{LIST}{one.pk}/change/"))
    for said in ("100 points are worth €0.80.", "worse", "better", "60 days of notice", "it would start on", "Ask for approval"):
        assert said in shown
    assert "Publish this change" not in shown
    assert "Waits for a second person" in text(act(owner, "ask", one))
    assert "Approve this change" in text(finance.get(f"{LIST}{one.pk}/change/"))
    assert "publish terms" in text(finance.get("/admin/members/approvalrequest/?decision__exact="))
    assert "Approved" in text(act(finance, "approve", one))
    assert "Published." in text(act(owner, "publish", one))
    one.refresh_from_db()
    assert one.published_at
    assert one.detriment
    assert one.approved_by not in (None, one.drafted_by, one.published_by)
    assert verbs(one) == ["termsversion.drafted", "approval.asked", "approval.approved", "termsversion.published"]
    history = text(owner.get(f"{LIST}{one.pk}/history/"))
    assert "approval.approved" in history
    assert "Finance" in history


def test_the_owner_who_wrote_it_cannot_approve_it() -> None:
    holder()
    owner = signed_in("owner")
    one = drafted(owner, point_value="0.008")
    act(owner, "ask", one)
    assert "Somebody else has to decide" in text(act(owner, "approve", one))
    assert "second person" in text(act(owner, "publish", one))
    assert ApprovalRequest.objects.get().decision == ""
    assert TermsVersion.objects.get(pk=one.pk).published_at is None


def test_a_refused_draft_says_so_and_can_be_asked_for_again() -> None:
    holder()
    owner, finance = signed_in("owner"), signed_in("finance")
    one = drafted(owner, point_value="0.008")
    act(owner, "ask", one)
    assert "Approve this change" not in text(owner.get(f"{LIST}{one.pk}/change/"))
    act(finance, "refuse", one)
    shown = text(owner.get(f"{LIST}{one.pk}/change/"))
    assert "Refused by Finance" in shown
    assert "Ask for approval" in shown
    assert "second person" in text(act(owner, "publish", one))
    assert "Waits for a second person" in text(act(owner, "ask", one))
    act(finance, "approve", one)
    assert "Publish this change" not in text(finance.get(f"{LIST}{one.pk}/change/"))
    assert "Publish this change" in text(owner.get(f"{LIST}{one.pk}/change/"))


def test_staff_bound_to_a_store_do_not_touch_the_rules_of_all() -> None:
    holder()
    StoreFactory.create()
    one = drafted(signed_in("owner"), point_value="0.008")
    employ("bound@shop.example", role="owner", stores=["S1"])
    bound = Client()
    bound.force_login(User.objects.get(email="bound@shop.example"))
    assert bound.get(f"{LIST}{one.pk}/change/").status_code == 200
    assert bound.post(f"{LIST}add/", FORM).status_code == 403
    assert bound.post(f"{LIST}{one.pk}/change/", FORM).status_code == 403
    for name in ("ask", "approve", "refuse", "publish", "discard"):
        assert act(bound, name, one).status_code == 403


def test_an_approval_is_void_when_the_draft_changes() -> None:
    holder()
    owner, finance = signed_in("owner"), signed_in("finance")
    one = drafted(owner, point_value="0.008")
    act(owner, "ask", one)
    seen = publishing.review(one.version, now=timezone.now()).fingerprint
    owner.post(f"{LIST}{one.pk}/change/", FORM | {"point_value": "0.001"})
    assert "Look at it again" in text(act(finance, "approve", one, fingerprint=seen))
    assert "decided meanwhile" in text(act(finance, "approve", one))
    act(owner, "ask", one)
    act(finance, "approve", one)
    owner.post(f"{LIST}{one.pk}/change/", FORM | {"point_value": "0.0001"})
    assert "second person" in text(act(owner, "publish", one))
    assert TermsVersion.objects.get(pk=one.pk).published_at is None


def test_a_day_before_the_notice_ends_is_refused_and_the_first_one_named() -> None:
    holder()
    owner = signed_in("owner")
    early = (timezone.localdate() + timedelta(days=30)).isoformat()
    one = drafted(owner, return_days="7", starts_on=early)
    shown = text(owner.get(f"{LIST}{one.pk}/change/"))
    assert "needs 60 days of notice: it can start on" in shown
    assert "Ask for approval" not in shown
    assert "needs 60 days of notice" in text(act(owner, "ask", one))
    assert not ApprovalRequest.objects.exists()
    assert early in text(owner.get(f"{LIST}{one.pk}/change/"))


def test_a_wrong_field_is_told_at_the_field_and_nothing_is_kept() -> None:
    owner = signed_in("owner")
    response: Any = owner.post(f"{LIST}add/", FORM | {"expiry": "fixed_day", "expiry_month": "2", "expiry_day": "30"})
    assert response.context["adminform"].form.errors == {"expiry_day": ["Give a day that this month has."]}
    response = owner.post(f"{LIST}add/", FORM | {"starts_on": "0001-01-01"})
    assert list(response.context["adminform"].form.errors) == ["starts_on"]
    assert TermsVersion.objects.count() == 1


def test_a_better_draft_is_published_alone_and_stays() -> None:
    holder()
    owner = signed_in("owner")
    one = drafted(owner, expiry="never")
    assert "Published." in text(act(owner, "publish", one))
    assert owner.post(f"{LIST}{one.pk}/change/", FORM).status_code == 403
    assert "stays as it is" in text(act(owner, "discard", one))
    assert TermsVersion.objects.filter(pk=one.pk, expiry="never", expiry_months=None).exists()
    same = drafted(owner, expiry="never")
    assert "differs in nothing" in text(owner.get(f"{LIST}{same.pk}/change/"))
    assert "changes nothing" in text(act(owner, "publish", same))
    assert "Deleted." in text(act(owner, "discard", same))
    assert not TermsVersion.objects.filter(pk=same.pk).exists()


@pytest.mark.parametrize("role", ["manager", "marketer", "support", "finance", "cashier"])
def test_only_owners_draft_and_publish_and_finance_only_approves(role: str) -> None:
    holder()
    one = drafted(signed_in("owner"), point_value="0.008")
    other = signed_in(role)
    assert other.post(f"{LIST}add/", FORM).status_code == 403
    assert other.post(f"{LIST}{one.pk}/change/", FORM).status_code == 403
    for name in ("ask", "publish", "discard", *(() if role == "finance" else ("approve", "refuse"))):
        assert act(other, name, one).status_code == 403
        assert other.get(f"{LIST}{one.pk}/act/{name}/").headers["Location"] == f"{LIST}{one.pk}/change/"
    assert TermsVersion.objects.get(pk=one.pk).published_at is None


def test_a_rate_is_changed_from_the_page_of_its_rule() -> None:
    holder()
    owner, finance = signed_in("owner"), signed_in("finance")
    rule, page = EarnRule.objects.get(), "/admin/campaigns/ruleversion/"
    assert "Change the rate" in text(owner.get(f"/admin/campaigns/earnrule/{rule.pk}/change/"))
    assert "Change the rate" not in text(finance.get(f"/admin/campaigns/earnrule/{rule.pk}/change/"))
    assert 'value="base" selected' in text(owner.get(f"{page}add/?rule=base"))
    wrong: Any = owner.post(f"{page}add/", {"rule": "base", "value": "-1", "starts_on": ""})
    assert wrong.context["adminform"].form.errors == {"value": ["Give an amount of at least 0 with at most six decimals."]}
    assert owner.post(f"{page}add/", {"rule": "base", "value": "0.4", "starts_on": ""}).status_code == 302
    one = RuleVersion.objects.get(published_at=None)
    assert owner.post(f"{page}{one.pk}/change/", {"value": "0.5", "starts_on": ""}).status_code == 302
    shown = text(owner.get(f"{page}{one.pk}/change/"))
    assert "0.5 points per €1.00." in shown
    assert "worse" in shown
    for client, name in ((owner, "ask"), (finance, "approve"), (owner, "publish")):
        assert act(client, name, one, page=page).status_code == 200
    one.refresh_from_db()
    assert (one.published_at is not None, one.detriment) == (True, True)
    assert verbs(one) == [
        "ruleversion.drafted", "ruleversion.changed", "approval.asked", "approval.approved", "ruleversion.published",
    ]  # fmt: skip


@pytest.mark.parametrize("page", [LIST, "/admin/campaigns/ruleversion/"])
def test_the_second_of_two_tabs_does_not_undo_the_first(page: str) -> None:
    owner = signed_in("owner")
    if page == LIST:
        one: Any = drafted(owner, return_days="40")
        name, form = "return_days", FORM
    else:
        owner.post(f"{page}add/", {"rule": "base", "value": "2", "starts_on": ""})
        one, name, form = RuleVersion.objects.get(published_at=None), "value", {"starts_on": ""}
    seen = opened(owner, f"{page}{one.pk}/change/")
    assert owner.post(f"{page}{one.pk}/change/", form | {name: "50", "seen": seen}).status_code == 302
    late: Any = owner.post(f"{page}{one.pk}/change/", form | {name: "60", "seen": seen})
    assert "Look at it again" in text(late)
    assert late.context["adminform"].form[name].value() == "60"
    assert late.context["adminform"].form.opened() == seen
    one.refresh_from_db()
    assert getattr(one, name) == 50
    fresh = opened(owner, f"{page}{one.pk}/change/")
    assert owner.post(f"{page}{one.pk}/change/", form | {name: "60", "seen": fresh}).status_code == 302


def opened(client: Client, address: str) -> str:
    """What the form of this page hides."""
    found = re.search(r'name="seen" value="(\w+)"', text(client.get(address)))
    assert found
    return found[1]


def followed(owner: Client, finance: Client) -> tuple[TermsVersion, TermsVersion]:
    """A worse version that was announced, and a draft after it that takes it back."""
    worse = drafted(owner, point_value="0.008")
    for client, name in ((owner, "ask"), (finance, "approve"), (owner, "publish")):
        act(client, name, worse)
    return worse, drafted(owner)


def test_an_announced_version_that_another_replaces_says_so() -> None:
    holder()
    owner, finance = signed_in("owner"), signed_in("finance")
    worse, better = followed(owner, finance)
    shown = text(owner.get(f"{LIST}{better.pk}/change/"))
    assert f"Before (version {worse.version}, announced)" in shown
    assert "It needs no notice; it can start on" in shown
    assert f"with the announced version {worse.version} that it follows" in shown
    assert "at once." not in shown.partition("What this draft changes")[2]
    assert "announced" in text(owner.get(LIST))
    assert "Published." in text(act(owner, "publish", better))
    assert "replaced before its start" in text(owner.get(LIST))
    assert "replaced before its start" in text(owner.get(f"{LIST}{worse.pk}/change/"))
    assert "replaced before its start" not in text(owner.get(f"{LIST}{better.pk}/change/"))


def test_a_button_of_a_stale_tab_is_refused_before_it_asks() -> None:
    holder()
    owner = signed_in("owner")
    one = drafted(owner, expiry="never")
    page = f"{LIST}{one.pk}/change/"
    assert owner.get(f"{LIST}{one.pk}/act/publish/").headers["Location"] == page
    assert owner.get(f"{LIST}{one.pk}/act/nonsense/").status_code == 404
    act(owner, "publish", one)
    for name in ("publish", "ask", "approve", "discard"):
        stale: Any = owner.post(f"{LIST}{one.pk}/act/{name}/", follow=True)
        assert stale.redirect_chain == [(page, 302)]
        assert "stays as it is" in text(stale)
    worse = drafted(owner, expiry="months")
    early: Any = owner.post(f"{LIST}{worse.pk}/act/publish/", follow=True)
    assert early.redirect_chain == [(f"{LIST}{worse.pk}/change/", 302)]
    assert "a second person has to approve it first" in text(early)


def test_a_start_in_the_past_is_refused_at_the_field() -> None:
    owner = signed_in("owner")
    past = (timezone.localdate() - timedelta(days=1)).isoformat()
    said = {"starts_on": ["The start lies in the past. Leave it out to start as soon as possible."]}
    refused: Any = owner.post(f"{LIST}add/", FORM | {"starts_on": past})
    assert refused.context["adminform"].form.errors == said
    one = drafted(owner)
    TermsVersion.objects.filter(pk=one.pk).update(starts_at=timezone.now() - timedelta(days=1))
    again: Any = owner.post(f"{LIST}{one.pk}/change/", FORM | {"starts_on": past})
    assert again.context["adminform"].form.errors == said


def test_rates_hold_from_the_beginning_and_say_how_they_stand() -> None:
    owner = signed_in("owner")
    page, rule = "/admin/campaigns/ruleversion/", EarnRule.objects.get()
    first = RuleVersion.objects.get()
    owner.post(f"{page}add/", {"rule": "base", "value": "2", "starts_on": ""})
    for address in (page, f"{page}{first.pk}/change/", f"/admin/campaigns/earnrule/{rule.pk}/change/"):
        shown = text(owner.get(address))
        assert "from the beginning" in shown
        assert "1970" not in shown
    listed: Any = owner.get(page)
    assert [one.state for one in listed.context["cl"].result_list] == ["draft", "in_force"]
