"""The tests' own PostgreSQL and Valkey, and the template that every test database is copied from.

The test settings call `start` before anything reads a database setting. The cluster stays in
`var/test` between runs, so that a run without new migrations starts in a fraction of a second; a second
run at the same time on one checkout gets a folder of its own and pays for it. Nothing is left running.

`REGULARS_TEST_PROFILE=durable` gives the cluster production's promises (fsync, synchronous_commit),
for tests that kill it.
"""

import atexit
import os
import secrets
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import psycopg
from psycopg.sql import SQL, Identifier

from config.onebox import broker, fingerprints, guards, postgres
from config.onebox.programs import BASE, OneBoxError, Program, end, spawn

HOME = BASE / "var" / "test"
START_SECONDS = 60.0


def start() -> None:
    """Start both servers, make the template, and tell this process and its children where they are.

    Does nothing when `DATABASE_URL` is set: this is then a parallel worker, whose parent has started
    them. Call it from the main thread. Raises OneBoxError when something does not start.
    """
    if "DATABASE_URL" in os.environ:
        return
    cleanup = ExitStack()
    atexit.register(_close_in, os.getpid(), cleanup)
    folder = _claim_folder(cleanup)
    profile: postgres.Profile = "durable" if os.environ.get("REGULARS_TEST_PROFILE") == "durable" else "test"
    cluster = postgres.prepare(folder / "postgres", profile, refuge=Path(tempfile.gettempdir()))
    valkey = broker.prepare(folder / "valkey", keeps=False)
    _serve(cluster.program, folder, cleanup, cluster.is_ready)
    _serve(valkey.program, folder, cleanup, lambda _: valkey.is_ready())
    template = f"tmpl_{fingerprints.of_schema()}"
    addresses = {
        "REDIS_URL": valkey.url(),
        "DATABASE_URL": cluster.url("regulars_app", "regulars"),
        "DATABASE_OWNER_URL": cluster.url("regulars_owner", "regulars"),
        "REGULARS_TEST_ADMIN_URL": cluster.url(postgres.SUPERUSER, "postgres"),
        "REGULARS_TEST_TEMPLATE": template,
        "SECRET_KEY": os.environ.get("SECRET_KEY") or secrets.token_urlsafe(50),
    }
    _make_template(cluster, template, os.environ | addresses)
    os.environ.update(addresses)


def redis_url(worker: int) -> str:
    """The address of a Valkey database that no other parallel test worker uses."""
    server, _, _ = os.environ["REDIS_URL"].partition("?db=")
    return f"{server}?db={worker % broker.DATABASES}"


def _claim_folder(cleanup: ExitStack) -> Path:
    """The folder kept between runs or, while another run has it, a private one that ends with this run."""
    try:
        cleanup.enter_context(guards.hold(HOME, "run.lock"))
    except guards.TakenError:
        private = Path(tempfile.mkdtemp(prefix="regulars-test-"))
        cleanup.callback(shutil.rmtree, private, ignore_errors=True)
        return private
    return HOME


def _close_in(process: int, cleanup: ExitStack) -> None:
    """A process forked from this one runs the same exit handlers, and must not stop our servers."""
    if os.getpid() == process:
        cleanup.close()


def _serve(program: Program, folder: Path, cleanup: ExitStack, ready: Callable[[int], bool]) -> None:
    log = folder / f"{program.name}.log"
    with log.open("wb") as output:
        process = spawn(program, output)
    cleanup.callback(end, program, process)
    deadline = time.monotonic() + START_SECONDS
    while not ready(process.pid):
        if process.poll() is not None or time.monotonic() > deadline:
            raise OneBoxError(f"The tests' {program.name} did not start. It said:\n{log.read_text()}")
        time.sleep(0.01)


def _make_template(cluster: postgres.Cluster, template: str, env: dict[str, str]) -> None:
    """Migrate a database once for this state of the migrations, and lock it against all use but copying.

    Databases of older states, and those that a killed run has left, go.
    """
    with psycopg.connect(cluster.url(postgres.SUPERUSER, "postgres"), autocommit=True) as admin:
        found = [name for (name,) in admin.execute("SELECT datname FROM pg_database WHERE datname ~ '^(tmpl|test)_'")]
        for name in set(found) - {template}:
            admin.execute(SQL("ALTER DATABASE {} IS_TEMPLATE false").format(Identifier(name)))
            admin.execute(SQL("DROP DATABASE {} WITH (FORCE)").format(Identifier(name)))
        if template in found:
            return
        cluster.create_roles("tmpl_unfinished")
        _migrate(env | {
            "DATABASE_URL": cluster.url("regulars_owner", "tmpl_unfinished"),
            "DATABASE_OWNER_URL": cluster.url("regulars_owner", "tmpl_unfinished"),
            "DJANGO_SETTINGS_MODULE": "config.settings",
        })  # fmt: skip
        admin.execute(SQL("ALTER DATABASE tmpl_unfinished RENAME TO {}").format(Identifier(template)))
        admin.execute(SQL("ALTER DATABASE {} IS_TEMPLATE true ALLOW_CONNECTIONS false").format(Identifier(template)))


def _migrate(env: dict[str, str]) -> None:
    command = [sys.executable, "manage.py", "migrate", "--no-input", "--verbosity", "0"]
    answer = subprocess.run(command, env=env, cwd=BASE, capture_output=True, text=True, check=False)
    if answer.returncode:
        raise OneBoxError(f"The tests' database could not be migrated:\n{answer.stdout}{answer.stderr}")
