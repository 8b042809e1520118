"""The portal as a member walks it, without JavaScript."""

import re
from datetime import timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from django.core import mail
from django.core.cache import cache
from django.test import Client
from django.utils import timezone

from campaigns.awarding import Recorded
from campaigns.purchases import record
from campaigns.returns import Claim, Taken, take
from campaigns.schemas import ReturnIn
from loyalty.models import Posting
from members.models import CodeAttempt, Consent, Member, User
from tests.api import till
from tests.factories import ReceiptFactory, StoreFactory, give, member
from tests.staff import signed_in, text

pytestmark = pytest.mark.django_db


@pytest.fixture
def phone() -> Client:
    cache.clear()  # the limits of sign-in
    StoreFactory.create()
    return Client()


def code() -> str:
    found = re.search(r"\b\d{6}\b", str(mail.outbox[-1].body))
    assert found
    return found[0]


def sign_in(client: Client, email: str) -> None:
    client.post("/sign-in/", {"email": email})
    answer = client.post("/sign-in/code/", {"code": code()})
    assert (answer.status_code, answer["Location"]) == (302, "/card/")


def test_joining_gives_a_card_at_once_and_the_code_makes_it_whole(phone: Client) -> None:
    answer = phone.post("/j/S1/", {"contact": " Wei@Example.com", "given_name": "Wei", "offers": "on"}, follow=True)
    one = Member.objects.get()
    assert answer.redirect_chain == [("/card/", 302)]
    number = one.cards.get().number
    assert f"{number[:4]} {number[4:7]} {number[7:]}" in answer.content.decode()
    assert (one.email, one.home_store and one.home_store.code, one.is_verified, one.user) == (
        "wei@example.com",
        "S1",
        False,
        None,
    )
    assert Consent.objects.get().purpose == "marketing"
    page = phone.post("/sign-in/code/", {"code": f" {code()[:3]} {code()[3:]} "}, follow=True)
    assert page.redirect_chain == [("/card/", 302)]
    one.refresh_from_db()
    assert one.is_verified
    assert one.user is not None
    assert not one.user.has_usable_password()


def test_wrong_words_keep_what_was_typed_and_name_the_fix(phone: Client) -> None:
    page = phone.post("/j/", {"contact": "nobody", "given_name": "Wei"}).content.decode()
    assert page.count("Enter an e-mail address like name@example.com.") == 2
    assert "<title>Error: " in page
    assert 'value="nobody"' in page
    assert 'value="Wei"' in page
    assert Member.objects.count() == 0


def test_joining_again_sends_a_code_and_makes_no_second_member(phone: Client) -> None:
    phone.post("/j/", {"contact": "wei@example.com"})
    other = Client()
    answer = other.post("/j/", {"contact": "WEI@example.com"})
    assert answer["Location"] == "/sign-in/code/"
    assert other.get("/card/").status_code == 302, "nothing of the member is shown before the code"
    other.post("/sign-in/code/", {"code": code()})
    assert other.get("/card/").status_code == 200
    assert Member.objects.count() == 1
    assert phone.get("/card/").status_code == 302, "the card of a verified member needs a sign-in"


def test_strangers_and_members_see_the_same_sign_in(phone: Client) -> None:
    member(email="wei@example.com")
    answers = []
    for address in ("wei@example.com", "stranger@example.com"):
        client = Client()
        answer = client.post("/sign-in/", {"email": address})
        page = client.get(answer["Location"]).content.decode().replace(f"{address[0]}…", "…")
        answers.append(
            (answer.status_code, answer["Location"], re.sub(r'value="[A-Za-z0-9]{64}"', "", page).replace(address, ""))
        )
    assert answers[0] == answers[1]
    assert User.objects.count() == 1


def test_a_code_is_compared_three_times_whatever_the_session_says(phone: Client) -> None:
    member(email="wei@example.com")
    phone.post("/sign-in/", {"email": "wei@example.com"})
    right, session = code(), phone.session
    kept = dict(session.items())
    for _ in range(3):
        phone.post("/sign-in/code/", {"code": "000000" if right != "000000" else "111111"})
        session = phone.session
        session.update(kept)  # a parallel request would have read the same
        session.save()
    assert CodeAttempt.objects.get().tries == 3
    assert phone.post("/sign-in/code/", {"code": right})["Location"] == "/sign-in/"
    assert phone.get("/card/").status_code == 302


def test_staff_get_no_code(phone: Client) -> None:
    User.objects.create_superuser("owner@example.com", "a long password")
    phone.post("/sign-in/", {"email": "owner@example.com"})
    assert all(not re.search(r"\b\d{6}\b", str(sent.body)) for sent in mail.outbox)


def test_the_card_the_passbook_and_the_line_tell_the_same(phone: Client) -> None:
    one = member(email="wei@example.com", given_name="Wei", verified=True)
    now = timezone.now()
    days = [now - timedelta(days=9), now - timedelta(days=1)]
    record([ReceiptFactory.build(member=str(one.pk), occurred_at=day) for day in days], now=now)
    sign_in(phone, "wei@example.com")
    card = phone.get("/card/")
    assert (card.context["points"].available, card.context["worth"]) == (36, "€0.36")
    months = phone.get("/history/").context["months"]
    lines = [line for month in months for line in month["lines"]]
    assert [(line["points"], line["balance_after"]) for line in lines] == [(18, 36), (18, 18)]
    page = phone.get(lines[0]["url"])
    assert page.context["steps"] == ["€18.60 × 1 = 18.6", "Rounded down to 18 points."]
    assert page.context["receipt"]["amount"] == "€18.60"
    bought = timezone.localtime(now - timedelta(days=1), ZoneInfo("Europe/Paris"))
    assert f"{bought:%H:%M}" in page.content.decode(), "in the programme's zone"
    assert "Purchase at Harbour shop" in page.content.decode()
    assert phone.get("/history/?show=used").context["months"] == []
    assert sum(month["points"] for month in phone.get("/card/expiry/").context["months"]) == 36
    assert phone.get("/card/code/").status_code == phone.get("/messages/").status_code == 200


def test_a_long_history_has_pages(phone: Client) -> None:
    one = member(email="wei@example.com", verified=True)
    give(one.holder, *[1] * 60)
    sign_in(phone, "wei@example.com")
    first = phone.get("/history/")
    second = phone.get("/history/" + first.context["next_url"])
    counts = [sum(len(month["lines"]) for month in page.context["months"]) for page in (first, second)]
    assert counts == [50, 10]
    assert second.context["next_url"] is None
    assert phone.get("/history/?after=nonsense").status_code == 302


def test_nobody_sees_another_members_line(phone: Client) -> None:
    member(email="wei@example.com", verified=True)
    [entry] = give(member(verified=True).holder, 10)
    sign_in(phone, "wei@example.com")
    assert phone.get(f"/history/{entry}/").status_code == 404
    for path in ("/card/", "/history/", "/account/", "/messages/", "/card/expiry/", "/card/code/"):
        assert Client().get(path)["Location"].endswith("/sign-in/")


def test_the_account_page_saves_name_and_language(phone: Client) -> None:
    one = member(email="wei@example.com", verified=True)
    sign_in(phone, "wei@example.com")
    answer = phone.post("/account/", {"given_name": " Wei-Wei ", "language": "fr"})
    one.refresh_from_db()
    assert (answer.status_code, one.given_name, one.language) == (302, "Wei-Wei", "fr")
    assert 'lang="fr"' in phone.get("/account/").content.decode()
    assert phone.post("/account/", {"given_name": "x" * 81, "language": "tlh"}).status_code == 200


def test_a_return_says_what_came_back_and_what_that_took(phone: Client) -> None:
    one = member(email="wei@example.com")
    [bought] = record([ReceiptFactory.build(member=str(one.pk))], now=timezone.now())
    assert isinstance(bought, Recorded)
    body = ReturnIn(return_number="B1", occurred_at=timezone.now(), amount=Decimal("5.50"))
    assert isinstance(take([Claim(bought.id, body)], now=timezone.now())[0], Taken)
    sign_in(phone, "wei@example.com")
    line = phone.get("/card/").context["lines"][0]
    assert (line["points"], line["title"]) == (-5, "Returned to Harbour shop")
    assert line["detail"] == "You returned goods for €5.50: 5 points taken back"
    assert "You returned goods for €5.50: 5 points taken back" in phone.get(line["url"]).content.decode()
    page = phone.get(line["url"])
    shown = page.context["receipt"]
    assert (shown["return_number"], shown["worth"], shown["money_back"]) == ("B1", "€5.50", "€5.50")
    assert shown["time"] == timezone.make_naive(body.occurred_at, ZoneInfo("Europe/Paris"))
    assert page.context["steps"][:2] == ["Goods for €5.50 came back.", "What was kept earns 13 points."]
    assert phone.get(page.context["purchase_url"]).context["receipt"]["amount"] == "€18.60"


def test_a_payment_with_points_says_where_and_for_what(phone: Client) -> None:
    one, now = member(email="wei@example.com", verified=True), timezone.now()
    give(one.holder, 1000, at=now - timedelta(days=1))
    receipts = [ReceiptFactory.build(member=str(one.pk), receipt_number="R-800", points_tender=800, occurred_at=now)]
    assert isinstance(record(receipts, now=now)[0], Recorded)
    sign_in(phone, "wei@example.com")
    [line] = [line for line in phone.get("/card/").context["lines"] if line["points"] == -800]
    assert (line["title"], line["detail"]) == ("Used at Harbour shop", "€8.00 of €18.60 paid in points")
    page = phone.get(line["url"])
    shown = page.context["receipt"]
    assert (shown["store"], shown["number"], shown["in_points"], shown["in_money"]) == (
        "Harbour shop",
        "R-800",
        "€8.00",
        "€10.60",
    )
    earned = phone.get(page.context["purchase_url"])
    assert earned.context["steps"] == ["€8.00 were paid in points.", "€10.60 × 1 = 10.6", "Rounded down to 10 points."]
    owner = signed_in("owner")
    journal = Posting.objects.get(entry=page.context["line"]["id"])
    assert "€8.00 of €18.60 paid in points" in text(owner.get(f"/admin/loyalty/posting/{journal.pk}/change/"))


def test_the_total_of_a_receipt_with_several_rules_is_called_so(phone: Client) -> None:
    owner = till("configure")
    assert owner("PUT", "/earn-rules/gift", {"kind": "bonus", "per": "purchase", "value": "2"}).status_code == 201
    assert owner.post("/earn-rules/gift/publish", {}).status_code == 200
    one = member(email="wei@example.com")
    record([ReceiptFactory.build(member=str(one.pk))], now=timezone.now())
    sign_in(phone, "wei@example.com")
    line = phone.get("/card/").context["lines"][0]
    assert phone.get(line["url"]).context["total"] == {"label": "This receipt in all", "points": 20}
