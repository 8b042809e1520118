"""Between members and their logins: a login is made when a code is first asked for, and bound when a code proves the contact."""

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.internal.flows.login_by_code import LoginCodeVerificationProcess
from django.contrib.auth.base_user import AbstractBaseUser
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from loyalty import outbox
from members import codes
from members.access import member_of
from members.models import Member, User

STAFF_SESSION_SECONDS = 12 * 3600


class AccountAdapter(DefaultAccountAdapter):
    error_messages = DefaultAccountAdapter.error_messages | {
        "incorrect_code": _("That is not the code we sent. Check the newest mail, or have a new code sent."),
    }

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """Members join on the join page, staff are made by `create_staff`."""
        return False

    def post_login(self, request: HttpRequest, user: AbstractBaseUser, **kwargs: Any) -> HttpResponse:
        assert isinstance(user, User)
        if user.is_staff:
            request.session.set_expiry(STAFF_SESSION_SECONDS)
        elif request.session.get("account_authentication_methods", [{}])[-1].get("method") == "code":
            bind(user)
        return super().post_login(request, user, **kwargs)

    def get_login_redirect_url(self, request: HttpRequest) -> str:
        """Where whoever signed in belongs: nobody is sent to a page that sends them back."""
        assert isinstance(request.user, User)
        return reverse("admin:index" if request.user.is_staff else "card" if member_of(request) else "join")


def login_for(email: str) -> User | None:
    """The login that a code may be sent to: a member's, made now if need be. None for strangers and for staff."""
    user = User.objects.filter(email=email.lower()).first()
    if user is None and Member.objects.filter(email__iexact=email, status=Member.Status.ACTIVE).exists():
        made = User(email=email.lower())
        made.set_unusable_password()
        User.objects.bulk_create([made], ignore_conflicts=True)  # two taps at once make one login
        user = User.objects.get(email=made.email)
    return None if user is None or user.is_staff else user


def bind(user: User) -> None:
    """A code has proved the contact: the member with this e-mail is verified, and this login is that member's alone."""
    now = timezone.now()
    with transaction.atomic():
        Member.objects.filter(user=user).exclude(email__iexact=user.email).update(user=None)
        member = Member.objects.select_for_update().filter(email__iexact=user.email).first()
        if member and (member.user_id != user.pk or member.email_verified_at is None):
            Member.objects.filter(pk=member.pk).update(user=user, email_verified_at=member.email_verified_at or now)
            if member.email_verified_at is None:
                outbox.tell([outbox.Event("member.known", member.pk, {})])


def send_code(request: HttpRequest, email: str) -> None:
    """Send a code, or to a stranger a mail that says there is no card. Raises Problem `rate-limited`, and OSError."""
    codes.count_sending(email, now=timezone.now())
    LoginCodeVerificationProcess.initiate(request=request, user=login_for(email), email=email)
