"""Four eyes: who asked or wrote never decides, and an approval is for exactly one content."""

import io
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from uuid import uuid4

import pytest
from django.core.management import CommandError, call_command
from django.db import IntegrityError, transaction

from loyalty.models import AuditRecord
from loyalty.problems import Problem
from members import approving
from members.access import create_key
from members.approving import Act, Decision
from members.models import ApiKey, ApprovalRequest, User
from tests.factories import NOW

pytestmark = pytest.mark.django_db

ACT = Act("terms.publish", "loyalty.termsversion", "7", "ab" * 32)
ASKER, SECOND, AUTHOR = uuid4(), uuid4(), uuid4()


def refused(act: Callable[[], object]) -> str:
    before = list(ApprovalRequest.objects.values()), AuditRecord.objects.count()
    with pytest.raises(Problem) as caught:
        act()
    assert (list(ApprovalRequest.objects.values()), AuditRecord.objects.count()) == before
    return caught.value.detail


def test_asking_twice_is_asking_once() -> None:
    first, again = (approving.ask(ACT, by=ASKER, now=NOW) for _ in range(2))
    assert first.pk == again.pk
    assert ApprovalRequest.objects.count() == 1
    assert approving.approval_of(ACT) is None
    assert [one.verb for one in AuditRecord.objects.all()] == ["approval.asked"]


def test_a_second_person_approves_and_only_this_content() -> None:
    approving.ask(ACT, by=ASKER, now=NOW)
    approving.decide(ACT, Decision.APPROVED, by=SECOND, author=AUTHOR, now=NOW)
    approval = approving.approval_of(ACT)
    assert approval
    assert (approval.by, approval.fingerprint) == (SECOND, ACT.fingerprint)
    for other in (replace(ACT, fingerprint="cd" * 32), replace(ACT, object_id="8"), replace(ACT, verb="rate.publish")):
        assert approving.approval_of(other) is None
    assert approving.ask(ACT, by=ASKER, now=NOW).decision == Decision.APPROVED


def test_who_asked_or_wrote_it_does_not_decide() -> None:
    approving.ask(ACT, by=ASKER, now=NOW)
    for one in (ASKER, AUTHOR):
        said = refused(partial(approving.decide, ACT, Decision.APPROVED, by=one, author=AUTHOR, now=NOW))
        assert "Somebody else has to decide" in said


def test_whoever_made_a_key_does_not_decide_on_what_the_key_asked_or_wrote() -> None:
    key, _token = create_key("shop", ["configure"], made_by=SECOND)
    approving.ask(ACT, by=key, now=NOW)
    assert "Somebody else" in refused(lambda: approving.decide(ACT, Decision.APPROVED, by=SECOND, now=NOW))
    other = replace(ACT, object_id="8")
    approving.ask(other, by=ASKER, now=NOW)
    assert "Somebody else" in refused(lambda: approving.decide(other, Decision.APPROVED, by=SECOND, author=key, now=NOW))


def test_another_content_withdraws_what_waits_and_a_decision_is_final() -> None:
    approving.ask(ACT, by=ASKER, now=NOW)
    newer = replace(ACT, fingerprint="cd" * 32)
    approving.ask(newer, by=ASKER, now=NOW)
    assert "decided meanwhile" in refused(lambda: approving.decide(ACT, Decision.APPROVED, by=SECOND, now=NOW))
    approving.decide(newer, Decision.REFUSED, by=SECOND, now=NOW)
    refusal = approving.request_of(newer)
    assert refusal
    assert (refusal.decision, approving.approval_of(newer)) == (Decision.REFUSED, None)
    assert "decided meanwhile" in refused(lambda: approving.decide(newer, Decision.APPROVED, by=SECOND, now=NOW))
    assert approving.ask(newer, by=ASKER, now=NOW).decision == ""


def test_the_database_says_the_same_again() -> None:
    made = approving.ask(ACT, by=ASKER, now=NOW)
    row = ApprovalRequest.objects.filter(pk=made.pk)
    with pytest.raises(IntegrityError, match="approval_by_another_person"), transaction.atomic():
        row.update(decision="approved", decided_by=ASKER, decided_at=NOW)
    with pytest.raises(IntegrityError, match="approval_decided_whole"), transaction.atomic():
        row.update(decision="approved")
    assert row.get().decision == ""


def test_what_a_key_asks_that_nobody_answers_for_is_refused_at_once_and_what_it_asked_before_is_not_approved() -> None:
    key, _token = create_key("shop", ["configure"])
    assert "make it with --made-by" in refused(partial(approving.ask, ACT, by=key, now=NOW))
    approving.ask(ACT, by=ASKER, now=NOW)
    ApprovalRequest.objects.update(requested_by=key)
    said = refused(partial(approving.decide, ACT, Decision.APPROVED, by=SECOND, now=NOW))
    assert "an API key that nobody answers for" in said
    approving.decide(ACT, Decision.REFUSED, by=SECOND, now=NOW)


def test_a_key_of_the_command_line_can_name_who_answers_for_it() -> None:
    maker = User.objects.create_user("ida@example.com", is_staff=True)
    call_command("create_api_key", "shop", scope=["configure"], made_by="Ida@example.com", stdout=io.StringIO())
    assert ApiKey.objects.get().made_by == maker.actor
    with pytest.raises(CommandError, match="No member of staff"):
        call_command("create_api_key", "shop", scope=["configure"], made_by="nobody@example.com", stdout=io.StringIO())
