"""The jobs of the counter as a till without JavaScript does them: find, give, undo, accept, redeem, enrol, refund, report."""

import re
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.test import Client
from django.utils import timezone

from campaigns.models import Purchase, PurchaseReturn
from catalog import redeeming
from catalog.models import Redemption, Reward, Voucher, VoucherUse
from catalog.redeeming import Ask
from loyalty import limits, queries, verifying
from loyalty.models import AuditRecord, Posting
from members import cards
from members.models import Card, Member, StaffProfile, TillAct
from tests.config.tills import BOSS_PIN, colleague, trusted, unlocked
from tests.factories import give, member
from tests.staff import text

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def without_codes() -> None:
    """tests/config/test_till_codes.py has the codes."""
    trusted()


def has(one: Member) -> int:
    return queries.net_balances([one.holder])[one.holder]


def rich(points: int = 1000, **given: Any) -> Member:
    one = member(**{"verified": True} | given)
    give(one.holder, points, at=timezone.now())
    return one


def reward(**given: Any) -> Reward:
    return Reward.objects.create(**{"code": "flat-white", "title": "Flat white", "kind": "goods", "points": 400} | given)


def voucher_of(one: Member, **given: Any) -> Voucher:
    held = redeeming.reserve(Ask(one, reward(**given)), now=timezone.now())
    redeeming.confirm(held.pk, now=timezone.now())
    return Voucher.objects.get(redemption=held)


def sell(till: Client, one: Member, amount: str = "18.60", **given: Any) -> Any:
    """Type an amount and press the button."""
    page = till.get(f"/till/member/{one.pk}/")
    number = page.context["form"].initial["number"]
    return till.post(f"/till/member/{one.pk}/", {"amount": amount, "number": number} | given, follow=True)


def heading(page: Any) -> str:
    found = re.search(r'data-testid="result">(.*?)</h1>', text(page), re.DOTALL)
    assert found, text(page)
    return " ".join(found[1].split())


def test_a_card_a_phone_ending_and_a_voucher_code_find_what_they_name() -> None:
    till = unlocked()
    one = member(phone="+33612345678", given_name="Wei Chen")
    number = Card.objects.get(member=one).number
    for typed in (number.lower(), cards.grouped(number), "5678", "12345678", "06 12 34 56 78", f"https://x.example/c/{number}"):
        assert till.get("/till/", {"code": typed})["Location"] == f"/till/member/{one.pk}/", typed
    other = member(phone="+33698765678", given_name="Camille", family_name="Bernard")
    page = text(till.get("/till/", {"code": "5678"}))
    assert "W. C." in page
    assert "C. B." in page
    for told in ("Chen", "Bernard", "612345678", "Camille"):
        assert told not in page
    assert "No card 0000. Check the number or make a new card." in text(till.get("/till/", {"code": "0000"}))
    code = voucher_of(rich()).code
    assert "/till/voucher/" in till.get("/till/", {"code": code})["Location"]
    Member.objects.filter(pk=other.pk).update(status="closed")
    assert till.get("/till/", {"code": "5678"})["Location"] == f"/till/member/{one.pk}/"


def test_an_amount_gives_points_and_the_same_form_gives_them_once() -> None:
    till, one = unlocked(), member(given_name="Wei Chen")
    sentence = text(till.get(f"/till/member/{one.pk}/gives/", {"amount": "18,60"}))
    assert "Gives 18 points. New balance 18." in sentence
    recounted = till.post(f"/till/member/{one.pk}/", {"amount": "18.60", "number": "T1", "recount": "1"})
    assert "Give 18 points" in text(recounted)
    assert not Purchase.objects.exists()
    page = till.get(f"/till/member/{one.pk}/")
    form = {"amount": "18.60", "number": page.context["form"].initial["number"]}
    first, second = (till.post(f"/till/member/{one.pk}/", form) for _ in range(2))
    assert first["Location"] == second["Location"]
    done = till.get(first["Location"])
    assert heading(done) == "18 points given to Wei C."
    assert "Left to pay" not in text(done)
    assert 'data-leave="8"' in text(done)
    bought = Purchase.objects.get()
    line = bought.lines.get()
    assert (has(one), bought.source, line.sku, line.line_id) == (18, "till:S1", "", "1")
    assert Posting.objects.get().entry.actor == StaffProfile.objects.get().user.actor


def test_what_a_member_is_closest_to_is_said() -> None:
    till, one = unlocked(), rich(100)
    reward()
    reward(code="cake", title="Cake", points=120)
    assert "2 more points for: Cake." in text(sell(till, one, "18.40"))
    assert "272 more points for: Flat white." in text(sell(till, one, "10.20"))


def test_the_same_amount_twice_in_two_minutes_is_asked_about() -> None:
    till, one = unlocked(), member()
    sell(till, one)
    asked = sell(till, one)
    assert "Give it again?" in text(asked)
    assert "Give again" in text(asked)
    assert Purchase.objects.count() == 1
    assert "given to" in heading(sell(till, one, again="1"))
    assert "given to" in heading(sell(till, one, "18.61"))
    with time_machine.travel(timezone.now() + timedelta(minutes=2, seconds=1)):
        assert "given to" in heading(sell(till, one))
    assert Purchase.objects.count() == 4


@pytest.mark.parametrize(
    ("amount", "said"),
    [
        ("", "Enter the amount that was paid"), ("0", "Enter an amount above zero"), ("abc", "Enter the amount that was paid"),
        ("1.234", "Give at most 2 decimals"), ("-5", "Enter the amount that was paid"), ("9999999999", "Enter the amount"),
    ],
)  # fmt: skip
def test_an_amount_that_is_none_is_refused_and_kept(amount: str, said: str) -> None:
    till, one = unlocked(), member()
    page = text(sell(till, one, amount))
    assert said in page
    assert "<title>Error: " in page
    assert not Purchase.objects.exists()


def test_points_pay_within_the_terms_and_only_for_a_confirmed_contact() -> None:
    till, one, new = unlocked(), rich(500), member()
    give(new.holder, 500, at=timezone.now())
    assert "points" in till.get(f"/till/member/{one.pk}/").context["form"].fields
    assert "points" not in till.get(f"/till/member/{new.pk}/").context["form"].fields
    assert "The member has 500 points to use now." in text(sell(till, one, points="501"))
    assert "Left to pay: €13.60." in text(till.get(f"/till/member/{one.pk}/gives/", {"amount": "18.60", "points": "500"}))
    sell(till, one, points="500")
    assert (has(one), Purchase.objects.get().points_spent) == (13, 500)
    sell(till, new, points="500")
    assert Purchase.objects.get(member=new).points_spent == 0


def test_undo_takes_everything_back_for_two_minutes_by_entries_of_its_own() -> None:
    till, one = unlocked(), rich(500)
    done = sell(till, one, points="300")
    act, before = TillAct.objects.get(), Posting.objects.count()
    assert has(one) == 215
    page = till.post(f"/till/done/{act.pk}/undo/", follow=True)
    assert "Undone:" in heading(page)
    assert (has(one), Posting.objects.count() > before, PurchaseReturn.objects.count()) == (500, True, 1)
    assert "two minutes are over" in text(till.post(f"/till/done/{act.pk}/undo/", follow=True))
    assert PurchaseReturn.objects.count() == 1
    assert done.status_code == 200
    sell(till, one, "20")
    late = TillAct.objects.get(undone_at=None)
    with time_machine.travel(timezone.now() + timedelta(minutes=2, seconds=1)):
        till.get("/till/")
        assert "Undo</button>" not in text(till.get(f"/till/done/{late.pk}/"))
        assert "Make a refund instead." in text(till.post(f"/till/done/{late.pk}/undo/", follow=True))
    assert has(one) == 520
    assert not [each for each in verifying.verify() if each.bad_row]


def test_a_reward_is_accepted_once_and_the_second_scan_says_when_where_and_by_whom() -> None:
    till, one = unlocked(), rich(given_name="Wei Chen", email="wei@example.com", phone="+33612345678")
    voucher = voucher_of(one)
    page = text(till.get(f"/till/voucher/{voucher.pk}/"))
    assert "Hand it over." in page
    for told in ("Chen", "wei@example.com", "612345678"):
        assert told not in page
    done = till.post(f"/till/voucher/{voucher.pk}/", {"number": "T77"}, follow=True)
    assert heading(done) == "Flat white: hand it over to Wei C."
    other = unlocked(name="Paul", role="manager")
    again = text(other.get(f"/till/voucher/{voucher.pk}/"))
    assert re.search(r"Used .+ at Harbour shop, by Aïcha\.", again)
    assert "Do not hand it over." in again
    refused = other.post(f"/till/voucher/{voucher.pk}/", {"number": "T78"}, follow=True)
    assert "Used on" in text(refused)
    assert VoucherUse.objects.count() == 1
    till.post(f"/till/done/{TillAct.objects.get().pk}/undo/")
    assert "Accept reward" in text(till.get(f"/till/voucher/{voucher.pk}/"))


def test_a_voucher_of_another_shop_or_over_its_time_is_not_handed_over() -> None:
    till, one = unlocked(), rich()
    voucher = voucher_of(one)
    Voucher.objects.filter(pk=voucher.pk).update(stores=["S9"])
    assert "Do not hand it over." in text(till.get(f"/till/voucher/{voucher.pk}/"))
    Voucher.objects.filter(pk=voucher.pk).update(stores=[])
    with time_machine.travel(voucher.valid_until):
        redeeming.return_unused(now=timezone.now())
        page = text(unlocked(name="Late").get(f"/till/voucher/{voucher.pk}/"))
        assert "The points are back on the card." in page
        assert "Accept reward" not in page


def test_a_reward_for_a_member_without_a_phone_is_redeemed_accepted_or_undone() -> None:
    till, one = unlocked(), rich()
    reward()
    reward(code="cake", title="Cake", points=5000)
    page = till.get(f"/till/member/{one.pk}/rewards/")
    assert [row["title"] for row in page.context["rewards"]] == ["Flat white"]
    form = {"reward": "flat-white", "points": "400", "number": page.context["number"]}
    first, second = (till.post(f"/till/member/{one.pk}/rewards/", form) for _ in range(2))
    assert first["Location"] == second["Location"] == f"/till/voucher/{Voucher.objects.get().pk}/"
    assert (has(one), Redemption.objects.count()) == (600, 1)
    till.post(f"/till/done/{TillAct.objects.get().pk}/undo/")
    assert (has(one), Redemption.objects.get().status) == (1000, "cancelled")
    changed = till.post(f"/till/member/{one.pk}/rewards/", {"reward": "flat-white", "points": "1", "number": "T5"}, follow=True)
    assert "The price has changed: it is 400 points now." in text(changed)
    Reward.objects.filter(code="flat-white").update(money=2)
    changed = till.post(f"/till/member/{one.pk}/rewards/", form | {"money": "1.00", "number": "T6"}, follow=True)
    assert "The price has changed: it is 400 points and €2.00 now." in text(changed)
    assert has(one) == 1000
    new = member()
    give(new.holder, 900, at=timezone.now())
    assert till.get(f"/till/member/{new.pk}/rewards/").context["rewards"] == []


def test_a_card_is_made_by_phone_by_address_and_with_a_printed_number() -> None:
    till, printed = unlocked(), cards.new_number()
    for contact in ("06 12 34 56 78", "Ana@Example.com", cards.grouped(printed)):
        page = till.post("/till/enrol/", {"contact": contact, "given_name": "Ana"}, follow=True)
        assert heading(page) == "The card of Ana"
    assert [one.home_store.code for one in Member.objects.all() if one.home_store] == ["S1"] * 3
    assert till.get("/till/", {"code": printed})["Location"] == f"/till/member/{Card.objects.get(number=printed).member_id}/"
    assert not Member.objects.filter(email_verified_at__isnull=False).exists()
    for contact in ("+33612345678", "ana@example.com", printed):
        known = text(till.post("/till/enrol/", {"contact": contact}))
        assert "Somebody has this card already." in known
        assert "Open the card that is there" in known
    for wrong in ("", "12", "nobody@", "ABCDEFGHJK"):
        assert "<title>Error: " in text(till.post("/till/enrol/", {"contact": wrong}))
    assert Member.objects.count() == 3


def test_over_the_limit_a_manager_gives_it_and_nobody_gives_to_the_own_card() -> None:
    till, one = unlocked(), member()
    limits.propose(limits.Limits(15, 100, 100), by=StaffProfile.objects.get().user.actor, now=timezone.now())
    page = sell(till, one)
    assert "more than you may give alone" in text(page)
    assert "A manager gives it" in text(page)
    assert "No manager of this shop has set a PIN." in text(page)
    assert has(one) == 0
    boss = colleague("Marc", role="manager", pin=BOSS_PIN)
    assert till.post("/till/lock/", {"staff": boss.pk, "pin": BOSS_PIN}).status_code == 302
    assert has(one) == 0
    mine = member(email="marc@shop.example")
    assert "your own" in text(sell(till, mine, "10"))
    assert has(mine) == 0
    sell(till, one, "10")
    assert has(one) == 10


def test_a_managers_pin_lets_a_sale_pass_that_stays_the_cashiers() -> None:
    till, one = unlocked(), member()
    limits.propose(limits.Limits(15, 25, 100), by=StaffProfile.objects.get().user.actor, now=timezone.now())
    boss = colleague("Marc", role="manager", pin=BOSS_PIN, stores=["S1"])
    colleague("Paul", pin="4826", stores=["S1"])
    assert '<button class="button" name="manager"' in text(sell(till, one))
    mistyped = sell(till, one, "15", manager=boss.pk, manager_pin="0000")
    assert (mistyped.status_code, "Wrong PIN. 4 tries left." in text(mistyped), has(one)) == (409, True, 0)
    sell(till, one, "12")
    assert "more than you may give alone" in text(sell(till, one, "15"))
    done = sell(till, one, "15", manager_pin=BOSS_PIN)  # Enter, for there is one manager
    act = TillAct.objects.get(amount=15)
    assert (heading(done), act.shift.staff.name, act.vouched_by) == ("15 points given to Wei", "Aïcha", boss.user.actor)
    assert set(Posting.objects.filter(reference=act.number).values_list("entry__actor", flat=True)) == {boss.user.actor}
    record = AuditRecord.objects.get(verb="till.vouched")
    assert (record.actor, record.changes["points"]) == (boss.user.actor, 15)
    assert "more than Marc may give alone, too." in text(sell(till, one, "14", manager=boss.pk, manager_pin=BOSS_PIN))
    assert has(one) == 27
    colleague("Ines", role="manager", pin="7193", stores=["S1"])
    assert "Tap your name." in text(sell(till, one, "14", manager_pin="7193"))
    stranger = StaffProfile.objects.get(name="Paul")
    assert "Tap your name." in text(sell(till, one, "14", manager=stranger.pk, manager_pin="4826"))
    mine = member(email="marc@shop.example")
    assert "your own" in text(sell(till, mine, "14", manager=boss.pk, manager_pin=BOSS_PIN))
    assert (has(one), has(mine)) == (27, 0)


def test_a_sale_with_the_longest_number_can_be_undone() -> None:
    till, one = unlocked(), rich(500)
    sell(till, one, receipt="K" * 119)
    till.post(f"/till/done/{TillAct.objects.get().pk}/undo/")
    assert has(one) == 500


def test_a_blocked_card_earns_nothing_and_says_so() -> None:
    till, one = unlocked(), rich(100)
    Member.objects.filter(pk=one.pk).update(status="blocked")
    assert "This card is blocked" in text(till.get(f"/till/member/{one.pk}/"))
    sell(till, one)
    assert (has(one), Purchase.objects.count()) == (100, 0)


def test_the_report_counts_what_was_done_and_closing_locks() -> None:
    till, one = unlocked(), rich(500)
    sell(till, one)
    sell(till, one, "10.00")
    till.post(f"/till/done/{TillAct.objects.latest('id').pk}/undo/")
    rows = till.get("/till/report/").context["rows"]
    assert [(str(row["label"]), row["count"], row["points"], row["amount"]) for row in rows] == [
        ("points given", 1, 18, "€18.60"), ("points given, undone", 1, 10, "€10.00"),
    ]  # fmt: skip
    assert till.post("/till/report/")["Location"] == "/till/lock/"
    assert till.get("/till/")["Location"].startswith("/till/lock/")


def test_help_speaks_the_members_language() -> None:
    till = unlocked()
    page = till.get("/till/help/", {"lang": "fr"})
    assert len(page.context["answers"]) == 10
    assert "Quand les points expirent-ils" in text(page)
    assert 'lang="fr"' in text(page)
    assert till.get("/till/help/", {"lang": "tlh"}).context["told_in"] == "en"


def test_what_the_pages_show_of_a_member_is_no_surname_phone_or_address() -> None:
    till = unlocked()
    one = rich(given_name="Wei Chen", family_name="Longname", email="wei@example.com", phone="+33612345678")
    done = sell(till, one)
    pages = [text(till.get(f"/till/member/{one.pk}/")), text(done), text(till.get("/till/")), text(till.get("/till/refund/"))]
    for page in pages:
        for told in ("Longname", "Chen", "wei@example.com", "612345678", "06 12 34"):
            assert told not in page
        assert "no-store" in till.get("/till/")["Cache-Control"]
