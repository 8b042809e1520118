"""What the person at the console sees: steps with their times, and each program's words under its name."""

import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO

COLOURS = (36, 33, 35, 32, 34, 31)  # cyan, yellow, magenta, green, blue, red
NAME_WIDTH = 9


class Console:
    """Plain text; coloured names on a terminal unless NO_COLOR is set."""

    def __init__(self, out: TextIO = sys.stdout) -> None:
        self._out = out
        self._coloured = out.isatty() and "NO_COLOR" not in os.environ
        self._names: dict[str, int] = {}

    def say(self, text: str = "") -> None:
        """A line of our own."""
        try:
            self._out.write(f"{text}\n")
            self._out.flush()
        except OSError:
            return  # the terminal has been closed; stopping cleanly matters more than saying so

    def log(self, name: str, line: str) -> None:
        """A line that a program said."""
        label = f"{name:<{NAME_WIDTH}}|"
        if self._coloured:
            colour = self._names.setdefault(name, COLOURS[len(self._names) % len(COLOURS)])
            label = f"\x1b[{colour}m{label}\x1b[0m"
        self.say(f"{label} {line}")

    @contextmanager
    def step(self, what: str) -> Iterator[None]:
        """Tell how long the body took, once it has succeeded."""
        started = time.monotonic()
        yield
        self.say(f"{what:<40}{time.monotonic() - started:6.1f} s")
