"""The whole product on one machine, in the order in which its parts need each other."""

import os
import sys
from pathlib import Path

from config.onebox import application, broker, chores, guards, postgres
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
  Till            {origin}/till/
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
            except OneBoxError:
                if not supervisor.asked_to_stop:  # Ctrl-C also ends what a step runs at the terminal
                    raise


class Box:
    """One run of the product under one supervisor."""

    def __init__(self, wish: Wish, console: Console, supervisor: Supervisor) -> None:
        self._wish = wish
        self._console = console
        self._supervisor = supervisor
        self._env = application.environment(wish)
        self._cluster: postgres.Cluster | None = None

    def live(self) -> None:
        """Start everything, say where it is, keep it running."""
        if os.geteuid() == 0:
            self._console.say("Running as root: fine for a trial. For a shop, give it a user of its own.")
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
        if not cluster.data.is_relative_to(self._wish.data):
            self._console.say(f"Its data are in {cluster.data}: it runs as nobody, who cannot reach {self._wish.data}")
        self._cluster = cluster
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
        owner = {"DATABASE_URL": self._env["DATABASE_OWNER_URL"]}
        migrate = self._command("migrate", "--no-input", "--verbosity", "0", **owner)
        collect = self._command("collectstatic", "--no-input", "--verbosity", "0")
        due = [
            chore
            for chore in (
                chores.migrate(migrate, self._wish.data, self._cluster),
                chores.collect_static_files(collect, self._wish.data),
            )
            if chore.due
        ]
        if due:
            with self._console.step(" and ".join(chore.what for chore in due).capitalize()):
                self._supervisor.run(*(chore.program for chore in due), quiet=True)
            for chore in due:
                chore.done()
        self._supervisor.run(self._command("check", "--database", "default"), quiet=True)
        key = application.seal_key(self._wish)
        if not key.exists():
            with self._console.step("Key for checkpoints"):
                self._supervisor.run(self._command("create_seal_key", str(key)), quiet=True)
        if self._wish.demo:
            with self._console.step("Demo shop"):
                self._supervisor.run(self._command("demo"), quiet=False)

    def _command(self, *command: str, **env: str) -> Program:
        return Program(name=command[0], argv=(sys.executable, "manage.py", *command), env=self._env | env)

    def _start_application(self) -> None:
        with self._console.step("Web, worker, beat and sealer"):
            for program in application.programs(self._wish, self._env):
                self._supervisor.start(program)
            self._supervisor.wait_until(lambda: application.answers(self._wish), "The web server", within=WEB_SECONDS)

    def _say_where(self) -> None:
        self._console.say(READY.format(origin=self._env["REGULARS_ORIGIN"], data=self._wish.data))
        for told in (self._wish.data / name for name in ("demo-logins.txt", "demo-till.txt")):
            if told.exists():
                self._console.say(told.read_text().rstrip())
