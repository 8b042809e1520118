"""The database server refuses data that are not its own to touch, and runs wherever it must."""

import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from config.onebox import folders, postgres
from config.onebox.programs import OneBoxError, end, spawn
from tests.config.households import wait_for

root_only = pytest.mark.skipif(os.geteuid() != 0 or sys.platform != "linux", reason="only root can become nobody")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A cluster's folder, as far as `prepare` looks into it before it starts anything."""
    data = tmp_path / "postgres" / "data"
    data.mkdir(parents=True)
    (data / "PG_VERSION").write_text("18\n")
    return data.parent


@pytest.fixture
def somebody(request: pytest.FixtureRequest) -> Iterator[int]:
    """A living process whose command line has the given last word."""
    argv = [sys.executable, "-I", "-c", "import signal; signal.pause()", request.param]
    with subprocess.Popen(argv) as process:
        yield process.pid
        process.send_signal(signal.SIGTERM)


def test_data_of_another_major_version_are_left_alone(folder: Path) -> None:
    (folder / "data" / "PG_VERSION").write_text("17\n")
    with pytest.raises(OneBoxError, match=r"made by PostgreSQL 17, .* are PostgreSQL 18\. Nothing was changed"):
        postgres.prepare(folder, "durable")


@pytest.mark.parametrize("somebody", ["postgres"], indirect=True)
def test_a_server_that_somebody_else_started_is_left_alone(folder: Path, somebody: int, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "data" / "postmaster.pid").write_text(f"{somebody}\n")
    monkeypatch.setattr(postgres, "LET_GO_SECONDS", 0.1)
    with pytest.raises(OneBoxError, match=rf"\(process {somebody}\) already runs on .*\n  kill -INT {somebody}"):
        postgres.prepare(folder, "durable")


@pytest.mark.parametrize("somebody", ["innocent"], indirect=True)
def test_a_number_that_an_innocent_process_was_given_does_not_stop_it(folder: Path, somebody: int) -> None:
    (folder / "data" / "postmaster.pid").write_text(f"{somebody}\n")
    postgres.prepare(folder, "durable")
    assert not (folder / "data" / "postmaster.pid").exists()


def test_a_path_too_long_for_a_socket_has_a_short_stand_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    deep = tmp_path / ("x" * 100)
    found = folders.socket_folder(deep, "valkey.sock")
    assert found.parent == tmp_path
    assert found.stat().st_mode & 0o777 == folders.PRIVATE
    assert folders.socket_folder(deep, "valkey.sock") == found, "the same every time"
    found.rmdir()
    found.symlink_to(tmp_path)
    with pytest.raises(OneBoxError, match="belongs to somebody else"):
        folders.socket_folder(deep, "valkey.sock")


@root_only
def test_root_without_namespaces_runs_it_as_nobody_in_a_folder_that_nobody_can_reach(tmp_path: Path) -> None:
    with tempfile.TemporaryDirectory() as refuge:
        Path(refuge).chmod(0o711)
        cluster = postgres.prepare(tmp_path / "closed" / "postgres", "test", who="nobody", refuge=Path(refuge))
        process = spawn(cluster.program, subprocess.DEVNULL)
        try:
            wait_for(lambda: cluster.is_ready(process.pid))
            assert Path(f"/proc/{process.pid}").stat().st_uid != 0
            assert cluster.data.is_relative_to(refuge), "the folder wanted is closed to nobody"
            assert cluster.run_sql(command="SELECT 1") == "1"
        finally:
            end(cluster.program, process)
