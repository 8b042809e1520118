"""What is done before the product opens, and need not be done again while nothing has changed."""

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from config.onebox import fingerprints
from config.onebox.postgres import Cluster
from config.onebox.programs import OneBoxError, Program

APPLIED = "SELECT md5(string_agg(app || '.' || name, ',' ORDER BY id)) FROM django_migrations"


@dataclass(frozen=True)
class Chore:
    """A program to run unless its stamp says that it was run for this very state."""

    what: str
    program: Program
    stamp: Path
    state: Callable[[], str]

    @property
    def due(self) -> bool:
        return not self.stamp.exists() or self.stamp.read_text() != self.state()

    def done(self) -> None:
        """Remember the state that the program has left behind."""
        self.stamp.write_text(self.state())


def migrate(program: Program, data: Path, cluster: Cluster | None) -> Chore:
    """The tables depend on our code and on what the database itself says was applied.

    So a restored or replaced database is migrated again. A server that is not ours is always asked.
    """

    def state() -> str:
        return f"{fingerprints.of_code()} {_applied(cluster) if cluster else secrets.token_hex()}"

    return Chore("tables", program, data / "tables.stamp", state)


def collect_static_files(program: Program, data: Path) -> Chore:
    """Compressing a few thousand files costs seconds."""

    def state() -> str:
        return f"{fingerprints.of_static_files()} {(data / 'static').is_dir()}"

    return Chore("static files", program, data / "static.stamp", state)


def _applied(cluster: Cluster) -> str:
    try:
        return cluster.run_sql(command=APPLIED, database="regulars")
    except OneBoxError:
        return "nothing applied"
