"""Between members and their logins: a login is made when a code is first asked for, and bound when a code proves the contact."""

import hashlib
from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.internal.flows.login_by_code import LoginCodeVerificationProcess
from django.contrib.auth.base_user import AbstractBaseUser
from django.db import connection, transaction
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from members.models import Member, User

CODE_TRIES = 3
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


def login_for(email: str) -> User | None:
    """The login that a code may be sent to: a member's, made now if need be. None for strangers and for staff."""
    user = User.objects.filter(email__iexact=email).first()
    if user is None and Member.objects.filter(email__iexact=email, status=Member.Status.ACTIVE).exists():
        user = User.objects.create_user(email)
    return None if user is None or user.is_staff else user


def bind(user: User) -> None:
    """A code has proved the contact: the member with this e-mail is verified, and this login is the member's."""
    now = timezone.now()
    with transaction.atomic():
        member = Member.objects.select_for_update().filter(email__iexact=user.email).first()
        if member and (member.user_id is None or member.email_verified_at is None):
            Member.objects.filter(pk=member.pk).update(user=user, email_verified_at=member.email_verified_at or now)


def send_code(request: HttpRequest, email: str) -> None:
    LoginCodeVerificationProcess.initiate(request=request, user=login_for(email), email=email)


def may_try_code(process: LoginCodeVerificationProcess) -> bool:
    """Count one comparison of this code, before it is made, so that a hundred parallel guesses are three."""
    code = hashlib.sha256(f"{process.state.get('user_id')}:{process.code}:{process.state['at']}".encode()).hexdigest()
    with connection.cursor() as cursor:
        cursor.execute(
            "insert into members_codeattempt as a (code, tries, at) values (%s, 1, now()) "
            "on conflict (code) do update set tries = a.tries + 1 where a.tries < %s returning tries",
            [code, CODE_TRIES],
        )
        return cursor.fetchone() is not None
