"""T8: no single person creates points above the limits, by any route; two persons can.

Each route is what one person, Ada, tries with all that is hers: an owner's login, keys that she made, the doors of the API
and of the admin, and the verbs behind them. Ben is somebody else. `most` is what the limits let Ada have. Routes of parts
that call `posting.accrue` for documents are judged at that door; tests/architecture sees to it that they name who acts.
"""

from collections.abc import Callable

import pytest
from django.utils import timezone

from loyalty import limits
from members import deciding, trusting
from members.models import ApprovalRequest
from tests.members.minting import (
    a_new_key_for_each_act,
    a_revoked_key_and_its_successor,
    an_actor_that_nobody_knows,
    an_imported_balance_with_an_actor,
    every_day_for_two_months,
    forgiving_a_debt,
    giving_and_undoing_to_free_the_room,
    keys_and_admin_in_turn,
    many_small_ones_through_the_admin,
    many_small_ones_through_the_api,
    merging_and_taking_apart,
    one_act_through_the_admin,
    one_act_through_the_api,
    one_huge_receipt_by_an_own_key,
    one_receipt_in_many_awards,
    points_in_a_file_of_members,
    receipts_and_adjustments_by_one_key,
    receipts_by_an_own_key,
    restoring_twice,
    small_ones_to_many_cards,
    taking_and_undoing,
    the_largest_number_there_is,
    transfers_in_a_circle,
    two_keys_of_one_maker,
    undoing_the_taking_back_of_a_return,
    writing_the_books_in_the_admin,
)
from tests.members.minting_at_tills import (
    one_huge_sale_at_an_own_till,
    one_receipt_typed_again_and_again,
    sales_as_a_colleague_whose_pin_she_set,
    sales_at_an_own_till,
    sales_that_her_till_says_were_offline,
    sales_that_her_till_sends,
    sales_that_she_says_were_noted_while_it_was_locked,
    selling_and_undoing_to_free_the_room,
    vouching_for_her_own_sales,
    vouching_with_a_pin_that_she_set,
)
from tests.members.minting_by_approval import (
    a_helper_who_may_only_ask,
    a_key_of_the_shell_that_she_uses,
    a_trust_that_was_for_another_key,
    a_trusted_key_by_hand,
    an_approval_after_a_refusal,
    an_approval_in_the_name_of_her_key,
    an_approval_that_came_too_late,
    an_approver_who_gains_by_it,
    an_edit_after_it_was_asked,
    another_members_approval,
    colleagues_without_the_right,
    her_approval_of_what_her_key_asked,
    her_own_approval,
    her_own_card,
    raising_the_limits_alone,
    raising_the_limits_through_a_lowering,
    the_same_form_twice,
    the_same_request_again,
    trusting_her_key_at_anothers_request,
    trusting_her_own_key,
)
from tests.members.two_people import DAY, MONTH, SINGLE, Shop, ask, documents, id_of

pytestmark = pytest.mark.django_db

# What is legitimately there before, by routes that need something to work on.
GIVEN = {
    taking_and_undoing: 0, undoing_the_taking_back_of_a_return: 0, forgiving_a_debt: 0, restoring_twice: 9_000,
    transfers_in_a_circle: 9_000, merging_and_taking_apart: 9_000,
}  # fmt: skip
NOTHING: list[Callable[[Shop], None]] = [
    one_act_through_the_api, one_act_through_the_admin, the_largest_number_there_is, one_huge_receipt_by_an_own_key,
    one_receipt_in_many_awards, an_actor_that_nobody_knows, her_own_approval, her_approval_of_what_her_key_asked,
    an_approval_in_the_name_of_her_key, an_edit_after_it_was_asked, another_members_approval, an_approval_that_came_too_late,
    an_approval_after_a_refusal, colleagues_without_the_right, a_helper_who_may_only_ask, her_own_card,
    an_approver_who_gains_by_it, raising_the_limits_alone, raising_the_limits_through_a_lowering, trusting_her_own_key,
    trusting_her_key_at_anothers_request, a_trust_that_was_for_another_key, points_in_a_file_of_members,
    an_imported_balance_with_an_actor, writing_the_books_in_the_admin, giving_and_undoing_to_free_the_room,
    one_huge_sale_at_an_own_till, selling_and_undoing_to_free_the_room,
]  # fmt: skip
MOST: dict[Callable[[Shop], None], int] = {
    **dict.fromkeys(NOTHING, 0), **GIVEN, many_small_ones_through_the_api: DAY, many_small_ones_through_the_admin: DAY,
    small_ones_to_many_cards: DAY, every_day_for_two_months: MONTH, two_keys_of_one_maker: DAY, a_new_key_for_each_act: DAY,
    keys_and_admin_in_turn: DAY, a_revoked_key_and_its_successor: DAY, receipts_by_an_own_key: DAY,
    receipts_and_adjustments_by_one_key: DAY, a_key_of_the_shell_that_she_uses: DAY, the_same_form_twice: SINGLE,
    the_same_request_again: SINGLE, a_trusted_key_by_hand: DAY, sales_at_an_own_till: DAY,
    one_receipt_typed_again_and_again: SINGLE,
    sales_that_her_till_sends: DAY - 6, sales_that_her_till_says_were_offline: DAY,
    vouching_for_her_own_sales: DAY, vouching_with_a_pin_that_she_set: DAY,
    sales_as_a_colleague_whose_pin_she_set: DAY,
    sales_that_she_says_were_noted_while_it_was_locked: DAY,
}  # fmt: skip


@pytest.mark.parametrize("route", MOST, ids=lambda route: route.__name__)
def test_one_person_creates_no_point_above_the_limits(route: Callable[[Shop], None]) -> None:
    shop = Shop()
    route(shop)
    assert shop.held == MOST[route]


def test_there_are_enough_routes() -> None:
    assert len(MOST) >= 25


def test_two_persons_can_adjust_and_a_replay_of_it_does_nothing() -> None:
    shop = Shop()
    shop.ada.form(shop.card, 9_000)
    ask(shop.ada.key(), shop.other, 7_000)
    asked = list(ApprovalRequest.objects.all())
    shop.ben.decides()
    assert shop.held == 16_000
    for one in asked:
        for person in (shop.ada, shop.ben):
            person.decides(asked=one)
    assert shop.held == 16_000
    assert limits.room(shop.ada.actor, now=timezone.now()).day == DAY


def test_two_persons_can_raise_the_limits_and_trust_a_key() -> None:
    shop = Shop()
    raised = {"single_points": 9_000, "day_points": 20_000, "month_points": 100_000}
    shop.ada.client.post("/admin/loyalty/grantlimits/add/", raised)
    key = shop.ada.key("pos")
    shop.ada.trusts(key)
    shop.ben.decides()
    shop.ada.form(shop.card, 9_000)
    documents(shop, id_of(key).pk, 80_000)
    assert shop.held == 89_000


def test_the_verbs_say_the_same_as_the_pages() -> None:
    """Whoever calls the verb with a wrong person is refused by it, page or not."""
    shop = Shop()
    shop.ada.form(shop.card, 9_000)
    key = shop.ada.key("pos")
    trusting.ask(id_of(key), by=shop.ada.actor, now=timezone.now())
    for one in ApprovalRequest.objects.all():
        with pytest.raises(Exception, match="Somebody else has to decide"):
            deciding.decide(one.pk, "approved", by=shop.ada.actor, now=timezone.now())
    assert shop.held == 0
    assert not limits.exempted([id_of(key).pk])
