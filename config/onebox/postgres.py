"""One PostgreSQL server on one folder, reachable through a unix socket by this user alone.

The server itself is the child, never `pg_ctl`: its log and its exit status are ours, and it cannot
outlive us unseen.
"""

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal
from urllib.parse import quote

from config.onebox import binaries, identity
from config.onebox.folders import socket_folder
from config.onebox.programs import Identity, OneBoxError, Program, command_of, launch_argv

Profile = Literal["durable", "test"]

PORT = 5432  # never listened on; it only names the socket
SOCKET = f".s.PGSQL.{PORT}"
SUPERUSER = "postgres"
ROLES = Path(__file__).with_name("roles.sql")
NONE: Mapping[str, str] = {}
READY_LINE = 7  # of postmaster.pid, counted from 0
LET_GO_SECONDS = 10.0

COMMON = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "port": str(PORT),
    "shared_buffers": "256MB",
    "max_connections": "100",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_checkpoints": "off",
}
PROFILES: dict[Profile, dict[str, str]] = {
    "durable": {"fsync": "on", "synchronous_commit": "on"},
    # Safe only because a test's database may be thrown away after a power cut.
    "test": {
        "fsync": "off",
        "full_page_writes": "off",
        "synchronous_commit": "off",
        "autovacuum": "off",
        "wal_level": "minimal",
        "max_wal_senders": "0",
    },
}


@dataclass(frozen=True)
class Cluster:
    """A database cluster made ready by `prepare`."""

    footing: identity.Footing
    sockets: Path
    profile: Profile

    @property
    def data(self) -> Path:
        return self.footing.folder / "data"

    @property
    def program(self) -> Program:
        """The server. Its stop signal means: end the sessions, write everything down, go."""
        options = COMMON | PROFILES[self.profile] | {"unix_socket_directories": str(self.sockets)}
        settings = (part for name, value in options.items() for part in ("-c", f"{name}={value}"))
        return Program(
            name="postgres",
            argv=(str(self.footing.bindir / "postgres"), "-D", str(self.data), *settings),
            env=_environment(),
            identity=self.footing.identity,
            stop_signal=signal.SIGINT,
            hurry_signal=signal.SIGQUIT,
            patience=60.0,
        )

    def is_ready(self, pid: int) -> bool:
        """Whether *this* server takes connections; another one in its place does not count."""
        lines = _postmaster_lines(self.data)
        return len(lines) > READY_LINE and lines[0] == str(pid) and lines[READY_LINE].strip() == "ready"

    def url(self, role: str, database: str) -> str:
        """The address for `DATABASE_URL`; the socket's folder stands, encoded, in the host's place."""
        return f"postgresql://{role}@{quote(str(self.sockets), safe='')}/{database}"

    def run_sql(
        self,
        *,
        file: Path | None = None,
        command: str = "",
        database: str = "postgres",
        variables: Mapping[str, str] = NONE,
    ) -> str:
        """Run a file or a command with psql as the superuser; its unadorned output.

        Raises OneBoxError with psql's own words.
        """
        source = ["-f", str(file)] if file else ["-c", command]
        given = [part for name, value in variables.items() for part in ("-v", f"{name}={value}")]
        answer = subprocess.run(
            [
                self.footing.bindir / "psql", "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", *given,
                "-h", str(self.sockets), "-p", str(PORT), "-U", SUPERUSER, "-d", database, *source,
            ],
            env=_environment(), capture_output=True, text=True, check=False,
        )  # fmt: skip
        if answer.returncode:
            raise OneBoxError(f"PostgreSQL refused {file or command}:\n{answer.stderr.strip()}")
        return answer.stdout.strip()

    def create_roles(self, database: str = "regulars") -> None:
        """Make the two roles and, unless it exists, the database. Harmless to repeat."""
        self.run_sql(file=ROLES, variables={"database": database})


def prepare(folder: Path, profile: Profile, *, who: Identity | None = None, refuge: Path = identity.REFUGE) -> Cluster:
    """The cluster in `folder`, made by initdb if it is not there yet.

    The caller holds the lock of the folder above. Raises OneBoxError when PostgreSQL is missing, when
    the data belong to another major version, or when a server already runs on them.
    """
    footing = identity.settle(who or identity.choose(), bindir=binaries.postgres_bin(), wanted=folder, refuge=refuge)
    sockets = socket_folder(footing.folder / "run", SOCKET, user=footing.folder.stat().st_uid)
    cluster = Cluster(footing, sockets, profile)
    if cluster.data.exists():
        _check_version(cluster)
        _wait_until_free(cluster)
    else:
        _initdb(cluster)
    return cluster


def _initdb(cluster: Cluster) -> None:
    """Make the cluster under another name first: a run cut short leaves nothing that looks finished."""
    half = cluster.data.with_name("data.new")
    shutil.rmtree(half, ignore_errors=True)
    sync = ("--no-sync",) if cluster.profile == "test" else ()
    argv = (
        str(cluster.footing.bindir / "initdb"), "-D", str(half), "-U", SUPERUSER, "--encoding=UTF8",
        "--locale-provider=builtin", "--locale=C.UTF-8", "--auth=trust", *sync,
    )  # fmt: skip
    answer = subprocess.run(
        launch_argv(argv, identity=cluster.footing.identity),
        env=_environment(), cwd="/", capture_output=True, text=True, check=False,
    )  # fmt: skip
    if answer.returncode:
        raise OneBoxError(f"PostgreSQL could not make its folder {half}:\n{answer.stderr.strip()}")
    half.rename(cluster.data)


def _check_version(cluster: Cluster) -> None:
    made_by = (cluster.data / "PG_VERSION").read_text().strip()
    here = str(binaries.postgres_major(cluster.footing.bindir))
    if made_by != here:
        raise OneBoxError(
            f"The data in {cluster.data} were made by PostgreSQL {made_by}, but the programs in "
            f"{cluster.footing.bindir} are PostgreSQL {here}. Nothing was changed.\n"
            f"Either install PostgreSQL {made_by} again, or carry the data over:\n"
            f"  1. with PostgreSQL {made_by}'s own programs, save them: pg_dumpall > regulars.sql\n"
            f"  2. move the folder away: mv '{cluster.data}' '{cluster.data}.{made_by}'\n"
            f"  3. start again, and load them: psql -f regulars.sql\n"
            f"pg_upgrade does the same faster for large databases."
        )


def _wait_until_free(cluster: Cluster) -> None:
    """Let a server that is just ending finish; refuse if it stays; clear what a dead one left behind."""
    deadline = time.monotonic() + LET_GO_SECONDS
    while (pid := _running_on(cluster.data)) and time.monotonic() < deadline:
        time.sleep(0.02)
    if pid:
        raise OneBoxError(
            f"A PostgreSQL server (process {pid}) already runs on {cluster.data}, and this command did "
            f"not start it. If nobody needs it, stop it and try again:\n  kill -INT {pid}"
        )
    # PostgreSQL would refuse to start if some innocent process had been given the dead one's number.
    for stale in (cluster.data / "postmaster.pid", cluster.sockets / f"{SOCKET}.lock", cluster.sockets / SOCKET):
        stale.unlink(missing_ok=True)


def _running_on(data: Path) -> int:
    """The number of the server that runs on `data`; 0 if none does."""
    lines = _postmaster_lines(data)
    if not lines or not lines[0].isdigit():
        return 0
    pid = int(lines[0])
    return pid if "postgres" in command_of(pid) else 0


def _postmaster_lines(data: Path) -> list[str]:
    try:
        return (data / "postmaster.pid").read_text().splitlines()
    except FileNotFoundError:
        return []


def _environment() -> Mapping[str, str]:
    """Ours without PGHOST, PGDATA and the like, which would send the programs elsewhere."""
    return {name: value for name, value in os.environ.items() if not name.startswith("PG")}
