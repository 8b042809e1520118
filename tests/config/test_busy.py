"""What waits too long for what others hold is told so, and can be sent again."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from uuid import uuid4

import psycopg
import pytest
from django.db import connection
from django.utils import timezone

from campaigns.models import Event
from members.models import Member
from tests.api import till
from tests.campaigns.acting import rule
from tests.committing import Database
from tests.config.test_check_in import sign_in
from tests.factories import give, member
from tests.staff import text

TIMEOUTS = ["lock_timeout", "statement_timeout"]


@contextmanager
def held(one: Member, database: Database, timeout: str) -> Iterator[None]:
    """Somebody else is at the wallet, for longer than this connection waits."""
    with psycopg.connect(database.url("postgres")) as other:
        other.execute("select from loyalty_wallet where holder = %s for update", [one.holder])
        with connection.cursor() as cursor:
            cursor.execute(f"set {timeout} = '50ms'")
        yield
    with connection.cursor() as cursor:
        cursor.execute(f"reset {timeout}")


@pytest.fixture
def one(committing_db: Database) -> Member:
    for type_ in ("check_in", "share"):
        rule(type_.replace("_", "-"), 5, type_, now=timezone.now() - timedelta(days=2))
    found = member(verified=True)
    give(found.holder, 10, at=timezone.now())
    return found


@pytest.mark.parametrize("timeout", TIMEOUTS)
def test_a_call_of_the_api_is_to_be_sent_again(one: Member, committing_db: Database, timeout: str) -> None:
    told = {"id": "1", "type": "share", "member": str(one.pk), "occurred_at": timezone.now().isoformat()}
    api, key = till("pos"), str(uuid4())
    with held(one, committing_db, timeout):
        answer = api.post("/events", told, key=key)
    assert (answer.status_code, answer["Retry-After"]) == (409, "2")
    assert api.post("/events", told, key=key).status_code == 201


@pytest.mark.parametrize("timeout", TIMEOUTS)
def test_a_page_says_that_it_was_not_done(one: Member, committing_db: Database, timeout: str) -> None:
    phone = sign_in(one)
    phone.raise_request_exception = False
    with held(one, committing_db, timeout):
        answer = phone.post("/check-in/")
    assert answer.status_code == 503
    assert "this was not done" in text(answer)
    assert not Event.objects.exists()
