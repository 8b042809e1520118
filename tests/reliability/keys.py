"""Every write once, however often it is sent (T5).

    python -m tests.reliability keys --keys 10000 --seed S --state FILE

Each key meets one fate, drawn from the seed: sent again; sent ten times at once; sent with another body; used by another
caller too; killed between effect and answer; forgotten after ninety days. One key, one effect, whatever the fate.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from random import Random
from typing import Any

from django.test import override_settings
from django.utils import timezone

from campaigns.models import Award, Purchase
from config import retention
from loyalty.models import DocumentGuard, IdempotencyRecord, Posting
from members.models import Member
from tests.api import Till, till
from tests.factories import ApplicationFactory, StoreFactory, members
from tests.reliability.crowd import Crowd, both_verifiers
from tests.reliability.failpoints import killed_at

TWINS = 10
TRIES = 10
MEMBERS = 20
FORGOTTEN = timedelta(days=91)
# How many of a hundred keys meet which fate.
FATES = {"sent again": 25, "at once": 10, "another body": 25, "another caller": 20, "killed": 10, "forgotten": 10}
MADE, TAKEN, UNLIKE = 201, 409, 422


@dataclass(frozen=True, slots=True)
class Write:
    """A key and what is sent under it: a receipt or, every tenth time, somebody who joins."""

    key: str
    path: str
    body: dict[str, Any]
    other_body: dict[str, Any]

    def by(self, caller: Till, *, other: bool = False) -> Any:
        """The answer; a caller who is told to wait, because somebody held what it needs for long, sends it again."""
        body = self.other_body if other else self.body
        answers = (caller.post(self.path, body, key=self.key) for _ in range(TRIES))
        return next(answer for answer in answers if not answer.has_header("Retry-After"))


@override_settings(API_CALLS_PER_MINUTE=1_000_000)
def play(seed: str, keys: int) -> int:
    """Send writes under so many keys and look what stands; how many effects there are, one for each key and caller."""
    draw, callers = Random(seed), (till("pos", trusted=True), till("pos", trusted=True))
    StoreFactory.create()
    people = members([ApplicationFactory.build() for _ in range(MEMBERS)])
    fates: dict[str, list[Write]] = {fate: [] for fate in FATES}
    for number, fate in enumerate(draw.choices(list(FATES), list(FATES.values()), k=keys)):
        fates[fate].append(_write(f"{seed}:{number}", draw, people))
    for one in fates["killed"]:
        _killed(one, callers[0])
    _forgotten(fates["forgotten"], callers[0])
    with Crowd(TWINS) as crowd:
        crowd.rush([partial(_sent_again, one, callers[0]) for one in fates["sent again"]])
        crowd.rush([partial(_another_body, one, callers[0]) for one in fates["another body"]])
        crowd.rush([partial(_another_caller, one, *callers) for one in fates["another caller"]])
        for one in fates["at once"]:
            _at_once(one, [Till(callers[0].token) for _ in range(TWINS)], crowd)
    effects = keys + len(fates["another caller"])
    _one_effect_each(effects)
    return effects


def _write(key: str, draw: Random, people: list[Member]) -> Write:
    if draw.random() < 0.1:
        join = {"email": f"{key.replace(':', '.')}@example.com", "given_name": "Wei"}
        return Write(key, "/members", join, join | {"given_name": "Ming"})
    cents = draw.randint(200, 9900)
    receipt = {
        "source": "keys", "receipt_number": key, "store": "S1", "member": str(draw.choice(people).pk),
        "occurred_at": timezone.now().isoformat(), "currency": "EUR",
        "lines": [{"line_id": "1", "net_amount": f"{cents // 100}.{cents % 100:02}"}],
    }  # fmt: skip
    return Write(key, "/purchases", receipt, receipt | {"lines": [{"line_id": "1", "net_amount": "1.00"}]})


def _made(answer: Any, *, replayed: bool) -> Any:
    assert answer.status_code == MADE, answer.content
    assert answer.has_header("Idempotent-Replayed") == replayed, answer.json()
    return answer.json()


def _sent_again(one: Write, caller: Till) -> None:
    first = _made(one.by(_line(caller)), replayed=False)
    for _ in range(2):
        assert _made(one.by(_line(caller)), replayed=True) == first, one.key


def _at_once(one: Write, lines: list[Till], crowd: Crowd) -> None:
    answers = crowd.rush([partial(one.by, line) for line in lines])
    assert [answer.status_code for answer in answers] == [MADE] * TWINS, one.key
    assert sum(answer.has_header("Idempotent-Replayed") for answer in answers) == TWINS - 1, one.key
    assert len({answer.content for answer in answers}) == 1, one.key


def _another_body(one: Write, caller: Till) -> None:
    first = _made(one.by(_line(caller)), replayed=False)
    answer = one.by(_line(caller), other=True)
    assert (answer.status_code, answer.json()["type"]) == (UNLIKE, "validation"), one.key
    assert _made(one.by(_line(caller)), replayed=True) == first, one.key


def _another_caller(one: Write, caller: Till, other: Till) -> None:
    """The same key of somebody else is another key."""
    first = _made(one.by(_line(caller)), replayed=False)
    theirs = Write(one.key, one.path, _renamed(one), one.other_body)
    second = _made(theirs.by(_line(other)), replayed=False)
    assert first["id"] != second["id"], one.key
    assert _made(one.by(_line(caller)), replayed=True) == first, one.key
    assert _made(theirs.by(_line(other)), replayed=True) == second, one.key


def _renamed(one: Write) -> dict[str, Any]:
    changed = "email" if one.path == "/members" else "receipt_number"
    return one.body | {changed: f"theirs.{one.body[changed]}"}


def _killed(one: Write, caller: Till) -> None:
    """The process dies after COMMIT: the effect stands and nobody was told."""
    assert killed_at(1, lambda: one.by(caller), pattern="^after commit$"), one.key
    first = _made(one.by(caller), replayed=True)
    assert _made(one.by(caller), replayed=True) == first, one.key


def _forgotten(writes: list[Write], caller: Till) -> None:
    """Their answers are deleted: the keys count as new, and the effects are found by what they are."""
    first = {one.key: _made(one.by(caller), replayed=False) for one in writes}
    old = IdempotencyRecord.objects.filter(key__in=first)
    assert old.update(created_at=timezone.now() - FORGOTTEN) == len(writes)
    retention.forget(now=timezone.now())
    assert not old.exists()
    for one in writes:
        answer = one.by(caller)
        if one.path == "/members":
            assert (answer.status_code, answer.json()["member"]) == (TAKEN, first[one.key]["id"]), one.key
            continue
        assert _made(answer, replayed=False)["id"] == first[one.key]["id"], one.key
        old.filter(key=one.key).delete()
        unlike = one.by(caller, other=True)
        assert (unlike.status_code, unlike.json()["type"]) == (TAKEN, "duplicate-document"), one.key


def _line(caller: Till) -> Till:
    """A client of this thread's own."""
    return Till(caller.token)


def _one_effect_each(effects: int) -> None:
    joined, receipts = Member.objects.count() - MEMBERS, Purchase.objects.count()
    assert joined + receipts == effects
    once: list[Callable[[], int]] = [DocumentGuard.objects.count, Award.objects.count, Posting.objects.count]
    assert [count() for count in once] == [receipts] * 3
    both_verifiers()
