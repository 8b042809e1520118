"""Makes what tests need through the product's own doors: members by enrolling, points by posting."""

import itertools
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

import factory
from django.utils import timezone

from campaigns.schemas import LineIn, PurchaseIn
from loyalty import posting
from loyalty.acts import Accrual, Posted
from loyalty.models import Store
from members.access import create_key
from members.enrolling import Enrolled, enrol
from members.models import Member
from members.schemas import MemberIn

NOW = datetime(2026, 6, 15, 12, 0, tzinfo=UTC)
_numbers = itertools.count(1)


class StoreFactory(factory.django.DjangoModelFactory[Store]):
    class Meta:
        model = Store
        django_get_or_create = ("code",)

    code = "S1"
    name = "Harbour shop"
    timezone = "Europe/Paris"


class ApplicationFactory(factory.Factory[MemberIn]):
    class Meta:
        model = MemberIn

    given_name = "Wei"
    email = factory.Sequence(lambda n: f"wei{n}@example.com")


class LineFactory(factory.Factory[LineIn]):
    class Meta:
        model = LineIn

    line_id = factory.Sequence(lambda n: f"{n}")
    net_amount = Decimal("18.60")


class ReceiptFactory(factory.Factory[PurchaseIn]):
    class Meta:
        model = PurchaseIn

    source = "till-1"
    receipt_number = factory.Sequence(lambda n: f"R{n}")
    store = "S1"
    occurred_at = factory.LazyFunction(timezone.now)
    currency = "EUR"
    lines = factory.LazyFunction(lambda: [LineFactory.build()])


def member(*, now: datetime | None = None, **given: Any) -> Member:
    """An enrolled member."""
    return members([ApplicationFactory.build(**given)], now=now)[0]


def members(applications: Iterable[MemberIn], *, now: datetime | None = None) -> list[Member]:
    answers = enrol(list(applications), now=now or timezone.now())
    ids = [answer.member for answer in answers if isinstance(answer, Enrolled)]
    found = {one.pk: one for one in Member.objects.filter(id__in=ids)}
    return [found[id_] for id_ in ids]


def holder() -> UUID:
    """Somebody with an empty wallet, whom no other room knows."""
    id_ = UUID(int=0xFACE << 112 | next(_numbers))
    posting.open_wallets([id_])
    return id_


def accrual(to: UUID, points: int, *, at: datetime = NOW, days: int | None = 365, pending: int = 0, **given: Any) -> Accrual:
    """An accrual at `at` that can be used after `pending` days and ends `days` later, or never."""
    usable = at + timedelta(days=pending)
    fields: dict[str, Any] = {
        "key": f"test:{next(_numbers)}", "holder": to, "points": points, "occurred_at": at, "available_at": usable,
        "expires_at": None if days is None else usable + timedelta(days=days),
    }  # fmt: skip
    return Accrual(**fields | given)


def give(to: UUID, *points: int, at: datetime = NOW, **given: Any) -> list[UUID]:
    """Post accruals; the entries."""
    outcomes = posting.accrue([accrual(to, one, at=at, **given) for one in points], now=at)
    return [outcome.entry for outcome in outcomes if isinstance(outcome, Posted)]


def api_key(*scopes: str, store: str | None = None, trusted: bool = False) -> str:
    """A working key, which somebody made; a `trusted` one was made from the server's shell, so nobody's limits hold for it."""
    id_ = StoreFactory.create(code=store).pk if store else None
    return create_key("test", list(scopes), store=id_, made_by=None if trusted else uuid4())[1]
