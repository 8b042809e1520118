"""Settings come from the environment; a missing or malformed one fails at start and is named.

While `manage.py up` runs, it keeps the addresses of its own servers in `<data folder>/environment`, so that
`manage.py verify_ledger` and the like reach the running shop without being told anything.
"""

import os
import sys
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured

TRUE, FALSE = {"1", "true", "yes", "on"}, {"0", "false", "no", "off", ""}


def text(name: str, default: str | None = None) -> str:
    """The variable's value, else `default`; without either, ImproperlyConfigured names the variable."""
    value = os.environ.get(name, default)
    if value is None:
        raise ImproperlyConfigured(f"Set {name} in the environment, or start everything with `manage.py up`.")
    return value


def flag(name: str, default: bool = False) -> bool:
    value = os.environ.get(name, "1" if default else "0").strip().lower()
    if value not in TRUE | FALSE:
        raise ImproperlyConfigured(f"{name} is {value!r}: use 1 or 0.")
    return value in TRUE


def whole(name: str, default: int) -> int:
    value = os.environ.get(name, str(default))
    try:
        return int(value)
    except ValueError:
        raise ImproperlyConfigured(f"{name} is {value!r}: use a whole number.") from None


def names(name: str, default: str = "") -> list[str]:
    return [part.strip() for part in os.environ.get(name, default).split(",") if part.strip()]


def file(name: str) -> Path | None:
    """The path of a file or folder; None where the variable is unset or empty."""
    value = os.environ.get(name, "")
    return Path(value).expanduser() if value else None


def data_folder() -> Path:
    """Where one box keeps its database, mail and keys: REGULARS_DATA, else the user's data directory."""
    if chosen := os.environ.get("REGULARS_DATA"):
        return Path(chosen).expanduser()
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Application Support" / "regulars"
    return Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share") / "regulars"


def adopt_running_box() -> None:
    """Fill what the environment leaves unset from the file that a running `manage.py up` keeps."""
    kept = data_folder() / "environment"
    if "DATABASE_URL" in os.environ or not kept.is_file():
        return
    for line in kept.read_text().splitlines():
        name, _, value = line.partition("=")
        os.environ.setdefault(name, value)
