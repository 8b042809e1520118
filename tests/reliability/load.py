"""Tills and posters that keep a box busy, and what they were told."""

import json
import subprocess
from pathlib import Path
from threading import Event
from types import TracebackType
from typing import Self

from tests.config.households import wait_for
from tests.reliability.audit import Acknowledged
from tests.reliability.box import Box
from tests.reliability.clients import ANSWER_SECONDS, Till

TILLS, POSTERS = 5, 2
MEMBERS, HOLDERS = 40, 30
POSTER = "tests.reliability.poster"


class Load:
    """Use as a context manager: it ends after everything that was under way has been acknowledged.

    Fails, and says of what, when something was refused or not acknowledged in time.
    """

    def __init__(self, box: Box, seed: str, folder: Path) -> None:
        self.told, self._closing = Acknowledged(), Event()
        with box.spawn(POSTER, "open", str(MEMBERS), str(HOLDERS), stdout=subprocess.PIPE) as opening:
            people = json.loads(opening.communicate(timeout=ANSWER_SECONDS)[0])
        self._tills = [
            Till(f"{seed}:till{n}", box.port, people["keys"][n % 2], people["members"], self._closing) for n in range(TILLS)
        ]
        files = [folder / f"acknowledged-{n}" for n in range(POSTERS)]
        for file in files:
            file.touch()
        self._posters = [
            box.spawn(POSTER, "post", f"{seed}:poster{n}", str(file), *people["holders"]) for n, file in enumerate(files)
        ]
        self._read = [file.open() for file in files]
        self._halves = [""] * POSTERS
        self._heard = [(0, 0)] * TILLS

    def __enter__(self) -> Self:
        for till in self._tills:
            till.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._closing.set()
        for poster in self._posters:
            poster.terminate()
        try:
            for till in self._tills:
                till.join(2 * ANSWER_SECONDS)
            for poster in self._posters:
                poster.wait(2 * ANSWER_SECONDS)
        finally:
            for poster in self._posters:
                poster.kill()
                poster.wait()
        self.news()
        for file in self._read:
            file.close()
        assert kind or not any(poster.returncode for poster in self._posters), "a poster failed; its words are above"

    @property
    def resent(self) -> int:
        """How many acts were acknowledged twice, with the same answer."""
        return sum(till.told.resent for till in self._tills)

    def news(self) -> Acknowledged:
        """What was acknowledged since the last look."""
        wrong = [text for till in self._tills for text in till.told.wrong]
        assert not wrong, wrong
        new = Acknowledged()
        for place, till in enumerate(self._tills):
            receipts, members = self._heard[place]
            part = Acknowledged(till.told.receipts[receipts:], [], till.told.members[members:])  # the till goes on meanwhile
            self._heard[place] = (receipts + len(part.receipts), members + len(part.members))
            new.take(part)
        for place, file in enumerate(self._read):
            *lines, self._halves[place] = (self._halves[place] + file.read()).split("\n")
            new.acts += [(key, entry, points) for key, entry, points in map(json.loads, lines)]
        self.told.take(new)
        return new

    def goes_on(self, seconds: float) -> Acknowledged:
        """What was acknowledged until tills and posters alike have been told of something new; fails without."""
        new = Acknowledged()

        def heard() -> bool:
            new.take(self.news())
            return len(new.receipts) > TILLS and len(new.acts) > POSTERS

        wait_for(heard, seconds)
        return new
