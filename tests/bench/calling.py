"""`POST /api/v1/purchases` over real HTTP, beside the floor's call through psycopg from as many threads."""

import http.client
import json
import socket
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import psycopg
from django.utils import timezone

from config.onebox import application
from config.onebox.application import Wish
from config.onebox.programs import end, spawn
from members.access import create_key
from tests.bench.floors import TAKE
from tests.bench.measuring import percentile
from tests.bench.shop import Shop, Till, connected, ready

PATIENCE = 60.0
MOST_SECONDS = 20.0
WARM_UP = 100


@dataclass(frozen=True, slots=True)
class Latency:
    """Milliseconds of one call, and calls a second of all clients together."""

    clients: int
    p50: float
    p99: float
    rate: float


@contextmanager
def served(shop: Shop) -> Iterator[int]:
    """The product's web program as `manage.py up` runs it, on the shop's database; its port."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with tempfile.TemporaryDirectory(prefix="regulars-bench-") as folder, Path(folder, "web.log").open("wb") as log:
        wish = Wish(data=Path(folder), host="127.0.0.1", port=port, demo=False)
        polite = {"REGULARS_API_CALLS_PER_MINUTE": "1000000", "DATABASE_URL": shop.database.url()}
        programs = application.programs(wish, application.environment(wish) | polite)
        web = next(one for one in programs if one.name == "web")
        process = spawn(web, log)
        try:
            deadline = time.monotonic() + PATIENCE
            while not application.answers(wish):
                assert process.poll() is None, Path(folder, "web.log").read_text()
                assert time.monotonic() < deadline, Path(folder, "web.log").read_text()
                time.sleep(0.05)
            yield port
        finally:
            end(web, process)


def calling(shop: Shop, calls: int, count: int) -> dict[int, tuple[Latency, Latency]]:
    """(product, floor) by the number of clients; `calls` in each of `count` interleaved rounds, shared by the clients."""
    _id, token = create_key("bench", ["pos"])
    found: dict[int, tuple[Latency, Latency]] = {}
    with served(shop) as port:
        _http(shop, port, token, 4, WARM_UP)
        _psycopg(shop, 4, WARM_UP)
        for clients in (1, 8):
            both: list[tuple[list[float], float]] = [([], 0.0), ([], 0.0)]
            for _ in range(count):
                for side, (seconds, elapsed) in enumerate(
                    (_http(shop, port, token, clients, calls), _psycopg(shop, clients, calls))
                ):
                    both[side] = (both[side][0] + seconds, both[side][1] + elapsed)
            product, floor = (_latency(clients, *one) for one in both)
            found[clients] = (product, floor)
    return found


def _http(shop: Shop, port: int, token: str, clients: int, calls: int) -> tuple[list[float], float]:
    till = Till(shop, f"http-{uuid4().hex[:8]}")
    bodies = [_body(till) for _ in range(calls)]
    lines = [http.client.HTTPConnection("127.0.0.1", port) for _ in range(clients)]

    def send(client: int, number: int) -> None:
        headers = {"Authorization": f"Bearer {token}", "Idempotency-Key": str(uuid4()), "Content-Type": "application/json"}
        lines[client].request("POST", "/api/v1/purchases", bodies[number], headers)
        answer = lines[client].getresponse()
        text = answer.read()
        assert answer.status == http.HTTPStatus.CREATED, text

    for line in lines:
        line.connect()
        line.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    try:
        return _shared(clients, calls, send)
    finally:
        for line in lines:
            line.close()


def _body(till: Till) -> bytes:
    [receipt] = till.receipts(1, at=timezone.now())
    return json.dumps(receipt.model_dump(mode="json", exclude_defaults=True)).encode()


def _psycopg(shop: Shop, clients: int, calls: int) -> tuple[list[float], float]:
    till = Till(shop, f"floor-{uuid4().hex[:8]}")
    arrays = [ready(shop, till.receipts(1, at=timezone.now())) for _ in range(calls)]
    with _connections(shop, clients) as lines:
        return _shared(clients, calls, lambda client, number: lines[client].execute(TAKE, arrays[number]))


@contextmanager
def _connections(shop: Shop, count: int) -> Iterator[list[psycopg.Connection]]:
    with connected(shop.database) as one:
        if count == 1:
            yield [one]
            return
        with _connections(shop, count - 1) as others:
            yield [one, *others]


def _shared(clients: int, calls: int, send: Callable[[int, int], object]) -> tuple[list[float], float]:
    """Calls shared out to the clients, each waiting for its answer; seconds of each call, and of all together."""

    def work(client: int) -> list[float]:
        seconds, deadline = [], time.monotonic() + MOST_SECONDS
        for number in range(client, calls, clients):
            started = time.perf_counter()
            send(client, number)
            seconds.append(time.perf_counter() - started)
            if time.monotonic() > deadline:
                break
        return seconds

    started = time.perf_counter()
    with ThreadPoolExecutor(clients) as threads:
        seconds = [one for some in threads.map(work, range(clients)) for one in some]
    return seconds, time.perf_counter() - started


def _latency(clients: int, seconds: list[float], elapsed: float) -> Latency:
    return Latency(clients, percentile(seconds, 0.5) * 1000, percentile(seconds, 0.99) * 1000, len(seconds) / elapsed)
