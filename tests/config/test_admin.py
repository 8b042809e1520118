"""What holds for every list of the admin: who sees it, what it costs, what leaves it."""

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.contrib import admin
from django.db import connection
from django.db.models import Model
from django.http import HttpResponse
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from campaigns import events, segments
from campaigns.awarding import Recorded
from campaigns.models import EarnRule, RuleVersion, Segment
from campaigns.purchases import record
from campaigns.returns import Claim, take
from campaigns.schemas import ReturnIn
from catalog import codes, redeeming
from catalog.models import Category, Code, CodePool, Reward
from catalog.redeeming import Ask
from loyalty import auditing, limits, posting
from loyalty.acts import Adjustment
from loyalty.limits import Limits
from loyalty.models import AuditRecord, TermsVersion
from loyalty.queries import stores_by_code
from members import adjusting, approving
from members.access import create_key
from members.adjusting import Wanted
from members.approving import Act
from members.models import Device, Member, Message, StaffProfile, TierOverride, TierTable, TillLimits, User
from members.roles import RIGHTS
from members.staffing import employ
from tests.campaigns.acting import act
from tests.campaigns.excluding import exclude
from tests.factories import ReceiptFactory, StoreFactory, member
from tests.staff import signed_in, text

pytestmark = pytest.mark.django_db

LISTS = sorted(admin.site._registry, key=lambda model: model._meta.label)


def url(model: type[Model], page: str = "changelist") -> str:
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_{page}")


def fill(first: int, last: int) -> None:
    """A row of everything for each number."""
    now = timezone.now()
    for n in range(first, last):
        store = StoreFactory.create(code=f"S{n}", name=f"Shop {n}")
        one = member(home_store=store.code)
        [bought] = record([ReceiptFactory.build(member=str(one.pk), store=store.code)], now=now)
        assert isinstance(bought, Recorded)
        take([Claim(bought.id, ReturnIn(return_number=f"B{n}", occurred_at=now, amount=Decimal("3.00")))], now=now)
        record([ReceiptFactory.build(member=str(one.pk), store=store.code)], now=now)
        events.record([act(one, "custom:visit", at=now, store=store.code)], now=now)
        actor = User.objects.get(email=employ_one(n, store.code)).actor
        given = Adjustment(key=f"gift:{n}", holder=one.holder, points=5, reason="goodwill", occurred_at=now, store=store.pk)
        posting.adjust([given], now=now, actor=actor)
        adjusting.adjust(Wanted(member=one.pk, points=5, reason="goodwill", store=store.code), by=actor, now=now)
        limits.propose(Limits(5_000, 20_000, 99_999 - n), by=actor, now=now)
        auditing.record(actor, "member.changed", "members.member", one.pk, {"email": None})
        Message.objects.create(member=one, kind="welcome", subject_key="joined", channel="email")
        create_key(f"till {n}", ["pos"], store=store.pk)
        Device.objects.create(name=f"Counter {n}", store=store)
        TillLimits.objects.create(store=store)
        TermsVersion.objects.create(version=n + 10, currency="EUR", timezone="UTC", point_value=1, expiry="never", starts_at=now)
        segments.add(Segment.objects.create(code=f"segment-{n}", name=f"Segment {n}"), [one.pk], actor=actor, now=now)
        other = EarnRule.objects.create(code=f"rule-{n}", name=f"Rule {n}")
        approving.ask(Act("terms.publish", "loyalty.termsversion", f"{n}", "0" * 64), by=actor, now=now)
        TierTable.objects.create(version=n + 1)
        TierOverride.objects.create(member=one, tier="gold", until=now, why="old card", asked_by=actor)
        exclude("sku", f"gift-{n}", now=now)
        RuleVersion.objects.create(rule=other, version=1, kind="base", value=1, starts_at=now + timedelta(days=900))
        redeem(n, one, store.code, actor=actor, now=now)


def redeem(n: int, one: Member, store: str, *, actor: UUID, now: datetime) -> None:
    """A reward on its shelf, a pool with a code, and a redemption with its voucher."""
    codes.fill(CodePool.objects.create(code=f"pool-{n}", name=f"Pool {n}"), f"CODE-{n}", actor=actor)
    shelf = Category.objects.create(code=f"shelf-{n}", name=f"Shelf {n}")
    reward = Reward.objects.create(code=f"mug-{n}", title=f"Mug {n}", kind="goods", points=1, category=shelf)
    Member.objects.filter(pk=one.pk).update(email_verified_at=now)
    one.refresh_from_db()
    redeeming.confirm(redeeming.reserve(Ask(one, reward, store=stores_by_code([store])[store]), now=now).pk, now=now)


def employ_one(n: int, store: str) -> str:
    employ(f"colleague{n}@shop.example", role="manager", name=f"Colleague {n}", stores=[store], password="x" * 12)
    return f"colleague{n}@shop.example"


def cost(client: Client, address: str) -> tuple[int, int]:
    """Statements, and rows shown."""
    with CaptureQueriesContext(connection) as asked:
        response: Any = client.get(address)
    assert response.status_code == 200
    return len(asked), len(response.context["cl"].result_list)


def test_a_longer_list_costs_no_more_statements() -> None:
    owner = signed_in("owner")
    fill(0, 2)
    for model in LISTS:
        owner.get(url(model))
    few = {model._meta.label: cost(owner, url(model)) for model in LISTS}
    fill(2, 30)
    many = {model._meta.label: cost(owner, url(model)) for model in LISTS}
    assert {label: statements for label, (statements, _rows) in many.items()} == {label: cost[0] for label, cost in few.items()}
    assert {label for label, (_statements, rows) in many.items() if rows < 30} == set()
    assert {label for label, (_statements, rows) in few.items() if rows >= 30} == set()


@pytest.mark.parametrize("format", ["0", "1"], ids=["csv", "xlsx"])
def test_every_list_is_exported_with_contacts_masked_and_a_record_of_it(format: str) -> None:  # noqa: A002
    owner = signed_in("owner")
    fill(0, 2)
    contacts = [one.email for one in Member.objects.all()]
    for model in LISTS:
        response = owner.post(url(model, "export"), {"format": format, "resource": "0"})
        assert response["Content-Disposition"].startswith("attachment")
        assert len(response.content) > 50
        assert not any(contact in response.content.decode(errors="replace") for contact in contacts)
        taken = AuditRecord.objects.filter(verb="list.exported", object_type=model._meta.label_lower).get()
        assert taken.actor == User.objects.get(email="owner@shop.example").actor


@pytest.mark.parametrize("role", StaffProfile.Role.values)
def test_a_role_opens_its_lists_and_no_others(role: str) -> None:
    client = signed_in(role)
    opened = {model._meta.label_lower for model in LISTS if client.get(url(model)).status_code == 200}
    refused = {model._meta.label_lower for model in LISTS if client.get(url(model)).status_code == 403}
    allowed = set(RIGHTS[role].get("view", ()))
    assert opened == allowed & (opened | refused)
    assert opened | refused == {model._meta.label_lower for model in LISTS}


def test_a_cashier_sees_no_list_and_a_stranger_not_even_the_door() -> None:
    page = text(signed_in("cashier").get("/admin/"))
    assert "Nothing here for your role" in page
    assert "/admin/members/member/" not in page
    response = Client().get("/admin/members/member/")
    assert response.status_code == 302
    assert response["Location"].startswith("/admin/login/")


def test_a_login_without_a_role_sees_nothing() -> None:
    user = User.objects.create_user("loose@shop.example", "x" * 12, is_staff=True)
    client = Client()
    client.force_login(user)
    assert {client.get(url(model)).status_code for model in LISTS} == {403}


def test_only_whoever_may_see_sign_in_codes_reads_the_mailbox(settings: Any, tmp_path: Any) -> None:
    settings.MAIL_DIR = str(tmp_path)
    assert signed_in("owner").get("/admin/mail/").status_code == 200
    assert signed_in("support").get("/admin/mail/").status_code == 404


def test_the_dashboard_counts_what_happened_and_leads_to_it() -> None:
    StoreFactory.create()
    buyer = member()
    member()
    record([ReceiptFactory.build(member=str(buyer.pk))], now=timezone.now())
    owner = signed_in("owner")
    response: Any = owner.get("/admin/")
    numbers = {figure.label: figure.value for figure in response.context["figures"]}
    assert numbers == {
        "Members": "2", "Active members": "1", "Points issued": "18", "Points used": "0", "Points outstanding": "18",
        "Expiring in 30 days": "0",
    }  # fmt: skip
    for figure in response.context["figures"]:
        assert owner.get(figure.url).status_code == 200
    assert "worth €0.18" in text(response)


def test_the_dashboard_tells_of_codes_that_run_out() -> None:
    low, full, idle = (CodePool.objects.create(code=name, name=name.title(), low_water=2) for name in ("cinema", "baths", "idle"))
    for pool, count in ((low, 3), (full, 3), (idle, 0)):
        Code.objects.bulk_create([Code(pool=pool, text=f"{pool.code}-{number}") for number in range(count)])
    for pool in (low, full):
        Reward.objects.create(code=pool.code, title=pool.name, kind="code", points=0, code_pool=pool)
    one = member(verified=True)
    redeeming.reserve(Ask(one, Reward.objects.get(code="cinema")), now=timezone.now())
    owner = signed_in("owner")
    page = text(owner.get("/admin/"))
    assert "Cinema: 2 codes left to hand out." in page
    assert "Baths" not in page
    assert "Idle" not in page
    assert "Cinema" not in text(signed_in("cashier").get("/admin/"))


def test_pages_are_served_under_the_policy_of_the_admin() -> None:
    response: HttpResponse = signed_in("owner").get("/admin/")  # type: ignore[assignment]
    scripts = [part for part in response["Content-Security-Policy"].split(";") if "script-src" in part]
    assert "unsafe-inline" not in scripts[0]
    assert "https:" not in response["Content-Security-Policy"]


def test_the_palette_finds_members_and_keeps_nothing_in_the_cache() -> None:
    member(given_name="Zinedine")
    page = text(signed_in("support").post("/admin/search/", {"s": "zined"}))
    assert "Zinedine" in page
    assert "Zinedine" not in text(signed_in("finance").post("/admin/search/", {"s": "zined"}))


def test_an_unknown_row_is_not_found() -> None:
    assert signed_in("owner").get(f"/admin/members/member/{uuid4()}/change/").status_code == 404
