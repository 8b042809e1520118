"""Two tills at once bring one member over a threshold: one upgrade, one entry reward."""

from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from threading import Barrier, Thread

from django.db import connection

from loyalty import queries, verifying
from members import requalifying
from members.models import Member, TierMembership
from tests.committing import Database
from tests.factories import member
from tests.members.tiering import earn, gain, publish

NOW = datetime(2026, 6, 15, 12, 0, tzinfo=UTC)


def at_once(acts: list[Callable[[], object]]) -> list[BaseException]:
    """Let each act run in a thread of its own, all from one start; what they raised."""
    start, raised = Barrier(len(acts)), list[BaseException]()

    def run(act: Callable[[], object]) -> None:
        try:
            start.wait(10)
            act()
        except Exception as error:  # noqa: BLE001  told to the test
            raised.append(error)
        finally:
            connection.close()

    threads = [Thread(target=run, args=(act,)) for act in acts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    return raised


def test_two_receipts_at_once_lift_once(committing_db: Database) -> None:
    publish(now=NOW)
    for _ in range(8):
        one = member(now=NOW)
        gains = [gain(one, 300, at=NOW) for _ in range(2)]
        assert at_once([partial(earn, each, now=NOW) for each in gains]) == []
        rows = TierMembership.objects.filter(member=one)
        assert [(row.tier, row.ended_at, row.reward is not None) for row in rows] == [("silver", None, True)]
        assert queries.balances([one.holder], NOW)[one.holder].balance == 50


def test_batches_of_the_same_members_in_any_order_end_without_a_deadlock(committing_db: Database) -> None:
    publish(now=NOW)
    everyone: list[Member] = [member(now=NOW) for _ in range(12)]
    batches = [
        [gain(one, 250, at=NOW) for one in order] for order in (everyone, everyone[::-1], everyone[5:] + everyone[:5], everyone)
    ]
    assert at_once([partial(earn, *each, now=NOW) for each in batches]) == []
    found = TierMembership.objects.order_by("member", "tier").values_list("tier", "ended_at")
    assert len(found) == 24
    assert [one for one in verifying.verify() if one.bad_row] == []
    assert TierMembership.objects.filter(tier="gold", ended_at=None).count() == 12
    assert all(each.balance == 150 for each in queries.balances([one.holder for one in everyone], NOW).values())


def test_reviews_and_receipts_at_once_leave_one_tier_each(committing_db: Database) -> None:
    publish(now=NOW, review="one_down")
    everyone: list[Member] = [member(now=NOW) for _ in range(20)]
    earn(*(gain(one, 1000, at=NOW) for one in everyone), now=NOW)
    new_year = datetime(2028, 1, 1, 5, 0, tzinfo=UTC)
    receipts = [gain(one, 1000, at=new_year) for one in everyone[:10]]
    acts: list[Callable[[], object]] = [lambda: requalifying.review(now=new_year)] * 2
    assert at_once([*acts, lambda: earn(*receipts, now=new_year)]) == []
    standing = TierMembership.objects.filter(ended_at=None)
    assert dict(standing.values_list("member", "tier")) == {
        one.pk: "gold" if one in everyone[:10] else "silver" for one in everyone
    }
    reviewed = TierMembership.objects.filter(reason="review").values_list("member", flat=True)
    assert len(reviewed) == len(set(reviewed)), "nobody is reviewed twice"
