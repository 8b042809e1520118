"""Members as a till may show them: a first name, an initial and four digits; never a surname, a phone number or an address."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.http import Http404
from django.utils.translation import gettext as _

from config.pages import tier
from loyalty import money, queries, terms
from members.models import Member
from members.queries import with_card


@dataclass(frozen=True, slots=True)
class Shown:
    """`name` is “Wei C.”, `initials` “W. C.”, `ending` the last four of the phone number, else of the card."""

    id: UUID
    name: str
    initials: str
    ending: str
    card: str


@dataclass(frozen=True, slots=True)
class Standing:
    """What the counter needs to know of a member beside who it is."""

    tier: str
    points: queries.Balance
    worth: str
    birthday: bool
    blocked: bool
    verified: bool


def found(member: UUID) -> Member:
    """The member with that id, with `card_number`; a closed card is none."""
    one = with_card().select_related("user").filter(pk=member).exclude(status=Member.Status.CLOSED).first()
    if one is None:
        raise Http404
    return one


def shown(member: Member) -> Shown:
    card = getattr(member, "card_number", "") or ""
    words = [*member.given_name.split(), *member.family_name.split()]
    rest = f" {words[-1][0]}." if len(words) > 1 else ""
    name = words[0] + rest if words else _("Member without a name")
    initials = " ".join(f"{word[0]}." for word in (words[:1] + words[-1:] if len(words) > 1 else words)) or "–"
    return Shown(member.pk, name, initials, (member.phone or card)[-4:], card)


def standing(member: Member, now: datetime) -> Standing:
    contract, points = terms.current(now), queries.balances([member.holder], now)[member.holder]
    today = contract.day_of(now)
    held = tier.shown(member, now)
    return Standing(
        tier=held["name"] if held else "", points=points,
        worth=money.text(contract.worth(max(points.available, 0)), contract.currency),
        birthday=(member.birth_month, member.birth_day) == (today.month, today.day),
        blocked=member.status != Member.Status.ACTIVE, verified=member.is_verified,
    )  # fmt: skip
