"""The join page: what points are worth by the rules of today, and a card in half a minute."""

from typing import Any

import structlog
from django.contrib import messages
from django.contrib.auth import logout
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from campaigns import publishing, rules
from loyalty import queries, terms, wording
from loyalty.problems import Problem
from loyalty.queries import StoreFacts
from members import accounts
from members.access import EARN_ONLY_CARD, member_of, public
from members.enrolling import enrol
from members.forms import JoinForm
from members.schemas import ConsentIn, MemberIn

log = structlog.get_logger(__name__)


@public
def join(request: HttpRequest, store: str | None = None) -> HttpResponse:
    """A stranger gets a card at once; whoever is known goes to the page of the code, and so is told from a stranger."""
    shop = queries.store_in_use(store) if store and store.isprintable() else None
    if store and shop is None:
        return redirect("join")
    if member_of(request, earn_only=True):
        return redirect("card")
    if request.user.is_authenticated and not request.user.is_staff:
        logout(request)  # a login whose card is gone: as good as none
    form = JoinForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        return _joined(request, form.cleaned_data, shop)
    context = {"form": form, "store": shop, "sign_in_url": reverse("account_request_login_code")}
    return render(request, "portal/join.html", context | {"earn_sentence": earn_sentence()})


def _joined(request: HttpRequest, given: dict[str, Any], shop: StoreFacts | None) -> HttpResponse:
    application = MemberIn(
        email=given["contact"], given_name=given["given_name"], language=get_language() or "en",
        home_store=shop.code if shop else None,
        consents=[ConsentIn(channel="email", purpose="marketing")] if given["offers"] else [],
    )  # fmt: skip
    [answer] = enrol([application], now=timezone.now())
    page = "account_confirm_login_code"
    if not isinstance(answer, Problem):
        request.session[EARN_ONLY_CARD], page = str(answer.member), "card"
    try:
        accounts.send_code(request, given["contact"])
    except Problem as problem:
        messages.error(request, problem.detail)
    except OSError as error:
        log.warning("code_not_sent", error=type(error).__name__)  # its text may hold the address
        messages.error(request, _("We could not send the code. Ask for it again from your card."))
    return redirect(page)


def earn_sentence() -> str:
    """1 point per €1.00. 100 points are worth €1.00."""
    now = timezone.now()
    contract = terms.current(now)
    rate = publishing.programme_rate(rules.in_force(rules.published(now), now))
    return f"{wording.rate(rate, contract.currency)} {wording.worth(contract)}"
