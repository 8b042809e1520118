"""Receipts with what they earned and why, to look at."""

from decimal import Decimal
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext, pgettext
from unfold.contrib.filters.admin import AutocompleteSelectFilter, RangeNumericFilter

from campaigns import explaining, rules
from campaigns.admin.returns import ReturnInline
from campaigns.models import Award, Purchase, PurchaseLine
from campaigns.queries import of_receipt
from catalog.models import VoucherUse
from catalog.queries import vouchers_on
from loyalty import money
from loyalty.backoffice import ReadOnly, ReadOnlyInline
from loyalty.columns import figure, instant, quantity, signed
from loyalty.filters import Between
from members import finding


def steps(trace: dict[str, Any], currency: str) -> str:
    """How the points came about, step by step, and what gave nothing."""
    names = rules.names()
    said = explaining.sentences(trace, currency, names) + explaining.reasons(trace, names)
    return format_html("<ol class='steps'>{}</ol>", format_html_join("", "<li>{}</li>", ((step,) for step in said)))


class LineInline(ReadOnlyInline):
    model = PurchaseLine
    fields = ("line_id", "sku", "category", "brand", "count", "price", "off", "in_points", "earned", "note")
    readonly_fields = ("count", "price", "off", "in_points", "earned", "note")
    earned = figure("points", _("points"))

    def get_queryset(self, request: HttpRequest) -> QuerySet[PurchaseLine]:
        rows: QuerySet[PurchaseLine] = super().get_queryset(request).select_related("purchase")
        return rows

    @admin.display(description=_("quantity"))
    def count(self, line: PurchaseLine) -> str:
        return quantity(line.quantity)

    @admin.display(description=_("amount"))
    def price(self, line: PurchaseLine) -> str:
        return money.text(line.net_amount, line.purchase.currency)

    @admin.display(description=_("taken off by vouchers"))
    def off(self, line: PurchaseLine) -> str:
        return money.text(line.discount, line.purchase.currency) if line.discount else ""

    @admin.display(description=_("of it in points"))
    def in_points(self, line: PurchaseLine) -> str:
        return money.text(line.tender_amount, line.purchase.currency) if line.tender_amount else ""

    @admin.display(description=_("note"))
    def note(self, line: PurchaseLine) -> str:
        return str(_("earns nothing")) if line.excluded else ""


class AwardInline(ReadOnlyInline):
    model = Award
    fields = ("rule", "earned", "available_at", "expires_at", "posted")
    readonly_fields = ("rule", "earned", "posted")
    earned = figure("points", _("points"))

    def get_queryset(self, request: HttpRequest) -> QuerySet[Award]:
        rows: QuerySet[Award] = super().get_queryset(request).select_related("rule_version__rule")
        return rows

    @admin.display(description=_("rule"))
    def rule(self, award: Award) -> str:
        version = award.rule_version
        address = reverse("admin:campaigns_earnrule_change", args=[version.rule_id])
        return format_html('<a href="{}" class="link">{} v{}</a>', address, version.rule.name, version.version)

    @admin.display(description=_("journal entry"))
    def posted(self, award: Award) -> str:
        address = reverse("admin:loyalty_journalentry_change", args=[award.entry])
        return format_html('<a href="{}" class="link">{}</a>', address, str(award.entry)[-12:])


@admin.register(Purchase)
class PurchaseAdmin(ReadOnly):
    scope = "store"
    list_display = ("receipt_number", "bought", "member", "store", "paid", "earned", "source")
    list_filter = (("store", AutocompleteSelectFilter), ("occurred_at", Between), ("points_earned", RangeNumericFilter))
    list_select_related = ("member", "store")
    ordering = ("-occurred_at",)
    date_hierarchy = "occurred_at"
    search_fields = ("receipt_number__exact",)
    search_help_text = _("Receipt number, card or the member's number in another system")
    export_columns = (
        "id", "source", "receipt_number", "member__id", "store__code", "occurred_at", "recorded_at", "currency", "net_amount",
        "points_earned",
    )  # fmt: skip
    fieldsets = (
        (
            _("Receipt"),
            {
                "fields": (
                    "receipt_number",
                    "source",
                    "member",
                    "store",
                    "occurred_at",
                    "recorded_at",
                    "paid",
                    "off",
                    "in_points",
                    "in_money",
                )
            },
        ),
        (_("Points"), {"fields": ("earned", "why", "contract")}),
    )
    readonly_fields = ("paid", "off", "in_points", "in_money", "earned", "why", "contract")
    inlines = (AwardInline, LineInline, ReturnInline)
    bought = instant("occurred_at", _("bought"))
    earned = figure("points_earned", _("points"), plus=True)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Purchase], search_term: str
    ) -> tuple[QuerySet[Purchase], bool]:
        """A receipt's number, else whose card or number it is."""
        if not search_term:
            return queryset, False
        receipts = [one.pk for one in of_receipt(search_term)]
        found = {"pk__in": receipts} if receipts else {"member__in": finding.identified(search_term)}
        return queryset.filter(**found), False

    @admin.display(description=_("amount"), ordering="net_amount")
    def paid(self, purchase: Purchase) -> str:
        return money.text(purchase.net_amount, purchase.currency)

    paid.formatting = "price"  # type: ignore[attr-defined]

    @admin.display(description=_("taken off by vouchers"))
    def off(self, purchase: Purchase) -> str | None:
        """Each voucher with what it took off; one that was given back says so."""
        uses = vouchers_on([purchase.pk]).get(purchase.pk, []) if purchase.discount else []
        rows = [_used(use, purchase.currency) for use in uses]
        return format_html_join("", "<div>{}: <a href='{}' class='link'>{}</a>{}</div>", rows) if uses else None

    @admin.display(description=_("of it in points"))
    def in_points(self, purchase: Purchase) -> str | None:
        if not purchase.points_spent:
            return None
        said = ngettext("%(points)s point worth %(amount)s", "%(points)s points worth %(amount)s", purchase.points_spent)
        return said % {"points": signed(purchase.points_spent), "amount": money.text(purchase.tender_amount, purchase.currency)}

    @admin.display(description=_("of it in money"))
    def in_money(self, purchase: Purchase) -> str:
        return money.text(purchase.net_amount - purchase.discount - purchase.tender_amount, purchase.currency)

    @admin.display(description=_("because"))
    def why(self, purchase: Purchase) -> str:
        return steps(purchase.trace, purchase.currency)

    @admin.display(description=_("under"))
    def contract(self, purchase: Purchase) -> str:
        version = purchase.trace.get("terms")
        return str(_("terms version %(version)s") % {"version": version}) if version else ""


def _used(use: VoucherUse, currency: str) -> tuple[str, str, str, str]:
    """What a voucher took off, where it stands, its title, and whether it was given back."""
    address = reverse("admin:catalog_voucher_change", args=[use.voucher_id])
    amount = money.text(use.amount or Decimal(0), currency)
    return amount, address, use.voucher.title, f" ({pgettext('a voucher', 'given back')})" if use.released_at else ""
