"""Test databases: copies of the migrated template, made in tens of milliseconds.

Ordinary tests share one copy and roll back. The ledger's tables refuse TRUNCATE, from anyone, so a test
that commits cannot be cleaned up after; it gets a copy of its own instead, which is then dropped.
"""

import os
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import psycopg
import pytest
from django.db import connections
from psycopg.sql import SQL, Identifier
from pytest_django import DjangoDbBlocker
from pytest_django.live_server_helper import LiveServer


@dataclass(frozen=True)
class Database:
    """A test's database, for whoever needs another connection or another process on it."""

    name: str

    def url(self, role: str = "regulars_app") -> str:
        """Its address for `regulars_app`, `regulars_owner` or the superuser `postgres`."""
        admin = os.environ["REGULARS_TEST_ADMIN_URL"]
        return admin.replace("//postgres@", f"//{role}@").removesuffix("/postgres") + f"/{self.name}"


@pytest.fixture(scope="session")
def admin() -> Iterator[psycopg.Connection]:
    """The superuser's connection, outside every test database."""
    if "REGULARS_TEST_ADMIN_URL" not in os.environ:
        pytest.exit("The tests start their own servers: unset DATABASE_URL and run them again.", returncode=2)
    with psycopg.connect(os.environ["REGULARS_TEST_ADMIN_URL"], autocommit=True) as connection:
        yield connection


@pytest.fixture(scope="session")
def django_db_setup(
    django_db_blocker: DjangoDbBlocker,
    admin: psycopg.Connection,
) -> Iterator[None]:
    """Replaces pytest-django's: one copy of the template for all tests that roll back."""
    with copied(admin) as database, django_db_blocker.unblock(), default_is(database), django_db_blocker.block():
        yield


@pytest.fixture
def committing_db(
    request: pytest.FixtureRequest,
    django_db_blocker: DjangoDbBlocker,
    admin: psycopg.Connection,
) -> Iterator[Database]:
    """A database for this test alone. Commits are real, and other threads and processes see them."""
    if request.node.get_closest_marker("django_db") or {"db", "transactional_db"} & set(request.fixturenames):
        pytest.fail("committing_db stands in the place of db and of the django_db mark: use one of them.")
    with copied(admin) as database, django_db_blocker.unblock(), default_is(database):
        yield database


@pytest.fixture
def live_site(committing_db: Database) -> Iterator[str]:
    """The address of the product served by a thread of this process, on `committing_db`."""
    server = LiveServer("localhost")
    yield server.url
    server.stop()


@contextmanager
def copied(admin: psycopg.Connection) -> Iterator[Database]:
    """A fresh copy of the template, dropped at the end whoever is still connected to it."""
    database = Database(f"test_{secrets.token_hex(6)}")
    name, template = Identifier(database.name), Identifier(os.environ["REGULARS_TEST_TEMPLATE"])
    # Copying files takes 40 ms where nothing is synced to disk, 650 ms where it is; writing it all to the
    # log takes 110 and 260.
    strategy = SQL("WAL_LOG" if admin.execute("SHOW fsync").fetchone() == ("on",) else "FILE_COPY")
    create = SQL("CREATE DATABASE {} TEMPLATE {} OWNER regulars_owner STRATEGY {}")
    admin.execute(create.format(name, template, strategy))
    try:
        yield database
    finally:
        _let_sessions_end(admin, database.name)
        admin.execute(SQL("DROP DATABASE {} WITH (FORCE)").format(name))


def _let_sessions_end(admin: psycopg.Connection, name: str) -> None:
    """Give sessions just closed a few milliseconds: DROP DATABASE sleeps 100 of them if it sees one."""
    admin.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", [name])
    for _ in range(50):
        if not admin.execute("SELECT FROM pg_stat_activity WHERE datname = %s", [name]).rowcount:
            return
        time.sleep(0.002)


@contextmanager
def default_is(database: Database) -> Iterator[None]:
    """Django's next connection, in any thread, goes to `database`; afterwards, where it went before."""
    default = connections["default"]
    default.close()
    before, default.settings_dict["NAME"] = default.settings_dict["NAME"], database.name
    try:
        yield
    finally:
        default.close()
        default.settings_dict["NAME"] = before
