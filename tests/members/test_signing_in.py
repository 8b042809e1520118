"""Who gets a code, whose card it opens, and where whoever has none ends."""

import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from unittest import mock

import pytest
from django.core import mail
from django.core.cache import cache
from django.db import connections
from django.test import Client

from loyalty.problems import Problem
from members import accounts, codes, forms
from members.models import CodesSent, Member, User
from tests.api import till
from tests.committing import Database
from tests.factories import StoreFactory, member

OLD, NEW = "old@example.com", "new@example.com"
NOON = datetime(2026, 6, 15, 12, 0, tzinfo=UTC)
rolled_back = pytest.mark.django_db


@pytest.fixture(autouse=True)
def fresh() -> None:
    cache.clear()


def sign_in(email: str) -> Client:
    client = Client()
    client.post("/sign-in/", {"email": email})
    found = re.search(r"\b\d{6}\b", str(mail.outbox[-1].body))
    assert found
    assert client.post("/sign-in/code/", {"code": found[0]}).status_code == 302
    return client


def way(client: Client, path: str) -> list[str]:
    """The pages to which `path` leads; a circle fails."""
    return [page for page, _status in client.get(path, follow=True).redirect_chain]


@rolled_back
def test_a_new_address_takes_the_card_from_the_old_one() -> None:
    one = member(email=OLD, verified=True)
    before = sign_in(OLD)
    assert till("configure")("PATCH", f"/members/{one.pk}", {"email": NEW}).status_code == 200
    assert way(before, "/card/") == ["/j/"]
    assert sign_in(NEW).get("/card/").status_code == 200
    assert way(sign_in(OLD), "/card/") == ["/j/"]


@rolled_back
def test_a_login_follows_its_address_to_another_member() -> None:
    one, two = member(email="a@example.com", verified=True), member(email="b@example.com", verified=True)
    sign_in("a@example.com")
    sign_in("b@example.com")
    office = till("configure")
    office("PATCH", f"/members/{one.pk}", {"email": "c@example.com"})
    office("PATCH", f"/members/{two.pk}", {"email": "a@example.com"})
    Member.objects.filter(pk=one.pk).update(user=User.objects.get(email="a@example.com"))  # as an older release left it
    assert sign_in("a@example.com").get("/card/").context["member"]["display_name"] == two.given_name
    assert list(Member.objects.filter(user__email="a@example.com")) == [two]


@rolled_back
def test_pages_that_somebody_may_not_see_lead_to_an_end() -> None:
    owner = User.objects.create_superuser("owner@example.com", "a long password")
    answer = Client().post("/accounts/login/", {"login": owner.email, "password": "a long password"})
    assert answer["Location"] == "/admin/"
    staff = Client()
    staff.force_login(owner)
    assert way(staff, "/card/") == way(staff, "/sign-in/") == ["/admin/"]
    member(email=OLD, verified=True)
    phone = sign_in(OLD)
    assert phone.get("/admin/mail/").status_code == 404
    assert Client().get("/admin/mail/")["Location"] == "/accounts/login/?next=/admin/mail/"
    Member.objects.update(status=Member.Status.CLOSED)
    assert way(phone, "/sign-in/") == ["/j/"]
    assert way(phone, "/card/") == ["/sign-in/"], "signed out by the join page"
    assert way(sign_in(OLD), "/card/") == ["/j/"]


@rolled_back
@pytest.mark.parametrize("address", [OLD, "stranger@example.com"])
def test_an_address_gets_three_codes_in_ten_minutes_from_all_pages(address: str) -> None:
    member(email=OLD, verified=True)
    client = Client()
    client.post("/sign-in/", {"email": address})
    for _ in range(4):
        client.post("/sign-in/code/again/")
    assert "Too many codes were asked for with this address. Try again at " in client.get("/sign-in/code/").content.decode()
    Client().post("/j/", {"contact": address})
    page = Client().post("/sign-in/", {"email": address.upper()}).content.decode()
    assert re.search(r"Try again at \d\d:\d\d\.", page)
    assert len(mail.outbox) == 3
    assert address not in str(CodesSent.objects.values())


@rolled_back
def test_an_address_gets_ten_codes_a_day_and_is_told_when_the_next_one_is_free() -> None:
    sent = [NOON + timedelta(minutes=10 * n) for n in range(10)]
    for at in sent:
        codes.count_sending(OLD, now=at)
    with pytest.raises(Problem, match=r"Try again at 16 June 2026, 14:00\.") as refused:
        codes.count_sending(OLD, now=NOON + timedelta(hours=2))
    assert refused.value.retry_after == 22 * 3600 + 1
    codes.count_sending(OLD, now=NOON + timedelta(days=1))
    assert codes.forget(NOON + timedelta(days=1, seconds=-1)) == 0
    assert codes.forget(NOON + timedelta(days=1)) == 1


def test_parallel_calls_send_three_codes_and_make_one_login(committing_db: Database) -> None:
    member(email=OLD, verified=True)

    def ask() -> str:
        try:
            codes.count_sending(OLD, now=datetime.now(UTC))
            return str(accounts.login_for(OLD))
        except Problem as problem:
            return problem.slug
        finally:
            connections.close_all()

    with ThreadPoolExecutor(6) as pool:
        said = [one.result() for one in [pool.submit(ask) for _ in range(6)]]
    assert sorted(said) == [OLD] * 3 + ["rate-limited"] * 3
    assert User.objects.count() == 1


@rolled_back
def test_a_card_stays_when_its_code_cannot_be_sent() -> None:
    client = Client()
    with mock.patch("django.core.mail.backends.locmem.EmailBackend.send_messages", side_effect=OSError("refused")):
        page = client.post("/j/", {"contact": OLD}, follow=True)
    assert page.redirect_chain == [("/card/", 302)]
    assert "We could not send the code. Ask for it again from your card." in page.content.decode()
    assert client.get("/card/").status_code == 200


@rolled_back
def test_an_address_that_is_no_store_leads_to_the_join_page() -> None:
    StoreFactory.create()
    assert Client().get("/j/a%00b/")["Location"] == "/j/"


@pytest.fixture
def meanwhile() -> Iterator[None]:
    """Staff block the member while the form is being judged."""
    judged = forms.AccountForm.is_valid

    def slow(form: forms.AccountForm) -> bool:
        right = judged(form)
        Member.objects.update(status=Member.Status.BLOCKED)
        return right

    with mock.patch.object(forms.AccountForm, "is_valid", slow):
        yield


@rolled_back
@pytest.mark.usefixtures("meanwhile")
def test_the_account_page_writes_its_two_fields_alone() -> None:
    one = member(email=OLD, verified=True)
    sign_in(OLD).post("/account/", {"given_name": "Wei-Wei", "language": "fr"})
    one.refresh_from_db()
    assert (one.given_name, one.language, one.status) == ("Wei-Wei", "fr", Member.Status.BLOCKED)
