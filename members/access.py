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
from urllib.parse import urlencode
from uuid import UUID

from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.db import transaction
from django.db.models import Q
from django.http import Http404, HttpRequest, HttpResponseBase
from django.shortcuts import redirect
from django.utils import timezone
from ninja.security import HttpBearer

from loyalty import limits
from loyalty.problems import Problem
from members import devices, shifts
from members.models import ApiKey, Device, Member, Shift, StaffProfile, User

SCOPES = ("pos", "read", "adjust", "configure", "partner")
EARN_ONLY_CARD = "earn_only_card"
TILL_COOKIE = "__Host-till" if settings.SECURE else "till"
TILL_COOKIE_AGE = timedelta(days=400)
# What of a form that was sent to a locked till is not shown again.
UNKEPT = {"csrfmiddlewaretoken", "number", "again", "member_code", "manager", "manager_pin"}
LAST_USE_PRECISION = timedelta(minutes=5)

type View = Callable[..., HttpResponseBase]
type DeviceView = Callable[Concatenate[HttpRequest, Device, ...], HttpResponseBase]
type ShiftView = Callable[Concatenate[HttpRequest, Shift, ...], HttpResponseBase]
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


def for_device(view: DeviceView) -> View:
    """Hands the till to the view: the browser that a shop's staff bound to it. Any other is asked to register."""

    @functools.wraps(view)
    def permitted(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        device = device_of(request)
        if device is None:
            return redirect("till_register")
        return _kept_by_nobody(view(request, device, *args, **kwargs))

    permitted.access = "device"  # type: ignore[attr-defined]
    return permitted


def for_till(view: ShiftView) -> View:
    """Hands the shift to the view: a colleague whose PIN was right, at a till of the shop. Else the till is locked.

    What was typed into a form meanwhile waits in the address to which the PIN leads back; nothing of it is done.
    """

    @functools.wraps(view)
    def permitted(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        device = device_of(request)
        if device is None:
            return redirect("till_register")
        shift = shifts.current(device, now=timezone.now())
        if shift is None:
            return redirect(f"/till/lock/?{urlencode({'next': _unfinished(request)})}")
        return _kept_by_nobody(view(request, shift, *args, **kwargs))

    permitted.access = "till"  # type: ignore[attr-defined]
    return permitted


def device_of(request: HttpRequest) -> Device | None:
    return devices.known(request.COOKIES.get(TILL_COOKIE, ""), now=timezone.now())


def _unfinished(request: HttpRequest) -> str:
    if request.method != "POST":
        return request.get_full_path()
    typed = [(name, value) for name in request.POST if name not in UNKEPT for value in request.POST.getlist(name)]
    return f"{request.path}?{urlencode(typed)}" if typed else request.path


def _kept_by_nobody(response: HttpResponseBase) -> HttpResponseBase:
    response.headers.setdefault("Cache-Control", "no-store")
    return response


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
