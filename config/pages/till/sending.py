"""Sales that a till's page sends itself, at once or when it is back online; its service worker and its page without a connection.

Each sale bears its own number and a proof that a colleague's PIN was right at this till, so it is taken exactly once,
also when the PIN has expired since, or when the answer to the first sending was lost.
"""

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Annotated, Any

import structlog
from django.db import transaction
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.templatetags.static import static
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST
from pydantic import Field, StringConstraints, ValidationError

from campaigns.schemas import Amount, Moment
from config.pages.till import done, selling
from config.pages.till.doors import wrong
from config.pages.till.selling import Sale
from loyalty import money, terms
from loyalty.problems import Problem, problem_of
from members import shifts, tilling
from members.access import device_of, public
from members.models import Device, Member, TillAct
from members.queries import resolve
from members.schemas import Strict
from members.shifts import Proof
from members.tilling import Kind

log = structlog.get_logger(__name__)
MOST = 100
# Clocks of tills differ from ours by as much as campaigns.purchases allows.
CLOCK = timedelta(minutes=5)
# A sale that is sent later than this was taken offline.
LATE = timedelta(minutes=2)
PAGE_FILES = (
    "css/tokens.css", "css/base.css", "css/shell.css", "css/controls.css", "css/forms.css", "css/till.css",
    "css/till-parts.css", "css/till-more.css", "js/scheme.js", "js/till/early.js", "js/till/queue.js",
    "js/till/shell.js", "js/till/keypad.js", "img/icon.svg",
)  # fmt: skip
BODY_LIMIT = 200_000


class SaleIn(Strict):
    """`member` is a card number as scanned, or an id; `again`: the same amount twice is meant.

    `vouched`: noted while the till was locked, sent by whoever has entered the PIN since.
    """

    number: Annotated[str, StringConstraints(pattern=r"\A[A-Z0-9-]{8,40}\z")]
    member: Annotated[str, StringConstraints(min_length=4, max_length=80)]
    amount: Annotated[Amount, Field(gt=0)]
    at: Moment
    proof: Annotated[str, StringConstraints(max_length=400)]
    again: bool = False
    vouched: bool = False


class BatchIn(Strict):
    """Each sale is judged by itself, so it is taken as it comes."""

    sales: Annotated[list[dict[str, Any]], Field(min_length=1, max_length=MOST)]


@public
@csrf_exempt  # the proof in the body is one that no other site has, and the till's cookie is not sent along by any
@require_POST
def sales(request: HttpRequest) -> HttpResponse:
    device, now = device_of(request), timezone.now()
    if device is None:
        return JsonResponse({"detail": _("This till is not registered any more.")}, status=403)
    try:
        batch = BatchIn.model_validate_json(request.read(BODY_LIMIT))
    except ValidationError as error:
        problem = problem_of(error)
        return JsonResponse({"detail": problem.detail, "faults": [one.pointer for one in problem.faults]}, status=422)
    return JsonResponse({"answers": [_answer(one, device, now) for one in batch.sales]}, headers={"Cache-Control": "no-store"})


def _answer(given: dict[str, Any], device: Device, now: datetime) -> dict[str, Any]:
    """What became of one sale; refused ones leave the others alone."""
    number = str(given.get("number", ""))
    try:
        act = _take(_read(given), device, now)
    except Problem as problem:
        log.info("till_sale_refused", device=str(device.pk), number=number, reason=problem.slug)
        return {"number": number, "taken": False, "reason": problem.slug, "detail": wrong(problem)}
    return {"number": number, "taken": True, "url": reverse("till_done", args=[act.pk]), **done.summary(act)}


def _read(given: dict[str, Any]) -> SaleIn:
    try:
        return SaleIn.model_validate(given)
    except ValidationError as error:
        raise problem_of(error) from error


def _take(one: SaleIn, device: Device, now: datetime) -> TillAct:
    proof = shifts.proved(one.proof, device, now=now)
    if not proof.at - (shifts.OFFLINE if one.vouched else CLOCK) <= one.at <= proof.at + shifts.OFFLINE:
        raise Problem(
            "not-eligible", _("Nobody's PIN was right at the moment of this sale. A manager has to enter it."), status=409
        )
    sale = Sale(_member(one.member), one.amount, one.number, one.at, offline=one.vouched or _is_late(one, proof, now))
    if known := tilling.standing(device.store_id, one.number, Kind.SALE):
        return selling.same(known, sale)
    if not sale.offline:
        return _take_now(one, sale, proof, now)
    with transaction.atomic():
        _insist_on_limits(one, device)
        return selling.sell(proof.shift, sale, now=now)


def _is_late(one: SaleIn, proof: Proof, now: datetime) -> bool:
    """Sent when the colleague was not there any more, or some minutes after: whatever the page says of itself."""
    here = shifts.current(proof.shift.device, now=now)
    return here is None or here.pk != proof.shift.pk or now - one.at > LATE


def _take_now(one: SaleIn, sale: Sale, proof: Proof, now: datetime) -> TillAct:
    twice = tilling.just_sold(proof.shift.device.store_id, sale.member.pk, sale.amount, now=now)
    if twice and not one.again:
        raise Problem("twice", _("The same amount was given to this member less than two minutes ago."), status=409)
    return selling.sell(proof.shift, sale, now=now)


def _insist_on_limits(one: SaleIn, device: Device) -> None:
    """What a shop's tills may take while nobody looks: so many receipts a day, none above an amount."""
    contract, limits = terms.current(one.at), tilling.limits(device.store_id)
    if one.amount > limits.amount:
        most = {"amount": money.text(Decimal(limits.amount), contract.currency)}
        raise Problem(
            "limit-reached-offline", _("Offline at most %(amount)s is taken. A manager has to enter it.") % most, status=409
        )
    day = contract.day_of(one.at)
    first, until = (contract.midnight_after(day - timedelta(days=back)) for back in (1, 0))
    if tilling.offline_room(device.store_id, first=first, until=until) <= 0:
        text = _("The shop's tills took as many sales offline on that day as they may. A manager has to enter it.")
        raise Problem("limit-reached-offline", text, status=409)


def _member(text: str) -> Member:
    facts = resolve([text]).get(text)
    member = Member.objects.select_related("user").filter(pk=facts.id).first() if facts else None
    if member is None:
        raise Problem("unknown-member", _("No card %(code)s. Check the number or make a new card.") % {"code": text}, status=404)
    return member


@public
def worker(request: HttpRequest) -> HttpResponse:
    """The service worker, which has to lie where the till's pages lie."""
    files = [static(name) for name in PAGE_FILES]
    context = {"page": reverse("till_offline"), "files": files}
    answer = render(request, "till/worker.js", context, content_type="text/javascript")
    answer["Cache-Control"] = "no-cache"
    return answer


@public
def offline(request: HttpRequest) -> HttpResponse:
    """The page that a till shows without a connection. It knows nobody, and is kept by the browser."""
    answer = render(request, "till/offline.html")
    answer["Cache-Control"] = "no-cache"
    return answer
