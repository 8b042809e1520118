"""What is refused before anything starts, and in which words."""

import os
import socket
from pathlib import Path

import pytest

from config.onebox import guards
from config.onebox.programs import OneBoxError


def test_a_port_in_use_is_refused_even_if_its_server_would_share_it(shared_port: int) -> None:
    with pytest.raises(OneBoxError, match=rf"Port {shared_port} is in use.*\n  manage.py up --port {shared_port + 1}"):
        guards.require_free_port("127.0.0.1", shared_port)


def test_a_port_just_left_by_another_server_is_accepted() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        with socket.create_connection(("127.0.0.1", port)) as client:
            server.accept()[0].close()  # the server closes first, so its side stays in TIME_WAIT
            assert client.recv(1) == b""
    guards.require_free_port("127.0.0.1", port)


def test_a_folder_has_one_holder_and_its_number_is_told(tmp_path: Path) -> None:
    with (
        guards.hold(tmp_path, "up.lock"),
        pytest.raises(guards.TakenError, match=rf"{tmp_path} \(process {os.getpid()}\)"),
        guards.hold(tmp_path, "up.lock"),
    ):
        pass
    with guards.hold(tmp_path, "up.lock"):
        assert (tmp_path / "up.lock").read_text() == str(os.getpid()), "free again, and ours"


def test_a_folder_that_cannot_be_used_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with (
        pytest.raises(OneBoxError, match=rf"The folder {tmp_path / 'file'} cannot be used"),
        guards.hold(tmp_path / "file", "up.lock"),
    ):
        pass
