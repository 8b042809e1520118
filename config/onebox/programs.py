"""What a supervised program is: how it starts, how it is asked to end, and how it is made to."""

import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from signal import Signals
from typing import IO, Literal

BASE = Path(__file__).resolve().parent.parent.parent
LAUNCHER = Path(__file__).with_name("launcher.py")

Identity = Literal["self", "namespace", "nobody"]


class OneBoxError(Exception):
    """Something the person at the console must know: what happened and what to do about it."""


@dataclass(frozen=True, kw_only=True)
class Program:
    """A program to run.

    `stop_signal` asks for a clean end within `patience` seconds; `hurry_signal` is for a
    person who asks twice. Should the supervisor itself be killed, the kernel sends `stop_signal`.
    """

    name: str
    argv: tuple[str, ...]
    env: Mapping[str, str]
    identity: Identity = "self"
    stop_signal: Signals = signal.SIGTERM
    hurry_signal: Signals = signal.SIGKILL
    patience: float = 10.0


def launch_argv(argv: tuple[str, ...], *, identity: Identity, death_signal: Signals = signal.SIGTERM) -> list[str]:
    """`argv` behind the launcher, as a child of this very process."""
    launcher = [sys.executable, "-I", "-S", str(LAUNCHER)]
    return [*launcher, str(os.getpid()), str(int(death_signal)), identity, *argv]


def spawn(program: Program, output: int | IO[bytes]) -> subprocess.Popen[bytes]:
    """Start `program` with everything it says going to `output`.

    Call it from the main thread: the kernel's death signal fires when the starting *thread* ends.
    The program leads a process group of its own, so that Ctrl-C at the terminal reaches the
    supervisor alone, and whatever a crashed program leaves behind can be found and ended.
    """
    return subprocess.Popen(
        launch_argv(program.argv, identity=program.identity, death_signal=program.stop_signal),
        env=dict(program.env),
        cwd=BASE,
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=subprocess.STDOUT,
        process_group=0,
    )


def kill_group(process: subprocess.Popen[bytes]) -> None:
    """End at once whatever is left of a program and of the processes it started."""
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        return  # all gone; macOS says "not permitted" of a group of zombies


def end(program: Program, process: subprocess.Popen[bytes]) -> None:
    """Ask a program to stop, wait for as long as it may take, then insist."""
    if process.poll() is None:
        process.send_signal(program.stop_signal)
        try:
            process.wait(program.patience)
        except subprocess.TimeoutExpired:
            kill_group(process)
            process.wait()
    kill_group(process)


def command_of(pid: int) -> str:
    """The command line of a living process; empty when there is none, or only a zombie."""
    if sys.platform == "linux":
        try:
            return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode().strip()
        except (FileNotFoundError, ProcessLookupError):
            return ""
    listing = ["ps", "-o", "command=", "-p", str(pid)]
    return subprocess.run(listing, capture_output=True, text=True, check=False).stdout.strip()
