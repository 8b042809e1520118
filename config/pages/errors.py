"""The page of last resort; it needs no database."""

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string

from config.answers import request_id


def server_error(request: HttpRequest) -> HttpResponse:
    context = {"merchant": settings.REGULARS_NAME, "request_id": request_id()}
    return HttpResponse(render_to_string("500.html", context), status=500)
