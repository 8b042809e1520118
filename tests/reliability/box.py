"""The whole product as `manage.py up` runs it, with its programs in reach of a signal and its failpoints in reach of a file."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from random import Random
from typing import Any

from celery import Celery

from config.onebox.programs import BASE, command_of
from tests.config.households import wait_for
from tests.reliability import failpoints

READY = "Regulars is ready"
OPENING_SECONDS = 120.0
CLOSING_SECONDS = 90.0
GLANCE = 0.05  # looking through /proc costs milliseconds
BACK_SECONDS = 90.0  # the supervisor waits up to 30 seconds before it starts again what crashes all the time
VERIFIER_SECONDS = 600.0
TASKS = ("config.tasks.relay_outbox", "loyalty.tasks.expire_points", "members.tasks.send_messages")


class Box:
    """An open house. PostgreSQL syncs to disk and commits synchronously there, as it does for a merchant."""

    def __init__(self, data: Path, port: int, supervisor: int) -> None:
        self.data, self.port, self._supervisor = data, port, supervisor
        lines = (data / "environment").read_text().splitlines()
        self.addresses = dict(line.partition("=")[::2] for line in lines)
        broker = self.addresses["REDIS_URL"].replace("unix://", "redis+socket://").replace("?db=", "?virtual_host=")
        self._bell = Celery("bell", broker=broker, set_as_current=False)

    @property
    def database(self) -> str:
        return self.addresses["DATABASE_URL"]

    def program(self, *words: str) -> int:
        """The process of the program whose command line holds these words; waits until there is one."""
        found: list[int] = []

        def look() -> bool:
            found[:] = [pid for pid in children(self._supervisor) if all(word in command_of(pid) for word in words)]
            return bool(found)

        wait_for(look, BACK_SECONDS, glance=GLANCE)
        return found[0]

    def postmaster(self) -> int:
        return self.program("bin/postgres -D")

    def backends(self) -> list[int]:
        """Server processes that work for the application."""
        return [pid for pid in children(self.postmaster()) if "regulars_app" in command_of(pid)]

    def web_workers(self) -> list[int]:
        return children(self.program("granian wsgi"))

    def celery_children(self) -> list[int]:
        """The processes that do the tasks."""
        return children(self.program("celery", " worker "))

    def celery_main(self) -> list[int]:
        """The process above them, once it has some."""
        return [self.program("celery", " worker ")] if self.celery_children() else []

    def ring(self) -> None:
        """Ask the worker for all that it does by the minute, without waiting for the clock."""
        for name in TASKS:
            self._bell.send_task(name)

    def kill(self, find: Callable[[], list[int]], draw: Random) -> None:
        """`kill -9` one of those found, as soon as there is one, and see it go."""
        struck: list[int] = []

        def strike() -> bool:
            if found := sorted(find()):
                victim = draw.choice(found)
                with suppress(ProcessLookupError):  # it has just ended by itself: look again
                    os.kill(victim, signal.SIGKILL)
                    struck.append(victim)
            return bool(struck)

        wait_for(strike, BACK_SECONDS, glance=GLANCE)
        wait_for(lambda: not command_of(struck[0]))

    def kill_at_failpoint(self, program: str, *, victim: str, pattern: str, passing: int, meanwhile: Callable[[], None]) -> None:
        """Let `program` kill itself or a server process at a failpoint; `meanwhile`, once a second, gives it a reason."""
        file = self.data / "failpoints" / program
        failpoints.arm(file, passing=passing, victim=victim, pattern=pattern)
        deadline, asked = time.monotonic() + BACK_SECONDS, 0.0
        while file.exists():
            assert time.monotonic() < deadline, f"{program} never came to {pattern}"
            if time.monotonic() > asked + 1:
                meanwhile()
                asked = time.monotonic()
            time.sleep(0.02)

    def spawn(self, module: str, *argv: str, **more: Any) -> subprocess.Popen[str]:
        """A process of the tests on this box's servers, with failpoints too."""
        return subprocess.Popen([sys.executable, "-m", module, *argv], cwd=BASE, env=environment(self.data), text=True, **more)

    def seal(self) -> None:
        """Kill the sealer; its successor begins with a checkpoint."""
        latest = self.data / "seal" / "checkpoints" / "latest.txt"
        before = latest.read_text() if latest.exists() else ""
        self.kill(lambda: [self.program("seal_ledger")], Random(0))
        wait_for(lambda: latest.exists() and latest.read_text() != before, BACK_SECONDS)

    def verify(self) -> str:
        """What both verifiers say, checkpoints and all; fails when one finds something."""
        seal = self.data / "seal"
        commands = [
            ["manage.py", "verify_ledger"],
            ["loyalty/proof/verify.py", "--database-url", self.database, "--checkpoints", str(seal / "checkpoints"),
             "--public-key", str(seal / "key.pem.pub")],
        ]  # fmt: skip
        said = []
        for command in commands:
            answer = subprocess.run(
                [sys.executable, *command], cwd=BASE, env=environment(self.data), capture_output=True, text=True,
                timeout=VERIFIER_SECONDS, check=False,
            )  # fmt: skip
            assert answer.returncode == 0, answer.stdout + answer.stderr
            said.append(answer.stdout.splitlines()[-1])
        return " ".join(said)


@contextmanager
def opened(data: Path) -> Iterator[Box]:
    """A box on the folder `data`, empty or left by an earlier one; everything has ended afterwards."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    (data / "failpoints").mkdir(parents=True, exist_ok=True)
    log = data.with_name(f"{data.name}.log")
    command = [sys.executable, "manage.py", "up", "--port", str(port)]
    with log.open("wb") as output, subprocess.Popen(
        command, cwd=BASE, env=environment(data), stdout=output, stderr=subprocess.STDOUT
    ) as up:  # fmt: skip
        try:
            wait_for(lambda: READY in log.read_text() or up.poll() is not None, OPENING_SECONDS)
            assert up.poll() is None, log.read_text()
            yield Box(data, port, up.pid)
        finally:
            up.send_signal(signal.SIGINT)
            try:
                up.wait(CLOSING_SECONDS)
            finally:
                up.kill()  # the kernel then asks its programs to stop
        assert up.returncode == 0, log.read_text()[-5000:]


def environment(data: Path) -> dict[str, str]:
    """Without the addresses of the tests' own servers: a process learns those of the box from its data folder."""
    mine = {name: value for name, value in os.environ.items() if not name.endswith(("_URL", "SECRET_KEY"))}
    return mine | {
        "DJANGO_SETTINGS_MODULE": "tests.reliability.settings",
        "REGULARS_DATA": str(data),
        "REGULARS_FAILPOINTS": str(data / "failpoints"),
        "REGULARS_API_CALLS_PER_MINUTE": "10000000",
    }


def children(parent: int) -> list[int]:
    """The processes that a process started, as /proc has them."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            after_name = (folder / "stat").read_text().rpartition(")")[2].split()
        except (FileNotFoundError, ProcessLookupError):
            continue
        if int(after_name[1]) == parent and after_name[0] != "Z":
            found.append(int(folder.name))
    return found
