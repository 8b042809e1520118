"""How what members live by comes to hold: terms, rates and offers, tier tables and excluded goods go the same way.

A draft is compared with what it follows; where that asks for it, a second person agrees to just this content
(members/approving.py); then it is published: frozen, told and written down. Each kind of document says what differs.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext as _

from loyalty import auditing, notice
from loyalty.documents import fingerprint
from loyalty.notice import Approval, Review
from loyalty.problems import Problem
from loyalty.versions import Publishable, Version

type Facts = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Outcome[D: Publishable]:
    """`published` is False when the draft differed in nothing, so that nothing was to be done."""

    version: D
    published: bool


class Publication[D: Publishable, K: (int, UUID)](ABC):
    """A kind of document, and its way. `K` is what callers know one by: a version's number, or an id."""

    model: type[D]
    # What is approved, as members/approving.py names it.
    verb: ClassVar[str]
    # The fields of the model that hold `K` and the start.
    known_by: ClassVar[str] = "pk"
    start: ClassVar[str] = "starts_at"

    @abstractmethod
    def draft_of(self, key: K, *, lock: bool) -> tuple[D, Sequence[D]]:
        """The draft among all versions of the same thing, oldest first.

        `lock` lets one act after the other count, compare and publish. Raises Problem when it is no draft.
        """

    @abstractmethod
    def judged(self, one: D, rows: Sequence[D], now: datetime) -> Review:
        """The draft against what it follows: what asks for notice or a second person. Raises Problem when it cannot hold."""

    @abstractmethod
    def said(self, one: D) -> Any:
        """All that it says, as JSON values in one spelling."""

    @abstractmethod
    def in_audit(self, one: D) -> Facts:
        """The same by the words of the audit trail."""

    @abstractmethod
    def started(self, one: D, rows: Sequence[D], facts: Facts, now: datetime) -> Facts:
        """Tell whom it concerns, and answer what the audit trail says; `facts` say since when, and whether it is worse."""

    @property
    def label(self) -> str:
        return self.model._meta.label_lower

    def content(self, one: D) -> str:
        """A fingerprint of all that it says."""
        return fingerprint(self.said(one)).hex()

    def called(self, ids: Collection[str]) -> dict[str, str]:
        """What staff call each, by id."""
        return {str(one.pk): str(one) for one in self.model.objects.filter(pk__in=ids)}

    def revise(self, key: K, change: Callable[[D, Sequence[D]], None], *, actor: UUID, seen: str | None) -> D:
        """Change a draft; whatever was approved of it before does not count any more.

        `seen` is the `content` that the change was made upon. Raises Problem, also when the draft is another one by now.
        """
        with transaction.atomic():
            one, rows = self.draft_of(key, lock=True)
            content, was = self.content(one), self.in_audit(one)
            notice.insist_on_unchanged(seen, content)
            change(one, rows)
            if self.content(one) != content:
                one.drafted_by = actor
                one.save()
                self.record(actor, "changed", one, auditing.differences(was, self.in_audit(one)))
        return one

    def discard(self, key: K, *, actor: UUID) -> None:
        """Delete a draft. Raises Problem for what is published."""
        with transaction.atomic():
            one, _rows = self.draft_of(key, lock=True)
            self.record(actor, "discarded", one, self.in_audit(one))
            one.delete()

    def review(self, key: K, *, now: datetime) -> Review:
        """What a draft would change. Raises Problem when it is published, or when another version overtook it."""
        one, rows = self.draft_of(key, lock=False)
        return self.judged(one, rows, now)

    def publish(self, key: K, *, actor: UUID, approval: Approval | None = None, now: datetime) -> Outcome[D]:
        """Freeze a draft and let it start. Raises Problem: too early, without the second person it needs, overtaken."""
        with transaction.atomic():
            one, rows = self.draft_of(key, lock=True)
            seen = self.judged(one, rows, now)
            if not seen.lines:
                return Outcome(one, published=False)
            notice.insist_on_time(seen, now=now)
            notice.insist_on_end(seen)
            notice.insist_on_second(seen, approval, publisher=actor)
            start = seen.notice.starts_at
            setattr(one, self.start, start)
            one.published_at, one.published_by, one.detriment = now, actor, seen.notice.detriment
            one.approved_by = approval.by if approval and seen.needs_second else None
            one.save()
            facts = self.started(one, rows, {"detriment": one.detriment, "starts_at": start.isoformat()}, now)
            self.record(actor, "published", one, facts | {"approved_by": str(one.approved_by or "")})
        return Outcome(one, published=True)

    def record(self, actor: UUID, done: str, one: D, facts: Facts) -> None:
        """In the audit trail."""
        auditing.record(actor, f"{self.model._meta.model_name}.{done}", self.label, one.pk, facts)


def newest[V: Version](rows: Iterable[V]) -> V | None:
    """The last version published, in force or not: what the next one follows. None before the first."""
    return max((one for one in rows if one.published_at), key=lambda one: one.version, default=None)


def insist_on_order(one: Version, follows: Version | None) -> None:
    """Raises Problem when a draft was overtaken by what it would follow."""
    if follows and follows.version > one.version:
        detail = _("Version %(number)s was published since. Draft the change anew.") % {"number": follows.version}
        raise Problem("not-eligible", detail, status=409)


def announced(follows: Version | None, now: datetime) -> int | None:
    """The number of what a draft follows, where that has not begun (`Review.follows`)."""
    return follows.version if follows and follows.starts_at and follows.starts_at > now else None


def replaces(one: Version, rows: Iterable[Version]) -> bool:
    """Whether it takes the place of something worse that was announced for the same instant."""
    return any(each.detriment and each.starts_at == one.starts_at for each in rows if each.pk != one.pk)
