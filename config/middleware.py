"""What every answer carries."""

import hashlib
import time
from collections.abc import Callable
from http import HTTPStatus

from django.conf import settings
from django.core.cache import cache
from django.http import HttpRequest, HttpResponse

from config.answers import answer, request_id
from loyalty.problems import Problem

WINDOW = 60
PROBLEM = "application/problem+json"
UNTOLD: dict[int, tuple[str, str]] = {
    HTTPStatus.BAD_REQUEST: ("validation", "The request is not one that can be read."),
    HTTPStatus.NOT_FOUND: ("not-found", "There is nothing at this address."),
    HTTPStatus.METHOD_NOT_ALLOWED: ("method-not-allowed", "This address takes other methods; the header Allow names them."),
}
OURS = ("internal", "Something failed here. The same request, sent again with its key, is safe.")

type Handler = Callable[[HttpRequest], HttpResponse]


def request_id_header(get_response: Handler) -> Handler:
    """X-Request-Id, the same id that stands in the logs of the request."""

    def handle(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        if id_ := request_id():
            response["X-Request-Id"] = id_
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


def api_limit(get_response: Handler) -> Handler:
    """Politeness towards the others: so many calls a key and minute, told in the RateLimit headers."""

    def handle(request: HttpRequest) -> HttpResponse:
        token = request.headers.get("Authorization", "")
        if not request.path.startswith("/api/") or not token:
            return get_response(request)
        minute, second = divmod(int(time.time()), WINDOW)
        counter = f"api:{hashlib.sha256(token.encode()).hexdigest()}:{minute}"
        cache.add(counter, 0, 2 * WINDOW)
        left, wait = settings.API_CALLS_PER_MINUTE - cache.incr(counter), WINDOW - second
        if left < 0:
            detail = f"This key has made its {settings.API_CALLS_PER_MINUTE} calls of this minute."
            response = answer(Problem("rate-limited", detail, status=429, retry_after=wait))
        else:
            response = get_response(request)
        response["RateLimit-Policy"] = f'"key";q={settings.API_CALLS_PER_MINUTE};w={WINDOW}'
        response["RateLimit"] = f'"key";r={max(left, 0)};t={wait}'
        return response

    return handle


def api_problems(get_response: Handler) -> Handler:
    """Whatever goes wrong below /api/, an address that does not exist or a fault of ours too, is told as a problem."""

    def handle(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        told = response.headers.get("Content-Type") == PROBLEM
        if response.status_code < HTTPStatus.BAD_REQUEST or told or not request.path.startswith("/api/"):
            return response
        theirs = ("validation", f"{response.reason_phrase}.")
        is_ours = response.status_code >= HTTPStatus.INTERNAL_SERVER_ERROR
        slug, detail = OURS if is_ours else UNTOLD.get(response.status_code, theirs)
        problem = answer(Problem(slug, detail, status=response.status_code))
        if "Allow" in response:
            problem["Allow"] = response["Allow"]
        return problem

    return handle
