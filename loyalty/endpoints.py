"""What every endpoint of the API shares: one write once, answers with their headers."""

import json
from collections.abc import Callable
from typing import Any

from django.http import HttpRequest, HttpResponse
from ninja import Status

from loyalty.idempotency import Answer, once
from loyalty.problems import Problem

KEY_LENGTH = 255
type Act = Callable[[], tuple[int, Any]]


def write(request: HttpRequest, response: HttpResponse, act: Act, render: Callable[[Any], Any] | None = None) -> Status[Any]:
    """Carry out `act` once for the caller's Idempotency-Key.

    `act` returns (status, what is stored); `render` makes the answer of it where it may not be stored itself because
    it holds personal data.
    """
    answer = _once(request, act)
    if answer.replayed:
        response["Idempotent-Replayed"] = "true"
    return Status(answer.status, render(answer.body) if render else answer.body)


def key_of(request: HttpRequest) -> str:
    """The Idempotency-Key. Raises Problem `validation` (400) without a usable one."""
    key = request.headers.get("Idempotency-Key", "")
    if not key or len(key) > KEY_LENGTH or not key.isprintable():
        detail = "Send an Idempotency-Key header of 1 to 255 characters, a new one for each act."
        raise Problem("validation", detail, status=400)
    return key


def _once(request: HttpRequest, act: Act) -> Answer:
    key = key_of(request)
    body = json.dumps(json.loads(request.body or b"null"), sort_keys=True)
    caller = request.auth.pk  # type: ignore[attr-defined]
    return once(caller, key, [request.method or "", request.path, body], act)
