"""A member's statement with its proof, to be checked without us by loyalty/proof/verify.py."""

from django.conf import settings
from django.http import Http404, HttpRequest, JsonResponse

from loyalty.proof.statement import proven
from members.access import for_member
from members.models import Member


@for_member(earn_only=True)
def statement(request: HttpRequest, member: Member) -> JsonResponse:
    """The whole wallet as JSON; nobody else's rows."""
    found = proven(member.holder, settings.SEAL_FOLDER)
    if found is None:
        raise Http404
    name = f"statement-{found['wallet']['seq']}.json"
    return JsonResponse(found, headers={"Content-Disposition": f'attachment; filename="{name}"'})
