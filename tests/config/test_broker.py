"""The broker is only the doorbell: killed and wiped, it loses no message, doubles none and stops no posting."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest
from django.utils import timezone
from kombu import Connection

from campaigns.purchases import Recorded, record
from config import relay
from config.celery import app
from config.onebox import broker
from config.onebox.programs import BASE, end, kill_group, spawn
from loyalty import posting, terms
from members.models import Message
from members.tasks import remind_of_expiry, send_messages
from tests.committing import Database
from tests.factories import ApplicationFactory, ReceiptFactory, StoreFactory, accrual, members

REMINDERS = 60


def wait_until(condition: Callable[[], bool], what: str, seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, what
        time.sleep(0.05)


@contextmanager
def valkey(folder: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A broker that forgets everything when it ends."""
    server = broker.prepare(folder, keeps=False)
    process = spawn(server.program, subprocess.DEVNULL)
    wait_until(server.is_ready, "Valkey did not start")
    try:
        yield process
    finally:
        end(server.program, process)


@contextmanager
def worker(env: dict[str, str]) -> Iterator[None]:
    command = [
        sys.executable,
        "-m",
        "celery",
        "-q",
        "-A",
        "config",
        "worker",
        "--pool",
        "solo",
        "--without-gossip",
        "--without-mingle",
    ]
    process = subprocess.Popen(command, env=env, cwd=BASE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        yield
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()


def unsent() -> int:
    return Message.objects.filter(channel="email", sent_at=None).count()


@pytest.mark.timeout(180)
def test_a_broker_that_is_killed_and_wiped_loses_nothing(committing_db: Database, tmp_path: Path) -> None:
    now, contract = timezone.now(), terms.current(timezone.now())
    ends = contract.midnight_after(contract.day_of(now) + timedelta(days=7))
    people = members([ApplicationFactory.build(verified=True) for _ in range(REMINDERS)])
    posting.accrue([accrual(one.holder, 10, at=now, expires_at=ends) for one in people], now=now)
    relay.drain(now=now)
    mail, folder = tmp_path / "mail", tmp_path / "valkey"
    mail.mkdir()
    server = broker.prepare(folder, keeps=False)
    env = {name: value for name, value in os.environ.items() if name != "DJANGO_SETTINGS_MODULE"} | {
        "DATABASE_URL": committing_db.url(), "REDIS_URL": server.url(), "REGULARS_MAIL_DIR": str(mail),
    }  # fmt: skip
    doorbell = Connection(server.url().replace("unix://", "redis+socket://").replace("?db=", "?virtual_host="))
    with worker(env):
        with valkey(folder) as running:
            app.send_task(remind_of_expiry.name, connection=doorbell)
            wait_until(lambda: unsent() > 0, "no reminder was made")
            Message.objects.filter(channel="email").update(due_at=now - timedelta(hours=1))
            app.send_task(send_messages.name, connection=doorbell)
            kill_group(running)
        StoreFactory.create()
        outcomes = record([ReceiptFactory.build(member=str(people[0].pk))], now=timezone.now())
        assert isinstance(outcomes[0], Recorded), "postings go on without a broker"
        with valkey(folder):
            for _ in range(2):
                app.send_task(remind_of_expiry.name, connection=doorbell)
                app.send_task(send_messages.name, connection=doorbell)
            wait_until(lambda: unsent() == 0, "a reminder was lost")
    ids = [line for file in mail.iterdir() for line in file.read_text().splitlines() if line.startswith("Message-ID: ")]
    assert len(ids) == len(set(ids)) == REMINDERS
