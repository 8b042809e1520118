"""Rules as drafts: written whole in the form of the API, each version anew, and changed until it is published."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from campaigns import naming, specs
from campaigns.models import EarnRule, RuleVersion
from campaigns.ruleschemas import RESERVED, RuleIn
from loyalty import auditing, notice, publication
from loyalty.documents import fingerprint
from loyalty.problems import Fault, Problem
from loyalty.validators import CODE

LABEL = "campaigns.ruleversion"
RATE_MAX = Decimal(10**6)


@dataclass(frozen=True, slots=True)
class Said:
    """All that a version says."""

    kind: str
    value: Decimal
    spec: dict[str, Any]
    starts_at: datetime | None = None
    ends_at: datetime | None = None


def put(code: str, given: RuleIn, *, actor: UUID) -> tuple[RuleVersion, bool]:
    """Write the rule's draft, in place of one that is there; whether the rule is new. Raises Problem."""
    said = _said(given)
    with transaction.atomic():
        rule, versions = _of(code, given, actor)
        if versions and versions[-1].published_at is None:  # else the drafts were overtaken
            return _changed(versions[-1], versions, said, actor), False
        return _drafted(rule, versions, said, actor), not versions


def compose(code: str, given: RuleIn, *, actor: UUID, is_new: bool) -> RuleVersion:
    """One more draft, of a rule that must be new or must be known. Raises Problem."""
    said = _said(given)
    with transaction.atomic():
        known = EarnRule.objects.filter(code=code).exists()
        if known == is_new:
            detail = _("A rule has this code already.") if known else _("There is no rule with this code.")
            raise _wrong_code(detail)
        rule, versions = _of(code, given, actor)
        return _drafted(rule, versions, said, actor)


def revise(version: UUID, given: RuleIn, *, actor: UUID, seen: str | None = None) -> RuleVersion:
    """Change a draft; whatever was approved of it before does not count any more.

    `seen` is the `content` (loyalty/publication.py) that the change was made upon. Raises Problem, also when the draft is
    another one by now.
    """
    said = _said(given)
    with transaction.atomic():
        one, versions = draft_of(version)
        notice.insist_on_unchanged(seen, fingerprint(told(one)).hex())
        _rename(one.rule, given.name, actor)
        return _changed(one, versions, said, actor)


def draft(rule: str, value: Decimal, *, starts_at: datetime | None = None, actor: UUID) -> RuleVersion:
    """The next version of a rule with another value, and all else as it is. Raises Problem: an unknown rule, no such value."""
    _insist_on_value(value)
    with transaction.atomic():
        found, versions = _locked(rule)
        if found is None:
            raise no_rule()
        last = publication.newest(versions) or versions[-1]
        said = Said(last.kind, value, last.spec, starts_at, last.ends_at)
        return _drafted(found, versions, said, actor)


def discard(version: UUID, *, actor: UUID) -> None:
    """Delete a draft, and the rule with it if it has no other version. Raises Problem for a published version."""
    with transaction.atomic():
        one, versions = draft_of(version)
        auditing.record(actor, "ruleversion.discarded", LABEL, one.pk, {"rule": one.rule.code, "version": one.version})
        one.delete()
        if len(versions) == 1:
            versions[0].rule.delete()


def told(one: RuleVersion) -> list[Any]:
    """What a version says, in JSON values of one spelling."""
    said = of(one)
    return [said.kind, plain(said.value), said.spec, *(at.isoformat() if at else None for at in (said.starts_at, said.ends_at))]


def in_audit(one: RuleVersion) -> dict[str, Any]:
    """By the words of the API."""
    _kind, value, spec, starts_at, ends_at = told(one)
    times = {"starts_at": starts_at, "ends_at": ends_at}
    return {"kind": one.kind, "value": value, **spec, **{name: at for name, at in times.items() if at}}


def of(one: RuleVersion) -> Said:
    return Said(one.kind, one.value, one.spec, one.starts_at, one.ends_at)


def draft_of(version: UUID, *, lock: bool = True) -> tuple[RuleVersion, list[RuleVersion]]:
    """A draft among all versions of its rule, which is locked if wanted. Raises Problem when it is none."""
    rules = EarnRule.objects.filter(versions=version)
    rule = (rules.select_for_update(of=("self",)) if lock else rules).first()
    versions = _versions(rule) if rule else []
    found = [one for one in versions if one.pk == version and one.published_at is None]
    if not found:
        raise no_draft()
    return found[0], versions


def last_draft(code: str) -> RuleVersion:
    """The newest draft of a rule. Raises Problem."""
    found = RuleVersion.objects.filter(rule__code=code).select_related("rule").order_by("version")
    drafts = [one for one in found if one.published_at is None]
    if not found:
        raise no_rule()
    if not drafts:
        raise no_draft()
    return drafts[-1]


def no_rule() -> Problem:
    return Problem("not-found", _("There is no rule with this code."), status=404)


def no_draft() -> Problem:
    return Problem("not-eligible", _("A published version stays as it is. Draft a new one."), status=409)


def plain(value: Decimal) -> str:
    return f"{value.normalize():f}"


def _of(code: str, given: RuleIn, actor: UUID) -> tuple[EarnRule, list[RuleVersion]]:
    """The rule, new or known, locked, with its versions."""
    if given.code not in (None, code):
        raise _wrong_code(_("The code is another one than in the address."))
    if code in RESERVED:
        raise _wrong_code(_("Use another code."))
    try:
        CODE(code)
    except ValidationError as error:
        raise _wrong_code(error.messages[0]) from error
    rule, versions = _locked(code)
    if rule is None:
        EarnRule.objects.bulk_create([EarnRule(code=code, name=given.name or code)], ignore_conflicts=True)
        rule, versions = _locked(code)
    assert rule, "it was made"
    _rename(rule, given.name, actor)
    return rule, versions


def _wrong_code(detail: str) -> Problem:
    return Problem("validation", detail, faults=[Fault("/code", detail)])


def _rename(rule: EarnRule, name: str | None, actor: UUID) -> None:
    """A name is no part of a version: it changes no award."""
    if name and name != rule.name:
        auditing.record(actor, "earnrule.changed", "campaigns.earnrule", rule.pk, {"name": [rule.name, name]})
        rule.name = name
        rule.save()


def _locked(code: str) -> tuple[EarnRule | None, list[RuleVersion]]:
    """All versions of a rule, oldest first; the rule is locked, so that one act after the other counts and compares."""
    found = EarnRule.objects.select_for_update().filter(code=code).first()
    return found, _versions(found) if found else []


def _versions(rule: EarnRule) -> list[RuleVersion]:
    return list(rule.versions.select_related("rule").order_by("version"))


def _said(given: RuleIn) -> Said:
    """What the draft will say. Raises Problem for what no rule of this kind can say, and for what it names that is not there."""
    said = Said(given.kind, given.value, given.spec(), given.starts_at, given.ends_at)
    faults = [Fault(pointer, detail) for pointer, detail in given.misfits().items()]
    compiled = specs.compiled(UUID(int=0), "", said.kind, said.value, said.spec, said.ends_at)
    faults = faults or naming.unknown(compiled)
    if faults:
        raise Problem("validation", " ".join(one.detail for one in faults), faults=faults)
    return said


def _drafted(rule: EarnRule, versions: Sequence[RuleVersion], said: Said, actor: UUID) -> RuleVersion:
    _insist_on_kind(versions, said.kind)
    number = max((one.version for one in versions), default=0) + 1
    one = RuleVersion.objects.create(
        rule=rule, version=number, kind=said.kind, value=said.value, spec=said.spec, starts_at=said.starts_at,
        ends_at=said.ends_at, drafted_by=actor,
    )  # fmt: skip
    one.refresh_from_db()
    auditing.record(actor, "ruleversion.drafted", LABEL, one.pk, in_audit(one))
    return one


def _changed(one: RuleVersion, versions: Sequence[RuleVersion], said: Said, actor: UUID) -> RuleVersion:
    _insist_on_kind([other for other in versions if other.pk != one.pk], said.kind)
    if of(one) == said:
        return one
    was = in_audit(one)
    one.kind, one.value, one.spec, one.starts_at, one.ends_at = said.kind, said.value, said.spec, said.starts_at, said.ends_at
    one.drafted_by = actor
    one.save()
    auditing.record(actor, "ruleversion.changed", LABEL, one.pk, auditing.differences(was, in_audit(one)))
    return one


def _insist_on_kind(versions: Sequence[RuleVersion], kind: str) -> None:
    if any(one.kind != kind for one in versions):
        detail = _("A rule stays of its kind. Make a new rule with another code.")
        raise Problem("not-eligible", detail, status=409, faults=[Fault("/kind", detail)])


def _insist_on_value(value: Decimal) -> None:
    if not value.is_finite() or not 0 <= value < RATE_MAX or value != round(value, 6):
        detail = _("Give an amount of at least 0 with at most six decimals.")
        raise Problem("validation", detail, faults=[Fault("/value", detail)])
