"""A supervised household under test: what it prints, which processes it has, how it is treated."""

import itertools
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

from config.onebox.programs import BASE, command_of

PATIENCE = 15.0
NUMBERS = itertools.count(1)


def wait_for(condition: Callable[[], bool], within: float = PATIENCE, glance: float = 0.01) -> None:
    """Return as soon as the condition holds, looked at every `glance` seconds; fail if it does not `within` so many."""
    deadline = time.monotonic() + within
    while not condition():
        assert time.monotonic() < deadline, f"waited {within} seconds in vain"
        time.sleep(glance)


class Household:
    """A supervisor in a process of its own; whatever is left of its programs ends with the `with`."""

    def __init__(self, data: Path, *argv: str, env: Mapping[str, str] | None = None) -> None:
        self._log = data.with_name(f"{data.name}-{next(NUMBERS)}.log")
        with self._log.open("wb") as output:
            self.process = subprocess.Popen([sys.executable, *argv], cwd=BASE, env=env, stdout=output, stderr=subprocess.STDOUT)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        for pid in [self.process.pid, *self.pids()]:
            if command_of(pid):
                os.kill(pid, signal.SIGKILL)
        self.process.wait()

    @property
    def said(self) -> str:
        """All that it has printed so far."""
        return self._log.read_text()

    def hear(self, text: str, times: int = 1, within: float = PATIENCE) -> None:
        """Wait until it has said something so often; fail if it ends without."""
        wait_for(lambda: self.said.count(text) >= times or self.process.poll() is not None, within)
        assert self.said.count(text) >= times, self.said

    def pids(self, name: str = r"\w+") -> list[int]:
        """The processes that its programs of this name have said they are, oldest first."""
        return [int(pid) for pid in re.findall(rf"^{name}\s*\| .*?(?:pid |UTC \[)(\d+)", self.said, re.MULTILINE)]

    def ask(self, number: signal.Signals) -> None:
        """Send the supervisor a signal."""
        self.process.send_signal(number)

    def outcome(self) -> int:
        """Wait for its end; its exit status."""
        return self.process.wait(PATIENCE)

    def leaves_nothing(self) -> None:
        """Wait until none of the processes it ever named is left."""
        wait_for(lambda: not any(command_of(pid) for pid in self.pids()))


def standins(data: Path, *kinds: str) -> Household:
    """A household of small programs, and of the real servers where a kind says so."""
    return Household(data, "-m", "tests.config.standins", str(data), *kinds)


def product(data: Path, port: int) -> Household:
    """`manage.py up` on a folder of its own, with none of the tests' servers."""
    env = {name: value for name, value in os.environ.items() if not name.endswith(("_URL", "SECRET_KEY"))}
    env |= {"REGULARS_DATA": str(data), "DJANGO_SETTINGS_MODULE": "config.settings"}
    return Household(data, "manage.py", "up", "--port", str(port), env=env)
