"""Members over HTTP."""

from uuid import uuid4

import pytest

from loyalty.models import AuditRecord
from members.models import ApiKey, Card, Consent, Member
from tests.api import till
from tests.factories import StoreFactory, member

pytestmark = pytest.mark.django_db


def test_joining_makes_member_card_and_wallet_and_shows_contacts_masked() -> None:
    StoreFactory.create()
    body = {
        "email": " Wei.Chen@Example.com ", "phone": "06 12 34 56 78", "given_name": "Wei", "family_name": "Chen",
        "birthday": "--02-29", "language": "zh-Hans", "home_store": "S1",
        "consents": [{"channel": "email", "purpose": "marketing"}],
    }  # fmt: skip
    pos = till("pos")
    answer = pos.post("/members", body, key="join")
    one = answer.json()
    assert (answer.status_code, one["email"], one["phone"], one["family_name"]) == (201, "w…@example.com", "… 78", "Chen")
    assert (one["birthday"], one["language"], one["home_store"], one["status"]) == ("--02-29", "zh-hans", "S1", "active")
    full = till("configure").get(f"/members/{one['id']}").json()
    assert (full["email"], full["phone"], full["family_name"]) == ("wei.chen@example.com", "+33612345678", "Chen")
    assert pos.get(f"/members/{one['id']}/balance").json()["available"] == 0
    assert Consent.objects.filter(member=one["id"], granted=True).count() == 1
    assert pos.post("/members", body, key="join").json() == one
    assert Member.objects.count() == Card.objects.count() == 1


def test_a_known_contact_is_no_second_member() -> None:
    one, pos = member(email="wei@example.com", phone="+33612345678", external_id="x1"), till("pos")
    for body in ({"email": "WEI@example.com"}, {"phone": "0612345678"}, {"email": "new@example.com", "external_id": "x1"}):
        for key in (pos, till("configure")):
            answer = key.post("/members", body)
            assert (answer.status_code, answer.json()["type"], answer.json()["member"]) == (
                409,
                "duplicate-document",
                str(one.pk),
            )
    assert Member.objects.count() == 1


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({}, "/"),
        ({"email": "nobody"}, "/email"),
        ({"phone": "123"}, "/phone"),
        ({"email": "a@example.com", "birthday": "2026-02-30"}, "/birthday"),
        ({"email": "a@example.com", "birthday": "2999-01-01"}, "/birthday"),
        ({"email": "a@example.com", "language": "tlh"}, "/language"),
        ({"email": "a@example.com", "home_store": "S9"}, "/home_store"),
        ({"email": "a@example.com", "given_name": "x" * 81}, "/given_name"),
        ({"email": "a@example.com", "points": 1000}, "/points"),
        ({"email": "a@example.com", "consents": [{"channel": "fax", "purpose": "marketing"}]}, "/consents/0/channel"),
    ],
)
def test_a_wrong_field_is_named(body: dict[str, object], pointer: str) -> None:
    answer = till("pos").post("/members", body)
    assert (answer.status_code, [fault["pointer"] for fault in answer.json()["errors"]]) == (422, [pointer])
    assert Member.objects.count() == 0


def test_only_a_trusted_key_vouches_for_a_contact() -> None:
    assert till("pos").post("/members", {"email": "a@example.com", "verified": True}).status_code == 403
    assert Member.objects.count() == 0
    assert till("configure").post("/members", {"email": "a@example.com", "verified": True}).status_code == 201
    assert Member.objects.get().is_verified


def test_finding_by_card_number_and_contact() -> None:
    one, pos = member(email="wei@example.com", external_id="x1"), till("read")
    number = one.cards.get().number
    for found in (
        pos.get(f"/members?card={number.lower()}"),
        pos.get("/members?external_id=x1"),
        pos("POST", "/members/search", {"email": "WEI@example.com"}),
        pos("POST", "/members/search", {"card": number}),
    ):
        assert [item["id"] for item in found.json()["items"]] == [str(one.pk)]
    assert pos.post("/members/search", {"card": number}, key=None).status_code == 400
    assert pos.get("/members?card=0000000000").json()["items"] == []
    assert pos.get("/members").status_code == 422
    assert pos.get(f"/members/{uuid4()}").json()["type"] == "unknown-member"


def test_changes_keep_the_rest_and_the_rules() -> None:
    one, key = member(email="wei@example.com", verified=True), till("pos")
    changed = key("PATCH", f"/members/{one.pk}", {"given_name": "Wei-Wei", "birthday": "1990-05-01"})
    assert (changed.status_code, changed.json()["given_name"], changed.json()["birthday"]) == (200, "Wei-Wei", "1990-05-01")
    assert changed.json()["email"] == "w…@example.com"
    again = key("PATCH", f"/members/{one.pk}", {"birthday": "1990-05-02"})
    assert (again.status_code, again.json()["type"]) == (409, "not-eligible")
    key("PATCH", f"/members/{one.pk}", {"phone": "06 12 34 56 78"})
    one.refresh_from_db()
    assert (one.phone, one.phone_verified_at) == ("+33612345678", None)
    member(email="taken@example.com")
    assert key("PATCH", f"/members/{one.pk}", {"email": "taken@example.com"}).status_code == 409


@pytest.mark.parametrize("given", ["thief@example.com", None])
def test_a_proved_contact_is_replaced_by_no_till(given: str | None) -> None:
    one = member(email="wei@example.com", phone="+33612345678", verified=True)
    answer = till("pos")("PATCH", f"/members/{one.pk}", {"email": given})
    assert (answer.status_code, answer.json()["type"]) == (409, "not-eligible")
    one.refresh_from_db()
    assert (one.email, one.is_verified, AuditRecord.objects.count()) == ("wei@example.com", True, 0)


def test_the_last_contact_stays() -> None:
    one = member(email="wei@example.com")
    answer = till("configure")("PATCH", f"/members/{one.pk}", {"email": None})
    assert (answer.status_code, answer.json()["type"]) == (409, "not-eligible")
    one.refresh_from_db()
    assert one.email == "wei@example.com"


def test_each_change_is_written_down_by_the_names_of_its_fields() -> None:
    one = member(email="wei@example.com")
    assert till("configure")("PATCH", f"/members/{one.pk}", {"email": "new@example.com"}).status_code == 200
    written = AuditRecord.objects.get()
    assert (written.actor, written.verb, written.object_id) == (ApiKey.objects.get().pk, "member.changed", str(one.pk))
    assert set(written.changes) == {"email", "email_verified_at"}
    assert "example.com" not in str(written.changes)
