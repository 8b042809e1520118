"""What every answer carries."""

from collections.abc import Callable

import structlog
from django.http import HttpRequest, HttpResponse

type Handler = Callable[[HttpRequest], HttpResponse]


def request_id_header(get_response: Handler) -> Handler:
    """X-Request-Id, the same id that stands in the logs of the request."""

    def handle(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        if request_id := structlog.contextvars.get_contextvars().get("request_id"):
            response["X-Request-Id"] = request_id
        return response

    return handle


def private_pages(get_response: Handler) -> Handler:
    """Pages of somebody are kept by no cache."""

    def handle(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        if request.session.accessed and "Cache-Control" not in response:
            response["Cache-Control"] = "no-store"
        return response

    return handle
