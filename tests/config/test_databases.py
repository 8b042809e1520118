"""Each committing test has a database of its own, seen by other threads, and leaves no trace."""

import http.client
import threading

import psycopg
import pytest
from django.contrib.contenttypes.models import ContentType
from django.db import ProgrammingError, connection, transaction

from config.checks import application_role_cannot_change_the_ledger
from tests.committing import Database


def test_a_commit_is_seen_by_another_thread(committing_db: Database) -> None:
    with transaction.atomic():
        ContentType.objects.create(app_label="tests", model="seen")
    found: list[int] = []

    def look() -> None:
        found.append(ContentType.objects.filter(app_label="tests").count())
        connection.close()

    thread = threading.Thread(target=look)
    thread.start()
    thread.join()
    assert found == [1]
    assert connection.settings_dict["NAME"] == committing_db.name


def test_the_next_one_starts_from_the_template_again(committing_db: Database) -> None:
    assert not ContentType.objects.filter(app_label="tests").exists()
    assert ContentType.objects.exists(), "migrated, so not empty"


def test_the_application_may_write_rows_but_not_truncate_or_make_tables(committing_db: Database) -> None:
    with pytest.raises(ProgrammingError, match="permission denied"):
        connection.cursor().execute("TRUNCATE django_session")
    with pytest.raises(ProgrammingError, match="permission denied for schema public"):
        connection.cursor().execute("CREATE TABLE mine ()")
    with psycopg.connect(committing_db.url("regulars_owner")) as owner:
        owner.execute("CREATE TABLE theirs ()")


@pytest.mark.django_db
def test_tests_that_roll_back_have_a_copy_too() -> None:
    assert connection.settings_dict["NAME"].startswith("test_")
    assert ContentType.objects.exists()


def test_a_server_thread_is_on_the_same_database(live_site: str) -> None:
    line = http.client.HTTPConnection(live_site.removeprefix("http://"))
    line.request("GET", "/readyz")
    assert line.getresponse().status == http.HTTPStatus.OK
    line.close()


def test_only_the_applications_role_passes_the_check(committing_db: Database) -> None:
    mine = connection.settings_dict["USER"]
    assert application_role_cannot_change_the_ledger(None, databases=["default"]) == []
    connection.close()
    connection.settings_dict["USER"] = "regulars_owner"
    try:
        [found] = application_role_cannot_change_the_ledger(None, databases=["default"])
    finally:
        connection.close()
        connection.settings_dict["USER"] = mine
    assert found.id == "regulars.E001"
