"""Staff: a login with a password, a role, and the stores to which it is bound."""

import secrets
from collections.abc import Iterable, Sequence
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import Q
from django.utils.translation import gettext as _

from loyalty import queries
from loyalty.problems import Fault, Problem
from members import roles
from members.models import ApiKey, StaffProfile, User


def employ(email: str, *, role: str, name: str = "", stores: Sequence[str] = (), password: str | None = None) -> str:
    """Make a member of staff, or give one who is there this role, these stores and this password; answers the password.

    Without one it is drawn. Raises Problem: an unknown store, or an address with which a member signs in.
    """
    known = queries.stores_by_code(stores)
    missing = sorted(set(stores) - known.keys())
    if missing:
        raise Problem("unknown-store", _("There is no store %(code)s.") % {"code": missing[0]})
    password = password or secrets.token_urlsafe(12)
    with transaction.atomic():
        user = User.objects.filter(email=email.lower()).first()
        if user is None:
            appoint(email, role=role, name=name, stores=[store.id for store in known.values()], password=password)
            return password
        profile = StaffProfile.objects.filter(user=user).first()
        if profile is None:
            raise _taken()
        user.set_password(password)
        user.is_active = True
        user.save(update_fields=["password", "is_active"])
        StaffProfile.objects.filter(pk=profile.pk).update(role=role, name=name or profile.name)
        place(user, role=role, stores=[store.id for store in known.values()])
    return password


def appoint(email: str, *, role: str, name: str, stores: Iterable[int], password: str) -> StaffProfile:
    """Make a login for staff. Raises Problem when somebody signs in with this address already."""
    try:
        with transaction.atomic():
            user = User.objects.create_user(email, password, is_staff=True)
            profile = StaffProfile.objects.create(user=user, name=name or email.partition("@")[0], role=role)
            place(user, role=role, stores=stores)
    except IntegrityError:
        raise _taken() from None
    return profile


def place(user: User, *, role: str, stores: Iterable[int]) -> None:
    """Let the login's permissions and stores follow what its profile says."""
    roles.sync_roles()
    roles.assign(user, role)
    user.staff.stores.set(stores)


def allowed(permission: str) -> list[User]:
    """Staff of all shops together whose role gives them this permission."""
    app, codename = permission.split(".")
    given = Q(groups__permissions__codename=codename, groups__permissions__content_type__app_label=app) | Q(is_superuser=True)
    return list(User.objects.filter(given, is_active=True, is_staff=True, staff__stores=None).distinct().order_by("pk"))


def names(actors: Iterable[UUID]) -> dict[UUID, str]:
    """The names under which these actors work: that of the profile, else the login; that of an API key."""
    asked = set(actors)
    rows = User.objects.filter(actor__in=asked).values_list("actor", "staff__name", "email")
    keys = dict(ApiKey.objects.filter(pk__in=asked).values_list("pk", "name"))
    return keys | {actor: name or email for actor, name, email in rows}


def _taken() -> Problem:
    detail = _("Somebody signs in with this address already. Use another one for staff.")
    return Problem("duplicate-document", detail, status=409, faults=[Fault("/email", detail)])
