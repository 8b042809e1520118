"""The pages of last resort; they need no database."""

import sys
from http import HTTPStatus

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string

from config.answers import request_id
from loyalty.problems import is_busy

WAIT_SECONDS = 3


def server_error(request: HttpRequest) -> HttpResponse:
    """A fault of ours, or (503) others who held what the page needed for longer than it may wait."""
    context = {"merchant": settings.REGULARS_NAME, "request_id": request_id()}
    if is_busy(sys.exception()):
        busy = HttpResponse(render_to_string("busy.html", context), status=HTTPStatus.SERVICE_UNAVAILABLE)
        busy["Retry-After"] = str(WAIT_SECONDS)
        return busy
    return HttpResponse(render_to_string("500.html", context), status=HTTPStatus.INTERNAL_SERVER_ERROR)
