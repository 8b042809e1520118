"""Every write of the API happens once, however often it is sent."""

import json
import math
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import OperationalError, connection, transaction
from django.db.utils import InternalError
from django.utils.translation import gettext as _
from psycopg import errors

from loyalty import bulk
from loyalty.documents import fingerprint
from loyalty.models import IdempotencyRecord
from loyalty.problems import Problem, is_busy

TRIES = 3


@dataclass(frozen=True, slots=True)
class Answer:
    """Status and body of a success; `replayed` when it is the stored answer of an earlier call."""

    status: int
    body: Any
    replayed: bool


def once(caller: UUID, key: str, request: list[str], act: Callable[[], tuple[int, Any]]) -> Answer:
    """Run `act` once for (`caller`, `key`); `request` is what was asked: method, path, canonical body.

    The record is inserted first, in the transaction of the effect: a parallel twin waits on the index and then gets
    the stored answer. `act` returns (status, body as JSON values) or raises Problem, which stores nothing.
    Raises Problem `validation` (422) for a known key with another body, and `validation` (409) when a twin or
    somebody else holds what it needs for longer than a call may wait.
    """
    asked = fingerprint(request)
    for attempt in range(TRIES):
        try:
            with transaction.atomic():
                return _once(caller, key, asked, act)
        except OperationalError as error:
            if is_busy(error):
                detail = _("The wallet or document is busy. Send the same request again in a few seconds.")
                raise Problem("validation", detail, status=409, retry_after=2) from error
            if not isinstance(error.__cause__, errors.DeadlockDetected | errors.SerializationFailure) or attempt == TRIES - 1:
                raise
    raise InternalError("unreachable")


def _once(caller: UUID, key: str, asked: bytes, act: Callable[[], tuple[int, Any]]) -> Answer:
    with connection.cursor() as cursor:
        cursor.execute(
            "insert into loyalty_idempotencyrecord (caller, key, fingerprint, status, answer) values (%s, %s, %s, 0, 'null') "
            "on conflict (caller, key) do nothing returning id",
            [caller, key, asked],
        )
        mine = cursor.fetchone()
    if mine is None:
        known = IdempotencyRecord.objects.get(caller=caller, key=key)
        if bytes(known.fingerprint) != asked:
            raise Problem("validation", "This Idempotency-Key was used for another request. Take a new key.")
        return Answer(known.status, known.answer, replayed=True)
    status, body = act()
    stored = _storable(json.loads(json.dumps(body, default=str)))
    IdempotencyRecord.objects.filter(pk=mine[0]).update(status=status, answer=stored)
    return Answer(status, stored, replayed=False)


def _storable(value: Any) -> Any:
    """JSON values without what jsonb refuses: NUL, half a surrogate pair, numbers that are none."""
    match value:
        case str():
            return value.encode(errors="replace").decode().replace("\0", "\ufffd")
        case float() if not math.isfinite(value):
            return None
        case list():
            return [_storable(one) for one in value]
        case dict():
            return {_storable(name): _storable(one) for name, one in value.items()}
    return value


def forget(older_than: datetime) -> int:
    """Delete the answers stored before; their keys count as new again."""
    return bulk.delete(IdempotencyRecord.objects.filter(created_at__lt=older_than))
