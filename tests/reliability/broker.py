"""The broker is only the doorbell: wiped, killed and absent, it loses no reminder, doubles none and stops no posting (T11).

The full tier, and any other number of reminders:

    python -m tests.reliability broker --reminders 10000 --seed S --state FILE
"""

import os
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from functools import partial
from pathlib import Path
from threading import Event

import redis
from django.utils import timezone
from kombu import Connection

from config import relay
from config.celery import app
from config.onebox import application, broker
from config.onebox.application import Wish
from config.onebox.programs import BASE, end, kill_group, spawn
from loyalty import posting, terms
from members.access import create_key
from members.models import Member, Message
from members.tasks import remind_of_expiry, send_messages
from tests.committing import Database
from tests.config.households import wait_for
from tests.factories import ApplicationFactory, StoreFactory, accrual, members
from tests.reliability.clients import ANSWER_SECONDS, Till
from tests.reliability.crowd import both_verifiers

TILLS = 2
A_RUN = 200  # mails that one run of the sender sends: the quick tier has more, for the run after the broker's return
START_SECONDS, WORK_SECONDS = 60.0, 600.0
# Receipts that the tills must be told of while there is no broker.
RECEIPTS_WITHOUT = 20


def play(seed: str, reminders: int, database: Database, folder: Path) -> int:
    """So many reminders fall due while tills post and the broker comes and goes; how many acts were acknowledged."""
    people = _who_will_be_reminded(reminders)
    server, mail = broker.prepare(folder / "valkey", keeps=False), folder / "mail"
    mail.mkdir()
    env = {name: value for name, value in os.environ.items() if name != "DJANGO_SETTINGS_MODULE"} | {
        "DATABASE_URL": database.url(), "REDIS_URL": server.url(), "REGULARS_MAIL_DIR": str(mail),
        "REGULARS_API_CALLS_PER_MINUTE": "10000000",
    }  # fmt: skip
    doorbell = Connection(server.url().replace("unix://", "redis+socket://").replace("?db=", "?virtual_host="))

    def ring() -> None:
        for task in (remind_of_expiry, send_messages):
            app.send_task(task.name, connection=doorbell)

    with worker(env, folder), web(env, folder) as port, tills(seed, port, people) as busy:
        with valkey(server) as running:
            app.send_task(remind_of_expiry.name, connection=doorbell)
            wait_for(lambda: unsent() > 0, WORK_SECONDS)
            Message.objects.filter(channel="email").update(due_at=timezone.now() - timedelta(hours=1))
            for _ in range(5):
                ring()
            assert redis.Redis.from_url(server.url()).flushall()  # wiped, with tasks waiting in it
            ring()
            kill_group(running)  # killed, with tasks waiting and one under way
            running.wait()
            posted = _receipts(busy)
            wait_for(lambda: _receipts(busy) >= posted + RECEIPTS_WITHOUT, WORK_SECONDS)  # absent
        with valkey(server):
            _until_all_are_sent(ring)
    for till in busy:
        assert (till.told.wrong, till.told.failed) == ([], 0), "postings go on without a broker"
    _each_once(mail, reminders)
    both_verifiers()
    return sum(len(till.told.receipts) + len(till.told.members) for till in busy)


def _who_will_be_reminded(count: int) -> list[Member]:
    now, contract = timezone.now(), terms.current(timezone.now())
    ends = contract.midnight_after(contract.day_of(now) + timedelta(days=7))
    StoreFactory.create()
    people = members([ApplicationFactory.build(verified=True) for _ in range(count)])
    posting.accrue([accrual(one.holder, 10, at=now, expires_at=ends) for one in people], now=now)
    relay.drain(now=now)
    return people


def unsent() -> int:
    return Message.objects.filter(channel="email", sent_at=None).count()


def _until_all_are_sent(ring: Callable[[], None]) -> None:
    while left := unsent():
        ring()
        wait_for(partial(_at_most, max(0, left - A_RUN)), WORK_SECONDS)


def _at_most(count: int) -> bool:
    return unsent() <= count


@contextmanager
def valkey(server: broker.Broker) -> Iterator[subprocess.Popen[bytes]]:
    """A broker that forgets everything when it ends."""
    process = spawn(server.program, subprocess.DEVNULL)
    try:
        wait_for(server.is_ready, START_SECONDS)
        yield process
    finally:
        end(server.program, process)


@contextmanager
def worker(env: dict[str, str], folder: Path) -> Iterator[None]:
    celery = (sys.executable, "-m", "celery", "-q", "-A", "config")
    command = (*celery, "worker", "--pool", "solo", "--without-gossip", "--without-mingle")
    with (folder / "worker.log").open("wb") as log:
        process = subprocess.Popen(command, env=env, cwd=BASE, stdout=log, stderr=subprocess.STDOUT)
    try:
        yield
    finally:
        process.kill()
        process.wait()


@contextmanager
def web(env: dict[str, str], folder: Path) -> Iterator[int]:
    """The web program as `manage.py up` runs it; its port."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    wish = Wish(data=folder, host="127.0.0.1", port=port, demo=False)
    programs = application.programs(wish, application.environment(wish) | env)
    program = next(one for one in programs if one.name == "web")
    with (folder / "web.log").open("wb") as log:
        process = spawn(program, log)
    try:
        wait_for(lambda: application.answers(wish), START_SECONDS)
        yield port
    finally:
        end(program, process)


@contextmanager
def tills(seed: str, port: int, people: Sequence[Member]) -> Iterator[list[Till]]:
    """Busy until the end of the block."""
    closing, (_id, token) = Event(), create_key("tills", ["pos"])
    busy = [Till(f"{seed}:till{n}", port, token, [str(one.pk) for one in people], closing) for n in range(TILLS)]
    for till in busy:
        till.start()
    try:
        yield busy
    finally:
        closing.set()
        for till in busy:
            till.join(2 * ANSWER_SECONDS)


def _receipts(busy: Sequence[Till]) -> int:
    return sum(len(till.told.receipts) for till in busy)


def _each_once(mail: Path, reminders: int) -> None:
    lines = (line for file in mail.iterdir() for line in file.read_text().splitlines())
    ids = [line for line in lines if line.startswith("Message-ID: ")]
    assert (len(ids), len(set(ids))) == (reminders, reminders)
    made = Message.objects.filter(kind=Message.Kind.EXPIRY_REMINDER, channel="email")
    assert made.exclude(sent_at=None).count() == made.count() == reminders
