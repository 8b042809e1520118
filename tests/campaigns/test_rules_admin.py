"""Rules in the admin: drafted in a form, said in a sentence, approved where that is asked, published, ended; segments."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone

from campaigns import rules, segments
from campaigns.models import EarnRule, RuleVersion, Segment, SegmentMembership
from campaigns.values import Cap
from loyalty.models import AuditRecord
from members.models import Card
from tests.factories import StoreFactory, member
from tests.members import tiering
from tests.staff import signed_in, text

pytestmark = pytest.mark.django_db
PAGE, SEGMENTS = "/admin/campaigns/ruleversion/", "/admin/campaigns/segment/"
FORM: dict[str, Any] = {
    "code": "coffee-hour", "name": "Coffee hour", "kind": "multiplier", "value": "2", "weekdays": ["6", "7"],
    "hours_from": "10:00", "hours_to": "14:00", "stores": ["S1"], "tiers": "gold", "categories": "coffee, tea",
    "cap_1_0": "100", "cap_1_1": "points", "cap_1_2": "member", "cap_1_3": "day", "priority": "50", "expires_0": "14",
    "expires_1": "D", "starts_on": "", "ends_on": "2030-12-31",
}  # fmt: skip


@pytest.fixture(autouse=True)
def tiers() -> None:
    tiering.publish(now=timezone.now())


def drafted(client: Client, **given: Any) -> RuleVersion:
    response = client.post(f"{PAGE}add/", FORM | given)
    assert response.status_code == 302, text(response)
    return RuleVersion.objects.get(published_at=None)


def act(client: Client, name: str, one: RuleVersion) -> Any:
    """Press the button, and press it again on the page that asks."""
    asked: Any = client.post(f"{PAGE}{one.pk}/act/{name}/", follow=True)
    if asked.status_code != 200 or asked.redirect_chain:
        return asked
    seen = asked.context["review"].fingerprint if "review" in asked.context else ""
    return client.post(f"{PAGE}{one.pk}/act/{name}/", {"confirmed": "1", "fingerprint": seen}, follow=True)


def in_force() -> dict[str, Any]:
    now = timezone.now()
    return {one.code: one for one in rules.in_force(rules.published(now), now)}


def test_a_marketer_drafts_reads_the_sentence_publishes_and_ends_an_offer() -> None:
    StoreFactory.create()
    marketer = signed_in("marketer")
    one = drafted(marketer)
    shown = text(marketer.get(f"{PAGE}{one.pk}/change/"))
    assert "2× points on coffee or tea at Harbour shop, Saturdays and Sundays from 10:00 to 14:00, for Gold members" in shown
    assert "at most 100 points per member and day" in shown
    assert "it needs no notice" in shown
    assert "Published." in text(act(marketer, "publish", one))
    rule = in_force()["coffee-hour"]
    assert (rule.weekdays, rule.caps, rule.priority, rule.expires) == (
        {6, 7}, (Cap("points", "member", "day", Decimal(100)),), 50, "P14D",
    )  # fmt: skip
    page = text(marketer.get(f"{PAGE}{one.pk}/change/"))
    assert "End this rule" in page
    assert marketer.post(f"{PAGE}{one.pk}/change/", FORM).status_code == 403
    assert "Ended." in text(act(marketer, "end", one))
    late = timezone.now() + timedelta(minutes=2)
    assert "coffee-hour" not in [each.code for each in rules.in_force(rules.published(late), late)]
    verbs = AuditRecord.objects.filter(object_type="campaigns.ruleversion").order_by("number").values_list("verb", flat=True)
    assert list(verbs) == ["ruleversion.drafted", "ruleversion.published", "ruleversion.ended"]


def test_ending_what_was_announced_and_has_not_begun_says_that_it_never_begins() -> None:
    StoreFactory.create()
    marketer = signed_in("marketer")
    one = drafted(marketer, starts_on="2030-11-28")
    act(marketer, "publish", one)
    asked = text(marketer.post(f"{PAGE}{one.pk}/act/end/"))
    assert "Now it will never begin" in asked
    assert "one minute more" not in asked


def test_what_the_form_shows_is_what_was_written() -> None:
    StoreFactory.create()
    marketer = signed_in("marketer")
    one = drafted(marketer)
    page: Any = marketer.get(f"{PAGE}{one.pk}/change/")
    form = page.context["adminform"].form
    assert [form[name].value() for name in ("weekdays", "hours_from", "categories", "cap_1", "expires", "stores")] == [
        ["6", "7"], "10:00", "coffee, tea",
        {"unit": "points", "per": "member", "window": "day", "limit": "100"}, "P14D", ["S1"],
    ]  # fmt: skip
    spec, ends = one.spec, one.ends_at
    assert marketer.post(f"{PAGE}{one.pk}/change/", FORM | {"seen": form.opened()}).status_code == 302
    one.refresh_from_db()
    assert (one.spec, one.ends_at) == (spec, ends)


def test_each_box_of_a_limit_has_a_label_and_no_limit_is_chosen() -> None:
    StoreFactory.create()
    marketer = signed_in("marketer")
    page = text(marketer.get(f"{PAGE}add/"))
    for label in ("At most", "What is counted", "Counted together for", "Within", "Days"):
        assert f"<label><span>{label}</span>" in page
    one = drafted(marketer)
    form = FORM | {"cap_1_0": "", "cap_1_1": ""}
    assert marketer.post(f"{PAGE}{one.pk}/change/", form).status_code == 302
    one.refresh_from_db()
    assert "caps" not in one.spec


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"value": "0.5"}, "value"),
        ({"value": ""}, "value"),
        ({"code": ""}, "code"),
        ({"code": "base"}, "code"),
        ({"hours_to": "25:00"}, "hours_to"),
        ({"hours_to": ""}, "hours_to"),
        ({"kind": "event"}, "event_type"),
        ({"kind": "event", "event_type": "custom", "event_name": "Ü"}, "event_type"),
        ({"cap_1_3": "rolling", "cap_1_4": "400"}, "cap_1"),
        ({"cap_1_3": "rolling"}, "cap_1"),
        ({"cap_1_4": "7"}, "cap_1"),
        ({"cap_1_0": ""}, "cap_1"),
        ({"cap_2_0": "5", "cap_2_1": ""}, "cap_2"),
        ({"cap_2_4": "7"}, "cap_2"),
        ({"tiers": "g old"}, "tiers"),
        ({"every_visit": "1"}, "every_visit"),
        ({"funded_by": "me"}, "funded_by"),
        ({"expires_0": "0"}, "expires"),
        ({"kind": "base"}, "kind"),
    ],
)
def test_a_wrong_field_is_told_at_the_field_and_nothing_is_kept(given: dict[str, Any], field: str) -> None:
    StoreFactory.create()
    response: Any = signed_in("marketer").post(f"{PAGE}add/", FORM | given)
    assert response.status_code == 200
    assert field in response.context["adminform"].form.errors
    assert EarnRule.objects.count() == 1


def test_an_unusually_generous_rule_waits_for_finance() -> None:
    StoreFactory.create()
    marketer, finance = signed_in("marketer"), signed_in("finance")
    one = drafted(marketer, value="20")
    assert "This gives unusually many points." in text(marketer.get(f"{PAGE}{one.pk}/change/"))
    assert "a second person has to approve it first" in text(act(marketer, "publish", one))
    assert "Waits for a second person" in text(act(marketer, "ask", one))
    assert act(marketer, "approve", one).status_code == 403
    assert "Approved" in text(act(finance, "approve", one))
    assert "Published." in text(act(marketer, "publish", one))
    assert in_force()["coffee-hour"].value == 20
    one.refresh_from_db()
    assert one.approved_by not in (None, one.drafted_by)


def test_the_list_of_what_waits_names_the_rule() -> None:
    StoreFactory.create()
    marketer = signed_in("marketer")
    act(marketer, "ask", drafted(marketer, kind="bonus", value="9000", per="purchase"))
    assert "Coffee hour v1" in text(signed_in("finance").get("/admin/members/approvalrequest/"))


def test_base_rates_are_written_by_owners_alone() -> None:
    marketer, owner = signed_in("marketer"), signed_in("owner")
    assert marketer.post(f"{PAGE}add/", {"rule": "base", "value": "3", "starts_on": ""}).status_code == 200
    assert EarnRule.objects.get().versions.count() == 1
    owner.post(f"{PAGE}add/", {"rule": "base", "value": "3", "starts_on": ""})
    draft = RuleVersion.objects.get(published_at=None)
    assert marketer.post(f"{PAGE}{draft.pk}/change/", {"value": "4"}).status_code == 403
    for name in ("publish", "discard"):
        assert act(marketer, name, draft).status_code == 403
    assert "Change the rate" not in text(marketer.get(f"/admin/campaigns/earnrule/{draft.rule_id}/change/"))
    assert "Published." in text(act(owner, "publish", draft))
    assert "End this rule" not in text(owner.get(f"{PAGE}{draft.pk}/change/"))


def test_the_next_version_begins_as_the_one_before() -> None:
    StoreFactory.create()
    marketer = signed_in("marketer")
    act(marketer, "publish", drafted(marketer))
    rule = EarnRule.objects.get(code="coffee-hour")
    assert "?rule=coffee-hour" in text(marketer.get(f"/admin/campaigns/earnrule/{rule.pk}/change/"))
    page: Any = marketer.get(f"{PAGE}add/?rule=coffee-hour")
    assert page.context["adminform"].form["categories"].value() == "coffee, tea"
    given = {name: value for name, value in FORM.items() if name != "code"} | {"rule": "coffee-hour", "value": "3"}
    assert marketer.post(f"{PAGE}add/?rule=coffee-hour", given).status_code == 302
    draft = RuleVersion.objects.get(published_at=None)
    assert (draft.version, draft.kind) == (2, "multiplier")
    assert "future instant" in text(act(marketer, "publish", draft))
    tomorrow = (timezone.localdate() + timedelta(days=2)).isoformat()
    assert marketer.post(f"{PAGE}{draft.pk}/change/", given | {"starts_on": tomorrow}).status_code == 302
    assert "Published." in text(act(marketer, "publish", draft))
    assert in_force()["coffee-hour"].value == 2


def test_where_rules_meet_is_a_page_and_stands_at_each_rule() -> None:
    StoreFactory.create()
    marketer = signed_in("marketer")
    act(marketer, "publish", drafted(marketer))
    one = drafted(marketer, code="triple", name="Triple", value="3", weekdays=[])
    said = "can multiply the same points: what each adds is added up, not multiplied."
    assert said in text(marketer.get(f"{PAGE}{one.pk}/change/"))
    assert said in text(marketer.get(f"{PAGE}overlaps/"))
    assert signed_in("cashier").get(f"{PAGE}overlaps/").status_code == 403


@pytest.mark.parametrize("role", ["manager", "support", "finance"])
def test_others_only_look(role: str) -> None:
    StoreFactory.create()
    one = drafted(signed_in("owner"))
    other = signed_in(role)
    assert other.post(f"{PAGE}add/", FORM).status_code == 403
    assert other.post(f"{PAGE}{one.pk}/change/", FORM).status_code == 403
    for name in ("publish", "discard", "ask", "end"):
        assert act(other, name, one).status_code == 403
    assert other.get(f"{PAGE}{one.pk}/change/").status_code == 200


def test_a_segment_is_filled_by_cards_ids_and_numbers_and_remembers_who_was_in_it() -> None:
    marketer = signed_in("marketer")
    assert marketer.post(f"{SEGMENTS}add/", {"code": "lapsed", "name": "Lapsed"}).status_code == 302
    segment = Segment.objects.get()
    people = [member(), member(), member(external_id="CRM-7"), member()]
    card = Card.objects.get(member=people[0]).number
    begun = timezone.now()
    file = SimpleUploadedFile("list.csv", f"card,name\n{people[3].pk},Somebody\nCRM-8,\n".encode())
    answer: Any = marketer.post(
        f"{SEGMENTS}{segment.pk}/members/", {"listed": f"{card}\n{people[1].pk}\nCRM-7", "file": file, "add": "1"}
    )
    assert answer.context["bad"] == [(4, "card"), (6, "CRM-8")]
    assert SegmentMembership.objects.filter(segment=segment, until=None).count() == 4
    assert "4 members in this segment" in text(marketer.get(f"{SEGMENTS}{segment.pk}/change/"))
    gone = marketer.post(f"{SEGMENTS}{segment.pk}/members/", {"listed": f"{card}\n", "remove": "1"}, follow=True)
    assert "1 member removed." in text(gone)
    now = timezone.now()
    [since] = SegmentMembership.objects.filter(member=people[0]).values_list("since", flat=True)
    asked = [(people[0].pk, since), (people[0].pk, now), (people[0].pk, begun), (people[1].pk, now)]
    assert segments.of_members(asked) == [{"lapsed"}, set(), set(), {"lapsed"}]
    again = marketer.post(f"{SEGMENTS}{segment.pk}/members/", {"listed": card, "add": "1"}, follow=True)
    assert "1 member added." in text(again)
    assert signed_in("support").post(f"{SEGMENTS}{segment.pk}/members/", {"listed": card, "remove": "1"}).status_code == 403
