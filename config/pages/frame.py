"""What surrounds every page of the portal: the merchant's name and the tabs."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from config.answers import request_id
from members.access import member_of


def portal(request: HttpRequest) -> dict[str, Any]:
    """Context of every template: the merchant's name and, for whoever has a card, the tabs."""
    context: dict[str, Any] = {"merchant": settings.REGULARS_NAME, "tabs": [], "request_id": request_id()}
    if request.path.startswith(("/admin/", "/api/")):
        return context
    page = request.resolver_match.url_name if request.resolver_match else ""
    signed_in = member_of(request, earn_only=True)
    if signed_in:
        tabs = (
            ("card", _("Card"), "credit-card", {"card", "code", "expiry", "check_in", "tier"}),
            ("rewards", _("Rewards"), "gift", {"rewards", "reward", "redemption", "voucher", "vouchers"}),
            ("history", _("History"), "scroll-text", {"history", "line"}),
        )
        context["tabs"] = [
            {"url": reverse(name), "label": label, "icon": icon, "current": page in views} for name, label, icon, views in tabs
        ]
    context["portal_member"] = signed_in
    return context
