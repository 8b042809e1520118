"""What is checked before anything starts: one copy to a folder, one server to a port."""

import errno
import fcntl
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from config.onebox.folders import PRIVATE
from config.onebox.programs import OneBoxError

LOOPBACK = {"localhost", "127.0.0.1", "::1"}


class TakenError(OneBoxError):
    """The folder is in use by another copy."""


@contextmanager
def hold(folder: Path, name: str) -> Iterator[None]:
    """Hold `folder` for this process alone; raises TakenError, naming the holder, if another has it.

    The kernel lets go of the lock with the process, however it ends. Children do not inherit it.
    """
    with _opened(folder, name) as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.seek(0)
            holder = lock.read().strip() or "unknown"
            raise TakenError(
                f"Regulars is already running on {folder} (process {holder}).\n"
                "Use that one, stop it with Ctrl-C where it runs, or name another folder:\n"
                "  REGULARS_DATA=/another/folder"
            ) from None
        lock.truncate(0)
        lock.write(str(os.getpid()))
        lock.flush()
        yield


def _opened(folder: Path, name: str) -> TextIO:
    try:
        folder.mkdir(mode=PRIVATE, parents=True, exist_ok=True)
        return (folder / name).open("a+")
    except OSError as error:
        raise OneBoxError(
            f"The folder {folder} cannot be used: {error.strerror}.\n"
            "Make it this user's own, or name another folder:\n  REGULARS_DATA=/another/folder"
        ) from None


def require_free_port(host: str, port: int) -> None:
    """Raise OneBoxError if a server could not have `port` for itself.

    The web server shares its port with any other that asks for the same, without a word. So the
    question is put here, by a socket that does not share. Browsers try `localhost` in both its
    forms, hence the second look.
    """
    for address in {host, "::1"} if host in LOOPBACK else {host}:
        _try_port(address, port)


def _try_port(host: str, port: int) -> None:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        with socket.socket(family) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((host, port))
            probe.listen(1)
    except OSError as error:
        _explain(error, host, port)


def _explain(error: OSError, host: str, port: int) -> None:
    if error.errno == errno.EADDRINUSE:
        raise OneBoxError(
            f"Port {port} is in use by another program. Stop that program, or choose another port:\n"
            f"  manage.py up --port {port + 1}"
        ) from None
    if error.errno == errno.EACCES:
        raise OneBoxError(f"Port {port} needs special rights here. Choose one above 1023.") from None
    if host != "::1":  # a machine without IPv6 has nothing there to collide with
        raise OneBoxError(f"Cannot listen on {host}:{port}: {error.strerror}.") from None
