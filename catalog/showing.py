"""Rewards, redemptions and vouchers as the API tells them: plain JSON values, nothing personal but ids."""

from datetime import datetime
from typing import Any

from django.utils import translation

from catalog import issuing, keeping, pictures
from catalog.models import Redemption, Reward, Voucher
from catalog.offers import Priced
from catalog.texts import said
from loyalty import money, queries
from loyalty.terms import Terms


def kept(one: Reward, contract: Terms) -> dict[str, Any]:
    """A reward as it was put, with what is left of it, its picture, and since when it is withdrawn."""
    return keeping.document(one, contract.minor_units) | {
        "currency": contract.currency,
        "picture": pictures.addresses(one.picture.name),
        "withdrawn_at": one.withdrawn_at and one.withdrawn_at.isoformat(),
    }


def reward(one: Priced, currency: str, language: str | None) -> dict[str, Any]:
    """A reward at its price of now; `language` is that of the member who asks."""
    price, ends = one.quoted.price, one.quoted.valid_until
    with translation.override(language):
        title = said(one.reward, "title") if language else one.reward.title
    return {
        "code": one.reward.code,
        "title": title,
        "kind": one.reward.kind,
        "points": price.points,
        "money": money.plain(price.money, currency),
        "currency": currency,
        "available": one.quoted.because is None,
        "stock": one.offer.left,
        "unavailable_because": one.quoted.because,
        "valid_until": ends and ends.isoformat(),
    }


def redemption(one: Redemption, currency: str, now: datetime, *, codes: bool = True) -> dict[str, Any]:
    """`codes`: with the partner's codes that it shows, which are worth money to whoever reads them."""
    given = Voucher.objects.filter(redemption=one).first()
    shown = one.codes.exclude(shown_at=None).order_by("id").values_list("text", flat=True) if codes else ()
    return {
        "id": str(one.pk),
        "status": one.status,
        "member": str(one.member_id),
        "reward": one.reward.code,
        "quantity": one.quantity,
        "points": one.points,
        "money": money.plain(one.money, currency),
        "currency": currency,
        "store": one.store.code if one.store else None,
        "reserved_until": one.reserved_until.isoformat(),
        "voucher": voucher(given, currency, now) if given else None,
        "codes": list(shown),
        "balance": queries.net_balances([one.member.holder])[one.member.holder],
    }


def voucher(one: Voucher, currency: str, now: datetime) -> dict[str, Any]:
    """`value` is a percentage, or money; of a free item what it may cost at most, 0 for anything.

    `remaining` is what is left of a voucher that keeps its rest, none of others.
    """
    percent = one.type == Voucher.Type.PERCENT
    return {
        "code": one.code,
        "kind": one.type,
        "title": one.title,
        "value": f"{one.value.normalize():f}" if percent else money.plain(one.value, currency),
        "remaining": None if one.remaining is None else money.plain(one.remaining, currency),
        "currency": currency,
        "status": issuing.status(one, now),
        "valid_from": one.valid_from.isoformat(),
        "valid_until": one.valid_until.isoformat(),
        "minimum_spend": money.plain(one.minimum_spend, currency),
        "stores": one.stores,
        "categories": one.categories,
        "uses": one.uses,
        "used": one.used,
        "member": str(one.member_id),
    }
