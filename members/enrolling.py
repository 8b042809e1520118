"""Joining: a member, a card and a wallet at once. One path for the API, the join page, the admin and imports."""

from collections import ChainMap
from collections.abc import MutableMapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models.functions import Lower
from django.utils.translation import gettext as _

from loyalty import outbox, posting, queries
from loyalty.ids import uuid7
from loyalty.problems import Fault, Problem
from loyalty.queries import StoreFacts
from members import cards
from members.models import Card, Consent, Member
from members.schemas import MemberIn, parse_birthday, unborn


@dataclass(frozen=True, slots=True)
class Enrolled:
    """`known`: an import met a member of the same external id again and left it as it is."""

    member: UUID
    card: str
    known: bool = False


# Who bears an identity, such as `email:wei@example.com`: the member, and the newest card.
type Bearers = MutableMapping[str, tuple[UUID, str]]


def enrol(applications: Sequence[MemberIn], *, now: datetime, again: bool = False) -> list[Enrolled | Problem]:
    """Enrol each applicant in a constant number of statements; answers in order.

    A known e-mail, phone or external id is refused with 409 `duplicate-document`, whose extra field `member` is that
    member's id; with `again` (imports) a known external id answers the member who has it.
    """
    with transaction.atomic():
        answers = judge(applications, met={}, now=now, again=again)
        made = [answer for answer in answers if isinstance(answer, Member)]
        taken = [a for a, answer in zip(applications, answers, strict=True) if isinstance(answer, Member)]
        numbers = _write(made, taken, now, brought=again)
    return [
        (Enrolled(one.pk, numbers[one.pk]) if one.pk in numbers else _taken(None)) if isinstance(one, Member) else one
        for one in answers
    ]


def judge(
    applications: Sequence[MemberIn], *, met: Bearers, now: datetime, again: bool = False
) -> list[Enrolled | Problem | Member]:
    """What `enrol` would answer now, a new member unsaved; locks and writes nothing.

    `met` holds the identities of those judged before in the same file, and is added to.
    """
    stores = queries.stores_by_code(one.home_store for one in applications if one.home_store)
    known = ChainMap(met, _known(applications))
    answers: list[Enrolled | Problem | Member] = []
    for one in applications:
        answer = _judge(one, stores, known, now=now, again=again)
        if isinstance(answer, Member):
            met.update(dict.fromkeys(_identities(answer.external_id, answer.email, answer.phone), (answer.pk, "")))
        answers.append(answer)
    return answers


def _judge(
    one: MemberIn, stores: dict[str, StoreFacts], known: Bearers, *, now: datetime, again: bool
) -> Member | Enrolled | Problem:
    if one.home_store and one.home_store not in stores:
        detail = _("There is no store %(code)s.") % {"code": one.home_store}
        return Problem("unknown-store", detail, faults=[Fault("/home_store", detail)])
    if not (one.email or one.phone or one.external_id):
        return Problem("validation", _("Give an e-mail address or a phone number."))
    if problem := unborn(one.birthday, now):
        return problem
    for identity in _identities(one.external_id, one.email, one.phone):
        if identity in known:
            member, card = known[identity]
            return Enrolled(member, card, known=True) if again and identity.startswith("external:") else _taken(member)
    return _member(one, stores, now)


def _member(one: MemberIn, stores: dict[str, StoreFacts], now: datetime) -> Member:
    member = Member(
        id=uuid7(), external_id=one.external_id, given_name=one.given_name, family_name=one.family_name,
        email=one.email or "", phone=one.phone or "", language=one.language,
        home_store_id=stores[one.home_store].id if one.home_store else None, joined_at=now,
    )  # fmt: skip
    if one.birthday:
        member.birth_year, member.birth_month, member.birth_day = parse_birthday(one.birthday)
        member.birthday_set_at = now
    if one.verified:
        member.email_verified_at = now if one.email else None
        member.phone_verified_at = now if one.phone else None
    return member


def _write(members: list[Member], applications: list[MemberIn], now: datetime, *, brought: bool) -> dict[UUID, str]:
    """Write members with cards, wallets and consents; the card of each who was written.

    Who is `brought` along from another system is known there already: nothing is made of what is known of them.
    Somebody who joined in the same instant with the same contact wins by the unique index; the other is left out.
    """
    Member.objects.bulk_create(members, ignore_conflicts=True)
    written = set(Member.objects.filter(id__in=[one.pk for one in members]).values_list("id", flat=True))
    joined = [one for one in members if one.pk in written]
    numbers = issue_cards([one.pk for one in joined])
    posting.open_wallets([one.holder for one in joined])
    Consent.objects.bulk_create(
        Consent(member_id=member.pk, channel=given.channel, purpose=given.purpose, granted=True, at=now)
        for member, one in zip(members, applications, strict=True)
        if member.pk in written
        for given in one.consents
    )
    news = [outbox.Event("member.joined", one.pk, {"joined_at": one.joined_at.isoformat()}) for one in joined]
    known = [] if brought else [one for one in joined if one.is_verified or (one.given_name and one.birth_month)]
    outbox.tell([*news, *(outbox.Event("member.known", one.pk, {}) for one in known)])
    return numbers


def issue_cards(members: Sequence[UUID]) -> dict[UUID, str]:
    """Give each member a new card; a number that somebody has already is drawn again."""
    numbers: dict[UUID, str] = {}
    missing = list(members)
    while missing:
        drawn = {cards.new_number(): member for member in missing}
        Card.objects.bulk_create([Card(number=n, member_id=m) for n, m in drawn.items()], ignore_conflicts=True)
        found = Card.objects.filter(number__in=drawn).values_list("number", "member_id")
        numbers |= {member: number for number, member in found if drawn[number] == member}
        missing = [member for member in missing if member not in numbers]
    return numbers


def _identities(external_id: str | None, email: str | None, phone: str | None) -> list[str]:
    named = {"external": external_id, "email": email, "phone": phone}
    return [f"{kind}:{value}" for kind, value in named.items() if value]


def _known(applications: Sequence[MemberIn]) -> dict[str, tuple[UUID, str]]:
    """Who already bears one of the identities, by identity, with the newest card."""
    columns: dict[str, Any] = {
        "external_id__in": [one.external_id for one in applications if one.external_id],
        "lower__in": [one.email for one in applications if one.email],
        "phone__in": [one.phone for one in applications if one.phone],
    }
    known: dict[str, tuple[UUID, str]] = {}
    rows = Member.objects.annotate(lower=Lower("email")).prefetch_related("cards")
    for column, values in columns.items():
        for member in rows.filter(**{column: values}) if values else []:
            card = next((one.number for one in member.cards.all()), "")
            known |= dict.fromkeys(_identities(member.external_id, member.email.lower(), member.phone), (member.pk, card))
    return known


def _taken(member: UUID | None) -> Problem:
    detail = _("A member has this e-mail address, phone number or external id already.")
    return Problem("duplicate-document", detail, status=409, extra={"member": str(member)} if member else {})
