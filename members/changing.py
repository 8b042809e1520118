"""Changing what is known of a member."""

from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from loyalty import auditing, outbox, queries
from loyalty.problems import Fault, Problem
from members.models import Consent, Member
from members.schemas import MemberPatch, parse_birthday, unborn

# What makes a member known better: a proved contact, a completed profile.
KNOWN = ("email_verified_at", "phone_verified_at", "given_name", "birth_month")


def change(
    member: UUID, patch: MemberPatch, *, now: datetime, trusted: bool, replaces: bool = True, actor: UUID | None = None
) -> None:
    """Apply the fields that `patch` sets. A new contact is unverified until a code proves it, or the shop, `trusted`, does.

    A new e-mail takes the card from the login of the old one. `replaces`: also a verified contact. With an `actor` the
    names of the fields are written down.
    Raises Problem: a contact or external id of somebody else, an unknown store, a birthday that was given before, a
    verified contact that may not be replaced, a member who would be left without any contact.
    """
    given = patch.model_dump(exclude_unset=True)
    consents = given.pop("consents", [])
    try:
        with transaction.atomic():
            one = Member.objects.select_for_update().get(pk=member)
            changed = {
                name: value for name, value in _columns(one, given, now, trusted=trusted).items() if getattr(one, name) != value
            }
            _keep_contact(one, changed, replaces=replaces)
            Member.objects.filter(pk=member).update(**changed)
            rows = [Consent(member=one, granted=True, at=now, **consent) for consent in consents]
            Consent.objects.bulk_create(rows)
            outbox.tell([outbox.Event("member.updated", one.pk, {"fields": sorted(changed)})])
            if any(changed.get(name) for name in KNOWN):
                outbox.tell([outbox.Event("member.known", one.pk, {})])
            if actor:
                named = [*changed, *(["consents"] if rows else [])]
                auditing.record(actor, "member.changed", "members.member", one.pk, dict.fromkeys(sorted(named)))
    except IntegrityError:
        detail = _("A member has this e-mail address, phone number or external id already.")
        raise Problem("duplicate-document", detail, status=409) from None


def _columns(one: Member, given: dict[str, Any], now: datetime, *, trusted: bool) -> dict[str, Any]:
    columns: dict[str, Any] = {}
    for name, value in given.items():
        if name in ("email", "phone"):
            columns[name] = value or ""
            if columns[name] != getattr(one, name):
                columns[f"{name}_verified_at"] = now if trusted and value else None
                columns |= {"user_id": None} if name == "email" else {}
        elif name == "home_store":
            columns["home_store_id"] = _store(value)
        elif name == "birthday":
            columns |= _birthday(one, value, now)
        else:
            columns[name] = value
    return columns


def _keep_contact(one: Member, changed: dict[str, Any], *, replaces: bool) -> None:
    """A verified contact is its owner's, and nobody is left without any."""
    touched = [name for name in ("email", "phone") if name in changed]
    for name in touched:
        if getattr(one, f"{name}_verified_at") and not replaces:
            detail = _("The member has proved this contact. Only the shop's staff can replace it.")
            raise Problem("not-eligible", detail, status=409, faults=[Fault(f"/{name}", detail)])
    if touched and not any(changed.get(name, getattr(one, name)) for name in ("email", "phone")):
        detail = _("A member keeps one contact at least. Give another one first.")
        raise Problem("not-eligible", detail, status=409, faults=[Fault(f"/{touched[0]}", detail)])


def _store(code: str | None) -> int | None:
    if code is None:
        return None
    stores = queries.stores_by_code([code])
    if code not in stores:
        detail = _("There is no store %(code)s.") % {"code": code}
        raise Problem("unknown-store", detail, faults=[Fault("/home_store", detail)])
    return stores[code].id


def _birthday(one: Member, text: str | None, now: datetime) -> dict[str, Any]:
    """A birthday is given once (SEMANTICS 8.2), by somebody who is born."""
    if problem := unborn(text, now):
        raise problem
    known = (one.birth_year, one.birth_month, one.birth_day)
    birthday = tuple(parse_birthday(text)) if text else (None, None, None)
    if birthday == known:
        return {}
    if one.birth_month is not None:
        raise Problem("not-eligible", _("The birthday was given before; staff can change it once."), status=409)
    return dict(zip(("birth_year", "birth_month", "birth_day"), birthday, strict=True)) | {"birthday_set_at": now}
