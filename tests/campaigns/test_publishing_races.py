"""Rules published at the same moment, on real connections: each is judged beside the others."""

from functools import partial
from uuid import UUID, uuid4

import pytest

from campaigns import drafting, publishing
from campaigns.models import RuleVersion
from campaigns.ruleschemas import RuleIn
from loyalty.problems import Problem
from tests.campaigns.test_event_races import together
from tests.factories import NOW

pytestmark = pytest.mark.usefixtures("committing_db")
MANY = 8


def _published(version: UUID) -> bool:
    try:
        return publishing.publish(version, actor=uuid4(), now=NOW).published
    except Problem:
        return False


def test_one_person_publishes_no_more_at_once_than_one_after_the_other() -> None:
    rule = RuleIn.model_validate({"kind": "event", "value": "2000", "event_type": "check_in"})
    drafts = [drafting.put(f"gift-{number}", rule, actor=uuid4())[0].pk for number in range(MANY)]
    assert sum(together([partial(_published, draft) for draft in drafts])) == 2
    assert RuleVersion.objects.filter(kind="event", published_at__isnull=False).count() == 2
