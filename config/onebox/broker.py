"""One Valkey server on one folder, reachable through a unix socket by this user alone.

It carries tasks and the cache, nothing that cannot be found again in PostgreSQL. A broker must never
evict what it holds, so it refuses writes when memory runs out.
"""

import os
import signal
import socket
import time
from dataclasses import dataclass
from pathlib import Path

from config.onebox import binaries
from config.onebox.folders import PRIVATE, socket_folder
from config.onebox.programs import OneBoxError, Program

SOCKET = "valkey.sock"
DATABASES = 64  # one for each parallel test worker
LET_GO_SECONDS = 10.0


@dataclass(frozen=True)
class Broker:
    """A Valkey server made ready by `prepare`."""

    server: Path
    folder: Path
    socket: Path
    keeps: bool

    @property
    def program(self) -> Program:
        keeping = ("--appendonly", "yes", "--appendfsync", "everysec") if self.keeps else ("--appendonly", "no")
        return Program(
            name="valkey",
            argv=(
                str(self.server), "--port", "0", "--unixsocket", str(self.socket), "--unixsocketperm", "700",
                "--dir", str(self.folder), "--save", "", *keeping, "--maxmemory-policy", "noeviction",
                "--databases", str(DATABASES), "--loglevel", "warning",
            ),
            env=os.environ.copy(),
            stop_signal=signal.SIGTERM,
        )  # fmt: skip

    def is_ready(self) -> bool:
        """Whether the server has read its data and answers."""
        with socket.socket(socket.AF_UNIX) as line:
            line.settimeout(1.0)
            try:
                line.connect(str(self.socket))
                line.sendall(b"PING\r\n")
                return line.recv(16).startswith(b"+PONG")
            except OSError:
                return False

    def url(self, database: int = 0) -> str:
        """The address for `REDIS_URL`."""
        return f"unix://{self.socket}?db={database}"


def prepare(folder: Path, *, keeps: bool) -> Broker:
    """The server in `folder`; with `keeps` its content outlives a restart.

    The caller holds the lock of the folder above. Raises OneBoxError when there is no server program,
    or when one already runs on this folder.
    """
    folder.mkdir(mode=PRIVATE, parents=True, exist_ok=True)
    broker = Broker(binaries.valkey_server(), folder, socket_folder(folder, SOCKET) / SOCKET, keeps)
    _wait_until_free(broker)
    return broker


def _wait_until_free(broker: Broker) -> None:
    """Let a server that is just ending finish; refuse if it stays: two would ruin one file."""
    deadline = time.monotonic() + LET_GO_SECONDS
    while broker.is_ready():
        if time.monotonic() > deadline:
            raise OneBoxError(
                f"A Valkey server already runs on {broker.folder}, and this command did not start it.\n"
                f"If nobody needs it, end the valkey-server process that uses {broker.socket} and try again."
            )
        time.sleep(0.02)
