"""Short names for a state of files, so that work done once for a state is not done again."""

import hashlib
import sysconfig
import tomllib
from collections.abc import Iterable
from pathlib import Path

from config.onebox.programs import BASE


def of_schema() -> str:
    """Names the database schema: everything that decides what `migrate` makes of an empty database."""
    files = [
        *BASE.glob("*/migrations/*.py"),
        *BASE.glob("*/sql/*.sql"),
        BASE / "config" / "settings.py",
        BASE / "config" / "onebox" / "roles.sql",
    ]
    versions = tomllib.loads((BASE / "pyproject.toml").read_text())["project"]["dependencies"]
    digest = hashlib.sha256("\n".join(versions).encode())
    for file in sorted(files):
        digest.update(f"\0{file.relative_to(BASE)}\0".encode())
        digest.update(file.read_bytes())
    return digest.hexdigest()[:16]


def of_static_files() -> str:
    """Names the state of all static files, by size and time of change: ours, and the installed packages'."""
    ours = (file for folder in BASE.glob("**/static") if ".venv" not in folder.parts for file in folder.rglob("*"))
    installed = [Path(sysconfig.get_path("purelib")), BASE / "config" / "settings.py"]
    return _of_changes([*ours, *installed])


def _of_changes(files: Iterable[Path]) -> str:
    digest = hashlib.sha256()
    for file in sorted(files):
        seen = file.stat()
        digest.update(f"{file}\0{seen.st_size}\0{seen.st_mtime_ns}\n".encode())
    return digest.hexdigest()[:16]
