"""The admin's sidebar and its saved views: only what the person may see."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.templatetags.static import static
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from catalog import codes
from members import approving

WEEK = 7


def css(request: HttpRequest) -> str:
    return static("css/admin.css")


def rules_css(request: HttpRequest) -> str:
    return static("css/earnrules.css")


def rewards_css(request: HttpRequest) -> str:
    return static("css/rewards.css")


def icon(request: HttpRequest) -> str:
    return static("img/icon.svg")


def navigation(request: HttpRequest) -> list[dict[str, Any]]:
    """One group a room; a group of which nothing may be seen is left out."""
    groups = [
        (None, [{"title": _("Today"), "icon": "wb_sunny", "link": reverse("admin:index")}]),
        (
            _("Members"),
            [
                _list(_("Members"), "group", "members.member"),
                _list(_("Messages"), "mail", "members.message"),
                _list(_("Tiers set by hand"), "approval_delegation", "members.tieroverride"),
            ],
        ),
        (
            _("Purchases and rules"),
            [
                _list(_("Purchases"), "receipt_long", "campaigns.purchase"),
                _list(_("Returns"), "assignment_return", "campaigns.purchasereturn"),
                _list(_("Events"), "bolt", "campaigns.event"),
                _list(_("Earn rules"), "function", "campaigns.earnrule"),
                _list(_("Drafts and versions"), "edit_document", "campaigns.ruleversion") | {"active": _is_at_versions},
                _overlaps(),
                _list(_("Segments"), "groups", "campaigns.segment"),
                _list(_("Tiers"), "military_tech", "members.tiertable"),
                _list(_("Excluded goods"), "block", "campaigns.excludedgoods"),
                _list(_("Terms"), "contract", "loyalty.termsversion"),
            ],
        ),
        _catalogue(request),
        (
            _("Ledger"),
            [
                _list(_("Adjustments"), "edit_note", "members.adjustment"),
                _list(_("Postings"), "menu_book", "loyalty.posting"),
                _list(_("Lots"), "stacks", "loyalty.lot"),
                _list(_("Wallets"), "wallet", "loyalty.wallet"),
                _list(_("Journal"), "book_2", "loyalty.journalentry"),
            ],
        ),
        (
            _("Shop"),
            [
                _list(_("Stores"), "storefront", "loyalty.store"),
                _list(_("Staff"), "badge", "members.staffprofile"),
                _list(_("Logins"), "login", "members.user"),
                _list(_("Tills"), "point_of_sale", "members.device"),
                _list(_("Offline limits"), "wifi_off", "members.tilllimits"),
                {
                    "title": _("PIN for the till"),
                    "icon": "pin",
                    "link": reverse("till_pin"),
                    "permission": _has("members.change_pin"),
                },
                _list(_("API keys"), "key", "members.apikey"),
                _list(_("Limits"), "speed", "loyalty.grantlimits"),
            ],
        ),
        (
            _("Records"),
            [
                _approvals(request),
                _list(_("Audit trail"), "history", "loyalty.auditrecord"),
                _list(_("Outbox"), "outbox", "loyalty.outboxevent"),
                *_mailbox(),
            ],
        ),
    ]
    seen = [{"title": title, "items": [item for item in items if _may(request, item)]} for title, items in groups]
    return [group for group in seen if group["items"]]


def _catalogue(request: HttpRequest) -> tuple[Any, list[dict[str, Any]]]:
    return (
        _("Catalogue"),
        [
            _list(_("Rewards"), "redeem", "catalog.reward"),
            _hand_out(),
            _list(_("Redemptions"), "shopping_bag", "catalog.redemption") | {"active": _is_at_redemptions},
            _list(_("Vouchers"), "confirmation_number", "catalog.voucher"),
            _pools(request),
            _list(_("Codes"), "password", "catalog.code"),
            _list(_("Categories"), "shelves", "catalog.category"),
        ],
    )


def saved_views(request: HttpRequest) -> list[dict[str, Any]]:
    """Tabs above the lists: the whole, and the parts that are asked for most."""
    week = timezone.localdate() - timedelta(days=WEEK)
    return [
        _tabs(
            "loyalty.posting", _("All"), (_("Adjustments of the week"), f"kind__exact=adjust&occurred_at_from={week.isoformat()}")
        ),
        _tabs(
            "campaigns.purchasereturn",
            _("All"),
            (_("Waiting for their sale"), "state=waiting"),
            (_("Not fitting their sale"), "state=problem"),
        ),
        _tabs(
            "members.adjustment",
            _("All"),
            (_("Manual adjustments this week"), f"requested_at_from={week.isoformat()}"),
            (pgettext_lazy("approval", "Waiting"), "status__exact=awaiting_approval"),
        ),
        _tabs("loyalty.lot", _("All"), (_("Expiring in 30 days"), "ends=30"), (_("Open"), "open__exact=1")),
        _tabs("loyalty.wallet", _("All"), (_("Members who owe points"), "deficit_from=1")),
        _tabs("campaigns.ruleversion", _("All"), (_("Drafts"), "published_at__isempty=1")),
        _tabs("members.member", _("All"), (_("Active in 30 days"), "active=30"), (_("Blocked"), "status__exact=blocked")),
        _tabs(
            "catalog.redemption",
            _("All"),
            (_("To hand over"), "status__exact=confirmed"),
            (_("Cancelled"), "status__exact=cancelled"),
        ),
        _tabs("catalog.reward", _("All"), (_("Offered"), "offered=1"), (_("Withdrawn"), "offered=0")),
        _tabs("members.approvalrequest", _("All"), (pgettext_lazy("approval", "Waiting"), "decision__exact=")),
        _tabs("members.message", _("All"), (_("Waiting"), "state=waiting"), (_("Given up"), "state=failed")),
    ]


def _list(title: Any, symbol: str, model: str) -> dict[str, Any]:
    app, name = model.split(".")
    return {
        "title": title,
        "icon": symbol,
        "link": reverse(f"admin:{app}_{name}_changelist"),
        "permission": _has(f"{app}.view_{name}"),
    }


def _is_at_versions(request: HttpRequest) -> bool:
    """The report of overlaps stands beneath the same address."""
    link = reverse("admin:campaigns_ruleversion_changelist")
    return request.path.startswith(link) and request.path != reverse("admin:campaigns_ruleversion_overlaps")


def _overlaps() -> dict[str, Any]:
    return {
        "title": _("Where rules meet"),
        "icon": "join_inner",
        "link": reverse("admin:campaigns_ruleversion_overlaps"),
        "permission": _has("campaigns.view_ruleversion"),
    }


def _is_at_redemptions(request: HttpRequest) -> bool:
    """The hand-out list stands beneath the same address."""
    link = reverse("admin:catalog_redemption_changelist")
    return request.path.startswith(link) and request.path != reverse("admin:catalog_redemption_hand_out")


def _hand_out() -> dict[str, Any]:
    return {
        "title": _("Hand-out list"),
        "icon": "front_hand",
        "link": reverse("admin:catalog_redemption_hand_out"),
        "permission": _has("catalog.view_redemption"),
    }


def _pools(request: HttpRequest) -> dict[str, Any]:
    """With the number of pools that run dry, for whoever fills them."""
    item = _list(_("Pools of codes"), "inventory_2", "catalog.codepool")
    dry = codes.running_dry() if request.user.has_perm("catalog.change_codepool") else 0
    return item | {"badge": dry, "badge_variant": "danger"} if dry else item


def _approvals(request: HttpRequest) -> dict[str, Any]:
    """With the number of acts that wait for a second person, for whoever may see them."""
    item = _list(_("Approvals"), "approval", "members.approvalrequest")
    waiting = approving.waiting() if item["permission"](request) else 0
    return item | {"badge": waiting, "badge_variant": "warning"} if waiting else item


def _mailbox() -> list[dict[str, Any]]:
    if not settings.MAIL_DIR:
        return []
    return [
        {
            "title": _("Mail of this box"),
            "icon": "inbox",
            "link": reverse("mailbox"),
            "permission": _has("members.view_codeattempt"),
        }
    ]


def _has(permission: str) -> Callable[[HttpRequest], bool]:
    return lambda request: request.user.has_perm(permission)


def _may(request: HttpRequest, item: dict[str, Any]) -> bool:
    return bool(item["permission"](request)) if "permission" in item else True


def _tabs(model: str, whole: Any, *parts: tuple[Any, str]) -> dict[str, Any]:
    app, name = model.split(".")
    url = reverse(f"admin:{app}_{name}_changelist")
    queries = [query for _title, query in parts]

    def current(query: str) -> Callable[[HttpRequest], bool]:
        def is_current(request: HttpRequest) -> bool:
            asked = request.GET.urlencode()
            return asked == query if query else not any(asked == one for one in queries)

        return is_current

    return {
        "models": [model],
        "items": [
            {"title": title, "link": f"{url}?{query}" if query else url, "active": current(query)}
            for title, query in ((whole, ""), *parts)
        ],
    }
