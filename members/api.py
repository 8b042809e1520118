"""Members through the API. Contacts are masked unless the key's scope is `configure`."""

from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from ninja import P, QueryEx, Router, Schema, Status

from loyalty import queries as ledger
from loyalty.endpoints import key_of, write
from loyalty.problems import Fault, Problem
from members import adjusting, cards, changing, contacts, queries
from members.access import Key
from members.enrolling import enrol
from members.models import ApiKey, Member
from members.schemas import AdjustmentIn, AdjustmentOut, MemberApplication, MemberOut, MemberPatch, MemberSearch

router = Router(tags=["Members"])
READ, WRITE = Key("pos", "read", "configure"), Key("pos", "configure")


class MemberList(Schema):
    items: list[MemberOut]
    next: str | None = None


def found(member: UUID | str) -> Member:
    """The member with that id. Raises Problem `unknown-member`, 404."""
    try:
        return queries.with_card().select_related("home_store").get(pk=member)
    except (Member.DoesNotExist, ValueError):
        raise Problem("unknown-member", "No member has this id.", status=404) from None


def shown(member: Member, key: ApiKey) -> dict[str, Any]:
    """The member as this key may see it."""
    full = "configure" in key.scopes
    birthday = f"{member.birth_year or '-'}-{member.birth_month:02}-{member.birth_day:02}" if member.birth_month else None
    return {
        "id": str(member.pk),
        "card_number": member.card_number,  # type: ignore[attr-defined]
        "external_id": member.external_id,
        "given_name": member.given_name,
        "family_name": member.family_name,
        "email": (member.email if full else contacts.masked_email(member.email)) or None,
        "phone": (member.phone if full else contacts.masked_phone(member.phone)) or None,
        "birthday": birthday,
        "language": member.language,
        "home_store": member.home_store.code if member.home_store else None,
        "status": member.status,
        "joined_at": member.joined_at.isoformat(),
        "tier": queries.tiers_at([(member.pk, timezone.now())])[0],
        "tags": member.tags,
    }


def _key(request: HttpRequest) -> ApiKey:
    return request.auth  # type: ignore[attr-defined,no-any-return]


def _render(request: HttpRequest) -> Any:
    return lambda stored: shown(found(stored["member"]), _key(request))


@router.post("/members", auth=WRITE, response={201: MemberOut})
def join(request: HttpRequest, response: HttpResponse, body: MemberApplication) -> Status[Any]:
    """Enrol a member; the card earns at once."""

    def act() -> tuple[int, Any]:
        if body.verified and "configure" not in _key(request).scopes:
            raise Problem("forbidden-scope", "Only a key with the scope configure may vouch for a contact.", status=403)
        [answer] = enrol([body], now=timezone.now())
        if isinstance(answer, Problem):
            raise answer
        return 201, {"member": str(answer.member)}

    return write(request, response, act, _render(request))


@router.get("/members", auth=READ, response=MemberList)
def by_number(request: HttpRequest, card: str | None = None, external_id: QueryEx[str | None, P(max_length=64)] = None) -> Any:
    """The member of a card or of another system's number: no item or one."""
    if (card is None) == (external_id is None):
        raise Problem(
            "validation", "Ask by one of card and external_id.", faults=[Fault("/card", "Ask by one of card and external_id.")]
        )
    if card is not None:
        return _search(request, card=card)
    return _items(request, queries.with_card().filter(external_id=(external_id or "").replace("\0", "")))


@router.post("/members/search", auth=READ, response=MemberList)
def search(request: HttpRequest, body: MemberSearch) -> Any:
    """Find by a contact, which never stands in an address. Nothing is stored, not even the answer."""
    key_of(request)
    if body.card is not None:
        return _search(request, card=body.card)
    wanted = {"email__iexact": body.email} if body.email else {"phone": body.phone}
    return _items(request, queries.with_card().filter(**wanted))


def _search(request: HttpRequest, *, card: str) -> Any:
    return _items(request, queries.with_card().filter(cards__number=cards.parse(card) or ""))


def _items(request: HttpRequest, members: Any) -> Any:
    return {"items": [shown(one, _key(request)) for one in members.select_related("home_store")[:1]], "next": None}


@router.get("/members/{uuid:member}", auth=READ, response=MemberOut)
def read(request: HttpRequest, member: UUID) -> Any:
    return shown(found(member), _key(request))


@router.patch("/members/{uuid:member}", auth=WRITE, response=MemberOut)
def change(request: HttpRequest, response: HttpResponse, member: UUID, body: MemberPatch) -> Status[Any]:
    """Change what is given; the rest stays."""

    def act() -> tuple[int, Any]:
        trusted = "configure" in _key(request).scopes
        actor = _key(request).pk
        changing.change(found(member).pk, body, now=timezone.now(), trusted=trusted, replaces=trusted, actor=actor)
        return 200, {"member": str(member)}

    return write(request, response, act, _render(request))


@router.post("/adjustments", auth=Key("adjust"), response={201: AdjustmentOut}, tags=["Adjustments"])
def adjust(request: HttpRequest, response: HttpResponse, body: AdjustmentIn) -> Status[Any]:
    """Correct a balance. Above the programme's limits it waits for a second person."""
    return write(request, response, lambda: (201, _adjusted(_key(request), body)))


def _adjusted(key: ApiKey, body: AdjustmentIn) -> dict[str, Any]:
    known = queries.resolve([body.member]).get(body.member)
    if known is None:
        detail = _("No member has the card or id %(text)s.") % {"text": body.member}
        raise Problem("unknown-member", detail, faults=[Fault("/member", detail)])
    if key.store is not None and body.store not in (None, key.store.code):
        raise Problem("forbidden-scope", f"This key is bound to store {key.store.code}.", status=403)
    reason, words = adjusting.reason_of(body.reason)
    wanted = adjusting.Wanted(
        member=known.id, points=body.points, reason=reason, words=words, expires_at=body.expires_at,
        store=key.store.code if key.store else body.store,
    )  # fmt: skip
    one = adjusting.adjust(wanted, by=key.pk, now=timezone.now())
    return {"id": str(one.pk), "status": one.status, "balance": ledger.net_balances([known.holder])[known.holder]}
