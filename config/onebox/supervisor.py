"""Keeps programs running: prints what they say, brings back those that crash, ends all in order.

One thread does everything. It must: the kernel ends a child when the *thread* that started it ends,
and signals must never be blocked while a child starts, because the child would inherit that.
"""

import selectors
import signal
import socket
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from functools import partial
from types import FrameType, TracebackType
from typing import Self

from config.onebox.child import CHUNK, Child
from config.onebox.console import Console
from config.onebox.programs import OneBoxError, Program, kill_group

HURRIED = 2.0  # seconds a program gets once somebody has lost patience
GLANCE = 0.05  # seconds between two looks at a condition


class Stopped(KeyboardInterrupt):
    """Somebody asked to stop while a step was under way."""


class Supervisor:
    """Use as a context manager, in the main thread: on leaving, all programs have ended.

    Programs end in the opposite order of their start. SIGINT, SIGTERM and SIGHUP ask to stop; one more
    of them while stopping takes away the programs' patience.
    """

    def __init__(self, console: Console) -> None:
        self._console = console
        self._children: list[Child] = []
        self._selector = selectors.DefaultSelector()
        self._requests = 0
        self._exits = ExitStack()

    def __enter__(self) -> Self:
        ears, mouth = socket.socketpair()
        for end in (ears, mouth):
            end.settimeout(0)
            self._exits.callback(end.close)
        self._exits.callback(signal.set_wakeup_fd, signal.set_wakeup_fd(mouth.fileno(), warn_on_full_buffer=False))
        self._exits.callback(self._selector.close)
        self._selector.register(ears, selectors.EVENT_READ, partial(ears.recv, CHUNK))
        requests = [signal.SIGINT, signal.SIGTERM]
        if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:  # as under nohup
            requests.append(signal.SIGHUP)
        for number in requests:
            self._exits.callback(signal.signal, number, signal.signal(number, self._asked))
        # Without a handler the end of a child would not interrupt the wait for output.
        self._exits.callback(signal.signal, signal.SIGCHLD, signal.signal(signal.SIGCHLD, _noticed))
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        try:
            self.stop()
        finally:
            self._exits.close()

    @property
    def asked_to_stop(self) -> bool:
        return self._requests > 0

    def start(self, program: Program) -> int:
        """Start a program that is to run until the end; its process number."""
        return self._begin(program, partial(self._console.log, program.name)).process.pid

    def run(self, *programs: Program, quiet: bool) -> None:
        """Run programs side by side to their end. With `quiet`, what they say is shown only if one fails.

        Raises OneBoxError if one fails, Stopped if somebody asks to stop meanwhile.
        """
        kept: list[tuple[str, str]] = []
        passing = []
        for program in programs:
            keep = partial(_keep, kept, program.name)
            passing.append(self._begin(program, keep if quiet else partial(self._console.log, program.name)))
        self._wait(lambda: not any(child.running for child in passing), passing=passing)
        for child in passing:
            self._children.remove(child)
            self._bury(child)
        for failed in (child for child in passing if child.process.returncode):
            for name, line in kept:
                self._console.log(name, line)
            raise OneBoxError(f"{failed.program.name} failed ({failed.how_it_ended}). Its own words are above.")

    def wait_until(self, condition: Callable[[], bool], what: str, *, within: float) -> None:
        """Wait for a condition, while all that was started must keep running.

        Raises OneBoxError after `within` seconds or when a program ends, Stopped on request.
        """
        if not self._wait(condition, deadline=time.monotonic() + within):
            raise OneBoxError(f"{what} was not ready after {within:.0f} seconds.")

    def watch(self) -> None:
        """Keep everything running until somebody asks to stop."""
        while not self._requests:
            due = [child.restart_at for child in self._children if child.restart_at is not None]
            self._turn(max(0.0, min(due) - time.monotonic()) if due else None)
            for child in self._children:
                self._mend(child)

    def stop(self) -> None:
        """End all programs, the last started first."""
        hurry_at = self._requests + 1
        while self._children:
            child = self._children[-1]
            if child.running:
                self._console.say(f"Stopping {child.program.name} …")
                self._end(child, hurry_at)
            if child.restart_at is None:
                self._bury(child)
            self._children.pop()

    def _wait(self, condition: Callable[[], bool], *, deadline: float = float("inf"), passing: Sequence[Child] = ()) -> bool:
        """Wait for a condition while all but the `passing` children run; False when time is up."""
        while not condition():
            if time.monotonic() > deadline:
                return False
            self._turn(GLANCE)
            if self._requests:
                raise Stopped
            for child in self._children:
                if child not in passing and not child.running:
                    self._bury(child)
                    self._children.remove(child)
                    raise OneBoxError(
                        f"{child.program.name} ended before all was ready ({child.how_it_ended}). Its own words are above."
                    )
        return True

    def _turn(self, seconds: float | None) -> None:
        """Wait at most `seconds` for output, a signal or the end of a child; print the output."""
        for key, _ in self._selector.select(seconds):
            key.data()

    def _begin(self, program: Program, show: Callable[[str], None]) -> Child:
        child = Child(program, show)
        self._children.append(child)
        self._listen(child)
        return child

    def _listen(self, child: Child) -> None:
        self._selector.register(child.output, selectors.EVENT_READ, partial(self._relay, child))

    def _relay(self, child: Child) -> None:
        if not child.relay():
            self._selector.unregister(child.output)

    def _bury(self, child: Child) -> None:
        """Show a dead child's last words and let go of it, with whatever it left running."""
        if child.output in self._selector.get_map():
            self._selector.unregister(child.output)
        child.bury()

    def _mend(self, child: Child) -> None:
        """Notice a crash, or start a crashed program again once its time has come."""
        name = child.program.name
        if child.restart_at is None and not child.running:
            self._bury(child)
            delay = child.schedule_restart()
            self._console.say(f"{name} ended ({child.how_it_ended}). Starting it again in {delay:.1f} s.")
        elif child.restart_at is not None and time.monotonic() >= child.restart_at:
            child.launch()
            self._listen(child)

    def _end(self, child: Child, hurry_at: int) -> None:
        """Ask a program to stop; insist when its patience, or that of the person, is over."""
        child.process.send_signal(child.program.stop_signal)
        deadline, hurried = time.monotonic() + child.program.patience, False
        while child.running:
            self._turn(GLANCE)
            if self._requests >= hurry_at and not hurried:
                child.process.send_signal(child.program.hurry_signal)
                deadline, hurried = time.monotonic() + HURRIED, True
            if time.monotonic() > deadline:
                kill_group(child.process)

    def _asked(self, _number: int, _frame: FrameType | None) -> None:
        self._requests += 1


def _noticed(_number: int, _frame: FrameType | None) -> None:
    """Do nothing; the signal has already interrupted the wait."""


def _keep(kept: list[tuple[str, str]], name: str, line: str) -> None:
    kept.append((name, line))
