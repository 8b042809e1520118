"""What an act that waits for a second person would do, in words, for the page on which it is decided."""

from collections.abc import Callable, Collection, Mapping
from typing import Any

from django.urls import reverse
from django.utils.html import format_html
from django.utils.text import capfirst
from django.utils.translation import gettext as _

from loyalty import limits, queries
from loyalty.columns import moment, signed
from loyalty.problems import Problem
from members import adjusting, overriding, staffing, trusting
from members.models import Adjustment, ApiKey, ApprovalRequest, TierOverride

type Facts = list[tuple[str, Any]]


def facts_of(request: ApprovalRequest) -> Facts:
    """Names and values; none for what is decided elsewhere, or is gone."""
    try:
        lines = FACTS[request.verb](request.object_id) if request.verb in FACTS else []
    except Problem:
        lines = []
    if not lines:
        return []
    asker = staffing.names([request.requested_by]).get(request.requested_by, "")
    asked = [(capfirst(_("asked by")), asker), (capfirst(_("asked")), moment(request.requested_at))]
    return [one for one in [*lines, *asked] if one[1]]


def subjects_of(verb: str, ids: Collection[str]) -> dict[str, str]:
    """What each waiting act is about, by the object's id, in one statement; nothing for what other rooms know."""
    if verb == adjusting.VERB:
        rows = Adjustment.objects.filter(pk__in=ids).select_related("member")
        return {str(one.pk): f"{one.member}: {signed(one.points, plus=True)}" for one in rows}
    if verb == trusting.VERB:
        return {str(pk): name for pk, name in ApiKey.objects.filter(pk__in=ids).values_list("pk", "name")}
    if verb == overriding.VERB:
        return {
            str(one.pk): f"{one.member}: {one.tier}" for one in TierOverride.objects.filter(pk__in=ids).select_related("member")
        }
    if verb == limits.VERB:
        said = limits.of(ids).items()
        return {id_: " / ".join(signed(points) for points in (one.single, one.day, one.month)) for id_, one in said}
    return {}


def _adjustment(id_: str) -> Facts:
    one = Adjustment.objects.select_related("member", "store").filter(pk=id_).first()
    if one is None:
        return []
    balance = queries.net_balances([one.member.holder])[one.member.holder]
    address = reverse("admin:members_member_change", args=[one.member_id])
    effect = f"{signed(balance)} → {signed(balance + one.points)}" if one.status == Adjustment.Status.AWAITING else ""
    return [
        (capfirst(_("member")), format_html('<a href="{}" class="link">{}</a>', address, one.member)),
        (capfirst(_("points")), signed(one.points, plus=True)),
        (capfirst(_("balance")), effect),
        (capfirst(_("reason")), one.words or one.get_reason_display()),
        (capfirst(_("note")), one.note),
        (_("Receipt number"), one.receipt),
        (capfirst(_("store")), one.store and one.store.name),
        (capfirst(_("points end")), moment(one.expires_at)),
    ]


def _key(id_: str) -> Facts:
    one = ApiKey.objects.select_related("store").filter(pk=id_).first()
    if one is None:
        return []
    names = staffing.names([one.made_by] if one.made_by else [])
    return [
        (_("API key"), one.name),
        (capfirst(_("may")), ", ".join(one.scopes)),
        (capfirst(_("only for store")), one.store and one.store.name),
        (capfirst(_("made by")), one.made_by and names.get(one.made_by, "")),
        (capfirst(_("ends")), moment(one.expires_at)),
        (_("What this does"), _("What it grants for purchases is no longer counted against the limits of whoever made it.")),
    ]


def _limits(id_: str) -> Facts:
    words = dict(zip(limits.NAMES, (_("for one act"), _("in a day"), _("in 30 days")), strict=True))
    lines = [(capfirst(words[name]), f"{signed(now)} → {signed(then)}") for name, now, then in limits.compared(int(id_))]
    return [*lines, (_("What this does"), _("So many points one person may then grant without a second one."))]


FACTS: Mapping[str, Callable[[str], Facts]] = {
    adjusting.VERB: _adjustment, trusting.VERB: _key, limits.VERB: _limits
}  # fmt: skip
