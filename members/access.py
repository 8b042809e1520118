"""Who may come through which door. Every view, endpoint and admin class declares it; a route without one fails a test.

Views take one of the decorators below. Endpoints of the API take a `Key` as their `auth`. The admin's classes declare
themselves through loyalty.backoffice.
"""

import functools
import hashlib
import secrets
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, Concatenate, overload
from uuid import UUID

from django.contrib.auth.models import AnonymousUser
from django.db import transaction
from django.db.models import Q
from django.http import Http404, HttpRequest, HttpResponseBase
from django.shortcuts import redirect
from django.utils import timezone
from ninja.security import HttpBearer

from loyalty import limits
from loyalty.problems import Problem
from members.models import ApiKey, Member, StaffProfile, User

SCOPES = ("pos", "read", "adjust", "configure", "partner")
EARN_ONLY_CARD = "earn_only_card"
LAST_USE_PRECISION = timedelta(minutes=5)

type View = Callable[..., HttpResponseBase]
type MemberView = Callable[Concatenate[HttpRequest, Member, ...], HttpResponseBase]


def public(view: View) -> View:
    """Anyone may see it; it shows nothing of anyone."""
    view.access = "public"  # type: ignore[attr-defined]
    return view


def for_staff(permission: str) -> Callable[[View], View]:
    """Signed-in staff with a Django permission; others do not learn that the page exists."""

    def declare(view: View) -> View:
        @functools.wraps(view)
        def permitted(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            user = request.user
            if not user.is_authenticated:
                return redirect(f"/accounts/login/?next={request.path}")
            if not (user.is_active and user.is_staff and user.has_perm(permission)):
                raise Http404
            return view(request, *args, **kwargs)

        permitted.access = f"staff:{permission}"  # type: ignore[attr-defined]
        return permitted

    return declare


@overload
def for_member(view: MemberView) -> View: ...
@overload
def for_member(*, earn_only: bool) -> Callable[[MemberView], View]: ...
def for_member(view: MemberView | None = None, *, earn_only: bool = False) -> View | Callable[[MemberView], View]:
    """Hands the signed-in member to the view; nobody else's data can be named in the address.

    `earn_only`: also whoever joined in this browser and has not verified the contact yet.
    """
    if view is None:
        return functools.partial(_for_member, earn_only=earn_only)
    return _for_member(view, earn_only=earn_only)


def _for_member(view: MemberView, *, earn_only: bool) -> View:
    @functools.wraps(view)
    def permitted(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        member = member_of(request, earn_only=earn_only)
        if member is None:
            return redirect(_door(request.user))
        return view(request, member, *args, **kwargs)

    permitted.access = "member"  # type: ignore[attr-defined]
    return permitted


def _door(user: User | AnonymousUser) -> str:
    """Where whoever has no card to show goes instead; none of these pages sends anyone back."""
    if not user.is_authenticated:
        return "account_request_login_code"
    return "admin:index" if user.is_staff else "join"


def member_of(request: HttpRequest, *, earn_only: bool = False) -> Member | None:
    """The member who is signed in; else, where `earn_only` will do, the unverified one who joined in this browser."""
    members = Member.objects.exclude(status=Member.Status.CLOSED)
    if request.user.is_authenticated:
        member = members.filter(user=request.user.pk).first()
        if member:
            return member
    joined = request.session.get(EARN_ONLY_CARD) if earn_only else None
    return members.filter(pk=joined, email_verified_at=None, phone_verified_at=None).first() if joined else None


class Key(HttpBearer):
    """`Authorization: Bearer <key>` with one of the scopes. `request.auth` is the ApiKey."""

    def __init__(self, *scopes: str) -> None:
        super().__init__()
        self.scopes = scopes

    def authenticate(self, request: HttpRequest, token: str) -> ApiKey | None:
        now = timezone.now()
        live = ApiKey.objects.filter(Q(expires_at=None) | Q(expires_at__gt=now), revoked_at=None)
        key = live.select_related("store").filter(digest=digest(token)).first()
        if key is None:
            return None
        if not set(self.scopes) & set(key.scopes):
            detail = f"This key has the scopes {', '.join(key.scopes)}; this call needs {' or '.join(self.scopes)}."
            raise Problem("forbidden-scope", detail, status=403)
        if key.last_used_at is None or now - key.last_used_at > LAST_USE_PRECISION:
            ApiKey.objects.filter(pk=key.pk).update(last_used_at=now)
        return key


def digest(token: str) -> bytes:
    """Keys carry 256 random bits, so a plain digest keeps them as safe as a slow one would."""
    return hashlib.sha256(token.encode()).digest()


def create_key(
    name: str, scopes: list[str], *, store: int | None = None, expires_at: datetime | None = None, made_by: UUID | None = None
) -> tuple[UUID, str]:
    """Make a key; returns its id and the key itself, which is not kept. What it asks for, `made_by` cannot approve.

    What it grants counts as granted by `made_by`, until a second person trusts it (members.trusting). A key that nobody
    made comes from the server's shell, and is not counted for documents (loyalty.limits).
    """
    token = f"rg_{secrets.token_urlsafe(32)}"
    with transaction.atomic():
        key = ApiKey.objects.create(
            name=name, scopes=sorted(scopes), digest=digest(token), store_id=store, expires_at=expires_at, made_by=made_by
        )
        if made_by:
            limits.stand_in(key.pk, made_by)
        else:
            limits.exempt(key.pk, made_by=None, approved_by=None, now=timezone.now())
    return key.pk, token


def revoke_key(key: UUID, *, now: datetime) -> None:
    """What the key opens stays shut from `now` on; one that was revoked before keeps its date."""
    ApiKey.objects.filter(pk=key, revoked_at=None).update(revoked_at=now)


def stores_of(user: User | AnonymousUser) -> frozenset[int] | None:
    """The stores to which this login is bound; None for every store. A login without a role is bound to none."""
    if user.is_superuser:
        return None
    bound: list[int | None] = list(StaffProfile.objects.filter(user=user.pk).values_list("stores", flat=True))
    return None if bound == [None] else frozenset(store for store in bound if store is not None)
