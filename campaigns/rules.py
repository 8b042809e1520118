"""Which frozen rules hold when."""

import json
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from functools import lru_cache
from uuid import UUID

from django.db.models import Exists, OuterRef, Q, QuerySet, TextField, Value
from django.db.models.functions import Cast, Greatest

from campaigns import specs
from campaigns.models import EarnRule, RuleVersion
from campaigns.values import Rule
from loyalty.spans import later
from loyalty.terms import Terms

# Before every rule.
BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)
# More than a programme has at a time; a rule weighs about two kilobytes.
KEPT = 2048


@dataclass(frozen=True, slots=True)
class Published:
    rule: Rule
    starts_at: datetime


def published(since: datetime = BEGINNING) -> list[Published]:
    """Every published version that can hold at `since` or later, newest start first, in one statement.

    Versions that had ended or been replaced by then, or were replaced before they began, are left out, so that what is
    over costs nothing.
    """
    followed = RuleVersion.objects.filter(
        rule=OuterRef("rule"), version__gt=OuterRef("version"), published_at__isnull=False,
        starts_at__lte=Greatest(OuterRef("starts_at"), Value(since)),
    )  # fmt: skip
    rows = RuleVersion.objects.filter(Q(ends_at=None) | Q(ends_at__gt=since), ~Exists(followed), published_at__isnull=False)
    return _read(rows.order_by("-starts_at", "-version"))


class InForce:
    """Of each rule the newest version that had started by an instant, ended or not; asked for many instants."""

    def __init__(self, versions: Sequence[Published]) -> None:
        self._versions = versions
        self._starts = sorted({one.starts_at for one in versions})
        self._found: dict[int, list[Rule]] = {}

    def at(self, instant: datetime) -> list[Rule]:
        """In the order of their codes. Between two starts the answer is the same, so it is found once."""
        place = bisect_right(self._starts, instant)
        if place not in self._found:
            self._found[place] = started(self._versions, instant)
        return self._found[place]


def started(versions: Sequence[Published], at: datetime) -> list[Rule]:
    """Of each rule the newest version that had started by `at`, in the order of their codes; the engine tells which ended."""
    newest: dict[str, Rule] = {}
    for one in versions:
        if one.starts_at <= at:
            newest.setdefault(one.rule.code, one.rule)
    return [rule for _, rule in sorted(newest.items())]


def in_force(versions: Sequence[Published], at: datetime) -> list[Rule]:
    """The same without those that have ended."""
    return [rule for rule in started(versions, at) if rule.ends_at is None or at < rule.ends_at]


def by_versions(ids: Iterable[UUID]) -> dict[UUID, Rule]:
    """The rules as these versions say them; what is unknown is left out."""
    rows = RuleVersion.objects.filter(pk__in=set(ids), published_at__isnull=False)
    return {one.rule.version: one.rule for one in _read(rows)}


def names() -> dict[str, str]:
    """The name of each rule, by its code."""
    return dict(EarnRule.objects.values_list("code", "name"))


def of_version(one: RuleVersion) -> Rule:
    """A version, a draft too, as the engine takes it."""
    return specs.compiled(one.pk, one.rule.code, one.kind, one.value, one.spec, one.ends_at)


def period(rule: Rule, contract: Terms, at: datetime, told_at: datetime) -> tuple[datetime, datetime | None]:
    """From when to when the points of a rule can be used: by the rule itself, where it says so, else by the terms.

    A rule's own expiry is short, so it counts from when we were told, lest points of a till that was offline come expired.
    """
    usable = at + (later(contract.day_of(at), rule.pending) - contract.day_of(at)) if rule.pending else contract.usable_from(at)
    if not rule.expires:
        return usable, contract.ends(usable)
    return usable, contract.midnight_after(later(contract.day_of(max(usable, told_at)), rule.expires))


def _read(rows: QuerySet[RuleVersion]) -> list[Published]:
    said = rows.annotate(said=Cast("spec", TextField()))
    found = said.values_list("starts_at", "pk", "rule__code", "kind", "value", "said", "ends_at")
    return [Published(_compiled(*frozen), starts_at) for starts_at, *frozen in found if starts_at]


@lru_cache(maxsize=KEPT)
def _compiled(version: UUID, code: str, kind: str, value: Decimal, said: str, ends_at: datetime | None) -> Rule:
    """A published version never changes, so neither does what it was compiled to."""
    return specs.compiled(version, code, kind, value, json.loads(said), ends_at)
