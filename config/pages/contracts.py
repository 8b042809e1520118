"""The programme's terms through the API: drafted, judged, approved by a second person where they are worse, published."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from ninja import P, QueryEx, Router, Status

from loyalty import publishing, terms, wording
from loyalty.endpoints import write
from loyalty.notice import Review
from loyalty.paging import LIMIT_MAX, decode, page
from loyalty.problems import Problem
from loyalty.schemas import Nothing, TermsIn
from members import approving
from members.access import Key
from members.models import ApiKey

router = Router(tags=["Configuration"])
CONFIGURE = Key("configure")


@router.get("/terms", auth=CONFIGURE)
def versions(request: HttpRequest, limit: QueryEx[int, P(ge=1, le=LIMIT_MAX)] = 50, cursor: str | None = None) -> Any:
    """Every version, drafts too, newest first."""
    position, now = decode(cursor, 1), timezone.now()
    if position and not isinstance(position[0], int):
        raise Problem("validation", "The cursor is not one that a list answered.")
    every = publishing.versions()
    rows = [one for one in every if not position or one.version < position[0]]
    said = _states(every, now)
    return page(rows[: limit + 1], limit, lambda one: [one.version], lambda one: _item(one, said))


@router.get("/terms/{version}", auth=CONFIGURE)
def read(request: HttpRequest, version: int) -> Any:
    """A version; of a draft also what it would change and what that asks for."""
    return _shown(version)


@router.post("/terms", auth=CONFIGURE, response={201: Any})
def draft(request: HttpRequest, response: HttpResponse, body: TermsIn) -> Status[Any]:
    """Draft the next version: a copy of the newest one with what is given."""

    def act() -> tuple[int, Any]:
        given = body.model_dump(exclude_unset=True, exclude={"starts_at"})
        made = publishing.draft(given, starts_at=body.starts_at, actor=of_programme(request))
        return 201, _shown(made.version)

    return write(request, response, act)


@router.post("/terms/{version}/publish", auth=CONFIGURE, response={200: Any, 202: Any})
def publish(request: HttpRequest, response: HttpResponse, version: int, body: Nothing | None = None) -> Status[Any]:
    """Publish a draft. One that is worse for members waits for a second person first (202); ask again once they agreed."""

    def act() -> tuple[int, Any]:
        now, actor = timezone.now(), of_programme(request)
        seen = publishing.review(version, now=now)
        outcome = approving.publish_or_ask(publishing.TERMS, version, seen, by=actor, now=now)
        if outcome is None:
            return 202, _shown(version)
        return 200, _shown(version) | ({} if outcome.published else {"status": "unchanged"})

    return write(request, response, act)


def of_programme(request: HttpRequest) -> Any:
    """The key, if it acts for the programme and not for a store. Raises Problem."""
    key: ApiKey = request.auth  # type: ignore[attr-defined]
    if key.store_id is not None:
        raise Problem("forbidden-scope", "A key that is bound to a store cannot change the terms of the programme.", status=403)
    return key.pk


def _shown(version: int) -> dict[str, Any]:
    now = timezone.now()
    one = publishing.read(version)
    item = _item(one, _states(publishing.versions(), now))
    if one.published_at:
        return item
    try:
        return item | judged(publishing.review(version, now=now))
    except Problem as problem:
        return item | {"problem": {"type": problem.slug, "detail": problem.detail}}


def judged(seen: Review) -> dict[str, Any]:
    return {
        "effect": seen.effect,
        "needs_approval": seen.needs_second,
        "earliest_start": seen.notice.first.isoformat(),
        "changes": [
            {"topic": line.label, "before": line.before, "after": line.after, "effect": line.effect} for line in seen.lines
        ],
    }


def _states(every: Sequence[Any], now: datetime) -> dict[int, str]:
    """How each version stands; a draft also before the second person it waits for."""
    published, signed = terms.published(), publishing.signatures(every)
    asked = approving.requests_of(publishing.VERB, signed.values())
    waiting = {
        version: asked[signature].decision or "awaiting_approval" for version, signature in signed.items() if signature in asked
    }
    return {one.version: publishing.state(one, published=published, now=now) for one in every} | waiting


def _item(one: Any, states: Mapping[int, str]) -> dict[str, Any]:
    return {
        "version": one.version,
        "status": states[one.version],
        **{name: getattr(one, name) for name in publishing.FIELDS},
        "point_value": f"{one.point_value.normalize():f}",
        "starts_at": one.starts_at and one.starts_at.isoformat(),
        "published_at": one.published_at and one.published_at.isoformat(),
        "detriment": one.detriment,
        "sentences": wording.sentences(one),
    }
