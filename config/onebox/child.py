"""One program under supervision: its present process, its words, its record of crashes."""

import os
import select
import signal
import time
from collections.abc import Callable
from subprocess import PIPE, Popen

from config.onebox.programs import Program, kill_group, spawn

FIRST_DELAY, LONGEST_DELAY = 0.2, 30.0  # seconds before a crashed program is started again
SETTLED_AFTER = 60.0  # seconds of running after which earlier crashes are forgotten
CHUNK = 65536


class Child:
    """A program and the process that runs it now. Starting one starts the process."""

    def __init__(self, program: Program, show: Callable[[str], None]) -> None:
        self.program = program
        self._show = show
        self.crashes = 0
        self.restart_at: float | None = None
        self.launch()

    def launch(self) -> None:
        """Start the process, for the first time or again."""
        self.process: Popen[bytes] = spawn(self.program, PIPE)
        self.started_at = time.monotonic()
        self.restart_at = None
        self._unfinished = b""
        os.set_blocking(self.output, False)

    @property
    def output(self) -> int:
        """The file descriptor that what it says comes from."""
        assert self.process.stdout is not None, "spawned with a pipe"
        return self.process.stdout.fileno()

    @property
    def running(self) -> bool:
        return self.process.poll() is None

    @property
    def how_it_ended(self) -> str:
        status = self.process.returncode
        return f"killed by {signal.Signals(-status).name}" if status < 0 else f"exit status {status}"

    def relay(self) -> bool:
        """Show the lines said since the last look; False when no more will come."""
        try:
            said = os.read(self.output, CHUNK)
        except BlockingIOError:
            return True
        *lines, self._unfinished = (self._unfinished + said).split(b"\n")
        if self._unfinished and (not said or len(self._unfinished) > CHUNK):
            lines.append(self._unfinished)
            self._unfinished = b""
        for line in lines:
            self._show(line.decode(errors="replace").rstrip())
        return bool(said)

    def bury(self) -> None:
        """Wait for the dead process, end what it left running, and show its last words."""
        self.process.wait()
        kill_group(self.process)
        assert self.process.stdout is not None, "spawned with a pipe"
        with self.process.stdout:
            while select.select([self.output], [], [], 0)[0] and self.relay():
                pass

    def schedule_restart(self) -> float:
        """Count a crash; the seconds to wait, twice as long each time, before the next attempt."""
        now = time.monotonic()
        if now - self.started_at > SETTLED_AFTER:
            self.crashes = 0
        delay: float = min(LONGEST_DELAY, FIRST_DELAY * 2**self.crashes)
        self.crashes += 1
        self.restart_at = now + delay
        return delay
