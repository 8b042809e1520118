"""Every write of the API happens once, however often it is sent."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import OperationalError, connection, transaction
from django.db.utils import InternalError
from psycopg import errors

from loyalty.documents import fingerprint
from loyalty.models import IdempotencyRecord
from loyalty.problems import Problem

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
    Raises Problem `validation` (422) for a known key with another body, and `validation` (409) when the twin does not
    finish within the lock time-out.
    """
    asked = fingerprint(request)
    for attempt in range(TRIES):
        try:
            with transaction.atomic():
                return _once(caller, key, asked, act)
        except OperationalError as error:
            if isinstance(error.__cause__, errors.LockNotAvailable):
                detail = "The same request is still being carried out. Send it again in a few seconds."
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
    stored = json.loads(json.dumps(body, default=str))
    IdempotencyRecord.objects.filter(pk=mine[0]).update(status=status, answer=stored)
    return Answer(status, stored, replayed=False)
