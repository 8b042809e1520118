"""What other rooms ask about people."""

import calendar
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import groupby
from uuid import UUID

from django.db import connection
from django.db.models import BooleanField, ExpressionWrapper, OuterRef, Q, QuerySet, Subquery

from loyalty.terms import FOREVER
from members import cards
from members.models import Card, Member, Tier, TierMembership, TierTable
from members.tiers import Level, Table

# A proved contact, or none to prove (SEMANTICS 8.1); an external id alone comes from the shop's own system.
MAY_SPEND = ExpressionWrapper(
    Q(email_verified_at__isnull=False) | Q(phone_verified_at__isnull=False) | Q(email="", phone=""), output_field=BooleanField()
)
# Of each instant the row that stood then; without one, the tier of everybody in the table that governed it.
TIERS_AT = """
select coalesce(nullif(m.tier, ''), base.code, '')
  from unnest(%s::uuid[], %s::timestamptz[]) with ordinality asked (member, at, place)
       left join lateral (select tier from members_tiermembership t
                           where t.member_id = asked.member and t.since <= asked.at
                             and (t.ended_at is null or t.ended_at > asked.at) limit 1) m on true
       left join lateral (select id from members_tiertable where published_at is not null
                           order by starts_at <= asked.at desc, case when starts_at <= asked.at then starts_at end desc,
                                    case when starts_at <= asked.at then version end desc, starts_at, version desc
                           limit 1) governing on true
       left join members_tier base on base.table_id = governing.id and base.threshold = 0
 order by asked.place
"""


@dataclass(frozen=True, slots=True)
class MemberFacts:
    """What a purchase needs to know of a member; `birthday` is (month, day).

    `verified`: may spend. Whoever has no contact has none to prove: the shop brought them along under a number of its own.
    """

    id: UUID
    holder: UUID
    status: str
    birthday: tuple[int, int] | None = None
    birthday_set_at: datetime | None = None
    verified: bool = False


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
        .annotate(may_spend=MAY_SPEND)
        .values_list("id", "holder", "status", "external_id", "birth_month", "birth_day", "birthday_set_at", "may_spend")
        .order_by()
    )
    by_key: dict[object, MemberFacts] = {}
    for id_, holder, status, external_id, month, day, set_at, may_spend in rows:
        birthday = (month, day) if month and day else None
        by_key[id_] = by_key[("external", external_id)] = MemberFacts(id_, holder, status, birthday, set_at, may_spend)
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


def tiers_at(pairs: Sequence[tuple[UUID, datetime]]) -> list[str | None]:
    """The code of the tier that each member had at that instant, in order; None for none. One statement for all."""
    if not pairs:
        return []
    with connection.cursor() as cursor:
        cursor.execute(TIERS_AT, [[member for member, _ in pairs], [at for _, at in pairs]])
        return [code or None for (code,) in cursor.fetchall()]


def tier_tables() -> list[Table]:
    """Every published tier table, newest start first; none while the programme has no tiers. One statement."""
    rows = Tier.objects.exclude(table__published_at=None).select_related("table")
    ordered = rows.order_by("-table__starts_at", "-table__version", "threshold")
    return [as_table(tiers[0].table, tiers) for _, group in groupby(ordered, lambda one: one.table_id) if (tiers := list(group))]


def as_table(one: TierTable, tiers: Iterable[Tier]) -> Table:
    """The version as a plain value; a draft that starts as soon as it may starts at no time yet."""
    levels = tuple(
        Level(each.code, each.name, each.threshold, each.entry_reward, tuple(sorted(each.names.items())))
        for each in sorted(tiers, key=lambda each: each.threshold)
    )
    starts_at = one.starts_at or FOREVER
    return Table(one.pk, one.version, one.basis, one.window, one.review, one.grace_days, levels, starts_at)


def standing_tiers(members: Iterable[UUID]) -> dict[UUID, TierMembership]:
    """The row that stands now, of those who have one."""
    rows = TierMembership.objects.filter(member__in=list(members), ended_at=None)
    return {one.member_id: one for one in rows}


def tiers_rewarded(entries: Iterable[UUID]) -> dict[UUID, str]:
    """Which tier's entry reward an entry paid, by its code."""
    return {
        entry: tier
        for entry, tier in TierMembership.objects.filter(reward__in=list(entries)).values_list("reward", "tier")
        if entry
    }


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
