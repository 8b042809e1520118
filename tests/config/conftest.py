"""Fixtures of the one-box runner's tests."""

import socket
from collections.abc import Iterator

import pytest


@pytest.fixture
def shared_port() -> Iterator[int]:
    """A port with a server that, like granian, would share it with anybody."""
    with socket.socket() as server:
        server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        server.bind(("127.0.0.1", 0))
        server.listen()
        yield server.getsockname()[1]


@pytest.fixture
def free_port() -> int:
    """A port that was free a moment ago."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
    return port
