"""Members, colleagues and keys in the admin: found, enrolled, changed, imported and exported by the doors of everybody."""

import io
import re
from datetime import timedelta
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils import timezone
from openpyxl import load_workbook

from campaigns.purchases import record
from loyalty import queries
from loyalty.models import AuditRecord
from members import cards, revealing
from members.access import create_key
from members.models import ApiKey, Card, Member, StaffProfile, User
from tests.factories import ReceiptFactory, StoreFactory, member
from tests.staff import signed_in, text

pytestmark = pytest.mark.django_db

LIST, ADD = "/admin/members/member/", "/admin/members/member/add/"


def page(one: Member) -> str:
    return f"{LIST}{one.pk}/change/"


def found(client: Client, typed: str) -> list[str]:
    response: Any = client.get(LIST, {"q": typed})
    return [one.given_name for one in response.context["cl"].result_list]


def errors(response: Any) -> dict[str, list[str]]:
    return dict(response.context["adminform"].form.errors)


# What a browser sends along for the tables of cards and consents.
TABLES = {f"{table}-{count}_FORMS": 0 for table in ("cards", "consents", "tiers") for count in ("TOTAL", "INITIAL")}


def changes() -> list[dict[str, Any]]:
    return list(AuditRecord.objects.filter(verb__startswith="member.").order_by("at").values_list("changes", flat=True))


def test_staff_enrol_a_member_with_card_and_wallet_at_once() -> None:
    store = StoreFactory.create()
    given = {"given_name": "Ana", "email": " ANA@Example.com ", "language": "fr", "birthday": "--02-29", "home_store": store.pk}
    assert signed_in("support").post(ADD, given).status_code == 302
    one = Member.objects.get()
    assert (one.email, one.birth_month, one.birth_day, one.home_store) == ("ana@example.com", 2, 29, store)
    assert one.email_verified_at is None
    assert Card.objects.filter(member=one).count() == 1
    assert queries.balances([one.holder], timezone.now())[one.holder].balance == 0
    [what] = changes()
    assert set(what) == {"given_name", "email", "birthday", "language", "home_store"}
    assert what["email"] is what["given_name"] is None


@pytest.mark.parametrize(
    ("typed", "place"),
    [
        ({"email": "KNOWN@example.com"}, "email"),
        ({"phone": "06 12 34 56 78"}, "phone"),
        ({"email": "new@example.com", "external_id": "crm-1"}, "external_id"),
        ({"email": "no address"}, "email"),
        ({"email": "new@example.com", "birthday": "31.12.1990"}, "birthday"),
        ({"given_name": "Nobody"}, "email"),
    ],
)
def test_wrong_input_stands_at_its_field_and_nobody_joins_twice(typed: dict[str, str], place: str) -> None:
    member(email="known@example.com", phone="+33612345678", external_id="crm-1")
    response = signed_in("support").post(ADD, {"language": "en"} | typed)
    assert list(errors(response)) == [place]
    assert Member.objects.count() == 1


def test_a_change_goes_by_the_verb_and_leaves_no_personal_data_behind() -> None:
    one = member(given_name="Ana", email="ana@example.com", verified=True)
    support = signed_in("support")
    assert "ana@example.com" not in text(support.get(page(one)))
    assert (
        support.post(page(one), TABLES | {"given_name": "Anna", "language": "fr", "new_email": "anna@example.com"}).status_code
        == 302
    )
    one.refresh_from_db()
    assert (one.given_name, one.email, one.email_verified_at, one.language) == ("Anna", "anna@example.com", None, "fr")
    assert changes() == [{"given_name": None, "language": ["en", "fr"], "new_email": None}]
    history = text(support.get(f"{LIST}{one.pk}/history/"))
    assert "language: en → fr" in history
    assert "Support" in history


def test_a_contact_of_somebody_else_is_refused_at_its_field() -> None:
    member(email="taken@example.com")
    one = member(email="mine@example.com")
    response = signed_in("support").post(page(one), TABLES | {"language": "en", "new_email": "taken@example.com"})
    assert list(errors(response)) == ["new_email"]
    assert "Last lines" not in text(response), "what to change stands first"
    one.refresh_from_db()
    assert one.email == "mine@example.com"


def test_whoever_may_only_look_sees_no_contact_and_changes_nothing() -> None:
    one = member(email="ana@example.com", phone="+33612345678")
    marketer = signed_in("marketer")
    shown = text(marketer.get(page(one)))
    assert "a…@example.com" in shown
    assert "ana@example.com" not in shown
    assert "+33612345678" not in shown
    assert marketer.post(page(one), {"given_name": "X", "language": "en"}).status_code == 403


def test_one_box_finds_by_name_card_contact_and_receipt() -> None:
    store = StoreFactory.create()
    ana = member(given_name="Ana", family_name="Silva", email="ana@example.com", phone="+33612345678", external_id="crm-7")
    member(given_name="Bo", email="bo@example.com")
    record([ReceiptFactory.build(member=str(ana.pk), store=store.code, receipt_number="T-99")], now=timezone.now())
    card = cards.grouped(ana.cards.get().number).lower()
    support = signed_in("support")
    for typed in ("silva", "ana sil", card, "ANA@example.com", "06 12 34 56 78", "crm-7", "T-99"):
        assert found(support, typed) == ["Ana"], typed
    assert found(support, "ana@example.co") == []


def test_the_page_of_a_member_explains_the_points_by_the_receipt() -> None:
    store = StoreFactory.create(name="Harbour shop")
    one = member()
    record([ReceiptFactory.build(member=str(one.pk), store=store.code, receipt_number="T-1")], now=timezone.now())
    shown = text(signed_in("support").get(page(one)))
    assert "Purchase at Harbour shop" in shown
    assert "€18.60 × 1 = 18.6" in shown
    assert re.search(r'href="/admin/campaigns/purchase/[0-9a-f-]+/change/"', shown)


def test_a_manager_of_a_store_sees_what_belongs_to_it_alone() -> None:
    mine, other = StoreFactory.create(code="S1"), StoreFactory.create(code="S2", name="Elsewhere")
    ours, theirs = member(given_name="Ana", home_store=mine.code), member(given_name="Bo", home_store=other.code)
    for one, store in ((ours, mine), (theirs, other)):
        record([ReceiptFactory.build(member=str(one.pk), store=store.code)], now=timezone.now())
    manager = signed_in("manager", stores=["S1"])
    for listed in (LIST, "/admin/campaigns/purchase/", "/admin/loyalty/posting/", "/admin/loyalty/store/"):
        response: Any = manager.get(listed)
        assert len(response.context["cl"].result_list) == 1, listed
    assert manager.get(page(ours)).status_code == 200
    assert manager.get(page(theirs)).status_code == 404
    assert found(manager, "Bo") == []
    assert manager.post(ADD, {"email": "x@example.com", "language": "en", "home_store": other.pk}).status_code == 200
    assert not Member.objects.filter(email="x@example.com").exists()


def test_the_whole_contact_is_shown_for_a_post_that_is_written_down_and_sixty_an_hour(monkeypatch: pytest.MonkeyPatch) -> None:
    one = member(email="ana@example.com")
    support, address = signed_in("support"), f"{LIST}{one.pk}/contact/"
    assert support.get(address).status_code == 404
    assert "ana@example.com" in text(support.post(address))
    assert AuditRecord.objects.get(verb="member.contact_shown").object_id == str(one.pk)
    assert signed_in("marketer").post(address).status_code == 404
    monkeypatch.setattr(revealing, "AN_HOUR", 1)
    assert "ana@example.com" not in text(support.post(address))


HEADER = "external_id,email,given_name,birthday\n"


def upload(client: Client, rows: str) -> Any:
    file = SimpleUploadedFile("members.csv", (HEADER + rows).encode(), content_type="text/csv")
    return client.post(f"{LIST}import/", {"import_file": file, "format": "0", "resource": "0"})


def confirm(client: Client, checked: Any) -> Any:
    return client.post(f"{LIST}process_import/", checked.context["confirm_form"].initial, follow=True)


def test_an_import_names_each_bad_line_and_writes_nothing() -> None:
    response = upload(signed_in("owner"), "m-1,ana@example.com,Ana,\nm-2,no address,Bo,\nm-3,,Cy,1990-02-31\n")
    shown = text(response)
    assert "confirm_form" not in response.context
    assert [(number, column) for number, column in re.findall(r'<td class="number">(\d+)</td><td>(\w*)</td>', shown)] == [
        ("3", "email"),
        ("4", "birthday"),
    ]
    assert Member.objects.count() == 0


def test_an_import_enrols_and_leaves_the_known_alone() -> None:
    owner = signed_in("owner")
    checked = upload(owner, "m-1,ana@example.com,Ana,\nm-2,,Bo,--05-06\n")
    assert Member.objects.count() == 0
    assert "2 members imported, 0 known already" in text(confirm(owner, checked))
    assert Card.objects.count() == 2
    again = upload(owner, "m-1,ana@example.com,Other,\nm-3,,Cy,\n")
    assert "1 members imported, 1 known already" in text(confirm(owner, again))
    assert Member.objects.get(external_id="m-1").given_name == "Ana"
    assert AuditRecord.objects.filter(verb="member.imported").count() == 2
    assert signed_in("support").get(f"{LIST}import/").status_code == 403


def test_a_file_with_an_unknown_column_is_refused_whole() -> None:
    file = SimpleUploadedFile("members.csv", b"external_id,shoe_size\nm-1,42\n")
    response = signed_in("owner").post(f"{LIST}import/", {"import_file": file, "format": "0", "resource": "0"})
    assert "shoe_size" in text(response)
    assert Member.objects.count() == 0


def test_an_export_masks_contacts_and_runs_no_formula() -> None:
    names = ["=cmd()", "+1", "@x", "-2", "Ana"]
    for name in names:
        member(given_name=name, email=f"ana{names.index(name)}@example.com")
    owner = signed_in("owner")
    csv = owner.post(f"{LIST}export/", {"format": "0", "resource": "0"}).content
    assert csv.startswith(b"\xef\xbb\xbf")
    assert all(f",'{name}," in csv.decode() for name in names[:4])
    assert "a…@example.com" in csv.decode()
    sheet = load_workbook(io.BytesIO(owner.post(f"{LIST}export/", {"format": "1", "resource": "0"}).content)).active
    assert sheet is not None
    rows = list(sheet.iter_rows(values_only=True))
    assert {row[2] for row in rows[1:]} == {"'=cmd()", "'+1", "'@x", "'-2", "Ana"}
    assert {row[rows[0].index("Balance")] for row in rows[1:]} == {0}


def test_a_key_is_shown_once_and_opens_until_it_is_revoked() -> None:
    owner = signed_in("owner")
    made: Any = owner.post("/admin/members/apikey/add/", {"name": "till 3", "scopes": ["pos"]}, follow=True)
    assert made.redirect_chain == [("/admin/members/apikey/made/", 302)], "loaded again, it makes no second key"
    [token] = re.findall(r"rg_[\w-]{40,}", text(made))
    key = ApiKey.objects.get()
    bearer = {"Authorization": f"Bearer {token}"}
    assert Client().get("/api/v1/members?card=X", headers=bearer).status_code == 200
    again = text(owner.get("/admin/members/apikey/made/", follow=True))
    assert token not in again
    assert "A key is shown once." in again
    assert token not in str(dict(owner.session))
    assert token not in text(owner.get(f"/admin/members/apikey/{key.pk}/change/"))
    assert owner.post(f"/admin/members/apikey/{key.pk}/change/", {"name": "x", "scopes": ["configure"]}).status_code == 403
    asked = {"action": "revoke", "_selected_action": str(key.pk)}
    assert "till 3" in text(owner.post("/admin/members/apikey/", asked))
    assert Client().get("/api/v1/members?card=X", headers=bearer).status_code == 200
    owner.post("/admin/members/apikey/", asked | {"confirmed": "1"})
    assert Client().get("/api/v1/members?card=X", headers=bearer).status_code == 401
    assert list(AuditRecord.objects.filter(object_id=str(key.pk)).order_by("at").values_list("verb", flat=True)) == [
        "apikey.added",
        "apikey.revoked",
    ]


def test_only_owners_reach_keys_and_colleagues() -> None:
    create_key("till", ["pos"], expires_at=timezone.now() + timedelta(days=1))
    for role in ("manager", "marketer", "finance", "support", "cashier"):
        client = signed_in(role)
        for address in ("apikey/", "apikey/add/", "staffprofile/", "staffprofile/add/", "user/"):
            assert client.get(f"/admin/members/{address}").status_code == 403, (role, address)


def test_an_owner_takes_on_a_colleague_and_changes_the_role() -> None:
    owner, store = signed_in("owner"), StoreFactory.create()
    given = {
        "email": "New@shop.example",
        "name": "Lou",
        "role": "support",
        "stores": [store.pk],
        "password": "correct horse battery",
    }
    assert owner.post("/admin/members/staffprofile/add/", given).status_code == 302
    login = User.objects.get(email="new@shop.example")
    assert login.check_password("correct horse battery")
    assert login.has_perm("members.add_member")
    assert list(login.staff.stores.all()) == [store]
    address = f"/admin/members/staffprofile/{login.staff.pk}/change/"
    assert owner.post(address, {"name": "Lou", "role": "finance"}).status_code == 302
    login = User.objects.get(pk=login.pk)
    assert not login.has_perm("members.add_member")
    assert login.has_perm("loyalty.view_wallet")
    assert "correct horse" not in str(list(AuditRecord.objects.values_list("changes", flat=True)))


@pytest.mark.parametrize("wrong", [{"password": "short"}, {"email": "owner@shop.example"}, {"role": ""}])
def test_a_colleague_who_does_not_fit_is_refused_at_the_field(wrong: dict[str, str]) -> None:
    given = {"email": "new@shop.example", "name": "Lou", "role": "support", "password": "correct horse battery"}
    response = signed_in("owner").post("/admin/members/staffprofile/add/", given | wrong)
    assert list(errors(response)) == list(wrong)
    assert StaffProfile.objects.count() == 1


def test_nobody_locks_themselves_out() -> None:
    owner = signed_in("owner")
    me = User.objects.get(email="owner@shop.example")
    owner.post(f"/admin/members/user/{me.pk}/change/", {"new_password": ""})
    me.refresh_from_db()
    assert me.is_active


def test_create_staff_prints_the_password_last_and_again_gives_another_role() -> None:
    out = io.StringIO()
    call_command("create_staff", "Lou@shop.example", "--role", "support", "--name", "Lou", stdout=out)
    login = User.objects.get(email="lou@shop.example")
    assert login.check_password(out.getvalue().splitlines()[-1])
    call_command("create_staff", "lou@shop.example", "--role", "owner", stdout=io.StringIO())
    login = User.objects.get(pk=login.pk)
    assert (login.staff.role, login.staff.name) == ("owner", "Lou")
    assert login.has_perm("members.view_codeattempt")
    with pytest.raises(CommandError, match="no store nowhere"):
        call_command("create_staff", "a@shop.example", "--role", "manager", "--store", "nowhere")
    User.objects.create_user("member@example.com")
    with pytest.raises(CommandError, match="signs in with this address"):
        call_command("create_staff", "member@example.com", "--role", "owner")


def test_the_search_box_posts_so_that_no_contact_stands_in_an_address() -> None:
    one = member(given_name="Ana", email="ana@example.com")
    support, address = signed_in("support"), f"{LIST}find/"
    assert f'action="{address}"' in text(support.get(LIST))
    assert support.post(address, {"q": "ana@example.com"})["Location"] == page(one)
    assert support.post(address, {"q": "nobody@example.com"})["Location"] == f"{LIST}?"
    assert support.post(address, {"q": "Ana"})["Location"] == f"{LIST}?q=Ana"
    assert signed_in("finance").post(address, {"q": "Ana"}).status_code == 404
