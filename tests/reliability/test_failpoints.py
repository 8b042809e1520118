"""Killed before and after every statement and every COMMIT, whatever was at work is done once when it is done again (T4).

Each round makes fresh work, kills a child at failpoint 1, 2, 3 … of it, does the work again as a restart would, and looks;
until a round's child ends by itself.
"""

from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.conf import settings
from django.db import connection, transaction
from django.utils import timezone

from campaigns.models import Award, Purchase
from config import relay
from loyalty import checkpoints, posting, sealing, verifying
from loyalty.acts import Burn, ClawBack, Merge, Outcome, Posted, Transfer
from loyalty.models import IdempotencyRecord, JournalEntry, OutboxEvent, Posting
from loyalty.proof import verify
from members import messaging, sending
from members.models import Member, Message
from tests.api import Till, till
from tests.committing import Database
from tests.factories import NOW, ApplicationFactory, StoreFactory, accrual, give, holder, member, members
from tests.reliability.failpoints import killed_at

MOST = 400  # more failpoints than any work here has
pytestmark = pytest.mark.usefixtures("committing_db")
type Post = Callable[[], list[Outcome]]


def rounds(kill: Callable[[int], bool]) -> int:
    """Rounds with failpoint 1, 2, 3 … until one's child ends by itself; how many were killed."""
    for number in range(1, MOST):
        if not kill(number):
            return number - 1
    pytest.fail("it never ended by itself")


def both_verifiers(folder: Path | None = None) -> None:
    public = folder and folder.with_name("key.pub")
    assert [finding for finding in verifying.verify(folder, public) if finding.bad_row] == []
    with transaction.atomic(), connection.cursor():
        sealed = verify.Checkpoints(folder, verify.public_key(str(public))) if folder else None
        verify.check_database(connection.connection, sealed)


def test_the_relay() -> None:
    now = timezone.now()

    def kill(number: int) -> bool:
        joined = members([ApplicationFactory.build(verified=True) for _ in range(2)], now=now)
        posting.accrue([accrual(one.holder, 40, at=now - timedelta(days=2), days=1) for one in joined], now=now)
        posting.expire(now=now)
        waiting = OutboxEvent.objects.filter(handled_at=None).count()
        assert waiting == 8
        killed = killed_at(number, lambda: relay.drain(now=now))
        left = OutboxEvent.objects.filter(handled_at=None).count()
        assert left in {0, waiting}, "the mark and what it stands for are one transaction"
        assert relay.drain(now=now) == left
        made = Message.objects.filter(member__in=joined).order_by("member", "kind", "channel")
        told = [("points_expired", "email"), ("points_expired", "inbox"), ("welcome", "inbox")]
        assert list(made.values_list("kind", "channel")) == told * 2
        return killed

    assert rounds(kill) > 20
    assert not OutboxEvent.objects.filter(handled_at=None).exists()
    both_verifiers()


def test_the_reminders_and_the_sweep() -> None:
    def kill(number: int) -> bool:
        noon = timezone.now().replace(hour=12)  # far from midnight, which moves by an hour in spring
        at = noon + timedelta(days=30 * number)  # each round has its own day
        one = member(verified=True)
        posting.accrue([accrual(one.holder, 40, at=at, days=7)], now=at)
        posting.accrue([accrual(one.holder, 5, at=at - timedelta(days=9), days=8)], now=at)

        def work() -> None:
            posting.expire(now=at)
            messaging.remind_of_expiry(now=at)

        killed = killed_at(number, work)
        work()
        reminders = Message.objects.filter(member=one, kind="expiry_reminder").order_by("channel")
        assert list(reminders.values_list("channel", flat=True)) == ["email", "inbox"]
        assert list(Posting.objects.filter(wallet__holder=one.holder, kind="expire").values_list("points", flat=True)) == [-5]
        return killed

    assert rounds(kill) > 10
    both_verifiers()


@pytest.fixture
def mail(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Mail goes to files, for the child that wrote them is dead when they are counted."""
    backend = {"BACKEND": "django.core.mail.backends.filebased.EmailBackend", "OPTIONS": {"file_path": str(tmp_path)}}
    monkeypatch.setattr(settings, "MAILERS", {"default": backend})
    return tmp_path


def test_the_sender(mail: Path) -> None:
    in_doubt = 0

    def kill(number: int) -> bool:
        nonlocal in_doubt
        now = timezone.now()
        people = members([ApplicationFactory.build(verified=True) for _ in range(3)], now=now)
        messaging.queue([messaging.News(one, Message.Kind.BIRTHDAY, str(number)) for one in people], now=now)
        before = _mails(mail)
        killed = killed_at(number, lambda: sending.send_due(now=now))
        sending.send_due(now=now + sending.CLAIM + timedelta(seconds=1))
        rows = Message.objects.filter(member__in=people, channel="email")
        assert rows.exclude(sent_at=None).count() == 3
        sent = list((_mails(mail) - before).elements())
        assert {f"{row.pk}" for row in rows} == set(sent), "none lost, and sent again under the same Message-ID"
        in_doubt += len(sent) - 3
        assert len(sent) <= 4, "a crash leaves one mail in doubt, not more"
        return killed

    killed = rounds(kill)
    assert killed > 20
    assert 0 < in_doubt < killed, "a kill between the mail and its mark sends it again, others do not"


def _mails(folder: Path) -> Counter[str]:
    """The message ids of all mails, and how often each was sent."""
    lines = [line for file in folder.iterdir() for line in file.read_text().splitlines()]
    return Counter(line.removeprefix("Message-ID: <").partition("@")[0] for line in lines if line.startswith("Message-ID: "))


def test_the_sealer(tmp_path: Path) -> None:
    key, folder = Ed25519PrivateKey.generate(), tmp_path / "checkpoints"
    folder.with_name("key.pub").write_text(key.public_key().public_bytes_raw().hex())

    def kill(number: int) -> bool:
        give(holder(), 10)
        killed = killed_at(number, lambda: sealing.seal(folder, key))
        give(holder(), 10)
        sealed = sealing.seal(folder, key)
        assert sealed is not None
        assert sealed.body["wallets"] == 2 * number
        return killed

    assert rounds(kill) > 10
    assert [one.number for one in checkpoints.read_all(folder, key.public_key())][-1] > 10
    both_verifiers(folder)


@pytest.fixture
def shop(committing_db: Database) -> Till:
    StoreFactory.create()
    return till("pos")


def receipt(of: Member, number: int) -> dict[str, Any]:
    return {
        "source": "till-1", "receipt_number": f"R{number}", "store": "S1", "member": str(of.pk),
        "occurred_at": timezone.now().isoformat(), "currency": "EUR", "lines": [{"line_id": "1", "net_amount": "10.00"}],
    }  # fmt: skip


def test_a_request(shop: Till) -> None:
    one = member()

    def kill(number: int) -> bool:
        body, key = receipt(one, number), f"key-{number}"
        killed = killed_at(number, lambda: shop.post("/purchases", body, key=key))
        stood = Purchase.objects.filter(receipt_number=f"R{number}").count()
        answer = shop.post("/purchases", body, key=key)
        assert answer.status_code == 201
        assert answer.has_header("Idempotent-Replayed") == bool(stood), "done before, or done now"
        purchase = Purchase.objects.get(receipt_number=f"R{number}")
        assert str(purchase.pk) == answer.json()["id"]
        assert Posting.objects.get(entry_id=Award.objects.get(purchase=purchase).entry).points == 10
        assert Posting.objects.filter(reference=f"R{number}").count() == 1
        assert IdempotencyRecord.objects.filter(key=key).count() == 1
        assert OutboxEvent.objects.filter(payload__purchase=str(purchase.pk)).count() == 1
        return killed

    killed = rounds(kill)
    assert killed > 30
    assert Posting.objects.count() == Purchase.objects.count() == killed + 1
    both_verifiers()


def an_accrual(key: str) -> Post:
    act = accrual(holder(), 10, key=key)
    return lambda: posting.accrue([act], now=NOW)


def a_burn(key: str) -> Post:
    one = holder()
    give(one, 40, 40)
    return lambda: posting.burn([Burn(key=key, holder=one, points=50, occurred_at=NOW)], now=NOW)


def a_claw_back(key: str) -> Post:
    one = holder()
    [entry] = give(one, 40)
    posting.burn([Burn(key=f"{key}:spent", holder=one, points=30, occurred_at=NOW)], now=NOW)
    act = ClawBack(key=key, holder=one, entry=entry, points=40, own=(entry,), occurred_at=NOW)
    return lambda: posting.claw_back([act], now=NOW)


def a_transfer(key: str) -> Post:
    older, newer = holder(), holder()
    give(newer, 40, 40)
    act = Transfer(key=key, holder=newer, to=older, points=50, occurred_at=NOW)
    return lambda: posting.transfer([act], now=NOW, actor=None)


def a_merge(key: str) -> Post:
    older, newer = holder(), holder()
    give(newer, 40, 40)
    act = Merge(key=key, holder=newer, to=older, occurred_at=NOW)
    return lambda: posting.merge([act], now=NOW, actor=None)


@pytest.mark.parametrize(("prepare", "least"), [(an_accrual, 2), (a_burn, 2), (a_claw_back, 6), (a_transfer, 6), (a_merge, 6)])
def test_a_posting(prepare: Callable[[str], Post], least: int) -> None:
    """`least`: before and after one statement that commits by itself; or opening, writing and COMMIT."""

    def kill(number: int) -> bool:
        key = f"key-{number}"
        post = prepare(key)
        killed = killed_at(number, post)
        stood = JournalEntry.objects.filter(key=key).exists()
        [first], [again] = post(), post()
        assert isinstance(first, Posted)
        assert first.replayed == stood
        assert again == Posted(first.entry, first.balance, replayed=True)
        assert JournalEntry.objects.get(key=key).pk == first.entry
        return killed

    assert rounds(kill) >= least
    both_verifiers()
