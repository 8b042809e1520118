"""Acts told at the same moment, on real connections: what counts once counts once."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from threading import Barrier
from typing import Any

import pytest
from django.db import connection

from campaigns import events, greeting
from campaigns.awarding import Recorded
from campaigns.models import Award, Event
from loyalty import queries, verifying
from members.models import Member
from tests.campaigns.acting import act, check_in_rules, rule
from tests.factories import NOW, member

pytestmark = pytest.mark.usefixtures("committing_db")
MANY = 20


def together(acts: Sequence[Callable[[], Any]]) -> list[Any]:
    """What each act answered; all begin at the same moment."""
    start = Barrier(len(acts))

    def run(one: Callable[[], Any]) -> Any:
        try:
            start.wait(timeout=30)
            return one()
        finally:
            connection.close()

    with ThreadPoolExecutor(len(acts)) as pool:
        return list(pool.map(run, acts))


def balance(of: Member) -> int:
    return queries.net_balances([of.holder])[of.holder]


def test_twenty_check_ins_at_once_are_one_award() -> None:
    check_in_rules()
    one = member()
    answers = together([partial(events.record, [act(one)], now=NOW) for _ in range(MANY)])
    assert all(isinstance(answer[0], Recorded) for answer in answers)
    assert (Event.objects.count(), Event.objects.filter(streak=1).count(), Award.objects.count()) == (MANY, 1, 1)
    assert balance(one) == 5
    assert all(finding.bad_row is None for finding in verifying.verify())


def test_the_same_event_told_by_many_at_once_stands_once() -> None:
    rule("quiz", 7, "custom:quiz")
    one = member()
    told = act(one, "custom:quiz")
    answers = together([partial(events.record, [told], now=NOW)] * MANY)
    assert len({answer[0].id for answer in answers}) == 1
    assert sum(not answer[0].replayed for answer in answers) == 1
    assert (Event.objects.count(), balance(one)) == (1, 7)


def test_a_cap_holds_for_acts_told_at_once() -> None:
    rule("shares", 3, "share", caps=[{"unit": "times", "per": "rule", "window": "day", "limit": 4}])
    everybody = [member() for _ in range(MANY)]
    together([partial(events.record, [act(one, "share")], now=NOW) for one in everybody])
    assert sum(balance(one) for one in everybody) == 12


def test_two_nightly_runs_keep_a_birthday_once() -> None:
    rule("cake", 50, "birthday")
    everybody = [member(birthday="--06-15", now=NOW.replace(month=1)) for _ in range(5)]
    together([partial(greeting.keep_birthdays, now=NOW)] * 8)
    assert [balance(one) for one in everybody] == [50] * 5
    assert Event.objects.count() == 5
