"""What the second person decides here: corrections, keys, limits. One verb for all; what each does stands with it.

Drafts of terms and rates are decided on their own pages (loyalty.admin.reviewing).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext as _

from loyalty import limits
from loyalty.problems import Problem
from members import adjusting, approving, trusting
from members.approving import Act, Decision
from members.models import ApiKey, ApprovalRequest

# Whoever asked longer ago asks again: what was right then may not be now.
LONGEST = timedelta(days=30)

type Signed = Callable[[str, datetime], str]
type Done = Callable[[str, UUID, datetime], None]


@dataclass(frozen=True, slots=True)
class Matter:
    """A kind of act: the permission to decide it, what an approval is bound to now, what either decision does.

    `author`: who stands behind the object besides whoever asked.
    """

    right: str
    signature: Signed
    approve: Done
    refuse: Done = lambda _id, _by, _now: None
    author: Callable[[str], UUID | None] = lambda _id: None


def _maker(id_: str) -> UUID | None:
    return ApiKey.objects.filter(pk=id_).values_list("made_by", flat=True).first()


MATTERS: Mapping[str, Matter] = {
    adjusting.VERB: Matter(
        "members.approve_adjustment",
        lambda id_, _now: adjusting.signature(id_),
        lambda id_, by, now: adjusting.approve(id_, by=by, now=now),
        lambda id_, by, now: adjusting.refuse(id_, by=by, now=now),
    ),
    trusting.VERB: Matter(
        "members.approve_apikey",
        lambda id_, now: trusting.signature(id_, now=now),
        lambda id_, by, now: trusting.approve(id_, by=by, now=now),
        author=_maker,
    ),
    limits.VERB: Matter(
        "loyalty.approve_grantlimits",
        lambda id_, _now: limits.signature(int(id_)),
        lambda id_, by, now: limits.put_in_force(int(id_), approved_by=by, now=now),
        author=lambda id_: limits.author(int(id_)),
    ),
}


def decide(request: UUID, decision: str, *, by: UUID, note: str = "", now: datetime) -> None:
    """Approve what waits, which carries it out, or refuse it, which needs a `note` that says why.

    Raises Problem, and nothing is decided: it was decided, has changed or waited too long; `by` asked for it, made it or
    gains by it; what it does is refused.
    """
    with transaction.atomic():
        asked = ApprovalRequest.objects.select_for_update().filter(pk=request, decision="").first()
        matter = MATTERS.get(asked.verb) if asked else None
        if asked is None or matter is None:
            raise _changed()
        author = matter.author(asked.object_id)
        act = Act(asked.verb, asked.object_type, asked.object_id, asked.fingerprint)
        if decision == Decision.REFUSED:
            if not note.strip():
                raise Problem("validation", _("Say why, so that whoever asked knows what to do."))
            approving.decide(act, decision, by=by, author=author, note=note, now=now)
            matter.refuse(asked.object_id, by, now)
            return
        if asked.requested_at < now - LONGEST:
            raise Problem(
                "expired", _("This has waited for more than 30 days. Refuse it; it can be asked for again."), status=409
            )
        if matter.signature(asked.object_id, now) != asked.fingerprint:
            raise _changed()
        approving.decide(act, Decision.APPROVED, by=by, author=author, note=note, now=now)
        matter.approve(asked.object_id, by, now)


def is_hopeless(request: ApprovalRequest) -> bool:
    """Whether a key stands behind it that nobody answers for, so that it can only be refused."""
    matter = MATTERS.get(request.verb)
    return approving.is_hopeless(request.requested_by, matter.author(request.object_id) if matter else None)


def _changed() -> Problem:
    return Problem("not-eligible", _("This has changed or was decided meanwhile. Look at it again."), status=409)
