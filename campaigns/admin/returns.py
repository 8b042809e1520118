"""What came back, and what still waits for its sale, to look at."""

from typing import Any

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy
from unfold.decorators import display

from campaigns import telling
from campaigns.models import ClawBack, PurchaseReturn, PurchaseReturnLine
from loyalty import money
from loyalty.backoffice import ReadOnly, ReadOnlyInline
from loyalty.columns import figure, instant, quantity
from loyalty.filters import Between

WORDS = {
    "taken": pgettext_lazy("return", "taken"), "waiting": _("waits for its sale"), "problem": _("does not fit its sale"),
}  # fmt: skip
LOOKS: Any = {"taken": "success", "waiting": "info", "problem": "danger"}
STATES = {"taken": ~Q(purchase=None), "waiting": Q(purchase=None, problem=""), "problem": ~Q(problem="")}


class State(admin.SimpleListFilter):
    title = _("state")
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return list(WORDS.items())

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(STATES.get(self.value() or "", Q()))


def kindness(one: PurchaseReturn) -> str:
    """A word where it is so; a return like any other needs none."""
    return str(_("yes")) if one.goodwill else ""


class ReturnInline(ReadOnlyInline):
    """The returns of a purchase, on its page."""

    model = PurchaseReturn
    fields = ("number", "occurred_at", "worth", "back", "clawed", "given", "kindly", "reason")
    readonly_fields = ("number", "worth", "back", "clawed", "given", "kindly")
    clawed = figure("points_clawed_back", _("points taken back"))
    given = figure("points_returned", _("points given back"))

    @admin.display(description=_("points left out of goodwill"))
    def kindly(self, one: PurchaseReturn) -> str:
        return kindness(one)

    @admin.display(description=_("return number"))
    def number(self, one: PurchaseReturn) -> str:
        address = reverse("admin:campaigns_purchasereturn_change", args=[one.pk])
        return format_html('<a href="{}" class="link">{}</a>', address, one.return_number)

    @admin.display(description=_("worth of the goods"))
    def worth(self, one: PurchaseReturn) -> str:
        return money.text(one.net_amount, one.currency)

    @admin.display(description=_("money back"))
    def back(self, one: PurchaseReturn) -> str:
        return money.text(one.money_back, one.currency)


class ReturnLineInline(ReadOnlyInline):
    model = PurchaseReturnLine
    fields = ("line_id", "count", "worth", "back", "given")
    readonly_fields = ("line_id", "count", "worth", "back", "given")
    given = figure("points_returned", _("points given back"))

    def get_queryset(self, request: HttpRequest) -> QuerySet[PurchaseReturnLine]:
        rows: QuerySet[PurchaseReturnLine] = super().get_queryset(request).select_related("line", "purchase_return")
        return rows

    @admin.display(description=_("quantity"))
    def count(self, one: PurchaseReturnLine) -> str:
        return quantity(one.quantity)

    @admin.display(description=_("worth of the goods"))
    def worth(self, one: PurchaseReturnLine) -> str:
        return money.text(one.net_amount, one.purchase_return.currency)

    @admin.display(description=_("money back"))
    def back(self, one: PurchaseReturnLine) -> str:
        return money.text(one.money_back, one.purchase_return.currency)

    @admin.display(description=_("line"))
    def line_id(self, one: PurchaseReturnLine) -> str:
        return one.line.line_id


class ClawBackInline(ReadOnlyInline):
    model = ClawBack
    fields = ("rule", "taken", "posted")
    readonly_fields = ("rule", "taken", "posted")
    taken = figure("points", _("points taken back"))

    def get_queryset(self, request: HttpRequest) -> QuerySet[ClawBack]:
        rows: QuerySet[ClawBack] = super().get_queryset(request).select_related("award__rule_version__rule")
        return rows

    @admin.display(description=_("rule"))
    def rule(self, one: ClawBack) -> str:
        return str(one.award.rule_version.rule)

    @admin.display(description=_("journal entry"))
    def posted(self, one: ClawBack) -> str:
        address = reverse("admin:loyalty_journalentry_change", args=[one.entry])
        return format_html('<a href="{}" class="link">{}</a>', address, str(one.entry)[-12:])


@admin.register(PurchaseReturn)
class ReturnAdmin(ReadOnly):
    scope = "purchase__store"
    list_display = ("return_number", "returned", "receipt_number", "state", "worth", "clawed", "given", "source")
    list_filter = (State, "goodwill", ("recorded_at", Between))
    ordering = ("-recorded_at", "-id")
    date_hierarchy = "recorded_at"
    search_fields = ("return_number__exact", "receipt_number__exact")
    search_help_text = _("Return number or receipt number")
    export_columns = (
        "id", "source", "return_number", "receipt_number", "purchase", "occurred_at", "recorded_at", "goodwill", "currency",
        "net_amount", "money_back", "points_clawed_back", "points_returned", "problem",
    )  # fmt: skip
    fieldsets = (
        (_("Return"), {"fields": ("return_number", "source", "receipt", "occurred_at", "recorded_at", "state", "problem")}),
        (_("Points"), {"fields": ("worth", "back", "why", "kindly", "reason", "content")}),
    )
    readonly_fields = ("receipt", "state", "worth", "back", "why", "kindly")
    inlines = (ReturnLineInline, ClawBackInline)
    returned = instant("occurred_at", _("returned"))
    clawed = figure("points_clawed_back", _("points taken back"))
    given = figure("points_returned", _("points given back"))

    @admin.display(description=_("points left out of goodwill"))
    def kindly(self, one: PurchaseReturn) -> str:
        return kindness(one)

    @display(description=_("state"), label=LOOKS)
    def state(self, one: PurchaseReturn) -> Any:
        state = "taken" if one.purchase_id else "problem" if one.problem else "waiting"
        return state, WORDS[state]

    @admin.display(description=_("receipt number"))
    def receipt(self, one: PurchaseReturn) -> str:
        if one.purchase_id is None:
            return one.receipt_number
        address = reverse("admin:campaigns_purchase_change", args=[one.purchase_id])
        return format_html('<a href="{}" class="link">{}</a>', address, one.receipt_number)

    @admin.display(description=_("worth of the goods"), ordering="net_amount")
    def worth(self, one: PurchaseReturn) -> str | None:
        return money.text(one.net_amount, one.currency) if one.currency else None

    worth.formatting = "price"  # type: ignore[attr-defined]

    @admin.display(description=_("money back"))
    def back(self, one: PurchaseReturn) -> str | None:
        return money.text(one.money_back, one.currency) if one.currency else None

    @admin.display(description=_("because"))
    def why(self, one: PurchaseReturn) -> str | None:
        if one.purchase_id is None:
            return None
        steps = format_html_join("", "<li>{}</li>", ((step,) for step in telling.sentences(one)))
        return format_html("<ol class='steps'>{}</ol>", steps)
