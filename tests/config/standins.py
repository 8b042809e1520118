"""A small supervised household, run as a process of its own by the tests of the one-box runner.

    python -m tests.config.standins DATA KIND ...

Each KIND becomes a program, in that order: `postgres` and `valkey` are the real servers, `never` is
a condition that never holds, the others are stand-ins for web, worker and beat. The word "open" is
printed when all of them run.
"""

import os
import sys
from pathlib import Path

from config.onebox import broker, guards, postgres
from config.onebox.console import Console
from config.onebox.programs import OneBoxError, Program
from config.onebox.supervisor import Stopped, Supervisor

SAY_WHO = "import os, signal; print('pid', os.getpid(), flush=True); "
STANDINS = {
    "calm": SAY_WHO + "signal.pause()",
    "stubborn": "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); " + SAY_WHO + "signal.pause()",
    "parent": "import os; os.fork(); " + SAY_WHO + "signal.pause()",
    "failing": SAY_WHO + "raise SystemExit('no such luck')",
}


def admit(kind: str, data: Path, supervisor: Supervisor) -> None:
    """Start one program and wait until it can be used."""
    if kind == "postgres":
        cluster = postgres.prepare(data / "postgres", "durable")
        pid = supervisor.start(cluster.program)
        supervisor.wait_until(lambda: cluster.is_ready(pid), "PostgreSQL", within=30)
    elif kind == "valkey":
        server = broker.prepare(data / "valkey", keeps=True)
        supervisor.start(server.program)
        supervisor.wait_until(server.is_ready, "Valkey", within=30)
    elif kind == "never":
        supervisor.wait_until(lambda: False, "What never comes", within=60)
    else:
        argv = (sys.executable, "-I", "-c", STANDINS[kind])
        supervisor.start(Program(name=kind, argv=argv, env=os.environ.copy(), patience=60))


def main() -> None:
    """Run the household until it is asked to stop."""
    data, console = Path(sys.argv[1]), Console()
    try:
        with guards.hold(data, "up.lock"), Supervisor(console) as supervisor:
            for kind in sys.argv[2:]:
                admit(kind, data, supervisor)
            console.say("open")
            supervisor.watch()
    except Stopped:
        console.say("stopped before it was open")
    except OneBoxError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
