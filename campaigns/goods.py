"""Which goods earn nothing and cannot be paid in points (SEMANTICS 1.2), and since when.

To exclude goods that somebody buys is worse for members, as a lower rate is: it is drafted, approved by a second person,
announced, and holds after the notice. To end it is a benefit and holds at once.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.db.models.functions import Greatest
from django.utils.text import capfirst
from django.utils.translation import gettext as _

from campaigns import queries
from campaigns import wording as words
from campaigns.models import ExcludedGoods
from loyalty import notice, outbox, wording
from loyalty.documents import fingerprint
from loyalty.judging import Effect
from loyalty.notice import Approval, Review
from loyalty.outbox import Event
from loyalty.problems import Fault, Problem
from loyalty.publication import Facts, Publication
from loyalty.wording import Line

LABEL, VERB = "campaigns.excludedgoods", "goods.exclude"
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


class _Goods(Publication[ExcludedGoods, int]):
    model, verb, start = ExcludedGoods, VERB, "since"

    def draft_of(self, key: int, *, lock: bool) -> tuple[ExcludedGoods, Sequence[ExcludedGoods]]:
        rows = ExcludedGoods.objects.filter(pk=key, published_at=None)
        one = (rows.select_for_update() if lock else rows).first()
        if one is None:
            raise Problem("not-eligible", _("This has changed or was decided meanwhile. Look at it again."), status=409)
        return one, [one]

    def said(self, one: ExcludedGoods) -> list[str | None]:
        return [one.kind, one.code, one.since.isoformat() if one.since else None]

    def in_audit(self, one: ExcludedGoods) -> Facts:
        return {"kind": one.kind, "code": one.code, "since": one.since.isoformat() if one.since else ""}

    def judged(self, one: ExcludedGoods, rows: Sequence[ExcludedGoods], now: datetime) -> Review:
        sku, category = ([one.code], []) if one.kind == Kind.SKU else ([], [one.code])
        bought = queries.are_bought(skus=sku, categories=category, now=now)
        asked = notice.judged(Effect.DETRIMENT, asked=one.since, not_before=now, now=now, touches=bought)
        signed = fingerprint([LABEL, one.pk, self.content(one)]).hex()
        return Review(LABEL, str(one.pk), [line([one], Effect.DETRIMENT)], Effect.DETRIMENT, asked, signed, one.drafted_by)

    def started(self, one: ExcludedGoods, rows: Sequence[ExcludedGoods], facts: Facts, now: datetime) -> Facts:
        if one.detriment:
            outbox.tell([Event("terms.published", UUID(int=one.pk), facts | _told_to_members(one))])
        return self.in_audit(one) | facts

    def called(self, ids: Collection[str]) -> dict[str, str]:
        return {str(one.pk): named([one]) for one in ExcludedGoods.objects.filter(pk__in=ids)}


GOODS = _Goods()
review, discard = GOODS.review, GOODS.discard


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
        GOODS.record(actor, "drafted", one, GOODS.in_audit(one))
    return one


def revise(
    goods: int, kind: str, code: str, *, since: datetime | None, actor: UUID, seen: str | None = None, now: datetime
) -> ExcludedGoods:
    """Change a draft; whatever was approved of it before does not count any more. Raises Problem as `draft` does."""

    def change(one: ExcludedGoods, _rows: Sequence[ExcludedGoods]) -> None:
        if since != one.since:
            _insist_on_start(since, now)
        if ExcludedGoods.objects.filter(kind=kind, code=code, until=None).exclude(pk=goods).exists():
            raise _known()
        one.kind, one.code, one.since = kind, code, since

    return GOODS.revise(goods, change, actor=actor, seen=seen)


def publish(goods: int, *, actor: UUID, approval: Approval | None = None, now: datetime) -> ExcludedGoods:
    """Let it hold from its start on. Raises Problem: too early, or without the second person it needs."""
    return GOODS.publish(goods, actor=actor, approval=approval, now=now).version


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


def _told_to_members(one: ExcludedGoods) -> dict[str, object]:
    return {"name": "", "said": wording.in_each_language(lambda: line([one], Effect.DETRIMENT))}


def _insist_on_start(since: datetime | None, now: datetime) -> None:
    if since and since < now:
        detail = _("The start lies in the past. Leave it out to start as soon as possible.")
        raise Problem("validation", detail, faults=[Fault("/starts_at", detail)])


def _known() -> Problem:
    detail = _("These goods are excluded already, or will be.")
    return Problem("not-eligible", detail, status=409, faults=[Fault("/code", detail)])
