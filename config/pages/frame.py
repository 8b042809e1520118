"""What surrounds every page: the portal's tabs, the admin's navigation and styles."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.templatetags.static import static
from django.urls import reverse, reverse_lazy
from django.utils.translation import gettext_lazy as _

from config.middleware import request_id
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
            ("card", _("Card"), "credit-card", {"card", "code", "expiry"}),
            ("history", _("History"), "scroll-text", {"history", "line"}),
        )
        context["tabs"] = [
            {"url": reverse(name), "label": label, "icon": icon, "current": page in views}
            for name, label, icon, views in tabs
        ]
    context["portal_member"] = signed_in
    return context


def admin_css(request: HttpRequest) -> str:
    return static("css/admin.css")


def admin_navigation(request: HttpRequest) -> list[dict[str, Any]]:
    """The sidebar: one group a room, only what the person may see."""

    def item(title: Any, icon: str, model: str) -> dict[str, Any]:
        app, name = model.split(".")
        return {
            "title": title,
            "icon": icon,
            "link": reverse_lazy(f"admin:{app}_{name}_changelist"),
            "permission": lambda request: request.user.has_perm(f"{app}.view_{name}"),
        }

    return [
        {
            "title": _("Members"),
            "items": [
                item(_("Members"), "group", "members.member"),
                item(_("Messages"), "mail", "members.message"),
            ],
        },
        {
            "title": _("Purchases and rules"),
            "items": [
                item(_("Purchases"), "receipt_long", "campaigns.purchase"),
                item(_("Earn rules"), "function", "campaigns.earnrule"),
            ],
        },
        {
            "title": _("Ledger"),
            "items": [
                item(_("Postings"), "menu_book", "loyalty.posting"),
                item(_("Wallets"), "wallet", "loyalty.wallet"),
                item(_("Terms"), "contract", "loyalty.termsversion"),
                item(_("Stores"), "storefront", "loyalty.store"),
            ],
        },
        {
            "title": _("System"),
            "items": [
                item(_("Staff"), "badge", "members.staffprofile"),
                item(_("API keys"), "key", "members.apikey"),
                item(_("Audit trail"), "history", "loyalty.auditrecord"),
                item(_("Outbox"), "outbox", "loyalty.outboxevent"),
            ],
        },
    ]
