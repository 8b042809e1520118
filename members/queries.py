"""What other rooms ask about people."""

import calendar
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from django.db.models import OuterRef, Q, QuerySet, Subquery

from members import cards
from members.models import Card, Member


@dataclass(frozen=True, slots=True)
class MemberFacts:
    """What a purchase needs to know of a member; `birthday` is (month, day)."""

    id: UUID
    holder: UUID
    status: str
    birthday: tuple[int, int] | None = None
    birthday_set_at: datetime | None = None


def resolve(references: Iterable[str]) -> dict[str, MemberFacts]:
    """Members by reference: an id, a card number as people type it, or `external:<id>`. Unknown ones are left out."""
    asked = set(references)
    ids = {reference: id_ for reference in asked if (id_ := _uuid(reference))}
    numbers = {reference: number for reference in asked - ids.keys() if (number := cards.parse(reference))}
    externals = {reference: reference[9:] for reference in asked if reference.startswith("external:")}
    rows = (
        Member.objects.filter(
            Q(id__in=ids.values())
            | Q(external_id__in=externals.values())
            | Q(id__in=Card.objects.filter(number__in=numbers.values()).values("member"))
        )
        .values_list("id", "holder", "status", "external_id", "birth_month", "birth_day", "birthday_set_at")
        .order_by()
    )
    by_key: dict[object, MemberFacts] = {}
    for id_, holder, status, external_id, month, day, set_at in rows:
        birthday = (month, day) if month and day else None
        by_key[id_] = by_key[("external", external_id)] = MemberFacts(id_, holder, status, birthday, set_at)
    of_card = dict(Card.objects.filter(number__in=numbers.values()).values_list("number", "member")) if numbers else {}
    found = {reference: by_key.get(id_) for reference, id_ in ids.items()}
    found |= {reference: by_key.get(of_card.get(number)) for reference, number in numbers.items()}
    found |= {reference: by_key.get(("external", value)) for reference, value in externals.items()}
    return {reference: facts for reference, facts in found.items() if facts}


def with_card() -> QuerySet[Member]:
    """Members with `card_number`, the newest card."""
    newest = Card.objects.filter(member=OuterRef("pk")).order_by("-issued_at", "-id").values("number")[:1]
    return Member.objects.annotate(card_number=Subquery(newest))


def by_holder(holders: Iterable[UUID]) -> dict[UUID, Member]:
    return {member.holder: member for member in Member.objects.filter(holder__in=list(holders))}


def told(*, after: str | None, limit: int) -> list[Member]:
    """The next members who are told of what concerns all, in the order of their ids; `after` is the last one before."""
    members = Member.objects.exclude(status=Member.Status.CLOSED)
    return list((members.filter(pk__gt=after) if after else members).order_by("pk")[:limit])


def with_birthday(day: date) -> QuerySet[Member]:
    """Active members whose birthday is `day`; 29 February is kept on the 28th in other years (SEMANTICS 8.2)."""
    days = Q(birth_month=day.month, birth_day=day.day)
    if (day.month, day.day) == (2, 28) and not calendar.isleap(day.year):
        days |= Q(birth_month=2, birth_day=29)
    return Member.objects.filter(days, status=Member.Status.ACTIVE)


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
