"""Pages about a person: join, sign in, account, messages."""

from typing import Any

from allauth.account.views import ConfirmLoginCodeView, RequestLoginCodeView
from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from loyalty import money, queries, terms
from loyalty.problems import Problem
from loyalty.queries import StoreFacts
from members import accounts, contacts, messaging
from members.access import EARN_ONLY_CARD, for_member, member_of, public
from members.enrolling import enrol
from members.forms import AccountForm, JoinForm
from members.models import Member
from members.schemas import ConsentIn, MemberIn


@public
def join(request: HttpRequest, store: str | None = None) -> HttpResponse:
    """A card in half a minute. Whoever is known already gets a code, and the page looks the same."""
    shop = queries.store_in_use(store) if store else None
    if store and shop is None:
        return redirect("join")
    if member_of(request, earn_only=True):
        return redirect("card")
    form = JoinForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        return _joined(request, form.cleaned_data, shop)
    context = {"form": form, "store": shop, "sign_in_url": reverse("account_request_login_code")}
    return render(request, "portal/join.html", context | {"earn_sentence": terms_sentence()})


def _joined(request: HttpRequest, given: dict[str, Any], shop: StoreFacts | None) -> HttpResponse:
    application = MemberIn(
        email=given["contact"], given_name=given["given_name"], language=get_language() or "en",
        home_store=shop.code if shop else None,
        consents=[ConsentIn(channel="email", purpose="marketing")] if given["offers"] else [],
    )  # fmt: skip
    [answer] = enrol([application], now=timezone.now())
    accounts.send_code(request, given["contact"])
    if isinstance(answer, Problem):
        return redirect("account_confirm_login_code")
    request.session[EARN_ONLY_CARD] = str(answer.member)
    return redirect("card")


def terms_sentence() -> str:
    """What points are worth, with numbers."""
    contract = terms.current(timezone.now())
    return _("100 points are worth %(amount)s.") % {"amount": money.text(contract.worth(100), contract.currency)}


@method_decorator(public, name="dispatch")
class SignIn(RequestLoginCodeView):
    template_name = "portal/sign_in.html"


@method_decorator(public, name="dispatch")
class Verify(ConfirmLoginCodeView):
    template_name = "portal/verify.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context: dict[str, Any] = super().get_context_data(**kwargs)
        address = contacts.masked_email(self._process.state.get("email", ""))
        return context | {"masked_contact": address, "resend_url": reverse("resend_code")}

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if not accounts.may_try_code(self._process):
            self._process.abort()
            messages.error(request, _("That code was tried three times. Ask for a new one."))
            return redirect("account_request_login_code")
        response: HttpResponse = super().post(request, *args, **kwargs)
        return response


@public
def resend_code(request: HttpRequest) -> HttpResponse:
    """A new code to the address of the sign-in under way."""
    state = request.session.get("account_login") or {}
    email = state.get("email")
    if request.method == "POST" and email:
        accounts.send_code(request, email)
    return redirect("account_confirm_login_code")


@for_member
def account(request: HttpRequest, member: Member) -> HttpResponse:
    form = AccountForm(request.POST or None, instance=member)
    if request.method == "POST" and form.is_valid():
        form.save()
        messages.success(request, _("Saved."))
        response = HttpResponseRedirect(reverse("account"))
        response.set_cookie(settings.LANGUAGE_COOKIE_NAME, member.language, max_age=settings.LANGUAGE_COOKIE_AGE)
        return response
    known = [(_("E-mail"), contacts.masked_email(member.email), bool(member.email_verified_at))] if member.email else []
    known += [(_("Phone"), contacts.masked_phone(member.phone), bool(member.phone_verified_at))] if member.phone else []
    context = {
        "form": form,
        "contacts": [{"label": label, "masked": masked, "verified": verified} for label, masked, verified in known],
        "consents": member.consents.filter(granted=True),
        "sign_out_url": reverse("account_logout"),
    }
    return render(request, "portal/account.html", context)


@for_member(earn_only=True)
def inbox(request: HttpRequest, member: Member) -> HttpResponse:
    return render(request, "portal/messages.html", {"items": messaging.inbox(member)})
