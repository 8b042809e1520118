"""Tills under which a box is killed: real HTTP, one line each, every act sent with its key until it is acknowledged."""

import http.client
import json
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http import HTTPStatus
from random import Random
from threading import Event, Thread
from typing import Any

ANSWER_SECONDS = 90.0  # how long a till tries before it calls an act lost
LINE_SECONDS = 20.0
BATCH = 20
AGAIN = {HTTPStatus.CONFLICT, *(status for status in HTTPStatus if status >= 500)}


@dataclass(frozen=True, slots=True)
class Receipt:
    """An acknowledged one."""

    number: str
    id: str
    points: int


@dataclass(slots=True)
class Told:
    """What one till was told. `resent` were acknowledged a second time with the same answer; `failed` counts tries without."""

    receipts: list[Receipt] = field(default_factory=list)
    members: list[str] = field(default_factory=list)
    resent: int = 0
    failed: int = 0
    wrong: list[str] = field(default_factory=list)


class Till(Thread):
    """Rings up receipts that follow from its seed, until `closing` is set; then ends after what it has begun."""

    def __init__(self, seed: str, port: int, token: str, members: Sequence[str], closing: Event) -> None:
        super().__init__(name=seed, daemon=True)
        self._draw, self._port, self._members, self._closing = Random(seed), port, members, closing
        self._token, self._rung, self.told = token, 0, Told()
        self._line = self._connect()

    def run(self) -> None:
        try:
            while not self._closing.is_set():
                self._act()
        except Exception as error:  # noqa: BLE001 — whoever started the till looks at `wrong`
            self.told.wrong.append(f"till {self.name}: {type(error).__name__}: {error}")
        finally:
            self._line.close()

    def _act(self) -> None:
        self._rung += 1
        choice, key = self._draw.random(), f"{self.name}:{self._rung}"
        if choice < 0.1:
            joined = self._acknowledged("/members", {"email": f"{key.replace(':', '.')}@example.com"}, key)
            self.told.members.append(joined["id"])
        elif choice < 0.3:
            numbers = [f"{key}:{place}" for place in range(BATCH)]
            answer = self._acknowledged("/purchases/batch", {"purchases": [self._receipt(one) for one in numbers]}, key)
            for one in answer["results"]:
                assert one["status"] == HTTPStatus.CREATED, one
                self.told.receipts.append(Receipt(one["receipt_number"], one["id"], one["points_earned"]))
        else:
            answer = self._acknowledged("/purchases", self._receipt(key), key)
            self.told.receipts.append(Receipt(key, answer["id"], answer["points_earned"]))

    def _receipt(self, number: str) -> dict[str, Any]:
        cents = self._draw.randint(100, 9900)
        return {
            "source": "kills", "receipt_number": number, "store": "S1", "member": self._draw.choice(self._members),
            "occurred_at": datetime.now(UTC).isoformat(), "currency": "EUR",
            "lines": [{"line_id": "1", "net_amount": f"{cents // 100}.{cents % 100:02}"}],
        }  # fmt: skip

    def _acknowledged(self, path: str, body: Any, key: str) -> Any:
        """The answer of a success. Some acts are sent on a line that is dropped at once, some again after their answer."""
        text = json.dumps(body).encode()
        if self._draw.random() < 0.03:
            self._hang_up(path, text, key)
        answer = self._until_answered(path, text, key)
        if self._draw.random() < 0.05:
            again = self._until_answered(path, text, key)
            assert again == answer, f"{key} was answered {answer}, then {again}"
            self.told.resent += 1
        return answer

    def _until_answered(self, path: str, text: bytes, key: str) -> Any:
        deadline = time.monotonic() + ANSWER_SECONDS
        while True:
            try:
                status, answer = self._send(path, text, key)
            except (OSError, http.client.HTTPException):
                self._line.close()
                self._line = self._connect()
                status, answer = HTTPStatus.SERVICE_UNAVAILABLE.value, b"the line broke"
            if status in (HTTPStatus.OK, HTTPStatus.CREATED):
                return json.loads(answer)
            self.told.failed += 1
            assert status in AGAIN, f"{key} was refused: {status} {answer!r}"
            assert time.monotonic() < deadline, f"{key} was not acknowledged within {ANSWER_SECONDS:.0f} seconds"
            time.sleep(0.05)

    def _send(self, path: str, text: bytes, key: str) -> tuple[int, bytes]:
        self._line.request("POST", f"/api/v1{path}", text, self._headers(key))
        answer = self._line.getresponse()
        return answer.status, answer.read()

    def _hang_up(self, path: str, text: bytes, key: str) -> None:
        line = self._connect()
        try:
            line.request("POST", f"/api/v1{path}", text, self._headers(key))
        except OSError:
            pass  # nobody was there; the till sends it again anyway
        finally:
            line.close()

    def _headers(self, key: str) -> dict[str, str]:
        return {"Authorization": f"Bearer {self._token}", "Idempotency-Key": key, "Content-Type": "application/json"}

    def _connect(self) -> http.client.HTTPConnection:
        return http.client.HTTPConnection("127.0.0.1", self._port, timeout=LINE_SECONDS)
