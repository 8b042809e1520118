"""Vouchers, to look at: a code is as good as money, so lists show its end alone."""

from typing import Any

from django.contrib import admin
from django.db.models import Value
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy
from unfold.decorators import display

from catalog import codes, issuing
from catalog.models import Voucher, VoucherUse
from loyalty import money, terms
from loyalty.backoffice import ReadOnly, ReadOnlyInline
from loyalty.columns import Column, instant, last_day, quantity
from loyalty.filters import Between

STATES = {
    "ready": pgettext_lazy("voucher", "ready"), "used": pgettext_lazy("voucher", "used"),
    "expired": pgettext_lazy("voucher", "ended"), "waiting": pgettext_lazy("voucher", "not yet"),
}  # fmt: skip
LOOKS: Any = {"ready": "success", "used": "default", "expired": "default", "waiting": "info"}


def currency_of(row: Any) -> str:
    """What was put on the row for a whole page, or the one of now."""
    known: str | None = getattr(row, "currency", None)
    return known or terms.current(timezone.now()).currency


def sum_of(name: str, label: Any, *, zero: bool = True) -> Column:
    """A column of money; nothing where nothing was counted, or with `zero` false where it came to nothing."""

    @admin.display(description=label)
    def column(_page: Any, row: Any) -> str | None:
        value = getattr(row, name)
        counts = bool(value) if not zero else value is not None
        return money.text(value, currency_of(row)) if counts else None

    return column


class UseInline(ReadOnlyInline):
    model = VoucherUse
    fields = ("when", "store", "receipt_number", "came_to", "took", "left", "back", "freed")
    readonly_fields = ("when", "came_to", "took", "left", "back", "freed")
    when = instant("at", _("used"))
    came_to = sum_of("amount", _("amount"))
    took = sum_of("taken", _("taken from it"))
    left = sum_of("remaining", _("left after it"))
    back = sum_of("given_back", _("given back of it"), zero=False)
    freed = instant("released_at", _("given back"))

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm("catalog.view_voucher")

    def get_queryset(self, request: HttpRequest) -> Any:
        currency = Value(terms.current(timezone.now()).currency)
        return super().get_queryset(request).select_related("store").annotate(currency=currency)


@admin.register(Voucher)
class VoucherAdmin(ReadOnly):
    scope = "member__home_store"
    list_display = ("title", "ending", "holder", "type", "until", "uses_left", "condition")
    list_select_related = ("member",)
    list_filter = ("type", ("valid_until", Between))
    ordering = ("-id",)
    search_fields = ("title",)
    search_help_text = _("Title, or the whole code")
    fields = (
        "title", "ending", "holder", "type", "gives", "least", "issued", "begins", "until",
        "uses_left", "stands",
    )  # fmt: skip
    readonly_fields = ("ending", "holder", "gives", "least", "issued", "begins", "until", "uses_left", "stands")
    export_columns = (
        "id", "title", "ending", "type", "value", "issued_at", "valid_from", "valid_until", "uses", "used",
        "remaining",
    )  # fmt: skip
    inlines = (UseInline,)
    issued = instant("issued_at", _("issued"))
    begins = instant("valid_from", _("valid from"))
    least = sum_of("minimum_spend", _("minimum spend"), zero=False)

    def get_search_results(self, request: HttpRequest, queryset: Any, search_term: str) -> Any:
        """A whole code finds its voucher; a part of one finds nothing."""
        if code := issuing.parse(search_term):
            return queryset.filter(code=code), False
        return super().get_search_results(request, queryset, search_term)

    @admin.display(description=_("code"))
    def ending(self, one: Voucher) -> str:
        return codes.masked(one.code)

    @admin.display(description=_("member"))
    def holder(self, one: Voucher) -> str:
        return self.held(one, "member__holder")

    def prepare(self, rows: Any) -> None:
        self.name_members(rows, "member__holder")
        currency = terms.current(timezone.now()).currency
        for one in rows:
            one.currency = currency

    @admin.display(description=_("value"))
    def gives(self, one: Voucher) -> str | None:
        if one.type == Voucher.Type.PERCENT:
            return f"{quantity(one.value)} %"
        return money.text(one.value, currency_of(one)) if one.value else None

    @admin.display(description=_("last day"), ordering="valid_until")
    def until(self, one: Voucher) -> str:
        return last_day(one.valid_until)

    @admin.display(description=_("uses left"))
    def uses_left(self, one: Voucher) -> str:
        if one.remaining is not None:
            amounts = {"left": money.text(one.remaining, currency_of(one)), "all": money.text(one.value, currency_of(one))}
            return _("%(left)s of %(all)s") % amounts
        return _("%(left)s of %(all)s") % {"left": one.uses - one.used, "all": one.uses}

    @display(description=_("state"), label=LOOKS)
    def condition(self, one: Voucher) -> Any:
        state = issuing.status(one, timezone.now())
        return state, STATES[state]

    @admin.display(description=_("state"))
    def stands(self, one: Voucher) -> str:
        return str(STATES[issuing.status(one, timezone.now())])
