"""Limits for granting points: lower at once, higher with a second person."""

from datetime import datetime
from uuid import UUID

from django.db import transaction

from loyalty import limits
from loyalty.limits import Limits
from members import approving
from members.approving import Act


def propose(given: Limits, *, by: UUID, now: datetime) -> tuple[int, bool]:
    """The setting's number, and whether it holds at once. Raises Problem as loyalty.limits.propose does."""
    with transaction.atomic():
        number, holds = limits.propose(given, by=by, now=now)
        if not holds:
            approving.ask(Act(limits.VERB, limits.LABEL, str(number), limits.signature(number)), by=by, now=now)
    return number, holds
