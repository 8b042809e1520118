"""The tier table from draft to frozen version: a term of the programme, judged and announced as such (SEMANTICS 9)."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Max
from django.utils.translation import gettext as _

from loyalty import auditing, judging, notice, outbox, terms
from loyalty.documents import fingerprint
from loyalty.notice import Approval, Review
from loyalty.outbox import Event
from loyalty.problems import Fault, Problem
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


@dataclass(frozen=True, slots=True)
class Outcome:
    """`published` is False when the draft differed in nothing, so that nothing was to be done."""

    version: TierTable
    published: bool


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
        auditing.record(actor, "tiertable.drafted", LABEL, one.pk, _audited(one, levels or ()))
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
    with transaction.atomic():
        one = _draft_of(version)
        notice.insist_on_unchanged(seen, content(one))
        was = content(one)
        _fill(one, given, levels, starts_at, newest(_locked()))
        one.tiers.all().delete()
        _write_levels(one, levels)
        one.save()
        one = read(version)
        if content(one) != was:
            one.drafted_by = actor
            one.save(update_fields=["drafted_by"])
            auditing.record(actor, "tiertable.changed", LABEL, one.pk, _audited(one, levels))
    return one


def content(one: TierTable) -> str:
    """A fingerprint of all that a version says."""
    return fingerprint(_content(one)).hex()


def discard(version: int, *, actor: UUID) -> None:
    """Delete a draft. Raises Problem for a published version."""
    with transaction.atomic():
        one = _draft_of(version)
        auditing.record(actor, "tiertable.discarded", LABEL, one.pk, {"version": one.version})
        one.delete()


def review(version: int, *, now: datetime) -> Review:
    """What a draft would change. Raises Problem when it is published, or when another version overtook it."""
    one = read(version)
    if one.published_at:
        raise _published()
    return _review(one, versions(), now)


def publish(version: int, *, actor: UUID, approval: Approval | None = None, now: datetime) -> Outcome:
    """Freeze a draft and let it start. Raises Problem: too early, without the second person it needs, overtaken."""
    with transaction.atomic():
        rows = _locked()
        one = _draft_of(version)
        seen = _review(one, rows, now)
        if not seen.lines:
            return Outcome(one, published=False)
        insist_on_time(seen, now=now)
        notice.insist_on_second(seen, approval, publisher=actor)
        one.starts_at, one.published_at, one.published_by = seen.notice.starts_at, now, actor
        one.detriment = seen.notice.detriment
        one.approved_by = approval.by if approval and seen.needs_second else None
        one.save()
        facts = {
            "tiers": one.version, "detriment": one.detriment, "starts_at": one.starts_at.isoformat(),
            "replaces": any(each.detriment and each.starts_at == one.starts_at for each in rows if each.pk != one.pk),
        }  # fmt: skip
        outbox.tell([Event("terms.published", UUID(int=one.version), facts)])
        auditing.record(actor, "tiertable.published", LABEL, one.pk, facts | {"approved_by": str(one.approved_by or "")})
    return Outcome(one, published=True)


def insist_on_time(seen: Review, *, now: datetime) -> None:
    """Raises Problem when the draft would start earlier than it may."""
    notice.insist_on_time(seen.notice, versions=terms.published(), now=now)


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


def newest(rows: Iterable[TierTable]) -> TierTable | None:
    """The last version published, in force or not: what the next one follows. None before the first."""
    return max((one for one in rows if one.published_at), key=lambda one: one.version, default=None)


def compared(before: Table | None, after: Table, contract: Terms) -> list[Line]:
    """The changes in words."""
    return wording.compared(before, after, tiers.changes(before, after), contract.currency)


def _review(one: TierTable, rows: Sequence[TierTable], now: datetime) -> Review:
    follows = newest(rows)
    if follows and follows.version > one.version:
        detail = _("Version %(number)s was published since. Draft the change anew.") % {"number": follows.version}
        raise Problem("not-eligible", detail, status=409)
    _insist_on_levels(plain(one).levels)
    contracts = terms.published()
    contract = terms.in_force(contracts, now)
    before, after = plain(follows) if follows else None, plain(one)
    effect = judging.overall(change.effect for change in tiers.changes(before, after))
    not_before = max(now, before.starts_at) if before else now
    asked = notice.judged(effect, asked=one.starts_at, not_before=not_before, versions=contracts, now=now)
    said = [LABEL, one.version, follows.version if follows else 0, *_content(one)]
    coming = follows.version if follows and before and before.starts_at > now else None
    lines = compared(before, after, contract)
    generous = notice.touches_somebody() and sum(level.entry_reward for level in after.levels) > REWARD_ALONE
    return Review(LABEL, str(one.pk), lines, effect, asked, fingerprint(said).hex(), one.drafted_by, coming, generous=generous)


def signatures(rows: Sequence[TierTable]) -> dict[int, str]:
    """What an approval is bound to: the fingerprint of each draft that nothing overtook, by version."""
    follows = newest(rows)
    last = follows.version if follows else 0
    drafts = [one for one in rows if not one.published_at and one.version > last]
    return {one.version: fingerprint([LABEL, one.version, last, *_content(one)]).hex() for one in drafts}


def _locked() -> list[TierTable]:
    """All versions, locked, so that one act after the other counts and compares."""
    return list(TierTable.objects.select_for_update().prefetch_related("tiers").order_by("version"))


def _draft_of(version: int) -> TierTable:
    one = next((each for each in _locked() if each.version == version and each.published_at is None), None)
    if one is None:
        read(version)
        raise _published()
    return one


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


def _content(one: TierTable) -> list[Any]:
    levels = [
        [each.code, each.name, each.threshold, each.entry_reward, [list(name) for name in each.names]]
        for each in plain(one).levels
    ]
    return [*(getattr(one, name) for name in FIELDS), one.starts_at.isoformat() if one.starts_at else None, levels]


def _audited(one: TierTable, levels: Sequence[Level]) -> dict[str, Any]:
    said = {each.code: f"{each.threshold} / {each.entry_reward}" for each in levels}
    return {name: str(getattr(one, name)) for name in FIELDS} | said


def _published() -> Problem:
    return Problem("not-eligible", _("A published version stays as it is. Draft a new one."), status=409)


def _wrong(name: str, detail: str) -> Problem:
    return Problem("validation", detail, faults=[Fault(f"/{name}", detail)])
