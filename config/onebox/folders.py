"""Folders that are ours alone, and paths short enough for a socket."""

import hashlib
import os
import stat
import tempfile
from pathlib import Path

from config.onebox.programs import OneBoxError

LONGEST_SOCKET_PATH = 100  # bytes; the kernel's limit is 107 on Linux and 103 on macOS
PRIVATE = 0o700


def name_for(path: Path) -> str:
    """A short name that belongs to `path` and to this user, the same every time."""
    digest = hashlib.sha256(os.fsencode(path.resolve())).hexdigest()[:12]
    return f"regulars-{os.geteuid()}-{digest}"


def own_folder(path: Path, mode: int = PRIVATE, *, user: int | None = None) -> Path:
    """Make sure that `path` is a folder of ours, or of `user`, that nobody put there for us.

    In a folder that everybody may write to, somebody else could have put a link or a folder of his
    own under the name: then this refuses with OneBoxError.
    """
    path.mkdir(mode=mode, parents=True, exist_ok=True)
    found = path.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid not in {os.geteuid(), user}:
        raise OneBoxError(f"{path} belongs to somebody else. Look who made it, remove it, and try again.")
    path.chmod(mode)
    return path


def socket_folder(wanted: Path, socket_name: str, *, user: int | None = None) -> Path:
    """`wanted`, or a short stand-in under the temporary folder when the socket's path is too long."""
    fits = len(os.fsencode(wanted / socket_name)) <= LONGEST_SOCKET_PATH
    folder = wanted if fits else Path(tempfile.gettempdir()) / name_for(wanted)
    own_folder(folder, user=user)
    if user is not None:
        os.chown(folder, user, -1)
    return folder
