"""Which goods earn nothing and cannot be paid in points (SEMANTICS 1.2), and since when."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models.functions import Greatest
from django.utils.translation import gettext as _

from campaigns.models import ExcludedGoods
from loyalty.problems import Fault, Problem

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
    for kind, code, since, until in ExcludedGoods.objects.values_list("kind", "code", "since", "until"):
        spans[kind, code].append((since, until))
    return Excluded(dict(spans))


def exclude(kind: str, code: str, *, since: datetime | None = None, now: datetime) -> ExcludedGoods:
    """From `since` on, or from now. Raises Problem: in the past, or excluded already."""
    if since and since < now:
        detail = _("The start lies in the past. Leave it out to start as soon as possible.")
        raise Problem("validation", detail, faults=[Fault("/since", detail)])
    one, fresh = ExcludedGoods.objects.get_or_create(kind=kind, code=code, until=None, defaults={"since": since or now})
    if not fresh:
        detail = _("These goods are excluded already, or will be.")
        raise Problem("not-eligible", detail, status=409, faults=[Fault("/code", detail)])
    return one


def end(goods: int, *, now: datetime) -> bool:
    """From now on they earn and can be paid in points again; False if that was so before."""
    return ExcludedGoods.objects.filter(pk=goods, until=None).update(until=Greatest("since", now)) == 1
