"""The tier table from draft to frozen version: a term of the programme, judged and announced as such (SEMANTICS 9)."""

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Max
from django.utils.translation import gettext as _

from loyalty import judging, notice, outbox, publication, terms
from loyalty.documents import fingerprint
from loyalty.notice import Review
from loyalty.outbox import Event
from loyalty.problems import Fault, Problem
from loyalty.publication import Facts, Publication, newest
from loyalty.terms import Terms
from loyalty.validators import CODE
from loyalty.wording import Line
from members import tiers, wording
from members.models import Tier, TierTable
from members.queries import as_table, tier_tables
from members.tiers import Level, Table

LABEL, VERB = "members.tiertable", "tiers.publish"
FIELDS = ("basis", "window", "review", "grace_days")
LEVELS_MAX, NAME_MAX, DAYS_MAX = 12, 60, 366
THRESHOLD_MAX, REWARD_MAX = 10**12, 10**6
# The greatest entry reward that one person alone may set.
REWARD_ALONE = 5000
VERSION_MAX = 2**31
KNOWN_CODE = re.compile(CODE.regex)
CHOICES = {"basis": TierTable.Basis, "window": TierTable.Window, "review": TierTable.Review}


Outcome = publication.Outcome[TierTable]


class _Tiers(Publication[TierTable, int]):
    model, verb, known_by = TierTable, VERB, "version"

    def draft_of(self, key: int, *, lock: bool) -> tuple[TierTable, Sequence[TierTable]]:
        rows = _locked() if lock else list(TierTable.objects.order_by("version"))
        one = next((each for each in rows if each.version == key), None) or read(key)
        if one.published_at:
            raise Problem("not-eligible", _("A published version stays as it is. Draft a new one."), status=409)
        return one, rows

    def said(self, one: TierTable) -> list[Any]:
        levels = [
            [each.code, each.name, each.threshold, each.entry_reward, [list(name) for name in each.names]]
            for each in plain(one).levels
        ]
        return [*(getattr(one, name) for name in FIELDS), one.starts_at.isoformat() if one.starts_at else None, levels]

    def in_audit(self, one: TierTable) -> Facts:
        start = {"starts_at": one.starts_at.isoformat()} if one.starts_at else {}
        levels = {each.code: _in_audit(each) for each in plain(one).levels}
        return {"version": one.version} | {name: str(getattr(one, name)) for name in FIELDS} | start | levels

    def judged(self, one: TierTable, rows: Sequence[TierTable], now: datetime) -> Review:
        follows = newest(rows)
        publication.insist_on_order(one, follows)
        before, after = plain(follows) if follows else None, plain(one)
        _insist_on_levels(after.levels)
        effect = judging.overall(change.effect for change in tiers.changes(before, after))
        asked = notice.judged(effect, asked=one.starts_at, not_before=max(now, before.starts_at) if before else now, now=now)
        lines, coming = compared(before, after, terms.current(now)), publication.announced(follows, now)
        generous = notice.touches_somebody() and sum(level.entry_reward for level in after.levels) > REWARD_ALONE
        signed = fingerprint([LABEL, one.version, follows.version if follows else 0, *self.said(one)]).hex()
        return Review(LABEL, str(one.pk), lines, effect, asked, signed, one.drafted_by, coming, generous=generous)

    def started(self, one: TierTable, rows: Sequence[TierTable], facts: Facts, now: datetime) -> Facts:
        facts |= {"tiers": one.version, "replaces": publication.replaces(one, rows)}
        outbox.tell([Event("terms.published", UUID(int=one.version), facts)])
        return facts


TIERS = _Tiers()
content, review, publish, discard = TIERS.content, TIERS.review, TIERS.publish, TIERS.discard


def versions() -> list[TierTable]:
    """Drafts too, newest first, with their tiers."""
    return list(TierTable.objects.prefetch_related("tiers").order_by("-version"))


def read(version: int) -> TierTable:
    """Raises Problem `not-found`."""
    rows = TierTable.objects.prefetch_related("tiers")
    one = rows.filter(version=version).first() if version < VERSION_MAX else None
    if one is None:
        raise Problem("not-found", _("There is no such version of the tier table."), status=404)
    return one


def plain(one: TierTable) -> Table:
    return as_table(one, one.tiers.all())


def draft(
    given: Mapping[str, Any], levels: Sequence[Level] | None = None, *, starts_at: datetime | None = None, actor: UUID
) -> TierTable:
    """The next version: a copy of the newest published one with what is `given` (names of FIELDS) and, if given, its tiers.

    Raises Problem for a wrong value.
    """
    with transaction.atomic():
        follows = newest(_locked())
        one = TierTable(version=(TierTable.objects.aggregate(last=Max("version"))["last"] or 0) + 1, drafted_by=actor)
        if follows:
            for name in FIELDS:
                setattr(one, name, getattr(follows, name))
            levels = plain(follows).levels if levels is None else levels
        _fill(one, given, levels or (), starts_at, follows)
        one.save(force_insert=True)
        _write_levels(one, levels or ())
        TIERS.record(actor, "drafted", one, TIERS.in_audit(one))
    return read(one.version)


def draft_like(given: Mapping[str, Any], levels: Sequence[Level], *, starts_at: datetime | None, actor: UUID) -> TierTable:
    """A draft that says this, the one that says it already or a new one: asking again finds what waits for approval."""
    with transaction.atomic():
        made = draft(given, levels, starts_at=starts_at, actor=actor)
        follows = newest(rows := versions())
        last, said = follows.version if follows else 0, content(made)
        earlier = [one for one in rows if last < one.version < made.version and not one.published_at and content(one) == said]
        if not earlier:
            return made
        discard(made.version, actor=actor)
        return earlier[0]


def edit(
    version: int,
    given: Mapping[str, Any],
    levels: Sequence[Level],
    *,
    starts_at: datetime | None,
    actor: UUID,
    seen: str | None = None,
) -> TierTable:
    """Change a draft; whatever was approved of it before does not count any more.

    `seen` is the `content` that the change was made upon. Raises Problem, also when the draft is another one by now.
    """

    def change(one: TierTable, rows: Sequence[TierTable]) -> None:
        _fill(one, given, levels, starts_at, newest(rows))
        one.tiers.all().delete()
        _write_levels(one, levels)

    return TIERS.revise(version, change, actor=actor, seen=seen)


def states(rows: Iterable[TierTable], *, now: datetime) -> dict[int, str]:
    """How each version stands among the published ones (loyalty/notice.py)."""
    starts: dict[int, datetime | None] = {one.version: one.starts_at for one in tier_tables()}
    return {one.version: notice.state(one.version, starts, now=now) for one in rows}


def worse(rows: Sequence[TierTable]) -> set[int]:
    """Which versions are worse for somebody: published ones as they say, drafts against what they would follow."""
    follows, touched = newest(rows), notice.touches_somebody()
    before = plain(follows) if follows else None
    drafts = [one for one in rows if not one.published_at and touched]
    found = {
        one.version
        for one in drafts
        if judging.overall(change.effect for change in tiers.changes(before, plain(one))) is judging.Effect.DETRIMENT
    }
    return found | {one.version for one in rows if one.published_at and one.detriment}


def compared(before: Table | None, after: Table, contract: Terms) -> list[Line]:
    """The changes in words."""
    return wording.compared(before, after, tiers.changes(before, after), contract.currency)


def _locked() -> list[TierTable]:
    """All versions, locked, so that one act after the other counts and compares."""
    return list(TierTable.objects.select_for_update().order_by("version"))


def _fill(
    one: TierTable, given: Mapping[str, Any], levels: Sequence[Level], starts_at: datetime | None, follows: TierTable | None
) -> None:
    for name, value in given.items():
        if name in CHOICES and value not in CHOICES[name].values:
            raise _wrong(name, _("Choose one of: %(codes)s.") % {"codes": ", ".join(CHOICES[name].values)})
        setattr(one, name, value)
    if not 0 <= one.grace_days <= DAYS_MAX:
        raise _wrong("grace_days", _("Give a number of days from 0 to %(most)s.") % {"most": DAYS_MAX})
    if follows and one.basis != follows.basis:
        detail = _("What counts stays as it is once a table was published: what members have collected is counted in it.")
        raise _wrong("basis", detail)
    one.starts_at = starts_at
    if levels:
        _insist_on_levels(levels)


def _insist_on_levels(levels: Sequence[Level]) -> None:
    if not 1 <= len(levels) <= LEVELS_MAX:
        raise _wrong("tiers", _("A table has from 1 to %(most)s tiers.") % {"most": LEVELS_MAX})
    for one in levels:
        names = [one.name, *(name for _language, name in one.names)]
        if not KNOWN_CODE.match(one.code):
            raise _wrong("code", str(CODE.message))
        if not one.name.strip() or any(len(name) > NAME_MAX for name in names):
            raise _wrong("name", _("Give a name of at most 60 characters."))
        if not 0 <= one.threshold <= THRESHOLD_MAX:
            raise _wrong("threshold", _("Give a threshold from 0 on."))
        if not 0 <= one.entry_reward <= REWARD_MAX:
            raise _wrong("entry_reward", _("Give a number of points from 0 to %(most)s.") % {"most": REWARD_MAX})
        if one.entry_reward and not one.threshold:
            raise _wrong("entry_reward", _("A tier that everybody has pays nothing on reaching it."))
    if len({one.code for one in levels}) < len(levels) or len({one.threshold for one in levels}) < len(levels):
        raise _wrong("threshold", _("Each tier has a code and a threshold of its own."))


def _write_levels(one: TierTable, levels: Sequence[Level]) -> None:
    Tier.objects.bulk_create(
        Tier(
            table=one, code=each.code, name=each.name.strip(), names=dict(each.names), threshold=each.threshold,
            entry_reward=each.entry_reward,
        )
        for each in levels
    )  # fmt: skip


def _in_audit(one: Level) -> str:
    names = ", ".join([one.name, *(name for _language, name in one.names)])
    return f"{one.threshold} / {one.entry_reward} ({names})"


def _wrong(name: str, detail: str) -> Problem:
    return Problem("validation", detail, faults=[Fault(f"/{name}", detail)])
