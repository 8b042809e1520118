"""Pages about a person: sign in, account, messages."""

from typing import Any

from allauth.account.views import ConfirmLoginCodeView, RequestLoginCodeView
from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.utils.translation import gettext as _

from loyalty import auditing
from loyalty.problems import Problem
from members import accounts, changing, codes, contacts, messaging
from members.access import for_member, public
from members.forms import AccountForm, SignInForm
from members.models import Member
from members.schemas import MemberPatch


@method_decorator(public, name="dispatch")
class SignIn(RequestLoginCodeView):
    template_name = "portal/sign_in.html"

    def form_valid(self, form: SignInForm) -> HttpResponse:
        try:
            accounts.send_code(self.request, form.cleaned_data["email"])
        except Problem as problem:
            form.add_error("email", problem.detail)
            return self.form_invalid(form)
        return redirect(self.get_success_url())  # type: ignore[no-untyped-call]


@method_decorator(public, name="dispatch")
class Verify(ConfirmLoginCodeView):
    template_name = "portal/verify.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context: dict[str, Any] = super().get_context_data(**kwargs)
        address = contacts.masked_email(self._process.state.get("email", ""))
        return context | {"masked_contact": address, "resend_url": reverse("resend_code")}

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if not codes.may_try(self._process):
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
        try:
            accounts.send_code(request, email)
        except Problem as problem:
            messages.error(request, problem.detail)
    return redirect("account_confirm_login_code")


@for_member
def account(request: HttpRequest, member: Member) -> HttpResponse:
    form = AccountForm(request.POST or None, instance=member)
    if request.method == "POST" and form.is_valid():
        patch, actor = MemberPatch(**form.cleaned_data), auditing.actor_of(request)
        changing.change(member.pk, patch, now=timezone.now(), trusted=False, replaces=False, actor=actor)
        messages.success(request, _("Saved."))
        response = HttpResponseRedirect(reverse("account"))
        response.set_cookie(settings.LANGUAGE_COOKIE_NAME, member.language, max_age=settings.LANGUAGE_COOKIE_AGE)
        return response
    context = {
        "form": form,
        "contacts": masked(member),
        "consents": messaging.consents(member),
        "sign_out_url": reverse("account_logout"),
    }
    return render(request, "portal/account.html", context)


def masked(member: Member) -> list[dict[str, Any]]:
    """The contacts that are known, without showing them to whoever looks over a shoulder."""
    known = [(_("E-mail"), contacts.masked_email(member.email), member.email_verified_at)] if member.email else []
    known += [(_("Phone"), contacts.masked_phone(member.phone), member.phone_verified_at)] if member.phone else []
    return [{"label": label, "masked": text, "verified": bool(verified_at)} for label, text, verified_at in known]


@for_member(earn_only=True)
def inbox(request: HttpRequest, member: Member) -> HttpResponse:
    return render(request, "portal/messages.html", {"items": messaging.inbox(member)})
