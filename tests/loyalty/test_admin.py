"""Stores, terms and the books in the admin."""

from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client
from django.utils import timezone, translation

from campaigns.purchases import record
from loyalty import auditing, backoffice, exporting, posting, wording
from loyalty.acts import Burn
from loyalty.models import AuditRecord, JournalEntry, Lot, OutboxEvent, Posting, Store, TermsVersion, Wallet
from members import cards
from members.models import Member, User
from tests.factories import ReceiptFactory, StoreFactory, give, member
from tests.staff import signed_in, text

pytestmark = pytest.mark.django_db

BOOKS = (Posting, JournalEntry, Wallet, Lot, AuditRecord, OutboxEvent)
STORE = {"code": "S9", "name": "Quay", "timezone": "Europe/Paris", "region": "North"}


def bought(number: str = "R-1", **given: Any) -> Member:
    """A member with a receipt of 18 points."""
    StoreFactory.create()
    one = member(**given)
    record([ReceiptFactory.build(member=str(one.pk), receipt_number=number)], now=timezone.now())
    return one


def rows(client: Client, address: str) -> list[Any]:
    response: Any = client.get(address)
    return list(response.context["cl"].result_list)


def test_a_store_is_opened_and_changed_with_a_trace() -> None:
    owner = signed_in("owner")
    assert owner.post("/admin/loyalty/store/add/", STORE).status_code == 302
    store = Store.objects.get()
    address = f"/admin/loyalty/store/{store.pk}/change/"
    owner.post(address, STORE | {"code": "OTHER", "timezone": "Asia/Shanghai"})
    store.refresh_from_db()
    assert (store.code, store.timezone) == ("S9", "Asia/Shanghai")
    made, changed = AuditRecord.objects.filter(object_type="loyalty.store").order_by("at")
    assert (made.verb, made.actor) == ("store.added", User.objects.get().actor)
    assert (changed.verb, changed.changes) == ("store.changed", {"timezone": ["Europe/Paris", "Asia/Shanghai"]})
    assert owner.get(f"/admin/loyalty/store/{store.pk}/delete/").status_code == 403


@pytest.mark.parametrize("wrong", [{"code": "no spaces"}, {"timezone": "Mars/Olympus"}, {"name": ""}])
def test_a_store_that_cannot_be_is_refused_at_the_field(wrong: dict[str, str]) -> None:
    response: Any = signed_in("owner").post("/admin/loyalty/store/add/", STORE | wrong)
    assert list(response.context["adminform"].form.errors) == list(wrong)
    assert not Store.objects.exists()


@pytest.mark.parametrize("model", BOOKS, ids=lambda model: model.__name__)
def test_nobody_writes_the_books_here(model: Any) -> None:
    bought()
    auditing.record(None, "store.changed", "loyalty.store", 1)
    User.objects.create_superuser("root@shop.example", "x" * 12)
    client = Client()
    client.force_login(User.objects.get(email="root@shop.example"))
    row, before = model.objects.first(), list(model.objects.order_by("pk").values())
    base = f"/admin/loyalty/{model._meta.model_name}"
    assert client.get(f"{base}/{row.pk}/change/").status_code == 200
    for address in (f"{base}/add/", f"{base}/{row.pk}/change/", f"{base}/{row.pk}/delete/"):
        assert client.post(address, {"points": "5", "post": "yes"}).status_code == 403, address
    assert list(model.objects.order_by("pk").values()) == before


def test_a_posting_names_the_member_and_the_receipt() -> None:
    one = bought("R-7", given_name="Ana", family_name="Silva")
    posting.burn([Burn(key="b", holder=one.holder, points=5, occurred_at=timezone.now())], now=timezone.now())
    support = signed_in("support")
    shown = text(support.get("/admin/loyalty/posting/"))
    assert "−5" in shown
    assert "+18" in shown
    assert f'href="/admin/members/member/{one.pk}/change/"' in shown
    earned = Posting.objects.get(kind="earn")
    assert "/admin/campaigns/purchase/" in text(support.get(f"/admin/loyalty/posting/{earned.pk}/change/"))


def test_postings_are_found_by_receipt_card_and_key() -> None:
    one = bought("R-7")
    bought("R-8")
    support = signed_in("support")
    key = Posting.objects.get(wallet__holder=one.holder).entry.key
    for typed in ("R-7", cards.grouped(one.cards.get().number), key):
        assert [row.wallet.holder for row in rows(support, f"/admin/loyalty/posting/?q={typed}")] == [one.holder], typed
    assert rows(support, f"/admin/loyalty/posting/?q={uuid4()}") == []


def test_lists_are_narrowed_by_day() -> None:
    one = bought()
    give(one.holder, 7, at=timezone.now() - timedelta(days=40))
    owner, day = signed_in("owner"), timezone.localdate()
    assert len(rows(owner, "/admin/loyalty/posting/")) == 2
    assert len(rows(owner, f"/admin/loyalty/posting/?occurred_at_from={day - timedelta(days=1)}")) == 1
    assert len(rows(owner, f"/admin/loyalty/posting/?occurred_at_to={day - timedelta(days=1)}")) == 1
    assert len(rows(owner, "/admin/loyalty/posting/?occurred_at_from=soon")) == 2
    assert len(rows(owner, f"/admin/loyalty/posting/?recorded_at__year={day.year - 3}")) == 0
    assert [owner.get(f"/admin/loyalty/posting/?recorded_at__year={year}").status_code for year in ("9999", "x")] == [302, 302]


def test_lots_that_end_within_thirty_days_are_one_click_away() -> None:
    one = bought()
    give(one.holder, 7, at=timezone.now(), days=10)
    assert [lot.points for lot in rows(signed_in("owner"), "/admin/loyalty/lot/?ends=30")] == [7]


def test_long_lists_are_not_counted_to_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backoffice, "COUNTED_TO", 2)
    StoreFactory.create(code="A"), StoreFactory.create(code="B")
    owner = signed_in("owner")
    assert "2 rows" in text(owner.get("/admin/loyalty/store/"))
    StoreFactory.create(code="C"), StoreFactory.create(code="D")
    assert "More than 10,000 rows" in text(owner.get("/admin/loyalty/store/"))


def test_an_export_that_is_too_long_says_so_and_takes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exporting, "ROWS_MAX", 1)
    StoreFactory.create(code="A"), StoreFactory.create(code="B")
    response = signed_in("owner").post("/admin/loyalty/store/export/", {"format": "0", "resource": "0"})
    assert "more than 10,000 rows" in text(response)
    assert not AuditRecord.objects.filter(verb="list.exported").exists()


def test_terms_are_told_in_words() -> None:
    shown = text(signed_in("finance").get("/admin/loyalty/termsversion/"))
    assert "100 points are worth €1.00." in shown
    assert "Points expire 12 months after they can be used, at the end of the month." in shown
    ends = {"expiry": "fixed_day", "expiry_month": 3, "expiry_day": 31}
    version = TermsVersion(currency="JPY", point_value=Decimal(2), pending_days=1, claw_back="forgive", return_days=14, **ends)
    assert wording.sentences(version) == [
        "100 points are worth ¥200.",
        "Points pay for up to 100% of the goods that earn points, from 1 point on.",
        "Points can be used 1 day after the purchase.",
        "Points expire each year after 31 March.",
        "Goods can be returned for 14 days after the purchase.",
        "If the points of a return are spent already, the programme forgives them.",
        "A change for the worse is announced at least 60 days before.",
    ]


@pytest.mark.parametrize(
    ("language", "said"),
    [
        ("en", "Points pay for up to 50% of the goods that earn points, from 2,000 points on, in steps of 500."),
        ("fr", "jusqu’à 50\N{NO-BREAK SPACE}% des articles"),
        ("zh-hans", "可累积积分商品的 50%，2,000 积分起用，须按 500 的倍数使用"),
        ("zh-hant", "可累積點數商品的 50%，2,000 點起用，須按 500 的倍數使用"),
    ],
)
def test_how_points_pay_is_told_in_each_language(language: str, said: str) -> None:
    version = TermsVersion(tender_min=1501, tender_step=500, tender_max_percent=50)
    with translation.override(language):
        assert said in wording.tender(version)
        version.tender_min = 500
        assert "2,000" not in wording.tender(version)
        version.tender_max_percent = 0
        assert "500" not in wording.tender(version)


def test_the_trail_keeps_names_of_private_fields_alone() -> None:
    assert auditing.in_words({"timezone": ["a", "b"], "email": None, "rows": 3}) == "timezone: a → b, email, rows: 3"
