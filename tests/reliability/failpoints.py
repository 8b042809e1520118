"""Failpoints: a process that installed them dies, or kills the server it talks to, at a chosen point of its work.

The product carries none of this: failpoints are put around Django's database connection when a test's process starts. One
stands before and after every statement (COPY too) and every COMMIT; its name is `before` or `after` and the statement.
"""

import os
import re
import signal
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.postgresql.base import Cursor, DatabaseWrapper
from psycopg import ClientCursor, Connection, Copy

PATIENCE = 60  # seconds a child may take
# What a failpoint is called with: its name, and the process of the server that works for this connection.
type Reached = Callable[[str, int], None]


def install(reached: Reached) -> None:
    """Call `reached` at every failpoint of this process, on all connections that are opened from now on."""

    class TellingCursor(Cursor, ClientCursor[Any]):
        def execute(self, query: Any, *args: Any, **given: Any) -> Any:
            with around(_words(query), self.connection):
                return super().execute(query, *args, **given)

        @contextmanager
        def copy(self, statement: Any, *args: Any, **given: Any) -> Iterator[Copy]:
            with around(_words(statement), self.connection), super().copy(statement, *args, **given) as copy:
                yield copy

    @contextmanager
    def around(statement: str, connection: Connection | None) -> Iterator[None]:
        backend = connection.info.backend_pid if connection and not connection.closed else 0
        reached(f"before {statement}", backend)
        yield
        reached(f"after {statement}", backend)

    parameters, commit = DatabaseWrapper.get_connection_params, vars(BaseDatabaseWrapper)["_commit"]

    def with_telling_cursor(self: DatabaseWrapper) -> dict[str, Any]:
        return parameters(self) | {"cursor_factory": TellingCursor}

    def telling_commit(self: DatabaseWrapper) -> None:
        with around("commit", self.connection):
            commit(self)

    for name, function in {"get_connection_params": with_telling_cursor, "_commit": telling_commit}.items():
        setattr(DatabaseWrapper, name, function)


def _words(statement: Any) -> str:
    return " ".join(str(statement).split()).lower()


class Armed:
    """Kills once, at the place that a file names, which is then gone. Other processes may watch the same file.

    The file says, in one line: how many failpoints to let pass, whom to kill (`self`, `backend` or a process), and a
    regular expression that the failpoint's name must match.
    """

    def __init__(self, file: Path) -> None:
        self._file, self._line, self._left = file, "", 0

    def __call__(self, name: str, backend: int) -> None:
        try:
            line = self._file.read_text()
        except FileNotFoundError:
            return
        passing, victim, pattern = line.split(" ", 2)
        if line != self._line:
            self._line, self._left = line, int(passing)
        if not re.search(pattern, name):
            return
        self._left -= 1
        if self._left >= 0:
            return
        try:
            self._file.unlink()
        except FileNotFoundError:  # another process was there first
            return
        os.kill({"self": os.getpid(), "backend": backend}[victim] if victim.isalpha() else int(victim), signal.SIGKILL)


def arm(file: Path, *, passing: int, victim: str, pattern: str) -> None:
    """Tell whoever watches `file` where to kill, in one step."""
    half = file.with_suffix(".new")
    half.write_text(f"{passing} {victim} {pattern}")
    half.rename(file)


def killed_at(number: int, act: Callable[[], object], *, pattern: str = "") -> bool:
    """Run `act` in a child that is killed at the failpoint `number`, counted from 1, of those whose names match `pattern`.

    False when the child ended before that. Call it while this process has no other threads: a fork would copy their locks.
    """
    connections.close_all()  # a child must not speak on its parent's line
    pid = os.fork()
    if not pid:
        _be_killed_at(number, act, pattern)
    _, status = os.waitpid(pid, 0)
    if os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL:
        return True
    assert status == 0, f"the child failed by itself (status {status}); its words are above"
    return False


def _be_killed_at(number: int, act: Callable[[], object], pattern: str) -> None:
    """The child's whole life."""
    status, passed = 1, 0

    def count(name: str, _backend: int) -> None:
        nonlocal passed
        passed += bool(re.search(pattern, name))
        if passed == number:
            os.kill(os.getpid(), signal.SIGKILL)

    try:
        # While a browser runs, its event loop hides connections of before it, which a child would find open again.
        for alias in connections:
            with suppress(AttributeError):
                del connections[alias]
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        signal.alarm(PATIENCE)
        install(count)
        act()
        status = 0
    except BaseException:  # noqa: BLE001 — whatever it was, this process may not go on as its parent
        traceback.print_exc()
    finally:
        os._exit(status)
