"""Many at once: threads with a connection each, that begin at the same moment."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from types import TracebackType
from typing import Self

from django.db import OperationalError, connection, connections, transaction

from loyalty import verifying
from loyalty.problems import is_busy
from loyalty.proof import verify

SECONDS = 60.0
TRIES = 20


class Crowd:
    """Use as a context manager: its connections are closed at the end."""

    def __init__(self, size: int) -> None:
        self._size, self._threads, self._gate = size, ThreadPoolExecutor(size), Barrier(size)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.rush([connections.close_all] * self._size)
        self._threads.shutdown()

    def rush[T](self, acts: Sequence[Callable[[], T]]) -> list[T]:
        """Do all acts, as many at a time as there are threads; answers in order. Raises what one raises."""
        answers: list[T | None] = [None] * len(acts)

        def work(number: int) -> None:
            self._gate.wait(SECONDS)
            for place in range(number, len(acts), self._size):
                answers[place] = acts[place]()

        for done in [self._threads.submit(work, number) for number in range(self._size)]:
            done.result(SECONDS)
        return answers  # type: ignore[return-value]


def patiently[T](act: Callable[[], T]) -> T:
    """Again when something was busy for longer than an act may wait; a deadlock is an error. Raises TimeoutError."""
    for _ in range(TRIES):
        try:
            return act()
        except OperationalError as error:
            if not is_busy(error):
                raise
    raise TimeoutError


def both_verifiers() -> None:
    """Fail when the ledger does not hold by the product's checks or by the verifier that shares nothing with it."""
    assert [finding for finding in verifying.verify() if finding.bad_row] == []
    with transaction.atomic():
        verify.check_database(connection.connection, None)
