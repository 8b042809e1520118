"""What is refused before anything starts, and in which words."""

import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from config.onebox import guards
from config.onebox.programs import OneBoxError


@pytest.fixture
def shared_port() -> Iterator[int]:
    """A port with a server that, like granian, would share it with anybody."""
    with socket.socket() as server:
        server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        server.bind(("127.0.0.1", 0))
        server.listen()
        yield server.getsockname()[1]


def test_a_port_in_use_is_refused_even_if_its_server_would_share_it(shared_port: int) -> None:
    with pytest.raises(OneBoxError, match=rf"Port {shared_port} is in use.*\n  manage.py up --port {shared_port + 1}"):
        guards.require_free_port("127.0.0.1", shared_port)


def test_a_port_that_has_become_free_is_accepted(shared_port: int) -> None:
    with socket.create_connection(("127.0.0.1", shared_port)):
        pass  # leaves a connection in TIME_WAIT, as a stopped web server does
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        free = other.getsockname()[1]
    guards.require_free_port("127.0.0.1", free)


def test_a_folder_has_one_holder_and_its_number_is_told(tmp_path: Path) -> None:
    with (
        guards.hold(tmp_path, "up.lock"),
        pytest.raises(guards.TakenError, match=rf"{tmp_path} \(process {os.getpid()}\)"),
        guards.hold(tmp_path, "up.lock"),
    ):
        pass
    with guards.hold(tmp_path, "up.lock"):
        assert (tmp_path / "up.lock").read_text() == str(os.getpid()), "free again, and ours"
