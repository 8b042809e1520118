"""Routes by which one person might create points at a till that is all hers: browser, PIN and card (T8)."""

from django.utils import timezone

from members import shifts, tilling
from members.models import Device, Shift, StaffProfile, TillAct, TillLimits
from tests.factories import StoreFactory
from tests.members.two_people import SINGLE, Shop

PIN = "2580"


def till_of_her_own(shop: Shop) -> None:
    """Made in the admin, bound in her browser, opened with her PIN."""
    client, store = shop.ada.client, StoreFactory.create()
    staff = StaffProfile.objects.get(name=shop.ada.name).pk
    made = client.post("/admin/members/device/add/", {"name": "Hers", "store": store.pk})
    client.post("/till/register/", {"code": made.context["code"]})
    client.post("/admin/till-pin/", {"staff": staff, "pin": PIN, "again": PIN})
    client.post("/till/lock/", {"staff": staff, "pin": PIN})
    assert client.get("/till/").status_code == 200


def sell(shop: Shop, amount: int, number: str = "") -> None:
    form = {"amount": str(amount), "number": number or tilling.new_number(), "again": "1"}
    shop.ada.client.post(f"/till/member/{shop.card.pk}/", form)


def sales_at_an_own_till(shop: Shop) -> None:
    till_of_her_own(shop)
    for _ in range(8):
        sell(shop, SINGLE)


def one_huge_sale_at_an_own_till(shop: Shop) -> None:
    till_of_her_own(shop)
    sell(shop, SINGLE + 1)


def one_receipt_typed_again_and_again(shop: Shop) -> None:
    till_of_her_own(shop)
    for _ in range(8):
        sell(shop, SINGLE, "K-100")


def selling_and_undoing_to_free_the_room(shop: Shop) -> None:
    till_of_her_own(shop)
    for _ in range(4):
        sell(shop, SINGLE)
    for act in TillAct.objects.all():
        shop.ada.client.post(f"/till/done/{act.pk}/undo/")
    for _ in range(4):
        sell(shop, SINGLE)


def sales_that_her_till_sends(shop: Shop) -> None:
    till_of_her_own(shop)
    _send(shop, [SINGLE - i for i in range(4)] + [SINGLE] * 4)


def sales_that_her_till_says_were_offline(shop: Shop) -> None:
    """In a locked till, within what its shop may take offline, which she has set herself."""
    till_of_her_own(shop)
    TillLimits.objects.create(store=Device.objects.get().store, receipts=1000, amount=1_000_000)
    _send(shop, [SINGLE] * 8, lock=True)


def vouching_for_her_own_sales(shop: Shop) -> None:
    """As the manager whose PIN lets pass what the cashier may not give, who is she herself."""
    till_of_her_own(shop)
    staff = StaffProfile.objects.get(name=shop.ada.name).pk
    for amount in (SINGLE, SINGLE, SINGLE, SINGLE, SINGLE + 1, 8 * SINGLE):
        for manager in (str(staff), ""):
            form = {"amount": str(amount), "number": tilling.new_number(), "again": "1", "manager": manager, "manager_pin": PIN}
            shop.ada.client.post(f"/till/member/{shop.card.pk}/", form)
        sell(shop, amount)


def vouching_with_a_pin_that_she_set(shop: Shop) -> None:
    """As a colleague who is not there: an owner sets everybody's PIN."""
    till_of_her_own(shop)
    ben = StaffProfile.objects.get(name=shop.ben.name).pk
    shop.ada.client.post("/admin/till-pin/", {"staff": ben, "pin": PIN, "again": PIN})
    vouched = {"manager": str(ben), "manager_pin": PIN}
    for more in ({}, *[vouched] * 4, *[{}] * 4):
        form = {"amount": str(SINGLE), "number": tilling.new_number(), "again": "1"}
        shop.ada.client.post(f"/till/member/{shop.card.pk}/", form | more)


def sales_as_a_colleague_whose_pin_she_set(shop: Shop) -> None:
    till_of_her_own(shop)
    for _ in range(2):
        sell(shop, SINGLE)
    ben = StaffProfile.objects.get(name=shop.ben.name).pk
    shop.ada.client.post("/admin/till-pin/", {"staff": ben, "pin": PIN, "again": PIN})
    shop.ada.client.post("/till/lock/", {"staff": ben, "pin": PIN})
    for _ in range(4):
        sell(shop, SINGLE)


def sales_that_she_says_were_noted_while_it_was_locked(shop: Shop) -> None:
    till_of_her_own(shop)
    TillLimits.objects.create(store=Device.objects.get().store, receipts=1000, amount=1_000_000)
    _send(shop, [SINGLE] * 8, vouched=True)


def _send(shop: Shop, amounts: list[int], *, lock: bool = False, **given: bool) -> None:
    now = timezone.now()
    proof = shifts.proof(Shift.objects.get(ended_at=None), now=now)
    if lock:
        shop.ada.client.post("/till/lock/", {"lock": "1"})
    sales = [
        {"number": tilling.new_number(), "member": str(shop.card.pk), "amount": str(amount), "at": now.isoformat(),
         "proof": proof, "again": True, **given}
        for amount in amounts
    ]  # fmt: skip
    shop.ada.client.post("/till/sales/", {"sales": sales}, content_type="application/json")
