"""Every way in says who may come: a page by its decorator, an operation by its key, a class of the admin by its scope."""

from collections.abc import Iterable
from typing import Any

from django.apps import apps
from django.contrib import admin
from django.db.models import Model
from django.http import HttpRequest, HttpResponse
from django.urls import path
from ninja import NinjaAPI
from ninja.operation import Operation

from loyalty.backoffice import Backoffice, Scope
from loyalty.models import Store
from members.access import SCOPES, Key, for_staff, public
from tests.architecture.doors import Door, doors, operations
from tests.architecture.source import nothing

# Doors that others built, one by one, so that a new one does not stand open unnoticed.
OWN_SIGN_IN = "allauth asks for a signed-in user, and for a fresh sign-in before a change"
OTHERS = {
    "set_language": "keeps a language in a cookie",
    "api-1:openapi-json": "describes the API and shows nothing of anyone",
    "api-1:openapi-view": "describes the API and shows nothing of anyone",
    "admin:login": "sends whoever is not signed in to the sign-in",
    "mfa_authenticate": "the second half of a sign-in, bound to the session of its first half",
    "mfa_index": OWN_SIGN_IN,
    "mfa_reauthenticate": OWN_SIGN_IN,
    "mfa_activate_totp": OWN_SIGN_IN,
    "mfa_deactivate_totp": OWN_SIGN_IN,
    "mfa_list_webauthn": OWN_SIGN_IN,
    "mfa_add_webauthn": OWN_SIGN_IN,
    "mfa_edit_webauthn": OWN_SIGN_IN,
    "mfa_remove_webauthn": OWN_SIGN_IN,
    "mfa_reauthenticate_webauthn": OWN_SIGN_IN,
    "mfa_view_recovery_codes": OWN_SIGN_IN,
    "mfa_generate_recovery_codes": OWN_SIGN_IN,
    "mfa_download_recovery_codes": OWN_SIGN_IN,
}


def undeclared(found: Iterable[Door]) -> list[str]:
    """Doors that do not say who may come through them."""
    return [one.route for one in found if not (_declared(one.callback) or one.name in OTHERS or _of_api(one))]


def _declared(callback: Any) -> bool:
    # Pages of the admin go through `admin_view`; Django leaves a mark on those that it has wrapped itself.
    return any(hasattr(callback, mark) for mark in ("access", "admin_site", "model_admin"))


def _of_api(door: Door) -> bool:
    """The API's operations declare themselves one by one; its root only turns away."""
    return door.name.startswith("api-1:") and not door.name.startswith("api-1:openapi")


def test_every_page_declares_who_may_come() -> None:
    found = list(doors())
    assert len(found) > 30
    nothing(undeclared(found))
    assert set(OTHERS) - {one.name for one in found} == set(), "a door that is gone keeps no excuse"


def test_a_page_for_staff_names_a_permission_that_exists() -> None:
    known = {
        f"staff:{model._meta.app_label}.{codename}"
        for model in apps.get_models()
        for codename in [f"{one}_{model._meta.model_name}" for one in model._meta.default_permissions]
        + [name for name, _ in model._meta.permissions]
    }
    named = {access for one in doors() if (access := getattr(one.callback, "access", "")).startswith("staff:")}
    assert named
    assert named - known == set()


def keyless(found: Iterable[tuple[str, Operation]]) -> list[str]:
    """Operations without a key of known scopes."""
    return [address for address, one in found if not (one.auth_callbacks and all(_is_key(auth) for auth in one.auth_callbacks))]


def _is_key(auth: object) -> bool:
    return isinstance(auth, Key) and bool(auth.scopes) and set(auth.scopes) <= set(SCOPES)


def test_every_operation_of_the_api_asks_for_a_key() -> None:
    found = list(operations())
    assert len(found) > 5
    nothing(keyless(found))


def unscoped(registry: dict[type[Model], Any]) -> list[str]:
    """Classes of the admin that do not say whose rows they show."""
    return [
        type(page).__name__
        for model, page in registry.items()
        if not (isinstance(page, Backoffice) and _leads_to_a_store(model, page))
    ]


def _leads_to_a_store(model: type[Model], page: Backoffice) -> bool:
    scope = getattr(page, "scope", None)
    if not isinstance(scope, str):
        return isinstance(scope, Scope)
    here: Any = model
    for name in scope.split("__"):
        here = here if name == "pk" else here._meta.get_field(name).related_model
    return bool(here is Store)


def test_every_class_of_the_admin_says_whose_rows_it_shows() -> None:
    assert len(admin.site._registry) > 5
    nothing(unscoped(admin.site._registry))


def test_an_open_door_is_noticed() -> None:
    def page(request: HttpRequest) -> HttpResponse:
        return HttpResponse()

    def other(request: HttpRequest) -> HttpResponse:
        return HttpResponse()

    api = NinjaAPI(urls_namespace="open")
    api.get("/open")(page)
    api.get("/shut", auth=Key("pos"))(page)
    [router] = [router for _, router in api._routers]
    found = [(name, one) for name, view in router.path_operations.items() for one in view.operations]
    assert keyless(found) == ["/open"]
    patterns = [path("open/", page), path("public/", public(other)), path("staff/", for_staff("members.view_member")(page))]
    assert undeclared(Door(str(one.pattern), "", one.callback) for one in patterns) == ["open/"]
    assert unscoped({Store: admin.ModelAdmin(Store, admin.site)}) == ["ModelAdmin"]
