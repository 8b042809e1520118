"""Four eyes: an act that asks for a second person waits here, by a fingerprint of what exactly was asked for.

What approval means stands with the act: the verb that carries it out takes who approved, and looks again.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from loyalty import auditing, notice
from loyalty.notice import Approval, Review
from loyalty.problems import Problem
from loyalty.publication import Outcome, Publication
from loyalty.versions import Publishable
from members.models import ApiKey, ApprovalRequest

Decision = ApprovalRequest.Decision


@dataclass(frozen=True, slots=True)
class Act:
    """`verb` (`terms.publish`) on an object, known by its model's label and its id, with exactly this content."""

    verb: str
    object_type: str
    object_id: str
    fingerprint: str


def act_on(verb: str, review: Review) -> Act:
    """The act on what a review shows."""
    return Act(verb, review.kind, review.id, review.fingerprint)


def ask(act: Act, *, by: UUID, now: datetime) -> ApprovalRequest:
    """Let the act wait for a second person, once: what waits already or was approved answers as it stands.

    What waits of the same object with another content is withdrawn with it. Raises Problem for a key that nobody answers
    for: nobody could approve it.
    """
    if is_hopeless(by):
        detail = _("This key names nobody who answers for it, so nobody could approve it: make it with --made-by.")
        raise Problem("not-eligible", detail, status=409)
    with transaction.atomic():
        known = request_of(act)
        if known and known.decision != Decision.REFUSED:
            return known
        stale = ApprovalRequest.objects.filter(verb=act.verb, object_type=act.object_type, object_id=act.object_id, decision="")
        stale.delete()
        try:
            with transaction.atomic():
                made = ApprovalRequest.objects.create(
                    verb=act.verb, object_type=act.object_type, object_id=act.object_id, fingerprint=act.fingerprint,
                    requested_by=by, requested_at=now,
                )  # fmt: skip
        except IntegrityError:  # a twin asked at the same moment
            return _requests(act).exclude(decision=Decision.REFUSED).get()
        auditing.record(by, "approval.asked", act.object_type, act.object_id, {"act": act.verb, "fingerprint": act.fingerprint})
    return made


def decide(act: Act, decision: str, *, by: UUID, author: UUID | None = None, note: str = "", now: datetime) -> None:
    """Approve or refuse what waits; `note` says why.

    Raises Problem when nothing of this content waits, or when `by` asked for it or is its `author`; and for an approval when
    either is an API key without a known maker.
    """
    with transaction.atomic():
        waiting = _requests(act).select_for_update().filter(decision="").first()
        if waiting is None:
            raise Problem("not-eligible", _("This has changed or was decided meanwhile. Look at it again."), status=409)
        if by in people_behind(waiting.requested_by, author):
            raise Problem("not-eligible", _("Somebody else has to decide: you wrote it or asked for it."), status=409)
        if decision == Decision.APPROVED and is_hopeless(waiting.requested_by, author):
            detail = _(
                "It was asked for with an API key that nobody answers for. Draft it here, or with a key that names its maker."
            )
            raise Problem("not-eligible", detail, status=409)
        ApprovalRequest.objects.filter(pk=waiting.pk).update(decision=decision, decided_by=by, decided_at=now, note=note)
        facts = {"act": act.verb, "fingerprint": act.fingerprint}
        auditing.record(by, f"approval.{decision}", act.object_type, act.object_id, facts)


def request_of(act: Act) -> ApprovalRequest | None:
    """The last request for exactly this content: waiting, approved or refused."""
    return _requests(act).first()


def requests_of(verb: str, fingerprints: Iterable[str]) -> dict[str, ApprovalRequest]:
    """The last request for each content, by its fingerprint."""
    found = ApprovalRequest.objects.filter(verb=verb, fingerprint__in=list(fingerprints)).order_by("id")
    return {one.fingerprint: one for one in found}


def asked_of(verb: str, objects: Iterable[object]) -> dict[str, ApprovalRequest]:
    """The last request for each of these objects, whatever its content was, by the object's id."""
    found = ApprovalRequest.objects.filter(verb=verb, object_id__in=[str(one) for one in objects]).order_by("id")
    return {one.object_id: one for one in found}


def approval_of(act: Act) -> Approval | None:
    """That somebody approved exactly this content; None while nobody has."""
    found = _requests(act).filter(decision=Decision.APPROVED).first()
    return Approval(found.decided_by, act.fingerprint) if found and found.decided_by else None


def approval_or_ask(act: Act, *, by: UUID, now: datetime) -> Approval | None:
    """That somebody approved exactly this content; without it the act waits now, asked for by `by`."""
    found = approval_of(act)
    if found is None:
        ask(act, by=by, now=now)
    return found


def publish_or_ask[D: Publishable, K: (int, UUID)](
    publication: Publication[D, K], key: K, seen: Review, *, by: UUID, now: datetime
) -> Outcome[D] | None:
    """Publish the draft that was `seen`; where that needs a second person who has not approved it, it waits now: None.

    Raises Problem.
    """
    notice.insist_on_time(seen, now=now)
    approval = approval_or_ask(act_on(publication.verb, seen), by=by, now=now) if seen.needs_second else None
    return None if seen.needs_second and approval is None else publication.publish(key, actor=by, approval=approval, now=now)


def is_of(request: ApprovalRequest, actor: UUID) -> bool:
    """Whether `actor` asked for it, or made the key that did."""
    return actor in people_behind(request.requested_by)


def is_hopeless(*actors: UUID | None) -> bool:
    """Whether one of them is a key of which nobody knows who made it: it may be whoever approves, so nobody can."""
    return ApiKey.objects.filter(pk__in=[actor for actor in actors if actor], made_by=None).exists()


def waiting() -> int:
    """How many acts wait for a second person."""
    return ApprovalRequest.objects.filter(decision="").count()


def _requests(act: Act) -> QuerySet[ApprovalRequest]:
    return ApprovalRequest.objects.filter(
        verb=act.verb, object_type=act.object_type, object_id=act.object_id, fingerprint=act.fingerprint
    )


def people_behind(*actors: UUID | None) -> set[UUID]:
    """Whoever acts under these ids: an API key acts for the person who made it."""
    known = {actor for actor in actors if actor}
    makers = ApiKey.objects.filter(pk__in=known).exclude(made_by=None).values_list("made_by", flat=True)
    return known | {maker for maker in makers if maker}
