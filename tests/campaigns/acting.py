"""Rules for acts, published as staff publish them, and acts to be judged by them."""

import itertools
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

from campaigns import drafting, events, publishing
from campaigns.awarding import Recorded
from campaigns.events import Happened
from campaigns.models import Event
from campaigns.ruleschemas import RuleIn
from members.models import Member
from tests.factories import NOW

LONG_AGO = NOW - timedelta(days=400)
_numbers = itertools.count(1)


def rule(code: str, value: int, event_type: str, *, now: datetime = LONG_AGO, **given: Any) -> None:
    """A published rule for an act."""
    body = RuleIn.model_validate({"kind": "event", "value": value, "event_type": event_type, "name": code.title()} | given)
    draft, _is_new = drafting.put(code, body, actor=uuid4())
    assert publishing.publish(draft.pk, actor=uuid4(), now=now).published


def check_in_rules(*, now: datetime = LONG_AGO) -> None:
    """5 points a day, and 50 on each seventh day in a row."""
    rule("daily", 5, "check_in", now=now)
    rule("week", 50, "check_in", now=now, who={"streak": 7})


def act(of: Member, type_: str = "check_in", at: datetime = NOW, **given: Any) -> Happened:
    fields: dict[str, Any] = {"source": events.API, "number": f"E{next(_numbers)}"} | given
    return Happened(type=type_, member=str(of.pk), occurred_at=at, **fields)


def recorded(*told: Happened, now: datetime | None = None) -> list[Event]:
    """The events that stand for these acts, in their order."""
    answers = events.record(told, now=now or max(one.occurred_at for one in told))
    found = Event.objects.in_bulk([one.id for one in answers if isinstance(one, Recorded)])
    return [found[one.id] for one in answers if isinstance(one, Recorded)]


def earned(*told: Happened, now: datetime | None = None) -> list[int]:
    """What each of these acts earned, one told after the other."""
    return [recorded(one, now=now or one.occurred_at)[0].points_earned for one in told]
