"""Receipts at the same moment, on real connections: a budget is spent to the last point and never passed."""

from datetime import timedelta
from functools import partial
from uuid import uuid4

import pytest
from django.db.models import Sum
from django.utils import timezone

from campaigns import drafting, publishing, purchases
from campaigns.awarding import Recorded
from campaigns.models import Award, CapCounter
from campaigns.ruleschemas import RuleIn
from loyalty import verifying
from tests.campaigns.test_event_races import together
from tests.factories import ApplicationFactory as Application
from tests.factories import ReceiptFactory, StoreFactory, members

pytestmark = pytest.mark.usefixtures("committing_db")
MANY = 16


def bonus(code: str, value: int, **given: object) -> None:
    """A published bonus for each purchase, in force since yesterday."""
    fields = {"kind": "bonus", "value": value, "per": "purchase", "name": code.title()}
    draft, _is_new = drafting.put(code, RuleIn.model_validate(fields | given), actor=uuid4())
    assert publishing.publish(draft.pk, actor=uuid4(), now=timezone.now() - timedelta(days=1)).published


@pytest.mark.parametrize("window", ["day", "ever", "rolling:P7D"])
def test_the_last_points_of_a_budget_go_out_once(window: str) -> None:
    now = timezone.now()
    caps = [{"unit": "points", "per": "rule", "window": window, "limit": 100}]
    bonus("gift", 30, caps=caps)
    StoreFactory.create()
    people = members(Application.build_batch(MANY))
    receipts = [ReceiptFactory.build(member=str(one.pk), occurred_at=now) for one in people]
    answers = together([partial(purchases.record, [one], now=now, actor=None) for one in receipts])
    assert all(isinstance(answer[0], Recorded) for answer in answers)
    gifts = Award.objects.filter(rule_version__rule__code="gift")
    assert sorted(gifts.values_list("points", flat=True)) == [10, 30, 30, 30]
    assert CapCounter.objects.aggregate(used=Sum("used"))["used"] == 100
    assert not [one for one in verifying.verify() if one.bad_row]


def test_a_first_purchase_is_one_whichever_till_is_first() -> None:
    now = timezone.now()
    bonus("first", 50, who={"first_purchase": True})
    StoreFactory.create()
    [one] = members([Application.build()])
    receipts = [ReceiptFactory.build(member=str(one.pk), occurred_at=now - timedelta(seconds=n)) for n in range(MANY)]
    together([partial(purchases.record, [each], now=now, actor=None) for each in receipts])
    assert list(Award.objects.filter(rule_version__rule__code="first").values_list("points", flat=True)) == [50]
