"""Drafts and publications at the same moment, on real connections: one after the other, each counted and judged anew."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from functools import partial
from threading import Barrier
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection

from loyalty import publishing
from loyalty.models import AuditRecord, OutboxEvent, TermsVersion
from loyalty.notice import Approval
from loyalty.problems import Problem
from tests.factories import NOW, holder

pytestmark = pytest.mark.usefixtures("committing_db")
OWNER, FINANCE = uuid4(), uuid4()


def together(acts: Sequence[Callable[[], Any]]) -> list[Any]:
    """What each act answered or raised; all begin at the same moment."""
    start = Barrier(len(acts))

    def run(act: Callable[[], Any]) -> Any:
        try:
            start.wait(timeout=30)
            return act()
        except Problem as problem:
            return problem
        finally:
            connection.close()

    with ThreadPoolExecutor(len(acts)) as pool:
        return list(pool.map(run, acts))


def test_drafts_made_at_once_get_numbers_of_their_own() -> None:
    made = together([lambda: publishing.draft({"return_days": 45}, actor=OWNER)] * 8)
    assert sorted(one.version for one in made) == list(range(2, 10))


def test_one_draft_is_published_once() -> None:
    holder()
    version = publishing.draft({"point_value": Decimal("0.008")}, actor=OWNER).version
    approval = Approval(FINANCE, publishing.review(version, now=NOW).fingerprint)
    answers = together([lambda: publishing.publish(version, actor=OWNER, approval=approval, now=NOW)] * 8)
    assert sum(not isinstance(one, Problem) for one in answers) == 1
    assert OutboxEvent.objects.filter(type="terms.published").count() == 1
    assert AuditRecord.objects.filter(verb="termsversion.published").count() == 1


def test_of_two_drafts_published_at_once_the_second_is_judged_against_the_first() -> None:
    holder()
    better = publishing.draft({"point_value": Decimal("0.03")}, actor=OWNER).version
    less = publishing.draft({"point_value": Decimal("0.02")}, actor=OWNER).version
    first, second = together([partial(publishing.publish, one, actor=OWNER, now=NOW) for one in (better, less)])
    published = list(TermsVersion.objects.exclude(published_at=None).order_by("version").values_list("point_value", flat=True))
    # 0.03 first: then 0.02 is worse than what holds, and waits for a second person. 0.02 first: 0.03 was overtaken.
    assert published in ([Decimal("0.01"), Decimal("0.03")], [Decimal("0.01"), Decimal("0.02")])
    assert [isinstance(one, Problem) for one in (first, second)].count(True) == 1


def test_what_is_changed_while_it_is_published_is_not_published_unseen() -> None:
    holder()
    version = publishing.draft({"point_value": Decimal("0.008")}, actor=OWNER).version
    approval = Approval(FINANCE, publishing.review(version, now=NOW).fingerprint)
    worse = {"point_value": Decimal("0.001")}
    published, _edited = together([
        lambda: publishing.publish(version, actor=OWNER, approval=approval, now=NOW),
        lambda: publishing.edit(version, worse, starts_at=None, actor=OWNER),
    ])  # fmt: skip
    one = TermsVersion.objects.get(version=version)
    if isinstance(published, Problem):
        assert (one.published_at, one.point_value) == (None, Decimal("0.001"))
    else:
        assert one.point_value == Decimal("0.008")
