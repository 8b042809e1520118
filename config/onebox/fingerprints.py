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
    """Names the state of all static files, ours and the installed packages'."""
    return _of_changes(file for folder in (BASE, *BASE.iterdir()) for file in (folder / "static").rglob("*"))


def of_code() -> str:
    """Names the state of all code, ours and the installed packages'."""
    packages = [init.parent for init in BASE.glob("*/__init__.py")]
    return _of_changes(file for package in packages for kind in ("*.py", "*.sql") for file in package.rglob(kind))


def _of_changes(files: Iterable[Path]) -> str:
    """By size and time of change. Installing or removing a package changes its parent folder."""
    digest = hashlib.sha256()
    for file in sorted([*files, Path(sysconfig.get_path("purelib")), BASE / "config" / "settings.py"]):
        seen = file.stat()
        digest.update(f"{file}\0{seen.st_size}\0{seen.st_mtime_ns}\n".encode())
    return digest.hexdigest()[:16]
