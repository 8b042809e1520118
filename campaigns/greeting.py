"""What the house records itself: the welcome of who has proved a contact, a completed profile, birthdays (SEMANTICS 8.1, 8.2).

An act is told only where a rule pays for it, by a number of its own, so that telling it again changes nothing.
"""

from collections.abc import Iterable, Sequence
from datetime import date, datetime, timedelta
from itertools import batched
from uuid import UUID

from django.db.models import Q

from campaigns import rules
from campaigns.awarding import Recorded
from campaigns.events import HOUSE, Happened, preview, record
from campaigns.models import Event as Act
from campaigns.standing import BIRTHDAY_SETTLES
from loyalty import terms
from loyalty.outbox import Event
from members.models import Member
from members.queries import resolve, with_birthday

# A birthday that an outage held up is still kept this many days later.
CATCH_UP_DAYS = 2
YEAR = timedelta(days=365)
BATCH = 500


def welcome(events: Sequence[Event], *, now: datetime) -> None:
    """Of members of whom more is known now: who has proved a contact is welcomed, who has told name and birthday thanked.

    A welcome is judged by the rules of the day on which the member joined, as it was promised then; its points begin now.
    """
    published = rules.published()
    if not _is_paid(published, "sign_up", "profile_completed"):
        return
    record(list(_welcomes(_members(events), published, now)), now=now)


def promised(member: Member, *, now: datetime) -> int:
    """The points that wait until this member proves a contact."""
    published = rules.published()
    facts = resolve([str(member.pk)]).get(str(member.pk))
    if member.is_verified or facts is None or not _pays(published, "sign_up", member.joined_at):
        return 0
    return preview(facts, "sign_up", terms.current(now), published, member.joined_at).judgement.points


def keep_birthdays(*, now: datetime) -> int:
    """Give whose birthday it is what the rules of that day say; returns how many were recorded.

    Once a birthday and once in 365 days; never within 30 days after it was told. The day begins at the programme's midnight.
    """
    published = rules.published()
    if not _is_paid(published, "birthday"):
        return 0
    contract, count = terms.current(now), 0
    today = contract.day_of(now)
    for day in (today - timedelta(days=late) for late in range(CATCH_UP_DAYS, -1, -1)):
        begins = contract.midnight_after(day - timedelta(days=1))
        if _pays(published, "birthday", begins):
            count += sum(
                isinstance(one, Recorded)
                for some in batched(_birthdays(day, begins), BATCH, strict=False)
                for one in record(some, now=now)
            )
    return count


def _welcomes(members: Iterable[Member], published: Sequence[rules.Published], now: datetime) -> Iterable[Happened]:
    for one in members:
        if one.is_verified and _pays(published, "sign_up", one.joined_at):
            yield _told(one, "sign_up", now, promised_at=one.joined_at)
        if one.given_name and one.birth_month and _pays(published, "profile_completed", now):
            yield _told(one, "profile_completed", now)


def _birthdays(day: date, begins: datetime) -> Iterable[Happened]:
    """Of who had none in 365 days."""
    lately = Act.objects.filter(type="birthday", day__gt=day - YEAR, day__lte=day, streak__gt=0).values("member")
    settled = Q(birthday_set_at=None) | Q(birthday_set_at__lte=begins - BIRTHDAY_SETTLES)
    known = with_birthday(day).filter(settled).exclude(pk__in=lately)
    for one in known.order_by("pk").iterator():
        yield _told(one, "birthday", begins, number=f"birthday:{day.year}:{one.holder}")


def _told(one: Member, type_: str, at: datetime, *, number: str = "", promised_at: datetime | None = None) -> Happened:
    return Happened(
        source=HOUSE, number=number or f"{type_}:{one.holder}", type=type_, member=str(one.pk), occurred_at=at,
        promised_at=promised_at,
    )  # fmt: skip


def _members(events: Sequence[Event]) -> list[Member]:
    ids: set[UUID] = {one.subject for one in events}
    return list(Member.objects.filter(pk__in=ids, status=Member.Status.ACTIVE).order_by("pk"))


def _is_paid(published: Sequence[rules.Published], *types: str) -> bool:
    return any(one.rule.event_type in types for one in published)


def _pays(published: Sequence[rules.Published], type_: str, at: datetime) -> bool:
    return any(rule.event_type == type_ for rule in rules.in_force(published, at))
