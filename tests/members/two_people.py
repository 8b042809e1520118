"""Two owners of a shop, with logins and keys of their own, and two cards (T8)."""

from dataclasses import dataclass, field
from typing import Any
from uuid import UUID, uuid4

from django.test import Client
from django.utils import timezone

from loyalty import posting, queries
from loyalty.acts import (
    Adjustment,
)
from loyalty.ids import uuid7
from members import access
from members.models import ApiKey, ApprovalRequest, Member, User
from members.staffing import employ
from tests.api import Till
from tests.factories import accrual, member
from tests.staff import text

SINGLE, DAY, MONTH = 5_000, 20_000, 100_000


@dataclass
class Person:
    """A member of staff with a login of their own, and whatever keys they make."""

    name: str
    role: str = "owner"
    client: Client = field(default_factory=Client)

    def __post_init__(self) -> None:
        employ(f"{self.name}@shop.example", role=self.role, name=self.name)
        self.client.force_login(User.objects.get(email=f"{self.name}@shop.example"))

    @property
    def actor(self) -> UUID:
        return User.objects.get(email=f"{self.name}@shop.example").actor

    def key(self, *scopes: str) -> Till:
        """Made in the admin, where the key is shown once."""
        sent = {"name": f"{self.name} {uuid4()}", "scopes": scopes or ["adjust"]}
        shown = text(self.client.post("/admin/members/apikey/add/", sent, follow=True))
        return Till(shown.partition('<code class="secret">')[2].partition("</code>")[0])

    def form(self, to: Member, points: int, **given: Any) -> None:
        """The admin's form, with the page that asks once more behind it."""
        sent = {"direction": "give", "amount": points, "reason": "goodwill", "token": str(uuid7()), "confirmed": "1"}
        self.client.post(f"/admin/members/member/{to.pk}/adjust/", sent | given)

    def decides(self, decision: str = "approved", asked: ApprovalRequest | None = None) -> None:
        """On the page of what waits, or of `asked`."""
        for one in [asked] if asked else list(ApprovalRequest.objects.filter(decision="")):
            self.client.post(f"/admin/members/approvalrequest/{one.pk}/decide/", {"decision": decision, "note": "no"})

    def trusts(self, key: Till) -> None:
        self.client.post(f"/admin/members/apikey/{id_of(key).pk}/trust/")


@dataclass
class Shop:
    ada: Person = field(default_factory=lambda: Person("ada"))
    ben: Person = field(default_factory=lambda: Person("ben"))
    card: Member = field(default_factory=member)
    other: Member = field(default_factory=member)

    @property
    def held(self) -> int:
        return sum(queries.net_balances([self.card.holder, self.other.holder]).values())


def id_of(key: Till) -> ApiKey:
    return ApiKey.objects.get(digest=access.digest(key.token))


def ask(till: Till, to: Member, points: int, **given: Any) -> Any:
    return till.post("/adjustments", {"member": str(to.pk), "points": points, "reason": "goodwill"}, **given)


def documents(shop: Shop, actor: UUID, points: int, times: int = 1) -> None:
    """What a till sends for receipts."""
    for _ in range(times):
        posting.accrue([accrual(shop.card.holder, points, at=timezone.now())], now=timezone.now(), actor=actor)


def by_hand(shop: Shop, points: int) -> Adjustment:
    now = timezone.now()
    return Adjustment(key=f"hand:{uuid4()}", holder=shop.card.holder, points=points, occurred_at=now, reason="goodwill")
