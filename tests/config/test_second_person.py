"""What the pages of drafts and the list of approvals show a second person: what it is about, and what they can do."""

from uuid import UUID

import pytest
from django.utils import timezone

from loyalty import limits, publishing
from loyalty.limits import Limits
from loyalty.models import TermsVersion
from members import approving, limiting
from members import publishing as tables
from members.access import create_key
from members.models import ApprovalRequest, User
from members.tiers import Level
from tests.api import till
from tests.factories import holder
from tests.staff import signed_in, text

pytestmark = pytest.mark.django_db
TERMS, APPROVALS = "/admin/loyalty/termsversion/", "/admin/members/approvalrequest/"


def actor(role: str) -> UUID:
    return User.objects.get(email=f"{role}@shop.example").actor


def asked(by: UUID) -> TermsVersion:
    """A draft of worse terms that waits for a second person."""
    holder()
    one, now = publishing.draft({"return_days": 7}, actor=by), timezone.now()
    approving.ask(approving.act_on(publishing.VERB, publishing.review(one.version, now=now)), by=by, now=now)
    return one


@pytest.mark.parametrize("part", ["asked", "drafted"])
def test_what_a_key_wrote_or_asked_for_that_nobody_answers_for_can_only_be_refused(part: str) -> None:
    signed_in("owner")
    finance, one = signed_in("finance"), asked(actor("owner"))
    page = f"{TERMS}{one.pk}/change/"
    assert "Approve this change" in text(finance.get(page))
    key, _token = create_key("shop", ["configure"])
    if part == "asked":
        ApprovalRequest.objects.update(requested_by=key)
    else:
        TermsVersion.objects.filter(pk=one.pk).update(drafted_by=key)
    shown = text(finance.get(page))
    assert "Approve this change" not in shown
    assert "Refuse this change" in shown
    assert "an API key that nobody answers for" in shown


def test_whoever_made_the_key_that_wrote_and_asked_is_offered_no_decision() -> None:
    finance, owner = signed_in("finance"), signed_in("owner")
    key, _token = create_key("shop", ["configure"], made_by=actor("finance"))
    page = f"{TERMS}{asked(key).pk}/change/"
    for button in ("Approve this change", "Refuse this change"):
        assert button not in text(finance.get(page))
        assert button in text(owner.get(page))


def test_the_list_of_approvals_says_what_each_is_about() -> None:
    finance, _owner = signed_in("finance"), signed_in("owner")
    by, now = actor("owner"), timezone.now()
    version = asked(by).version
    table = tables.draft({}, [Level("gold", "Gold", 500, entry_reward=9_000)], actor=by)
    approving.ask(approving.act_on(tables.VERB, tables.review(table.version, now=now)), by=by, now=now)
    limiting.propose(Limits(7_000, 21_000, 63_000), by=by, now=now)
    listed = finance.get(APPROVALS).context["cl"].result_list
    assert {one.verb: one.called for one in listed} == {
        publishing.VERB: f"v{version}",
        tables.VERB: f"v{table.version}",
        limits.VERB: "7,000 / 21,000 / 63,000",
    }


def test_terms_that_give_unusually_much_wait_for_a_second_person_through_the_api_too() -> None:
    holder()
    owner = till("configure")
    version = owner.post("/terms", {"point_value": "0.5"}).json()["version"]
    answer = owner.post(f"/terms/{version}/publish", None)
    assert (answer.status_code, answer.json()["status"]) == (202, "awaiting_approval")
    assert TermsVersion.objects.get(version=version).published_at is None
