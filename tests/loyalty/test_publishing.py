"""Terms that do not move under members' feet (SEMANTICS 9): drafts, judged, approved, published, never before their day."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext

from loyalty import publishing, terms
from loyalty.judging import Effect
from loyalty.models import AuditRecord, OutboxEvent, TermsVersion
from loyalty.notice import Approval
from loyalty.problems import Problem
from tests.factories import NOW, give, holder

pytestmark = pytest.mark.django_db

OWNER, FINANCE, OTHER = uuid4(), uuid4(), uuid4()
WORSE: dict[str, Any] = {"point_value": Decimal("0.008")}
BETTER: dict[str, Any] = {"point_value": Decimal("0.02")}
# Paris midnight after 60 days from NOW, 15 June 2026 at noon.
FIRST_DAY = datetime(2026, 8, 14, 22, 0, tzinfo=UTC)


def draft(given: dict[str, Any], *, starts_at: datetime | None = None) -> int:
    return publishing.draft(given, starts_at=starts_at, actor=OWNER).version


def publish(version: int, *, approved_by: UUID | None = None, at: datetime = NOW, actor: UUID = OWNER) -> publishing.Outcome:
    """As whoever asks at the door: approved is what stands at that moment."""
    approval = Approval(approved_by, publishing.review(version, now=at).fingerprint) if approved_by else None
    return publishing.publish(version, actor=actor, approval=approval, now=at)


def standing() -> tuple[Any, ...]:
    rows = list(TermsVersion.objects.order_by("pk").values())
    return rows, OutboxEvent.objects.count(), AuditRecord.objects.count()


def refused(act: Any) -> Problem:
    """The problem with which it is refused; nothing has moved."""
    before = standing()
    with pytest.raises(Problem) as caught:
        act()
    assert standing() == before
    return caught.value


def test_a_draft_is_a_copy_of_the_newest_version_with_what_is_given() -> None:
    one = publishing.draft({"return_days": 45}, actor=OWNER)
    assert (one.version, one.return_days, one.point_value, one.notice_days) == (2, 45, Decimal("0.01"), 60)
    assert terms.current(NOW).version == 1
    edited = publishing.edit(2, {"return_days": 60}, starts_at=NOW + timedelta(days=3), actor=OTHER)
    assert (edited.return_days, edited.drafted_by) == (60, OTHER)
    assert publishing.draft({}, actor=OWNER).version == 3
    publishing.discard(2, actor=OWNER)
    assert [one.version for one in publishing.versions()] == [3, 1]
    assert [one.verb for one in AuditRecord.objects.order_by("number")] == [
        "termsversion.drafted", "termsversion.changed", "termsversion.drafted", "termsversion.discarded",
    ]  # fmt: skip


def test_better_terms_start_at_once_and_never_in_the_past() -> None:
    holder()
    late = draft(BETTER, starts_at=NOW - timedelta(seconds=1))
    assert "lies in the past" in refused(lambda: publish(late)).detail
    outcome = publish(draft(BETTER))
    assert (outcome.version.starts_at, outcome.version.detriment) == (NOW, False)
    assert terms.current(NOW).point_value == Decimal("0.02")
    assert terms.current(NOW - timedelta(microseconds=1)).point_value == Decimal("0.01")
    told = OutboxEvent.objects.get(type="terms.published")
    facts = {"detriment": False, "replaces": False, "starts_at": NOW.isoformat()}
    assert told.payload == facts | {"version": outcome.version.version}


def test_worse_terms_wait_for_the_notice_and_the_first_day_is_named() -> None:
    holder()
    early = draft(WORSE, starts_at=NOW + timedelta(days=60) - timedelta(seconds=1))
    problem = refused(lambda: publish(early, approved_by=FINANCE))
    assert problem.detail.endswith("needs 60 days of notice: it can start on 15 August 2026 at the earliest.")
    assert [fault.pointer for fault in problem.faults] == ["/starts_at"]
    publishing.edit(early, WORSE, starts_at=None, actor=OWNER)
    outcome = publish(early, approved_by=FINANCE)
    assert (outcome.version.starts_at, outcome.version.detriment, outcome.version.approved_by) == (FIRST_DAY, True, FINANCE)
    assert terms.current(FIRST_DAY - timedelta(microseconds=1)).point_value == Decimal("0.01")
    assert terms.current(FIRST_DAY).point_value == Decimal("0.008")
    assert OutboxEvent.objects.get(type="terms.published").payload["detriment"] is True


def test_worse_terms_need_a_second_person_for_exactly_this_content() -> None:
    holder()
    version = draft(WORSE)
    assert "second person" in refused(lambda: publish(version)).detail
    assert "cannot approve" in refused(lambda: publish(version, approved_by=OWNER, actor=OTHER)).detail
    assert "cannot approve" in refused(lambda: publish(version, approved_by=FINANCE, actor=FINANCE)).detail
    approval = Approval(FINANCE, publishing.review(version, now=NOW).fingerprint)
    publishing.edit(version, WORSE | {"return_days": 14}, starts_at=None, actor=OWNER)
    changed = refused(lambda: publishing.publish(version, actor=OWNER, approval=approval, now=NOW))
    assert "changed since it was approved" in changed.detail
    publishing.edit(version, WORSE | {"return_days": 30}, starts_at=None, actor=OWNER)
    assert publishing.publish(version, actor=OWNER, approval=approval, now=NOW).published


def test_before_the_first_member_nobody_is_touched() -> None:
    outcome = publish(draft(WORSE))
    assert (outcome.version.starts_at, outcome.version.detriment) == (NOW, False)
    holder()
    assert publishing.review(draft({"return_days": 1}), now=NOW).notice.detriment


def test_an_unchanged_draft_is_not_published_and_says_so() -> None:
    version = draft({"expiry_month": 4, "expiry_day": 1, "return_days": 30})  # what months do not use is emptied
    before = standing()
    assert not publish(version).published
    assert standing() == before


def test_a_published_version_stays_as_it_is() -> None:
    for act in (
        lambda: publishing.edit(1, {"return_days": 1}, starts_at=None, actor=OWNER),
        lambda: publishing.discard(1, actor=OWNER),
        lambda: publishing.publish(1, actor=OWNER, now=NOW),
    ):
        assert "is published and stays" in refused(act).detail
    assert refused(lambda: publishing.review(99, now=NOW)).slug == "not-found"


def test_versions_start_in_their_order_and_one_that_was_overtaken_is_drafted_anew() -> None:
    holder()
    overtaken, worse = draft(BETTER), draft(WORSE)
    publish(worse, approved_by=FINANCE)
    assert "Version 3 was published since" in refused(lambda: publish(overtaken)).detail
    # Back to the old value is better than what was announced, but starts no earlier than it.
    back = draft({"point_value": Decimal("0.01")}, starts_at=NOW + timedelta(days=1))
    assert publishing.review(back, now=NOW).effect is Effect.BENEFIT
    assert "starts on 15 August 2026; this one can start then" in refused(lambda: publish(back)).detail
    publishing.edit(back, {"point_value": Decimal("0.01")}, starts_at=None, actor=OWNER)
    assert publish(back).version.starts_at == FIRST_DAY
    assert terms.current(FIRST_DAY).point_value == Decimal("0.01")


def test_a_shorter_notice_counts_only_once_it_is_in_force() -> None:
    holder()
    publish(draft({"notice_days": 10}), approved_by=FINANCE)
    later = NOW + timedelta(days=55)
    version = draft(WORSE)
    assert publishing.review(version, now=later).notice.days == 60
    assert publish(version, approved_by=FINANCE, at=FIRST_DAY).version.starts_at == datetime(2026, 8, 25, 22, tzinfo=UTC)


def test_currency_and_zone_stay_once_points_were_posted() -> None:
    version = draft({"currency": "JPY", "timezone": "Asia/Tokyo", "point_value": Decimal(1)})
    assert publishing.review(version, now=NOW).lines[0].after == "Amounts are in JPY, days are those of Asia/Tokyo."
    give(holder(), 10)
    assert refused(lambda: publishing.review(version, now=NOW)).faults[0].pointer == "/currency"
    assert refused(lambda: publishing.publish(version, actor=OWNER, now=NOW)).faults[0].pointer == "/currency"


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"currency": "eur"}, "currency"),
        ({"timezone": "Mars/Olympus"}, "timezone"),
        ({"point_value": Decimal("-0.01")}, "point_value"),
        ({"point_value": Decimal("0.0000001")}, "point_value"),
        ({"point_value": Decimal("1E+999999")}, "point_value"),
        ({"expiry": "soon"}, "expiry"),
        ({"expiry": "inactivity", "expiry_months": None}, "expiry_months"),
        ({"expiry_months": 601}, "expiry_months"),
        ({"expiry": "fixed_day"}, "expiry_month"),
        ({"expiry": "fixed_day", "expiry_month": 2, "expiry_day": 30}, "expiry_day"),
        ({"expiry_round_up": "week"}, "expiry_round_up"),
        ({"claw_back": "never"}, "claw_back"),
        ({"pending_days": -1}, "pending_days"),
        ({"notice_days": 0}, "notice_days"),
        ({"return_days": 10**9}, "return_days"),
        ({"tender_min": 0}, "tender_min"),
        ({"tender_step": 10**10}, "tender_step"),
        ({"tender_max_percent": 101}, "tender_max_percent"),
        ({"tender_max_percent": -1}, "tender_max_percent"),
    ],
)
def test_a_wrong_value_is_refused_at_its_field(given: dict[str, Any], field: str) -> None:
    problem = refused(lambda: draft(given))
    assert [fault.pointer for fault in problem.faults] == [f"/{field}"]


def test_a_start_outside_the_calendar_is_refused() -> None:
    for year in (1, 9999):
        problem = refused(lambda year=year: draft(BETTER, starts_at=datetime(year, 6, 1, tzinfo=UTC)))
        assert [fault.pointer for fault in problem.faults] == ["/starts_at"]
    far = draft(BETTER, starts_at=NOW + timedelta(days=4000))
    assert "more than ten years" in refused(lambda: publish(far)).detail


FROZEN = {"published_at": NOW, "published_by": OWNER, "drafted_by": OWNER}


@pytest.mark.parametrize(
    ("fields", "complaint"),
    [
        (FROZEN | {"starts_at": NOW - timedelta(seconds=1)}, "terms_start_after_publication"),
        (FROZEN | {"starts_at": NOW, "point_value": "0.001"}, "are worse and do not say so"),
        (FROZEN | {"starts_at": NOW, "pending_days": 1}, "are worse and do not say so"),
        (FROZEN | {"starts_at": NOW, "detriment": True}, "before the notice ends"),
        (FROZEN | {"starts_at": FIRST_DAY, "detriment": True}, "terms_detriment_is_approved"),
        (FROZEN | {"starts_at": FIRST_DAY, "detriment": True, "approved_by": OWNER}, "terms_approved_by_another"),
        (FROZEN | {"starts_at": NOW, "currency": "USD"}, "currency and time zone stay"),
        (FROZEN | {"starts_at": NOW, "tender_min": 2}, "less freely and do not say so"),
        (FROZEN | {"starts_at": NOW, "tender_step": 2}, "less freely and do not say so"),
        (FROZEN | {"starts_at": NOW, "tender_max_percent": 99}, "less freely and do not say so"),
        ({"tender_max_percent": 101}, "terms_tender_is_sane"),
        ({"tender_step": 0}, "terms_tender_is_sane"),
    ],
)
def test_the_database_says_the_same_again(fields: dict[str, Any], complaint: str) -> None:
    give(holder(), 10)
    version = draft({})
    with pytest.raises(IntegrityError, match=complaint), transaction.atomic():
        TermsVersion.objects.filter(version=version).update(**fields)
    assert TermsVersion.objects.get(version=version).published_at is None


def test_how_points_pay_is_judged_told_and_kept_by_the_database_alike() -> None:
    holder()
    steps = draft({"tender_min": 150, "tender_step": 100, "tender_max_percent": 50})
    [line] = publishing.review(steps, now=NOW).lines
    assert (line.label, line.judgement) == ("Paying with points", "worse")
    assert line.before == "Points pay for up to 100% of the goods that earn points, from 1 point on."
    assert line.after == "Points pay for up to 50% of the goods that earn points, from 200 points on, in steps of 100."
    assert "pay in the old way until that day" in line.held
    publish(steps, approved_by=FINANCE)
    none = publish(draft({"tender_max_percent": 0}), approved_by=FINANCE).version
    assert (none.tender_min, none.tender_step, none.detriment) == (1, 1, True)
    assert not publish(draft({"tender_min": 7})).published, "says nothing while points are not taken"
    again = publish(draft({"tender_max_percent": 20, "tender_min": 500, "tender_step": 50})).version
    assert (again.detriment, terms.current(FIRST_DAY).tender_max_percent) == (False, 20)
    assert publish(draft({"tender_step": 25})).version.detriment is False
    assert publishing.review(draft({"tender_step": 10}), now=NOW).effect is Effect.DETRIMENT


def test_judging_costs_the_same_with_more_versions() -> None:
    holder()
    publish(draft({"notice_days": 61}))
    with CaptureQueriesContext(connection) as few:
        publish(draft({"return_days": 31}))
    for days in range(32, 40):
        publish(draft({"return_days": days}))
    with CaptureQueriesContext(connection) as many:
        publish(draft({"return_days": 40}))
    assert len(many) == len(few)


def test_points_that_never_end_are_not_put_under_an_idle_date_nor_the_other_way_round() -> None:
    publish(draft({"expiry": "never"}))
    publish(draft({"expiry": "inactivity", "expiry_months": 12}))  # nobody is there yet
    give(holder(), 5)
    for other in ({"expiry": "inactivity", "expiry_months": 24}, {"expiry": "never"}):
        version = draft(other)
        assert "cannot stand side by side" in refused(lambda version=version: publish(version, approved_by=FINANCE)).detail
    assert publish(draft({"expiry": "months", "expiry_months": 24}), approved_by=FINANCE).published


def test_points_that_were_brought_along_without_an_end_are_not_given_one() -> None:
    give(holder(), 300, days=None)
    version = draft({"expiry": "inactivity", "expiry_months": 24})
    assert "cannot stand side by side" in refused(lambda: publish(version, approved_by=FINANCE)).detail
