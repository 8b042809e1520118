"""Finding people by what they show or say: a card, a contact, a name."""

from uuid import UUID

from django.db.models import Q, QuerySet
from django.db.models.functions import Lower, Right

from members import cards, contacts
from members.models import Card, Member


def identified(text: str) -> set[UUID]:
    """The members that a card number as typed, an e-mail address, a phone number or another system's number names."""
    text = text.replace("\0", "").strip()
    if not text:
        return set()
    number = cards.parse(text)
    found = set(Card.objects.filter(number=number).values_list("member", flat=True)) if number else set()
    exact = Q(external_id=text)
    if "@" in text:
        exact |= Q(lower=text.lower())
    if phone := _phone(text):
        exact |= Q(phone=phone)
    return found | set(Member.objects.alias(lower=Lower("email")).filter(exact).values_list("pk", flat=True))


def is_contact(text: str) -> bool:
    """Whether this is what an e-mail address or a phone number looks like."""
    return "@" in text or _phone(text) is not None


def named(members: QuerySet[Member], text: str) -> QuerySet[Member]:
    """Those whose name holds every word."""
    for word in text.replace("\0", "").split():
        members = members.filter(Q(given_name__icontains=word) | Q(family_name__icontains=word))
    return members


def _phone(text: str) -> str | None:
    try:
        return contacts.phone(text) if any(letter.isdigit() for letter in text) else None
    except ValueError:
        return None


def with_phone_ending(members: QuerySet[Member], digits: str) -> QuerySet[Member]:
    """Those whose phone number ends so, by the index of the last four digits; closed cards left out."""
    rows = members.exclude(phone="").exclude(status=Member.Status.CLOSED)
    if len(digits) < 4:
        return rows.none()
    ending = rows.annotate(last_digits=Right("phone", 4)).filter(last_digits=digits[-4:], phone__endswith=digits)
    return ending.order_by("-joined_at", "pk")
