"""Routes by which one person might create points: in small ones, by keys, by receipts, by the ledger's other verbs (T8)."""

from datetime import timedelta
from uuid import UUID, uuid4

from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone

from loyalty import posting
from loyalty.acts import (
    Accrual,
    Burn,
    ClawBack,
    Forgiveness,
    Merge,
    Posted,
    Restore,
    Reversal,
    Transfer,
    UnMerge,
)
from members import access, adjusting
from members.adjusting import Wanted
from tests.factories import accrual, give
from tests.members.two_people import SINGLE, Shop, ask, by_hand, documents, id_of


def one_act_through_the_api(shop: Shop) -> None:
    ask(shop.ada.key(), shop.card, SINGLE + 1)


def one_act_through_the_admin(shop: Shop) -> None:
    shop.ada.form(shop.card, SINGLE + 1)


def the_largest_number_there_is(shop: Shop) -> None:
    for points in (10**8, 2**31, 2**63 - 1, 2**63, 10**30):
        ask(shop.ada.key(), shop.card, points)
        shop.ada.form(shop.card, points)


def many_small_ones_through_the_api(shop: Shop) -> None:
    key = shop.ada.key()
    for _ in range(8):
        ask(key, shop.card, SINGLE)


def many_small_ones_through_the_admin(shop: Shop) -> None:
    for _ in range(8):
        shop.ada.form(shop.card, SINGLE)


def small_ones_to_many_cards(shop: Shop) -> None:
    for _ in range(4):
        shop.ada.form(shop.card, SINGLE)
        shop.ada.form(shop.other, SINGLE)


def every_day_for_two_months(shop: Shop) -> None:
    now = timezone.now()
    for day in range(29):
        for _ in range(5):
            wanted = Wanted(member=shop.card.pk, points=SINGLE, reason="goodwill")
            adjusting.adjust(wanted, by=shop.ada.actor, now=now + timedelta(days=day))


def two_keys_of_one_maker(shop: Shop) -> None:
    for key in (shop.ada.key(), shop.ada.key()):
        for _ in range(4):
            ask(key, shop.card, SINGLE)


def a_new_key_for_each_act(shop: Shop) -> None:
    for _ in range(6):
        ask(shop.ada.key(), shop.card, SINGLE)


def keys_and_admin_in_turn(shop: Shop) -> None:
    key = shop.ada.key()
    for _ in range(4):
        ask(key, shop.card, SINGLE)
        shop.ada.form(shop.card, SINGLE)


def a_revoked_key_and_its_successor(shop: Shop) -> None:
    for _ in range(2):
        key = shop.ada.key()
        for _ in range(4):
            ask(key, shop.card, SINGLE)
        access.revoke_key(id_of(key).pk, now=timezone.now())


def receipts_by_an_own_key(shop: Shop) -> None:
    documents(shop, id_of(shop.ada.key("pos")).pk, SINGLE, 8)


def one_huge_receipt_by_an_own_key(shop: Shop) -> None:
    documents(shop, id_of(shop.ada.key("pos")).pk, SINGLE + 1)


def one_receipt_in_many_awards(shop: Shop) -> None:
    awards = [accrual(shop.card.holder, SINGLE, at=timezone.now()) for _ in range(4)]
    posting.accrue(awards, now=timezone.now(), actor=id_of(shop.ada.key("pos")).pk, together=["R1"] * 4)


def receipts_and_adjustments_by_one_key(shop: Shop) -> None:
    key = shop.ada.key("pos", "adjust")
    documents(shop, id_of(key).pk, SINGLE, 3)
    for _ in range(3):
        ask(key, shop.card, SINGLE)


def an_actor_that_nobody_knows(shop: Shop) -> None:
    documents(shop, uuid4(), SINGLE + 1)
    posting.adjust([by_hand(shop, SINGLE + 1)], now=timezone.now(), actor=uuid4())


def taking_and_undoing(shop: Shop) -> None:
    give(shop.card.holder, 9_000, at=timezone.now())
    [taken] = posting.adjust([by_hand(shop, -9_000)], now=timezone.now(), actor=None)
    assert isinstance(taken, Posted)
    for _ in range(3):
        undo = Reversal.of(taken.entry, shop.card.holder, occurred_at=timezone.now())
        posting.reverse([undo], now=timezone.now(), actor=shop.ada.actor)


def giving_and_undoing_to_free_the_room(shop: Shop) -> None:
    for _ in range(8):
        [given] = posting.adjust([by_hand(shop, SINGLE)], now=timezone.now(), actor=shop.ada.actor)
        if isinstance(given, Posted):
            undo = Reversal.of(given.entry, shop.card.holder, occurred_at=timezone.now())
            posting.reverse([undo], now=timezone.now(), actor=shop.ada.actor)
            posting.reverse(
                [Reversal.of(given.entry, shop.card.holder, occurred_at=timezone.now())], now=timezone.now(), actor=None
            )


def undoing_the_taking_back_of_a_return(shop: Shop) -> None:
    returned = _returned(shop)
    posting.reverse(
        [Reversal.of(returned, shop.card.holder, occurred_at=timezone.now())], now=timezone.now(), actor=shop.ada.actor
    )


def _returned(shop: Shop) -> UUID:
    now = timezone.now()
    [entry] = give(shop.card.holder, 9_000, at=now)
    act = ClawBack(key=f"return:{uuid4()}", holder=shop.card.holder, points=9_000, entry=entry, own=(entry,), occurred_at=now)
    [back] = posting.claw_back([act], now=now)
    assert isinstance(back, Posted)
    return back.entry


def forgiving_a_debt(shop: Shop) -> None:
    """Spends what the goods earned, returns them, and forgives what is owed then."""
    now = timezone.now()
    [entry] = give(shop.card.holder, 9_000, at=now)
    posting.burn([Burn(key="spent", holder=shop.card.holder, points=9_000, occurred_at=now)], now=now)
    act = ClawBack(key="back", holder=shop.card.holder, points=9_000, entry=entry, own=(entry,), occurred_at=now)
    posting.claw_back([act], now=now)
    debt = Forgiveness(key="debt", holder=shop.card.holder, points=9_000, occurred_at=now)
    posting.forgive([debt], now=now, actor=shop.ada.actor)
    # What she could not forgive is still owed.
    assert shop.held == -9_000
    give(shop.card.holder, 9_000, at=now)


def restoring_twice(shop: Shop) -> None:
    now = timezone.now()
    give(shop.card.holder, 9_000, at=now)
    [spent] = posting.burn([Burn(key="spent", holder=shop.card.holder, points=9_000, occurred_at=now)], now=now)
    assert isinstance(spent, Posted)
    for number in range(3):
        back = Restore(key=f"b{number}", holder=shop.card.holder, points=9_000, entry=spent.entry, occurred_at=now)
        posting.restore([back], now=now, actor=shop.ada.actor)


def transfers_in_a_circle(shop: Shop) -> None:
    now, pair = timezone.now(), [shop.card.holder, shop.other.holder]
    give(shop.card.holder, 9_000, at=now)
    for number in range(6):
        act = Transfer(key=f"t{number}", holder=pair[number % 2], to=pair[1 - number % 2], points=9_000, occurred_at=now)
        posting.transfer([act], now=now, actor=shop.ada.actor)


def merging_and_taking_apart(shop: Shop) -> None:
    now, card, other = timezone.now(), shop.card.holder, shop.other.holder
    give(card, 9_000, at=now)
    for number in range(3):
        [merged] = posting.merge([Merge(key=f"m{number}", holder=card, to=other, occurred_at=now)], now=now, actor=shop.ada.actor)
        assert isinstance(merged, Posted)
        back = UnMerge(key=f"u{number}", holder=card, to=other, entry=merged.entry, occurred_at=now)
        posting.unmerge([back, back], now=now, actor=shop.ada.actor)


def points_in_a_file_of_members(shop: Shop) -> None:
    file = SimpleUploadedFile("members.csv", b"external_id,balance,points\nm-1,9000,9000\n", content_type="text/csv")
    shop.ada.client.post("/admin/members/member/import/", {"import_file": file, "format": "0", "resource": "0"})


def an_imported_balance_with_an_actor(shop: Shop) -> None:
    act = Accrual(
        key="opening:1", holder=shop.card.holder, points=9_000, occurred_at=timezone.now(), available_at=timezone.now(),
        expires_at=None, kind="import",  # type: ignore[arg-type]
    )  # fmt: skip
    posting.accrue([act], now=timezone.now(), actor=shop.ada.actor)


def writing_the_books_in_the_admin(shop: Shop) -> None:
    for model in ("posting", "wallet", "lot", "journalentry"):
        shop.ada.client.post(f"/admin/loyalty/{model}/add/", {"points": 9_000})
    shop.ada.client.post("/admin/members/adjustment/add/", {"member": str(shop.card.pk), "points": 9_000, "status": "posted"})
