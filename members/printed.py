"""Cards that were printed beforehand: whoever takes one joins with its number."""

from datetime import datetime

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from loyalty.problems import Problem
from members.enrolling import Enrolled, enrol
from members.models import Card
from members.schemas import MemberIn


def enrol_with(number: str, application: MemberIn, *, now: datetime) -> Enrolled | Problem:
    """Enrol with a printed card, whose check symbols are right (members.cards.parse), and without any contact if need be."""
    given = application.model_copy(update={"external_id": f"card-{number}"})
    try:
        with transaction.atomic():
            [answer] = enrol([given], now=now)
            if isinstance(answer, Problem):
                return answer
            Card.objects.filter(member=answer.member).delete()
            Card.objects.create(number=number, member_id=answer.member, issued_at=now)
    except IntegrityError:  # somebody took the card at the same moment
        return Problem("duplicate-document", _("Somebody has this card already."), status=409)
    return Enrolled(answer.member, number)
