"""The books, to look at: postings, the acts behind them, wallets and lots. Nothing here can be written."""

from collections.abc import Collection, Sequence
from datetime import timedelta
from typing import Any

from django.contrib import admin
from django.db.models import Exists, OuterRef, QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.timezone import localtime
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import AutocompleteSelectFilter, RangeNumericFilter

from loyalty.backoffice import ReadOnly, ReadOnlyInline
from loyalty.columns import figure, instant, moment
from loyalty.filters import Happened
from loyalty.ids import made_at
from loyalty.models import JournalEntry, Lot, Posting, Wallet

TICK = timedelta(microseconds=1)
STORE = ("store", AutocompleteSelectFilter)


class Book(ReadOnly):
    """A list of the ledger. `holder_path` leads from a row to the holder of its wallet, `actor_path` to who acted."""

    holder_path = ""
    actor_path = ""

    def prepare(self, rows: Sequence[Any]) -> None:
        self.name_members(rows, self.holder_path)
        self.name_staff(rows, self.actor_path)

    def get_search_results(self, request: HttpRequest, queryset: QuerySet[Any], search_term: str) -> tuple[QuerySet[Any], bool]:
        """A card finds its member's rows; whatever else is typed goes through `search_fields`."""
        holders = self.house.holders_of(search_term) if search_term and self.holder_path else set()
        if holders:
            return queryset.filter(**{f"{self.holder_path}__in": holders}), False
        found: tuple[QuerySet[Any], bool] = super().get_search_results(request, queryset, search_term)
        return found

    @admin.display(description=_("member"))
    def member(self, row: Any) -> str:
        return self.held(row, self.holder_path)

    @admin.display(description=_("staff"))
    def staff(self, row: Any) -> str:
        return self.acted(row, self.actor_path)


@admin.register(Posting)
class PostingAdmin(Book):
    """The ledger, line by line."""

    scope = "store"
    holder_path, actor_path = "wallet__holder", "entry__actor"
    list_display = ("time", "member", "kind", "signed", "after", "store", "staff", "reason", "reference")
    list_filter = ("kind", STORE, ("occurred_at", Happened), ("points", RangeNumericFilter))
    list_select_related = ("entry", "wallet", "store")
    ordering = ("-recorded_at",)
    date_hierarchy = "recorded_at"
    search_fields = ("entry__key__exact",)
    search_help_text = _("Card, receipt number or key of an entry")
    export_columns = (
        "recorded_at", "occurred_at", "wallet__holder", "kind", "points", "balance_after", "contra", "store__code",
        "entry__reason", "reference", "entry__key",
    )  # fmt: skip
    fieldsets = (
        (None, {"fields": ("member", "kind", "signed", "after", "store", "reference", "because", "occurred_at", "recorded_at")}),
        (_("In the books"), {"fields": ("entry", "wallet", "seq", "contra", "reason", "staff", "chain")}),
    )
    readonly_fields = ("member", "signed", "after", "because", "reason", "staff", "chain")
    time = instant("occurred_at", _("time"))
    # No other order has an index to go by.
    sortable_by = ()
    signed = figure("points", _("points"), plus=True)
    after = figure("balance_after", _("balance after"))

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Posting], search_term: str
    ) -> tuple[QuerySet[Posting], bool]:
        entries = self.house.entries_of(search_term) if search_term else set()
        if entries:
            return queryset.filter(entry__in=entries), False
        return super().get_search_results(request, queryset, search_term)

    @admin.display(description=_("because"))
    def because(self, posting: Posting) -> str:
        cause = self.house.cause_of(posting.entry_id)
        return format_html('<a href="{}" class="link">{}</a>', *cause) if cause else self.get_empty_value_display()

    @admin.display(description=_("rule or reason"))
    def reason(self, posting: Posting) -> str:
        return posting.entry.reason

    @admin.display(description=_("hash"))
    def chain(self, posting: Posting) -> str:
        return bytes(posting.hash).hex()


@admin.register(Wallet)
class WalletAdmin(Book):
    scope = "posting__store"
    holder_path = "holder"
    list_display = ("holder", "member", "point_type", "points", "owed", "lines", "opened")
    list_filter = ("point_type", ("balance", RangeNumericFilter), ("deficit", RangeNumericFilter))
    ordering = ("-id",)
    search_fields = ("holder__exact",)
    search_help_text = _("Card or holder's id")
    export_columns = ("holder", "point_type", "balance", "deficit", "seq", "opened_at")
    fields = ("member", "holder", "point_type", "points", "owed", "lines", "idle_expires_at", "opened_at", "chain")
    readonly_fields = ("member", "holder", "points", "owed", "lines", "idle_expires_at", "opened_at", "chain")
    points = figure("balance", _("balance"))
    owed = figure("deficit", _("deficit"))
    lines = figure("seq", _("postings"))
    opened = instant("opened_at", _("opened"))

    def within(self, rows: QuerySet[Wallet], stores: Collection[int]) -> QuerySet[Wallet]:
        return rows.filter(Exists(Posting.objects.filter(wallet=OuterRef("pk"), store__in=stores)))

    @admin.display(description=_("chain head"))
    def chain(self, wallet: Wallet) -> str:
        return bytes(wallet.head).hex()


class Ending(admin.SimpleListFilter):
    title = _("ends")
    parameter_name = "ends"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("7", _("in 7 days")), ("30", _("in 30 days")), ("never", _("never"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        days = self.value()
        if days == "never":
            return queryset.filter(open=True, expires_at=None)
        if days in {"7", "30"}:
            now = timezone.now()
            return queryset.filter(open=True, expires_at__gt=now, expires_at__lte=now + timedelta(days=int(days)))
        return queryset


@admin.register(Lot)
class LotAdmin(Book):
    scope = "store"
    holder_path = "wallet__holder"
    list_display = ("earned", "member", "granted", "left", "usable", "last_day", "store")
    list_filter = (Ending, "open", STORE)
    list_select_related = ("wallet", "store")
    ordering = ("-id",)
    search_fields = ("wallet__holder__exact",)
    search_help_text = _("Card or holder's id")
    export_columns = ("wallet__holder", "points", "remaining", "open", "earned_at", "available_at", "expires_at", "store__code")
    fields = ("member", "wallet", "seq", "granted", "left", "earned_at", "available_at", "expires_at", "store")
    readonly_fields = ("member", "granted", "left")
    earned = instant("earned_at", _("earned"))
    usable = instant("available_at", _("usable from"))
    granted = figure("points", _("points"))
    left = figure("remaining", _("remaining"))

    @admin.display(description=_("last day"), ordering="expires_at")
    def last_day(self, lot: Lot) -> str | None:
        """Points end at the midnight after it."""
        return date_format(localtime(lot.expires_at - TICK), "SHORT_DATE_FORMAT") if lot.expires_at else None


class PostingInline(ReadOnlyInline):
    model = Posting
    fields = ("wallet", "kind", "signed", "after", "contra", "occurred_at", "store", "reference")
    readonly_fields = ("signed", "after")
    signed = figure("points", _("points"), plus=True)
    after = figure("balance_after", _("balance after"))

    def get_queryset(self, request: HttpRequest) -> QuerySet[Posting]:
        rows: QuerySet[Posting] = super().get_queryset(request).select_related("wallet", "store")
        return rows


@admin.register(JournalEntry)
class EntryAdmin(Book):
    """Business acts, each with its postings."""

    scope = "posting__store"
    actor_path = "actor"
    list_display = ("key", "time", "reason", "staff", "terms", "undoes")
    list_select_related = ("terms",)
    ordering = ("-id",)
    search_fields = ("key__exact",)
    search_help_text = _("Key of an entry")
    export_columns = ("id", "key", "actor", "reason", "terms__version", "rule_version", "undoes")
    fields = ("key", "time", "reason", "staff", "terms", "rule_version", "undoes", "id")
    readonly_fields = ("id", "time", "staff")
    inlines = (PostingInline,)

    @admin.display(description=_("time"))
    def time(self, entry: JournalEntry) -> str | None:
        return moment(made_at(entry.pk))

    def within(self, rows: QuerySet[JournalEntry], stores: Collection[int]) -> QuerySet[JournalEntry]:
        return rows.filter(Exists(Posting.objects.filter(entry=OuterRef("pk"), store__in=stores)))
