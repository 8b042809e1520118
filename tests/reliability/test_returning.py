"""Returns leak nothing and take nothing too much (quick tier). The full one is `python -m tests.reliability returns`."""

import os
from collections.abc import Mapping, Sequence
from decimal import Decimal
from functools import partial

import pytest
from django.utils import timezone

from campaigns import keeping, parking, purchases
from campaigns.keeping import Held, Piece, Sold
from campaigns.models import PurchaseReturn
from campaigns.returns import Taken
from campaigns.schemas import ReceiptReturnIn
from campaigns.values import Line
from loyalty import queries
from loyalty.terms import Terms
from tests.factories import ReceiptFactory, StoreFactory, member
from tests.reliability import returning, worlds
from tests.reliability.crowd import Crowd, both_verifiers

RECEIPTS = 150
# The same each time, so that a change turns it red and not chance; the full tier goes through others.
SEED = os.environ.get("REGULARS_SEED", "20261126")
takings, kept = keeping.takings, keeping.kept


@pytest.mark.timeout(300)
@pytest.mark.usefixtures("committing_db")
@pytest.mark.parametrize("world", worlds.WORLDS)
def test_nothing_leaks(world: str) -> None:
    assert returning.play(f"{SEED}.0", RECEIPTS, world) > RECEIPTS


def takes_one_less(awards: Sequence[Held], targets: Mapping[str, int]) -> list[int]:
    return [max(0, points - (points == 7)) for points in takings(awards, targets)]


def takes_by_the_last_return(awards: Sequence[Held], targets: Mapping[str, int]) -> list[int]:
    """Not cumulatively: forgets what was taken before."""
    taken = takings([Held(one.rule, one.points, 0, one.expired) for one in awards], targets)
    return [min(points, one.points - one.clawed) for points, one in zip(taken, awards, strict=True)]


def keeps_the_goods(sold: Sequence[Sold], gone: Sequence[Piece], contract: Terms) -> list[Line]:
    """Money back takes no goods."""
    amounts = {one.line.line_id: one.line.quantity for one in sold}
    return [
        Line(one.line_id, one.net_amount, amounts[one.line_id], one.sku, one.category, one.brand)
        for one in kept(sold, gone, contract)
    ]


WRONG = [("takings", takes_one_less), ("takings", takes_by_the_last_return), ("kept", keeps_the_goods)]


@pytest.mark.timeout(300)
@pytest.mark.usefixtures("committing_db")
@pytest.mark.parametrize(("name", "wrong"), WRONG, ids=[wrong.__name__ for _, wrong in WRONG])
def test_returns_that_are_wrong_in_one_thing_are_noticed(name: str, wrong: object, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keeping, name, wrong)
    with pytest.raises(AssertionError, match=r"plain \d+\.0: "):
        returning.play(f"{SEED}.0", RECEIPTS, "plain")


@pytest.mark.timeout(300)
@pytest.mark.usefixtures("committing_db")
def test_a_sale_and_its_return_at_the_same_moment_find_each_other() -> None:
    StoreFactory.create()
    now, people = timezone.now(), [member() for _ in range(3)]
    sales = [ReceiptFactory.build(member=str(people[place % 3].pk)) for place in range(60)]
    bodies = [
        ReceiptReturnIn(
            return_number=f"B{place}",
            occurred_at=now,
            amount=Decimal("8.60"),
            source=one.source,
            receipt_number=one.receipt_number,
        )
        for place, one in enumerate(sales)
    ]
    with Crowd(8) as crowd:
        acts = [act for one, body in zip(sales, bodies, strict=True) for act in (
            partial(purchases.record, [one], now=timezone.now()), partial(parking.take, body, now=timezone.now()))]  # fmt: skip
        crowd.rush(acts)
        one = PurchaseReturn.objects.exclude(purchase=None).first()
        assert one is not None
        again = crowd.rush([partial(parking.take, bodies[int(one.return_number[1:])], now=timezone.now())] * 8)
        assert again == [Taken(one.pk, replayed=True)] * 8
        late = ReceiptReturnIn.model_validate(one.content | {"return_number": "late", "amount": "1.00"})
        answers = crowd.rush([partial(parking.take, late, now=timezone.now())] * 8)
        assert sorted(answer.replayed for answer in answers if isinstance(answer, Taken)) == [False] + [True] * 7
    assert PurchaseReturn.objects.exclude(purchase=None).count() == 61
    assert sum(queries.net_balances([one.holder for one in people]).values()) == 60 * 10 - 1
    both_verifiers()
