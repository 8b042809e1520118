"""A card for somebody at the counter (T07): by phone number, e-mail address, or with a card that was printed beforehand."""

from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from pydantic import ValidationError

from config.pages.till.forms import EnrolForm, contact_of
from config.pages.till.frame import page
from loyalty.problems import Problem, problem_of
from members import cards, printed, tilling
from members.access import for_till
from members.enrolling import Enrolled, enrol
from members.models import Card, Shift, TillAct
from members.schemas import MemberIn
from members.tilling import Done, Kind


@for_till
def enrolment(request: HttpRequest, shift: Shift) -> HttpResponse:
    form = EnrolForm(request.POST or None, initial={"contact": request.GET.get("contact", "")})
    known: UUID | None = None
    if request.method == "POST" and form.is_valid():
        try:
            return redirect("till_done", _enrol(shift, form.cleaned_data, now=timezone.now()).pk)
        except Problem as problem:
            known = UUID(str(problem.extra["member"])) if "member" in problem.extra else None
            form.add_error("contact", _("Somebody has this card already.") if known else problem.detail)
    return page(request, shift, "enrol", {"form": form, "known": known})


def _enrol(shift: Shift, given: dict[str, Any], *, now: datetime) -> TillAct:
    with transaction.atomic():
        answer = _joined(given["contact"].replace("\0", "").strip(), given["given_name"], shift.device.store.code, now)
        if isinstance(answer, Problem):
            raise answer
        done = Done(Kind.ENROLMENT, answer.member, answer.member, answer.card)
        return tilling.write(shift, done, at=now)


def _joined(text: str, name: str, store: str, now: datetime) -> Enrolled | Problem:
    number = cards.parse(text)
    try:
        contact = {} if number else contact_of(text)
        one = MemberIn(given_name=name, language=get_language() or "en", home_store=store, **contact)
    except ValidationError as error:
        problem = problem_of(error)
        return Problem("validation", problem.faults[0].detail)
    except ValueError as error:
        return Problem("validation", str(error))
    if number is None:
        return enrol([one], now=now)[0]
    taken = Card.objects.filter(number=number).values_list("member", flat=True).first()
    if taken:
        return Problem("duplicate-document", _("Somebody has this card already."), status=409, extra={"member": str(taken)})
    return printed.enrol_with(number, one, now=now)
