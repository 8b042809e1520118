"""What every answer of the API and of the site carries."""

import json
import socket
import time
from unittest import mock

import pytest
from django.conf import settings
from django.core.cache import cache
from django.http import HttpResponse
from django.test import Client, RequestFactory, override_settings

from config.logs import without_rows
from config.middleware import api_problems
from tests.api import till

pytestmark = pytest.mark.django_db


@override_settings(API_CALLS_PER_MINUTE=2)
def test_a_key_that_calls_too_often_is_told_when_to_come_back() -> None:
    cache.clear()
    pos = till("read")
    answers = [pos.get("/members?card=1") for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert answers[0]["RateLimit"].startswith('"key";r=1;t=')
    assert answers[2].json()["type"] == "rate-limited"
    assert 0 < int(answers[2]["Retry-After"]) <= 60
    assert till("read").get("/members?card=1").status_code == 200


def test_without_redis_the_api_goes_on_and_ready_says_degraded() -> None:
    pos = till("read")
    assert Client().get("/readyz").json() == {"status": "ready", "database": "ready", "broker": "ready"}
    gone = {"default": {"BACKEND": "config.cache.VanishingCache", "LOCATION": "unix:///nowhere/valkey.sock?db=0"}}
    with override_settings(CACHES=gone):
        assert pos.get("/members?card=1").status_code == 200
        answer = Client().get("/readyz")
        assert (answer.status_code, answer.json()["broker"]) == (200, "degraded")


def test_unknown_addresses_methods_and_faults_of_ours_are_problems_too() -> None:
    pos = till("read")
    answers = {
        ("method-not-allowed", 405): pos("DELETE", "/members?card=1", "", key=None),
        ("not-found", 404): pos.get("/nothing"),
    }
    pos.client.raise_request_exception = False
    with mock.patch("members.api.queries.with_card", side_effect=RuntimeError):
        answers["internal", 500] = pos.get("/members?card=1")
    for (slug, status), answer in answers.items():
        problem = answer.json()
        assert (problem["type"], problem["status"], answer.status_code) == (slug, status, status)
        assert problem["request_id"] == answer["X-Request-Id"]
    assert Client().get("/healthz").json() == {"status": "up"}


def test_pages_carry_a_strict_policy_and_are_kept_by_nobody() -> None:
    answer = Client().get("/j/")
    assert "unsafe" not in answer["Content-Security-Policy"]
    assert "script-src 'self'" in answer["Content-Security-Policy"]
    assert answer["Cache-Control"] == "no-store"
    assert answer["X-Request-Id"]


@pytest.mark.parametrize(("status", "slug"), [(413, "validation"), (418, "validation"), (503, "internal")])
def test_other_failures_keep_their_status_and_their_reason(status: int, slug: str) -> None:
    handle = api_problems(lambda _request: HttpResponse(status=status))
    answer = handle(RequestFactory().get("/api/v1/members"))
    assert (answer.status_code, json.loads(answer.content)["type"]) == (status, slug)


def test_a_counter_that_is_gone_begins_again() -> None:
    cache.clear()
    assert cache.incr("nothing-here") == 1


def test_a_redis_that_says_nothing_costs_no_more_than_a_moment() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"redis://127.0.0.1:{silent.getsockname()[1]}/0"
        deaf = {"default": settings.CACHES["default"] | {"LOCATION": address}}
        with override_settings(CACHES=deaf):
            started = time.monotonic()
            assert cache.get("anything") is None
    assert time.monotonic() - started < 1


def test_a_refused_row_does_not_reach_the_logs() -> None:
    said = "duplicate key\nDETAIL:  Key (email)=(wei@example.com) already exists.\nCONTEXT: here"
    assert without_rows(None, "error", {"exception": said})["exception"] == "duplicate key\nCONTEXT: here"
    assert "wei@" not in str(without_rows(None, "error", {"exception": repr(said)}))
