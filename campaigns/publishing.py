"""A base rule's rate from draft to frozen version: a term of the programme, judged and announced as such (SEMANTICS 9)."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext as _

from campaigns.models import EarnRule, RuleVersion
from loyalty import auditing, judging, notice, outbox, terms, wording
from loyalty.documents import fingerprint
from loyalty.notice import Approval, Review
from loyalty.outbox import Event
from loyalty.problems import Fault, Problem

LABEL, VERB = "campaigns.ruleversion", "rate.publish"
RATE_MAX = Decimal(10**6)


@dataclass(frozen=True, slots=True)
class Outcome:
    """`published` is False when the draft differed in nothing, so that nothing was to be done."""

    version: RuleVersion
    published: bool


def draft(rule: str, rate: Decimal, *, starts_at: datetime | None = None, actor: UUID) -> RuleVersion:
    """The next version of a base rule, not yet published. Raises Problem: an unknown rule, a rate that is none."""
    _insist_on_rate(rate)
    with transaction.atomic():
        versions = _locked(rule)
        one = RuleVersion.objects.create(
            rule_id=versions[0].rule_id, version=versions[-1].version + 1, kind=RuleVersion.Kind.BASE, value=rate,
            starts_at=starts_at, drafted_by=actor,
        )  # fmt: skip
        one.refresh_from_db()
        auditing.record(actor, "ruleversion.drafted", LABEL, one.pk, {"rate": str(rate)})
    return one


def edit(version: UUID, rate: Decimal, *, starts_at: datetime | None, actor: UUID, seen: str | None = None) -> RuleVersion:
    """Change a draft; whatever was approved of it before does not count any more.

    `seen` is the `content` that the change was made upon. Raises Problem, also when the draft is another one by now.
    """
    _insist_on_rate(rate)
    with transaction.atomic():
        one, _versions = _draft_of(version)
        notice.insist_on_unchanged(seen, content(one))
        if (one.value, one.starts_at) != (rate, starts_at):
            changed = {"rate": [str(one.value), str(rate)], "starts_at": [str(one.starts_at or ""), str(starts_at or "")]}
            one.value, one.starts_at, one.drafted_by = rate, starts_at, actor
            one.save()
            auditing.record(actor, "ruleversion.changed", LABEL, one.pk, changed)
    return one


def content(one: RuleVersion) -> str:
    """A fingerprint of all that a version says."""
    return fingerprint(_content(one)).hex()


def discard(version: UUID, *, actor: UUID) -> None:
    """Delete a draft. Raises Problem for a published version."""
    with transaction.atomic():
        one, _versions = _draft_of(version)
        auditing.record(actor, "ruleversion.discarded", LABEL, one.pk, {"rule": one.rule.code, "version": one.version})
        one.delete()


def review(version: UUID, *, now: datetime) -> Review:
    """What a draft would change. Raises Problem when it is published, or when another version overtook it."""
    one = RuleVersion.objects.select_related("rule").filter(pk=version).first()
    if one is None or one.published_at:
        raise _no_draft()
    return _review(one, list(RuleVersion.objects.filter(rule=one.rule_id).order_by("version")), now)


def publish(version: UUID, *, actor: UUID, approval: Approval | None = None, now: datetime) -> Outcome:
    """Freeze a draft and let it start. Raises Problem: too early, without the second person it needs, overtaken."""
    with transaction.atomic():
        one, versions = _draft_of(version)
        seen = _review(one, versions, now)
        if not seen.lines:
            return Outcome(one, published=False)
        insist_on_time(seen, now=now)
        notice.insist_on_second(seen, approval, publisher=actor)
        one.starts_at, one.published_at, one.published_by = seen.notice.starts_at, now, actor
        one.detriment = seen.notice.detriment
        one.approved_by = approval.by if approval and one.detriment else None
        one.save()
        facts = {
            "rule": one.rule.code, "rule_version": one.version, "detriment": one.detriment,
            "starts_at": one.starts_at.isoformat(), "name": _name(one),
            "rate_before": _text(_held_before(versions, one.starts_at).value), "rate": _text(one.value),
            "replaces": any(each.detriment and each.starts_at == one.starts_at for each in versions if each.pk != one.pk),
        }  # fmt: skip
        outbox.tell([Event("terms.published", one.pk, facts)])
        auditing.record(actor, "ruleversion.published", LABEL, one.pk, facts | {"approved_by": str(one.approved_by or "")})
    return Outcome(one, published=True)


def insist_on_time(seen: Review, *, now: datetime) -> None:
    """Raises Problem when the draft would start earlier than it may."""
    notice.insist_on_time(seen.notice, versions=terms.published(), now=now)


def states(rows: Iterable[RuleVersion], *, now: datetime) -> dict[UUID, str]:
    """How each version stands among the published ones of its rule (loyalty/notice.py)."""
    rows = list(rows)
    starts: dict[int, dict[int, datetime | None]] = {one.rule_id: {} for one in rows}
    published = RuleVersion.objects.filter(rule__in=starts).exclude(published_at=None)
    for rule, version, starts_at in published.values_list("rule", "version", "starts_at"):
        starts[rule][version] = starts_at
    return {one.pk: notice.state(one.version, starts[one.rule_id], now=now) for one in rows}


def _review(one: RuleVersion, versions: list[RuleVersion], now: datetime) -> Review:
    follows, contracts = _newest(versions), terms.published()
    if follows.version > one.version:
        detail = _("Version %(number)s was published since. Draft the change anew.") % {"number": follows.version}
        raise Problem("not-eligible", detail, status=409)
    effect = judging.rate(follows.value, one.value)
    currency = terms.in_force(contracts, now).currency
    lines = (
        [] if effect is judging.Effect.SAME else [wording.rate_line(follows.value, one.value, currency, effect, name=_name(one))]
    )
    assert follows.starts_at, "a published version has a start"
    asked = notice.judged(effect, asked=one.starts_at, not_before=follows.starts_at, versions=contracts, now=now)
    said = [LABEL, str(one.pk), follows.version, *_content(one)]
    coming = follows.version if follows.starts_at > now else None
    return Review(LABEL, str(one.pk), lines, effect, asked, fingerprint(said).hex(), one.drafted_by, coming)


def _name(one: RuleVersion) -> str:
    """What tells the rule from others, where there are any."""
    return one.rule.name if len(EarnRule.objects.values_list("pk")[:2]) > 1 else ""


def _newest(versions: list[RuleVersion]) -> RuleVersion:
    """The last version published, in force or not."""
    return max((one for one in versions if one.published_at), key=lambda one: one.version)


def _held_before(versions: list[RuleVersion], start: datetime) -> RuleVersion:
    """What holds until `start`: not what was announced for the same day; the first version where nothing did."""
    held = [one for one in versions if one.published_at and one.starts_at and one.starts_at < start]
    return max(held, key=lambda one: (one.starts_at, one.version)) if held else _newest(versions)


def _locked(rule: str) -> list[RuleVersion]:
    """All versions of a base rule, oldest first; the rule is locked, so that one act after the other counts and compares."""
    found = EarnRule.objects.select_for_update().filter(code=rule).first()
    versions = list(found.versions.select_related("rule").order_by("version")) if found else []
    if not any(one.published_at and one.kind == RuleVersion.Kind.BASE for one in versions):
        raise Problem("not-found", _("There is no base rule with this code."), status=404)
    return versions


def _draft_of(version: UUID) -> tuple[RuleVersion, list[RuleVersion]]:
    codes = EarnRule.objects.filter(versions=version).values_list("code", flat=True)
    versions = _locked(codes[0]) if codes else []
    found = [one for one in versions if one.pk == version and one.published_at is None]
    if not found:
        raise _no_draft()
    return found[0], versions


def _no_draft() -> Problem:
    return Problem("not-eligible", _("A published version stays as it is. Draft a new one."), status=409)


def _insist_on_rate(rate: Decimal) -> None:
    if not rate.is_finite() or not 0 <= rate < RATE_MAX or rate != round(rate, 6):
        detail = _("Give an amount of at least 0 with at most six decimals.")
        raise Problem("validation", detail, faults=[Fault("/rate", detail)])


def _content(one: RuleVersion) -> list[str | None]:
    return [_text(one.value), one.starts_at.isoformat() if one.starts_at else None]


def _text(rate: Decimal) -> str:
    return f"{rate.normalize():f}"
