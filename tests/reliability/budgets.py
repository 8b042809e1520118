"""The last points of a campaign's budget, for more receipts than it has points for (T3, budgets).

    python -m tests.reliability budgets --trials 1000 --seed S --state FILE

Every trial publishes a bonus with a budget of 1,000 points; receipts and batches of them come over real connections that
start at the same moment.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import partial
from random import Random
from uuid import uuid4

from django.db.models import Sum
from django.utils import timezone

from campaigns import drafting, publishing, purchases
from campaigns.awarding import Recorded
from campaigns.models import Award, CapCounter
from campaigns.ruleschemas import RuleIn
from members.models import Member
from tests.factories import ApplicationFactory, ReceiptFactory, StoreFactory, members
from tests.reliability.crowd import Crowd, both_verifiers, patiently

CONNECTIONS = 40
BUDGET = 1000
RECEIPTS = 100
WINDOWS = ("day", "month", "ever", "rolling:P7D")


def play(seed: str, trials: int) -> int:
    """Play so many trials and verify the ledger; how many receipts came."""
    draw, begun = Random(seed), timezone.now()
    clients = members([ApplicationFactory.build() for _ in range(RECEIPTS)], now=begun)
    StoreFactory.create()
    with Crowd(CONNECTIONS) as crowd:
        for trial in range(trials):
            the_last_thousand(crowd, clients, draw, f"{seed}:{trial}", begun + trial * timedelta(minutes=1))
    both_verifiers()
    return trials * RECEIPTS


def the_last_thousand(crowd: Crowd, clients: Sequence[Member], draw: Random, name: str, now: datetime) -> None:
    """Exactly the budget is given, however the receipts fall into batches, and every receipt stands."""
    code, value = f"budget-{name.replace(':', '-').replace('.', '-')}", draw.randint(11, 90)
    _publish(code, value, draw.choice(WINDOWS), now)
    receipts = [
        ReceiptFactory.build(member=str(one.pk), receipt_number=f"{name}:{place}", occurred_at=now)
        for place, one in enumerate(clients)
    ]
    size = draw.choice((1, 1, 1, 7, 25))
    batches = [receipts[start : start + size] for start in range(0, RECEIPTS, size)]
    answers = crowd.rush([partial(patiently, partial(purchases.record, batch, now=now, actor=None)) for batch in batches])
    assert all(isinstance(one, Recorded) for answer in answers for one in answer), name
    awards = Award.objects.filter(rule_version__rule__code=code)
    assert awards.aggregate(given=Sum("points"))["given"] == min(BUDGET, value * RECEIPTS), name
    assert awards.exclude(points=value).count() <= 1, name
    used = CapCounter.objects.filter(name__contains=code).aggregate(used=Sum("used"))["used"]
    assert used == BUDGET, name
    publishing.end(code, at=now + timedelta(seconds=1), actor=uuid4(), now=now)


def _publish(code: str, value: int, window: str, now: datetime) -> None:
    caps = [{"unit": "points", "per": "rule", "window": window, "limit": BUDGET}]
    fields = {"kind": "bonus", "value": value, "per": "purchase", "name": code, "caps": caps}
    draft, _is_new = drafting.put(code, RuleIn.model_validate(fields), actor=uuid4())
    assert publishing.publish(draft.pk, actor=uuid4(), now=now).published
