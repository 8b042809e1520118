"""The supervisor brings back what crashes, ends everything in order, and leaves no process behind."""

import os
import re
import signal
import sys
from pathlib import Path

import psycopg
import pytest
import redis

from config.onebox.programs import command_of
from tests.config.households import standins, wait_for

linux_only = pytest.mark.skipif(sys.platform != "linux", reason="only Linux ends children with their parent")


def test_a_killed_child_comes_back(tmp_path: Path) -> None:
    with standins(tmp_path / "box", "calm") as house:
        house.hear("open")
        house.hear("pid")
        os.kill(house.pids()[0], signal.SIGKILL)
        house.hear("pid", times=2)
        assert "calm ended (killed by SIGKILL). Starting it again in 0.2 s." in house.said
        os.kill(house.pids()[1], signal.SIGKILL)
        house.hear("pid", times=3)
        assert "Starting it again in 0.4 s." in house.said, "the second wait is twice as long"


def test_what_a_crashed_child_leaves_behind_is_ended(tmp_path: Path) -> None:
    with standins(tmp_path / "box", "parent") as house:
        house.hear("pid", times=2)
        first, second = house.pids()
        leader = first if os.getpgid(first) == first else second
        orphan = second if leader == first else first
        os.kill(leader, signal.SIGKILL)
        wait_for(lambda: not command_of(orphan))


@pytest.mark.parametrize("request_to_stop", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_all_end_in_order_when_asked(tmp_path: Path, request_to_stop: signal.Signals) -> None:
    with standins(tmp_path / "box", "calm", "parent") as house:
        house.hear("pid", times=3)
        house.hear("open")
        house.ask(request_to_stop)
        assert house.outcome() == 0
        assert re.findall(r"Stopping (\w+)", house.said) == ["parent", "calm"]
        house.leaves_nothing()


def test_a_second_request_hurries(tmp_path: Path) -> None:
    with standins(tmp_path / "box", "stubborn") as house:
        house.hear("pid")
        house.hear("open")
        house.ask(signal.SIGINT)
        house.hear("Stopping stubborn")
        house.ask(signal.SIGINT)
        assert house.outcome() == 0, "a patience of 60 seconds was cut short"
        house.leaves_nothing()


def test_a_child_that_fails_at_the_start_stops_everything(tmp_path: Path) -> None:
    with standins(tmp_path / "box", "calm", "failing", "never") as house:
        assert house.outcome() == 1
        assert "failing ended before all was ready (exit status 1). Its own words are above." in house.said
        assert "no such luck" in house.said
        house.leaves_nothing()


def test_a_second_household_on_the_same_folder_is_refused(tmp_path: Path) -> None:
    with standins(tmp_path / "box", "calm") as house:
        house.hear("open")
        with standins(tmp_path / "box") as second:
            assert second.outcome() == 1
            assert f"already running on {tmp_path / 'box'} (process {house.process.pid})" in second.said
        assert house.process.poll() is None, "and the first one runs on"


@linux_only
def test_killed_servers_come_back_with_their_data(tmp_path: Path) -> None:
    data = tmp_path / "box"
    with standins(data, "postgres", "valkey") as house:
        house.hear("open")
        address = f"host={data / 'postgres' / 'run'} user=postgres"
        cache = redis.Redis(unix_socket_path=str(data / "valkey" / "valkey.sock"))
        with psycopg.connect(address) as db:
            db.execute("CREATE TABLE kept (n int)")
        for pid in (house.pids("postgres")[0], int(cache.info()["process_id"])):
            os.kill(pid, signal.SIGKILL)
        house.hear("database system is ready to accept connections", times=2)
        wait_for(lambda: _answers(cache))
        with psycopg.connect(address) as db:
            assert db.execute("SELECT count(*) FROM kept").fetchone() == (0,)
        house.ask(signal.SIGINT)
        assert house.outcome() == 0
        assert re.findall(r"Stopping (\w+)", house.said) == ["valkey", "postgres"]
        house.leaves_nothing()


@linux_only
def test_nothing_outlives_a_killed_supervisor_and_the_next_one_starts(tmp_path: Path) -> None:
    data = tmp_path / "box"
    with standins(data, "postgres", "valkey", "calm") as house:
        house.hear("open")
        house.hear("pid")
        cache = redis.Redis(unix_socket_path=str(data / "valkey" / "valkey.sock"))
        broker = int(cache.info()["process_id"])
        house.ask(signal.SIGKILL)
        with standins(data, "postgres", "valkey") as second:
            second.hear("open")
            house.leaves_nothing()
            assert not command_of(broker)


def _answers(cache: redis.Redis) -> bool:
    try:
        return bool(cache.ping())
    except redis.ConnectionError:
        return False
