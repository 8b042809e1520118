"""Adjustments through the API: posted within the limits, else waiting; refused without a trace."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.utils import timezone

from loyalty import queries, terms
from loyalty.models import AuditRecord, Posting
from members import adjusting, staffing, trusting
from members.access import create_key
from members.adjusting import Wanted
from members.models import Adjustment, ApiKey, ApprovalRequest, Member, User
from tests.api import Till, till
from tests.factories import StoreFactory, give, member
from tests.staff import signed_in, text

pytestmark = pytest.mark.django_db


def balance(one: Member) -> int:
    return queries.net_balances([one.holder])[one.holder]


def ask(key: Till, one: Member, points: int = 5, **given: Any) -> Any:
    return key.post("/adjustments", {"member": str(one.pk), "points": points, "reason": "goodwill"} | given)


def test_an_adjustment_is_posted_with_its_reason_and_an_end_by_the_terms() -> None:
    one, store, key = member(), StoreFactory.create(), till("adjust")
    answer = ask(key, one, 500, store=store.code)
    assert (answer.status_code, answer.json()["status"], answer.json()["balance"]) == (201, "posted", 500)
    [line] = queries.statement(one.holder)
    assert (line.kind, line.points, line.store) == ("adjust", 500, "S1")
    ends = queries.expiry_of_lots(one.holder, [line.entry])[line.entry]
    assert ends == terms.current(timezone.now()).ends(timezone.now())
    assert Adjustment.objects.get().entry == line.entry
    assert answer.json()["id"] == str(Adjustment.objects.get().pk)


def test_a_card_number_names_the_member_and_an_own_end_is_kept() -> None:
    one, ends = member(), timezone.now() + timedelta(days=9)
    answer = ask(till("adjust"), one, 5, member=one.cards.get().number, expires_at=ends.isoformat())
    assert answer.status_code == 201
    [line] = queries.statement(one.holder)
    assert queries.expiry_of_lots(one.holder, [line.entry])[line.entry] == ends


def test_over_the_limit_it_waits_and_nothing_moves() -> None:
    one = member()
    answer = ask(till("adjust"), one, 5_001)
    assert (answer.status_code, answer.json()["status"], answer.json()["balance"]) == (201, "awaiting_approval", 0)
    assert not Posting.objects.exists()
    assert ApprovalRequest.objects.get().object_id == answer.json()["id"]


def test_taking_away_never_goes_below_zero_and_much_of_it_waits() -> None:
    one, key = member(), till("adjust")
    give(one.holder, 8_000, at=timezone.now())
    assert ask(key, one, -100).json()["balance"] == 7_900
    assert ask(key, one, -5_001).json()["status"] == "awaiting_approval"
    answer = ask(key, one, -7_901)
    assert (answer.status_code, answer.json()["type"]) == (409, "insufficient-points")
    assert balance(one) == 7_900
    assert Adjustment.objects.count() == 2


def test_the_same_key_adjusts_once() -> None:
    one, key = member(), till("adjust")
    body = {"member": str(one.pk), "points": 10, "reason": "goodwill"}
    first, again = (key.post("/adjustments", body, key="once") for _ in range(2))
    assert first.json() == again.json()
    assert again.headers["Idempotent-Replayed"] == "true"
    assert balance(one) == 10
    assert key.post("/adjustments", body | {"points": 11}, key="once").status_code == 422


@pytest.mark.parametrize(
    ("wrong", "pointer"),
    [
        ({"points": 0}, "/points"), ({"points": "10"}, "/points"), ({"points": 1.5}, "/points"), ({"points": 10**12}, "/points"),
        ({"reason": " "}, "/reason"), ({"reason": "x" * 201}, "/reason"), ({"reason": "\0"}, "/reason"),
        ({"member": "nobody"}, "/member"), ({"store": "nowhere"}, "/store"),
        ({"expires_at": "2020-01-01T00:00:00Z"}, "/expires_at"), ({"expires_at": "2027-01-01"}, "/expires_at"),
        ({"points": -1, "expires_at": "2190-01-01T00:00:00Z"}, "/expires_at"),
        ({"approved_by": "me"}, "/approved_by"),
    ],
)  # fmt: skip
def test_a_wrong_body_is_refused_at_its_field(wrong: dict[str, Any], pointer: str) -> None:
    one = member()
    answer = ask(till("adjust"), one, **wrong)
    assert answer.status_code == 422
    assert [fault["pointer"] for fault in answer.json()["errors"]] == [pointer]
    assert (balance(one), Adjustment.objects.count()) == (0, 0)


@pytest.mark.parametrize("status", [Member.Status.BLOCKED, Member.Status.CLOSED])
def test_a_card_that_is_blocked_or_closed_stays_as_it_is(status: str) -> None:
    one = member()
    Member.objects.update(status=status)
    answer = ask(till("adjust"), one, 5)
    assert (answer.status_code, answer.json()["type"]) == (409, "not-eligible")
    assert Adjustment.objects.count() == 0


def test_scopes_and_stores_of_a_key_hold() -> None:
    one = member()
    StoreFactory.create(code="S2")
    assert ask(till("pos", "read", "configure"), one, 5).status_code == 403
    bound = till("adjust", store="S1")
    assert ask(bound, one, 5, store="S2").status_code == 403
    assert ask(bound, one, 5).status_code == 201
    assert Adjustment.objects.get().store == StoreFactory.create(code="S1")


def test_other_words_for_a_reason_stay_among_the_members_data() -> None:
    one = member()
    ask(till("adjust"), one, 5, reason="Ring of Anna Silva")
    assert (Adjustment.objects.get().reason, Adjustment.objects.get().words) == ("other", "Ring of Anna Silva")
    assert Posting.objects.get().entry.reason == "other"
    assert "Anna" not in str(AuditRecord.objects.values_list("changes", flat=True))


def test_the_statement_says_who_corrected_and_why() -> None:
    one = member()
    key = till("adjust", "read")
    for reason in ("goodwill", "Wrong size", "other"):
        ask(key, one, 5, reason=reason)
    shown = [line["explanation"] for line in key.get(f"/members/{one.pk}/statement").json()["items"]]
    assert shown == ["Corrected by the shop", "Correction by the shop: Wrong size", "Correction by the shop: goodwill"]
    assert "Correction by the shop: goodwill" in text(signed_in("support").get(f"/admin/members/member/{one.pk}/change/"))


def test_nobody_corrects_their_own_card_by_login_or_by_address() -> None:
    staffing.employ("ida@shop.example", role="owner")
    ida = User.objects.get()
    one = member(email="Ida@shop.example")
    key = Till(create_key("ida's", ["adjust"], made_by=ida.actor)[1])
    answer = ask(key, one, 5)
    assert (answer.status_code, answer.json()["type"]) == (409, "not-eligible")
    Member.objects.update(email="other@example.com", user=ida)
    assert ask(key, one, 5).status_code == 409
    assert balance(one) == 0


def test_a_key_that_nobody_answers_for_is_told_so_at_once_and_an_old_request_of_it_can_only_be_refused() -> None:
    one = member()
    key_id, token = create_key("shell", ["adjust"])
    answer = ask(Till(token), one, 9_000)
    assert answer.status_code == 409
    assert "make it with --made-by" in answer.json()["detail"]
    assert not Adjustment.objects.exists()
    staffing.employ("ida@shop.example", role="owner")
    ask(Till(create_key("ida's", ["adjust"], made_by=User.objects.get().actor)[1]), one, 9_000)
    asked = ApprovalRequest.objects.get()
    page, finance = f"/admin/members/approvalrequest/{asked.pk}/change/", signed_in("finance")
    assert 'value="approved"' in text(finance.get(page))
    ApprovalRequest.objects.update(requested_by=key_id)
    shown = text(finance.get(page))
    assert "it can only be refused" in shown
    assert 'value="approved"' not in shown
    assert 'value="refused"' in shown


def test_the_list_of_what_waits_names_the_member_and_the_points_and_the_key() -> None:
    one = member(given_name="Ana", family_name="Gomez")
    ask(till("adjust"), one, 9_000)
    key = ApiKey.objects.get(pk=create_key("harbour till", ["pos"], made_by=uuid4())[0])
    trusting.ask(key, by=uuid4(), now=timezone.now())
    page = text(signed_in("finance").get("/admin/members/approvalrequest/"))
    assert "Ana G: +9,000" in page
    assert "harbour till" in page
    assert "Gomez" not in page


def test_one_token_is_one_adjustment() -> None:
    one, now = member(), timezone.now()
    key = create_key("shop", ["adjust"])[0]
    first = adjusting.adjust(Wanted(member=one.pk, points=5, reason="goodwill"), by=key, now=now)
    again = adjusting.adjust(Wanted(member=one.pk, points=5, reason="goodwill"), by=key, now=now, id_=first.pk)
    assert again.pk == first.pk
    assert balance(one) == 5
