"""Events through the API: what members do beside buying."""

from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from ninja import Router, Status

from campaigns import events, explaining, queries, rules
from campaigns.eventschemas import EventIn, EventOut
from loyalty.endpoints import write
from loyalty.problems import Problem
from loyalty.queries import net_balances
from members.access import Key
from members.models import ApiKey

router = Router(tags=["Events"])


@router.post("/events", auth=Key("pos"), response={201: EventOut})
def record(request: HttpRequest, response: HttpResponse, body: EventIn) -> Status[Any]:
    """An act of a member earns points, once."""

    def act() -> tuple[int, Any]:
        _only_its_store(request, body)
        [outcome] = events.record([body.happened()], now=timezone.now())
        if isinstance(outcome, Problem):
            raise outcome
        return 201, answer(outcome.id)

    return write(request, response, act)


def answer(id_: UUID) -> dict[str, Any]:
    """What an event that stands is told with."""
    one, names = queries.events([id_])[id_], rules.names()
    return {
        "id": str(one.pk),
        "points_earned": one.points_earned,
        "awards": [
            {
                "rule": award.rule_version.rule.code, "campaign": None, "points": award.points,
                "available_at": award.available_at.isoformat(),
                "expires_at": award.expires_at and award.expires_at.isoformat(),
                "explanation": explaining.award_sentence(str(award.rule_version_id), one.trace, ""),
            }
            for award in one.awards.all()
        ],
        "explanation": explaining.sentences(one.trace, "", names) + explaining.reasons(one.trace, names),
        "balance": net_balances([one.member.holder])[one.member.holder],
    }  # fmt: skip


def _only_its_store(request: HttpRequest, body: EventIn) -> None:
    key: ApiKey = request.auth  # type: ignore[attr-defined]
    if body.store is not None and key.store is not None and key.store.code != body.store:
        raise Problem("forbidden-scope", f"This key is bound to store {key.store.code}.", status=403)
