"""Earn rules through the API: written as drafts, said in words, approved by a second person where that is asked, published."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from ninja import P, QueryEx, Router, Status

from campaigns import drafting, naming, publishing, reporting, rules, specs, wording
from campaigns.models import EarnRule, RuleVersion
from campaigns.ruleschemas import RuleIn
from config.pages.contracts import CONFIGURE, of_programme
from loyalty import judging, terms
from loyalty.endpoints import write
from loyalty.notice import Review
from loyalty.paging import LIMIT_MAX, decode, page
from loyalty.problems import Fault, Problem
from loyalty.schemas import Nothing
from loyalty.terms import Terms
from members import approving

router = Router(tags=["Configuration"])


@router.get("/earn-rules", auth=CONFIGURE)
def listed(request: HttpRequest, limit: QueryEx[int, P(ge=1, le=LIMIT_MAX)] = 50, cursor: str | None = None) -> Any:
    """Every rule by its code: its draft, else its newest version."""
    position = decode(cursor, 1)
    after = str(position[0]).replace("\0", "") if position else ""
    found = list(EarnRule.objects.filter(code__gt=after).order_by("code")[: limit + 1])
    shown = _shown(found, timezone.now())
    return page(found, limit, lambda one: [one.code], lambda one: shown[one.code])


@router.get("/earn-rules/overlaps", auth=CONFIGURE)
def overlaps(request: HttpRequest) -> Any:
    """Which rules and drafts meet, and what follows; and those that can never hold."""
    found = reporting.overlapping(now=timezone.now())
    return {"items": [{"kind": one.meeting, "rules": list(one.rules), "text": one.text} for one in found]}


@router.get("/earn-rules/{code}", auth=CONFIGURE)
def read(request: HttpRequest, code: str) -> Any:
    """A rule: its draft and what that would change, else its newest version; of one that was ended what held, with its end."""
    return _one(code)


@router.put("/earn-rules/{code}", auth=CONFIGURE, response={200: Any, 201: Any})
def put(request: HttpRequest, response: HttpResponse, code: str, body: RuleIn) -> Status[Any]:
    """Write the rule's draft, in place of one that is there. What is published stays as it is until the draft is published."""

    def act() -> tuple[int, Any]:
        _made, is_new = drafting.put(code, body, actor=of_programme(request))
        return 201 if is_new else 200, _one(code)

    return write(request, response, act)


@router.post("/earn-rules/{code}/publish", auth=CONFIGURE, response={200: Any, 202: Any})
def publish(request: HttpRequest, response: HttpResponse, code: str, body: Nothing | None = None) -> Status[Any]:
    """Publish the rule's draft. One that needs a second person waits first (202); ask again once they agreed."""

    def act() -> tuple[int, Any]:
        now, actor, one = timezone.now(), of_programme(request), drafting.last_draft(code)
        seen = publishing.review(one.pk, now=now)
        with _told_of_the_rule():
            outcome = approving.publish_or_ask(publishing.RULES, one.pk, seen, by=actor, now=now)
        if outcome is None:
            return 202, _one(code)
        return 200, _one(code) | ({} if outcome.published else {"status": "unchanged"})

    return write(request, response, act)


@contextmanager
def _told_of_the_rule() -> Iterator[None]:
    """A fault of the draft at its place in the rule: what is published has no body of its own."""
    try:
        yield
    except Problem as problem:
        problem.faults = [Fault(f"/when{one.pointer}", one.detail) for one in problem.faults]
        raise


def _one(code: str) -> dict[str, Any]:
    now, found = timezone.now(), EarnRule.objects.filter(code=code.replace("\0", "")).first()
    if found is None:
        raise drafting.no_rule()
    item, one = _shown([found], now)[found.code], _newest([found])[0]
    if one.published_at:
        return item
    try:
        return item | _judged(publishing.review(one.pk, now=now))
    except Problem as problem:
        return item | {"problem": {"type": problem.slug, "detail": problem.detail}}


def _judged(seen: Review) -> dict[str, Any]:
    return {
        "effect": judging.overall(line.effect for line in seen.lines),
        "needs_approval": seen.needs_second,
        "earliest_start": seen.notice.first.isoformat(),
        "changes": [{"before": line.before, "after": line.after, "effect": line.effect} for line in seen.lines],
    }


def _newest(found: Sequence[EarnRule]) -> list[RuleVersion]:
    """Of each rule the last version, in the order of their codes."""
    rows = RuleVersion.objects.filter(rule__in=found).select_related("rule").order_by("rule__code", "-version")
    return list(rows.distinct("rule__code"))


def _shown(found: Sequence[EarnRule], now: datetime) -> dict[str, dict[str, Any]]:
    """The rules as API.md has them, by code, in a constant number of statements."""
    versions, contract = _newest(found), terms.current(now)
    states = publishing.states(versions, now=now) | _waiting(versions, now)
    held = publishing.ended_by(versions)
    versions = [held.get(one.pk, one) for one in versions]
    states |= {one.pk: "ended" if one.ends_at and one.ends_at <= now else "in_force" for one in held.values()}
    compiled = {one.pk: rules.of_version(one) for one in versions}
    names = naming.behind(compiled.values())
    return {one.rule.code: _item(one, states, contract, names) for one in versions}


def _waiting(versions: Sequence[RuleVersion], now: datetime) -> dict[UUID, str]:
    """How the drafts stand that were put before a second person just as they are."""
    drafts = {str(one.pk): one for one in versions if one.published_at is None}
    asked = approving.asked_of(publishing.VERB, drafts)
    signed = publishing.fingerprints([drafts[id_] for id_ in asked], now=now)
    return {
        drafts[id_].pk: one.decision or "awaiting_approval"
        for id_, one in asked.items()
        if signed.get(drafts[id_].pk) == one.fingerprint
    }


def _item(one: RuleVersion, states: Mapping[UUID, str], contract: Terms, names: naming.Names) -> dict[str, Any]:
    said = specs.document(one.spec, one.kind, decimals=contract.minor_units)
    starts, ends, published = (at and at.isoformat() for at in (one.starts_at, one.ends_at, one.published_at))
    return {
        "code": one.rule.code,
        "name": one.rule.name,
        "kind": one.kind,
        "value": drafting.plain(one.value),
        **said,
        "when": {"starts_at": starts, "ends_at": ends} | said["when"],
        "status": states[one.pk],
        "version": one.version,
        "starts_at": starts,
        "published_at": published,
        "sentence": wording.sentence(rules.of_version(one), since=one.starts_at, contract=contract, names=names),
    }
