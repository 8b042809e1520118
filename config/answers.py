"""What the API and what stands around it answer alike."""

from typing import Any

import structlog
from django.http import HttpResponse, JsonResponse

from loyalty.problems import Problem


def request_id() -> str | None:
    """The id under which this request stands in the logs."""
    return structlog.contextvars.get_contextvars().get("request_id")


def answer(problem: Problem) -> HttpResponse:
    """The problem document; its type is the stable slug."""
    body: dict[str, Any] = {"type": problem.slug, "title": problem.title, "status": problem.status, "detail": problem.detail}
    body["request_id"] = request_id()
    if problem.faults:
        body["errors"] = [{"pointer": fault.pointer, "detail": fault.detail} for fault in problem.faults]
    response = JsonResponse(body | problem.extra, status=problem.status, content_type="application/problem+json")
    if problem.retry_after is not None:
        response["Retry-After"] = str(problem.retry_after)
    return response
