"""What every answer of the API and of the site carries."""

from unittest import mock

import pytest
from django.core.cache import cache
from django.test import Client, override_settings

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
