"""Which goods earn nothing and cannot be paid in points (SEMANTICS 1.2), and since when.

To exclude goods that somebody buys is worse for members, as a lower rate is: it is drafted, approved by a second person,
announced, and holds after the notice. To end it is a benefit and holds at once.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models.functions import Greatest
from django.utils import translation
from django.utils.text import capfirst
from django.utils.translation import gettext as _

from campaigns import queries
from campaigns import wording as words
from campaigns.models import ExcludedGoods
from loyalty import auditing, notice, outbox, terms, wording
from loyalty.documents import fingerprint
from loyalty.judging import Effect
from loyalty.notice import Approval, Review
from loyalty.outbox import Event
from loyalty.problems import Fault, Problem
from loyalty.wording import Line

LABEL, VERB = "campaigns.excludedgoods", "goods.exclude"
# Goods that nobody bought for so long are nobody's (SEMANTICS 9).
UNTOUCHED = timedelta(days=365)
Kind = ExcludedGoods.Kind

type Span = tuple[datetime, datetime | None]
"""From the first instant on and before the second, or for good."""


@dataclass(frozen=True, slots=True)
class Excluded:
    """All that was ever excluded, by kind and code."""

    spans: Mapping[tuple[str, str], Sequence[Span]]

    def holds(self, sku: str, category: str, at: datetime) -> bool:
        """Whether these goods were excluded at `at`, by their SKU or their category as the till wrote them."""
        found = (*self.spans.get((Kind.SKU, sku), ()), *self.spans.get((Kind.CATEGORY, category), ()))
        return any(since <= at and (until is None or at < until) for since, until in found)


def excluded() -> Excluded:
    """One statement, for any number of receipts of any time."""
    spans = defaultdict(list)
    held = ExcludedGoods.objects.exclude(published_at=None)
    for kind, code, since, until in held.values_list("kind", "code", "since", "until"):
        assert since, "what is published has a start"
        spans[kind, code].append((since, until))
    return Excluded(dict(spans))


def in_order() -> list[ExcludedGoods]:
    """All that was ever published, oldest start first."""
    return list(ExcludedGoods.objects.exclude(published_at=None).order_by("since", "kind", "code"))


def draft(kind: str, code: str, *, since: datetime | None, actor: UUID, now: datetime) -> ExcludedGoods:
    """Goods to exclude from `since` on, or as soon as it may be. Raises Problem: in the past, or excluded already."""
    _insist_on_start(since, now)
    with transaction.atomic():
        one, fresh = ExcludedGoods.objects.get_or_create(
            kind=kind, code=code, until=None, defaults={"since": since, "drafted_by": actor}
        )
        if not fresh:
            raise _known()
        auditing.record(actor, "excludedgoods.drafted", LABEL, one.pk, _in_audit(one))
    return one


def revise(
    goods: int, kind: str, code: str, *, since: datetime | None, actor: UUID, seen: str | None = None, now: datetime
) -> ExcludedGoods:
    """Change a draft; whatever was approved of it before does not count any more. Raises Problem as `draft` does."""
    with transaction.atomic():
        one = _draft_of(goods)
        notice.insist_on_unchanged(seen, content(one))
        if since != one.since:
            _insist_on_start(since, now)
        if ExcludedGoods.objects.filter(kind=kind, code=code, until=None).exclude(pk=goods).exists():
            raise _known()
        was = content(one)
        one.kind, one.code, one.since = kind, code, since
        if content(one) != was:
            one.drafted_by = actor
            one.save()
            auditing.record(actor, "excludedgoods.changed", LABEL, one.pk, _in_audit(one))
    return one


def discard(goods: int, *, actor: UUID) -> None:
    """Delete a draft. Raises Problem when it is none."""
    with transaction.atomic():
        one = _draft_of(goods)
        auditing.record(actor, "excludedgoods.discarded", LABEL, one.pk, _in_audit(one))
        one.delete()


def content(one: ExcludedGoods) -> str:
    """A fingerprint of all that a draft says."""
    return fingerprint([one.kind, one.code, one.since and one.since.isoformat()]).hex()


def review(goods: int, *, now: datetime) -> Review:
    """What a draft would change. Raises Problem when it is none."""
    return _review(_draft_of(goods, lock=False), now)


def publish(goods: int, *, actor: UUID, approval: Approval | None = None, now: datetime) -> ExcludedGoods:
    """Let it hold from its start on. Raises Problem: too early, or without the second person it needs."""
    with transaction.atomic():
        one = _draft_of(goods)
        seen = _review(one, now)
        insist_on_time(seen, now=now)
        notice.insist_on_second(seen, approval, publisher=actor)
        one.since, one.published_at, one.published_by = seen.notice.starts_at, now, actor
        one.detriment = seen.notice.detriment
        one.approved_by = approval.by if approval and seen.needs_second else None
        one.save()
        facts = {"detriment": one.detriment, "starts_at": one.since.isoformat()}
        if one.detriment:
            outbox.tell([Event("terms.published", UUID(int=one.pk), facts | _told_to_members(one))])
        said = _in_audit(one) | facts | {"approved_by": str(one.approved_by or "")}
        auditing.record(actor, "excludedgoods.published", LABEL, one.pk, said)
    return one


def insist_on_time(seen: Review, *, now: datetime) -> None:
    """Raises Problem when the draft would start earlier than it may."""
    notice.insist_on_time(seen.notice, versions=terms.published(), now=now)


def end(goods: int, *, now: datetime) -> bool:
    """From now on they earn and can be paid in points again; False if that was so before."""
    found = ExcludedGoods.objects.filter(pk=goods, until=None).exclude(published_at=None)
    return found.update(until=Greatest("since", now)) == 1


def state(one: ExcludedGoods, *, now: datetime) -> str:
    """`draft`, `scheduled`, `in_force` or `ended`."""
    if one.published_at is None or one.since is None:
        return "draft"
    if one.until and one.until <= max(one.since, now):
        return "ended"
    return "scheduled" if one.since > now else "in_force"


def line(rows: Sequence[ExcludedGoods], effect: Effect) -> Line:
    """That these goods are excluded, or, as a benefit, that they earn again."""
    names, earn = {"goods": named(rows)}, _("%(goods)s: earns points and can be paid in points.")
    not_any_more = _("%(goods)s: earns no points and cannot be paid in points.")
    before, after = (earn, not_any_more) if effect is Effect.DETRIMENT else (not_any_more, earn)
    return Line(_("Excluded goods"), capfirst(before % names), capfirst(after % names), effect, wording.unaffected())


def named(rows: Sequence[ExcludedGoods]) -> str:
    """Tobacco, item 4711 or item 4712."""
    codes = {kind: {one.code for one in rows if one.kind == kind} for kind in Kind}
    return words.goods(categories=codes[Kind.CATEGORY], brands=(), skus=codes[Kind.SKU])


def _review(one: ExcludedGoods, now: datetime) -> Review:
    sku, category = ([one.code], []) if one.kind == Kind.SKU else ([], [one.code])
    bought = queries.were_bought(skus=sku, categories=category, brands=(), since=now - UNTOUCHED)
    asked = notice.judged(Effect.DETRIMENT, asked=one.since, not_before=now, versions=terms.published(), now=now, touches=bought)
    signed = fingerprint([LABEL, one.pk, content(one)]).hex()
    return Review(LABEL, str(one.pk), [line([one], Effect.DETRIMENT)], Effect.DETRIMENT, asked, signed, one.drafted_by)


def _told_to_members(one: ExcludedGoods) -> dict[str, object]:
    """What a message needs: both sentences in each language."""
    said = {}
    for language, _label in settings.LANGUAGES:
        with translation.override(language):
            told = line([one], Effect.DETRIMENT)
        said[language] = [told.before, told.after]
    return {"name": "", "said": said}


def _draft_of(goods: int, *, lock: bool = True) -> ExcludedGoods:
    """Raises Problem."""
    rows = ExcludedGoods.objects.filter(pk=goods, published_at=None)
    one = (rows.select_for_update() if lock else rows).first()
    if one is None:
        raise Problem("not-eligible", _("This has changed or was decided meanwhile. Look at it again."), status=409)
    return one


def _insist_on_start(since: datetime | None, now: datetime) -> None:
    if since and since < now:
        detail = _("The start lies in the past. Leave it out to start as soon as possible.")
        raise Problem("validation", detail, faults=[Fault("/starts_at", detail)])


def _known() -> Problem:
    detail = _("These goods are excluded already, or will be.")
    return Problem("not-eligible", detail, status=409, faults=[Fault("/code", detail)])


def _in_audit(one: ExcludedGoods) -> dict[str, Any]:
    return {"kind": one.kind, "code": one.code, "since": one.since.isoformat() if one.since else ""}
