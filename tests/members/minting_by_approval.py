"""Routes by which one person might approve what one person asked for: own, stale, altered, borrowed approvals (T8)."""

from datetime import timedelta

from django.utils import timezone

from loyalty import limits, posting
from loyalty.ids import uuid7
from loyalty.limits import Limits
from members import access, limiting
from members.models import Adjustment as Asked
from members.models import ApprovalRequest, Member, User
from tests.api import Till
from tests.members.two_people import SINGLE, Person, Shop, ask, by_hand, documents, id_of


def her_own_approval(shop: Shop) -> None:
    shop.ada.form(shop.card, 9_000)
    shop.ada.decides()


def her_approval_of_what_her_key_asked(shop: Shop) -> None:
    ask(shop.ada.key(), shop.card, 9_000)
    shop.ada.decides()


def an_approval_in_the_name_of_her_key(shop: Shop) -> None:
    key = id_of(shop.ada.key()).pk
    for actor, approver in ((shop.ada.actor, key), (key, shop.ada.actor), (key, key), (shop.ada.actor, shop.ada.actor)):
        posting.adjust([by_hand(shop, 9_000)], now=timezone.now(), actor=actor, approved_by=approver)


def a_key_of_the_shell_that_she_uses(shop: Shop) -> None:
    """Nobody answers for it, so nothing that it asks for can be approved, and by hand it is limited like anybody."""
    key = Till(access.create_key("shell", ["adjust"])[1])
    ask(key, shop.card, 9_000)
    shop.ada.decides()
    for _ in range(5):
        ask(key, shop.other, SINGLE)


def an_edit_after_it_was_asked(shop: Shop) -> None:
    shop.ada.form(shop.card, 9_000)
    Asked.objects.update(points=90_000)
    shop.ben.decides()


def another_members_approval(shop: Shop) -> None:
    shop.ada.form(shop.card, 9_000)
    Asked.objects.update(member=shop.other)
    shop.ben.decides()


def an_approval_that_came_too_late(shop: Shop) -> None:
    shop.ada.form(shop.card, 9_000)
    ApprovalRequest.objects.update(requested_at=timezone.now() - timedelta(days=31))
    shop.ben.decides()


def an_approval_after_a_refusal(shop: Shop) -> None:
    shop.ada.form(shop.card, 9_000)
    asked = ApprovalRequest.objects.get()
    shop.ben.decides("refused")
    for person in (shop.ada, shop.ben):
        person.decides(asked=asked)


def the_same_form_twice(shop: Shop) -> None:
    token = str(uuid7())
    for _ in range(3):
        shop.ada.form(shop.card, SINGLE, token=token)


def the_same_request_again(shop: Shop) -> None:
    key = shop.ada.key()
    for _ in range(3):
        ask(key, shop.card, SINGLE, key="again")
        ask(key, shop.card, SINGLE - 1, key="again")


def colleagues_without_the_right(shop: Shop) -> None:
    """Logins that ask, and decide, without the right to."""
    for role in ("support", "manager", "marketer", "cashier"):
        person = Person(role, role)
        person.form(shop.card, 9_000)
        person.decides()


def a_helper_who_may_only_ask(shop: Shop) -> None:
    Person("sam", "support").form(shop.card, 10)


def her_own_card(shop: Shop) -> None:
    Member.objects.filter(pk=shop.card.pk).update(user=User.objects.get(email="ada@shop.example"))
    shop.ada.form(shop.card, 10)
    ask(shop.ada.key(), shop.card, 10)


def an_approver_who_gains_by_it(shop: Shop) -> None:
    Member.objects.filter(pk=shop.card.pk).update(email="ben@shop.example")
    shop.ada.form(shop.card, 9_000)
    shop.ben.decides()


def raising_the_limits_alone(shop: Shop) -> None:
    shop.ada.client.post(
        "/admin/loyalty/grantlimits/add/", {"single_points": 90_000, "day_points": 90_000, "month_points": 100_000}
    )
    shop.ada.form(shop.card, 9_000)
    shop.ada.decides()


def raising_the_limits_through_a_lowering(shop: Shop) -> None:
    """A raise is asked for against limits that are gone by the time it is approved."""
    now = timezone.now()
    limiting.propose(Limits(90_000, 90_000, 100_000), by=shop.ada.actor, now=now)
    limiting.propose(Limits(10, 10, 10), by=shop.ada.actor, now=now)
    shop.ben.decides()
    shop.ada.form(shop.card, 11)


def trusting_her_own_key(shop: Shop) -> None:
    key = shop.ada.key("pos")
    shop.ada.trusts(key)
    shop.ada.decides()
    documents(shop, id_of(key).pk, SINGLE + 1)


def trusting_her_key_at_anothers_request(shop: Shop) -> None:
    """Ben asks for it, and she decides, who made it."""
    key = shop.ada.key("pos")
    shop.ben.trusts(key)
    shop.ada.decides()
    documents(shop, id_of(key).pk, SINGLE + 1)


def a_trusted_key_by_hand(shop: Shop) -> None:
    """Two persons let a till be; what is done by hand with its key is still hers."""
    key = shop.ada.key("pos", "adjust")
    shop.ada.trusts(key)
    shop.ben.decides()
    assert limits.exempted([id_of(key).pk])
    ask(key, shop.card, 9_000)
    for _ in range(3):
        ask(key, shop.card, SINGLE)
        shop.ada.form(shop.card, SINGLE)


def a_trust_that_was_for_another_key(shop: Shop) -> None:
    key, other = shop.ada.key("pos"), shop.ada.key("pos")
    shop.ada.trusts(key)
    ApprovalRequest.objects.update(object_id=str(id_of(other).pk))
    shop.ben.decides()
    documents(shop, id_of(other).pk, SINGLE + 1)
