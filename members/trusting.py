"""Keys of machines: until a second person trusts one, what it grants counts as granted by whoever made it."""

from datetime import datetime
from uuid import UUID

from django.utils.translation import gettext as _

from loyalty import limits
from loyalty.documents import fingerprint
from loyalty.problems import Problem
from members import approving
from members.approving import Act
from members.models import ApiKey

LABEL, VERB = "members.apikey", "apikey.trust"


def ask(key: ApiKey, *, by: UUID, now: datetime) -> None:
    """Ask for a second person's trust. Raises Problem when the key has it, or has ended."""
    approving.ask(Act(VERB, LABEL, str(key.pk), signature(str(key.pk), now=now)), by=by, now=now)


def standing(id_: str, *, now: datetime) -> str:
    """`waiting`, or nothing where nobody was asked, or refused. Raises Problem when there is nothing to trust."""
    asked = approving.request_of(Act(VERB, LABEL, id_, signature(id_, now=now)))
    return "waiting" if asked and not asked.decision else ""


def signature(id_: str, *, now: datetime) -> str:
    """What an approval is bound to. Raises Problem when there is nothing to trust."""
    one = _counted(id_, now)
    return fingerprint([str(one.pk), one.name, one.scopes, one.store_id, str(one.expires_at), str(one.made_by)]).hex()


def approve(id_: str, *, by: UUID, now: datetime) -> None:
    """From now on what it grants for documents is not counted."""
    one = _counted(id_, now)
    limits.exempt(one.pk, made_by=one.made_by, approved_by=by, now=now)


def _counted(id_: str, now: datetime) -> ApiKey:
    """The key, which works and is counted."""
    one = ApiKey.objects.filter(pk=id_, revoked_at=None).exclude(made_by=None).first()
    if one is None or (one.expires_at and one.expires_at <= now) or limits.exempted([one.pk]):
        raise Problem("not-eligible", _("This has changed or was decided meanwhile. Look at it again."), status=409)
    return one
