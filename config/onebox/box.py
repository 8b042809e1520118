"""The whole product on one machine, in the order in which its parts need each other."""

import sys
from pathlib import Path

from config.onebox import application, broker, fingerprints, guards, postgres
from config.onebox.application import Wish
from config.onebox.console import Console
from config.onebox.programs import OneBoxError, Program
from config.onebox.supervisor import Stopped, Supervisor

SERVER_SECONDS = 120.0  # recovery after a power cut may take a while
WEB_SECONDS = 60.0

NO_OWNER = """\
DATABASE_URL is set, but DATABASE_OWNER_URL is not. One role makes the tables and another uses them, so
that the application cannot alter its own books. config/onebox/roles.sql makes both, and says more."""

READY = """
Regulars is ready. Ctrl-C stops it.

  Member portal   {origin}/
  Join page       {origin}/j/
  Staff           {origin}/admin/
  Mail it sent    {origin}/admin/mail/
  API             {origin}/api/v1/docs
  Data folder     {data}
"""


def run(wish: Wish, console: Console) -> None:
    """Run the product until somebody asks to stop.

    Raises OneBoxError, with everything already stopped, when it cannot start.
    """
    with guards.hold(wish.data, "up.lock"):
        guards.require_free_port(wish.host, wish.port)
        with Supervisor(console) as supervisor:
            try:
                Box(wish, console, supervisor).live()
            except Stopped:
                return


class Box:
    """One run of the product under one supervisor."""

    def __init__(self, wish: Wish, console: Console, supervisor: Supervisor) -> None:
        self._wish = wish
        self._console = console
        self._supervisor = supervisor
        self._env = application.environment(wish)

    def live(self) -> None:
        """Start everything, say where it is, keep it running."""
        self._start_postgres()
        self._start_valkey()
        with application.announced(self._wish, self._env):
            self._prepare()
            self._start_application()
            self._say_where()
            self._supervisor.watch()

    def _start_postgres(self) -> None:
        if "DATABASE_URL" in self._env:
            if "DATABASE_OWNER_URL" not in self._env:
                raise OneBoxError(NO_OWNER)
            self._console.say("Using the PostgreSQL server of DATABASE_URL")
            return
        with self._console.step("PostgreSQL"):
            cluster = postgres.prepare(self._wish.data / "postgres", "durable")
            pid = self._supervisor.start(cluster.program)
            self._supervisor.wait_until(lambda: cluster.is_ready(pid), "PostgreSQL", within=SERVER_SECONDS)
            cluster.create_roles()
        self._env["DATABASE_URL"] = cluster.url("regulars_app", "regulars")
        self._env["DATABASE_OWNER_URL"] = cluster.url("regulars_owner", "regulars")

    def _start_valkey(self) -> None:
        if "REDIS_URL" in self._env:
            self._console.say("Using the Redis server of REDIS_URL")
            return
        with self._console.step("Valkey"):
            server = broker.prepare(self._wish.data / "valkey", keeps=True)
            self._supervisor.start(server.program)
            self._supervisor.wait_until(server.is_ready, "Valkey", within=SERVER_SECONDS)
        self._env["REDIS_URL"] = server.url()

    def _prepare(self) -> None:
        """Bring the tables, the static files and, if asked for, the demo shop up to date."""
        Path(self._env["REGULARS_MAIL_DIR"]).mkdir(mode=0o700, parents=True, exist_ok=True)
        with self._console.step("Tables"):
            owner = {"DATABASE_URL": self._env["DATABASE_OWNER_URL"]}
            self._manage("migrate", "--no-input", "--verbosity", "0", quiet=True, **owner)
        self._collect_static_files()
        if self._wish.demo:
            with self._console.step("Demo shop"):
                self._manage("demo", quiet=False)

    def _collect_static_files(self) -> None:
        """Skipped when no static file has changed since the last time: it costs seconds."""
        stamp, state = self._wish.data / "static.stamp", fingerprints.of_static_files()
        if stamp.exists() and stamp.read_text() == state:
            return
        with self._console.step("Static files"):
            self._manage("collectstatic", "--no-input", "--verbosity", "0", quiet=True)
        stamp.write_text(state)

    def _manage(self, *command: str, quiet: bool, **env: str) -> None:
        argv = (sys.executable, "manage.py", *command)
        self._supervisor.run(Program(name=command[0], argv=argv, env=self._env | env), quiet=quiet)

    def _start_application(self) -> None:
        with self._console.step("Web, worker and beat"):
            for program in application.programs(self._wish, self._env):
                self._supervisor.start(program)
            self._supervisor.wait_until(lambda: application.answers(self._wish), "The web server", within=WEB_SECONDS)

    def _say_where(self) -> None:
        self._console.say(READY.format(origin=self._env["REGULARS_ORIGIN"], data=self._wish.data))
        logins = self._wish.data / "demo-logins.txt"
        if logins.exists():
            self._console.say(logins.read_text())
