"""The admin site: Unfold's look, under a policy of its own, behind the sign-in that the rest of the product uses."""

from collections.abc import Callable
from typing import Any

from allauth.account.decorators import secure_admin_login
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils.csp import CSP
from django.views.decorators.csp import csp_override
from unfold.sites import UnfoldAdminSite

# Unfold evaluates expressions in its templates and sets style attributes; it has no inline scripts.
ADMIN_CSP: dict[str, list[str]] = {
    **settings.SECURE_CSP,
    "script-src": [CSP.SELF, CSP.UNSAFE_EVAL],
    "style-src": [CSP.SELF, CSP.UNSAFE_INLINE],
}


class RegularsAdminSite(UnfoldAdminSite):
    def admin_view(self, view: Any, cacheable: bool = False) -> Any:
        return csp_override(ADMIN_CSP)(super().admin_view(view, cacheable))

    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """No second password form: whoever is not signed in goes to the sign-in of the product."""
        guarded: Callable[..., HttpResponse] = secure_admin_login(super().login)
        return guarded(request, extra_context)
