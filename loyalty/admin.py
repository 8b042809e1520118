"""Staff pages of the ledger: stores, terms, and the books to look at. Lists that name people are registered by members."""

from collections.abc import Collection
from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import Exists, Model, OuterRef, QuerySet
from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse
from django.utils.html import format_html, format_html_join
from django.utils.timezone import now, timedelta
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import AutocompleteSelectFilter, RangeDateTimeFilter, RangeNumericFilter
from unfold.widgets import UnfoldAdminSelect2Widget

from loyalty import auditing, wording
from loyalty.backoffice import Backoffice, ReadOnly, ReadOnlyInline, Scope, figure, instant
from loyalty.models import JournalEntry, OutboxEvent, Posting, Store, TermsVersion
from loyalty.validators import TIMEZONES


class StoreForm(forms.ModelForm[Store]):
    timezone = forms.ChoiceField(
        label=_("time zone"), choices=[(name, name) for name in TIMEZONES], widget=UnfoldAdminSelect2Widget, initial="Europe/Paris"
    )

    class Meta:
        model = Store
        fields = ("code", "name", "timezone", "region", "closed_at")


@admin.register(Store)
class StoreAdmin(Backoffice):
    scope = "pk"
    form = StoreForm
    fields = ("code", "name", "timezone", "region", "closed_at")
    list_display = ("name", "code", "region", "timezone", "opened", "is_open")
    list_filter = ("region", ("closed_at", admin.EmptyFieldListFilter))
    search_fields = ("name", "code", "region")
    search_help_text = _("Name, code or region")
    export_columns = ("code", "name", "region", "timezone", "created_at", "closed_at")
    opened = instant("created_at", _("opened"))

    @admin.display(description=_("open"), boolean=True)
    def is_open(self, store: Store) -> bool:
        return store.closed_at is None

    def get_readonly_fields(self, request: HttpRequest, obj: Model | None = None) -> tuple[str, ...]:
        """Tills and receipts name a store by its code, so it stays."""
        return ("code",) if obj else ()


@admin.register(TermsVersion)
class TermsAdmin(ReadOnly):
    scope = Scope.PROGRAMME
    list_display = ("__str__", "in_words", "starts", "published")
    export_columns = ("version", "in_words", "starts_at", "published_at")
    fields = ("version", "plainly", "starts_at", "published_at", "timezone", "currency", "point_value")
    readonly_fields = ("plainly",)
    starts = instant("starts_at", _("starts"))
    published = instant("published_at", _("published"))

    @admin.display(description=_("says"))
    def in_words(self, version: TermsVersion) -> str:
        return " ".join(wording.sentences(version))

    @admin.display(description=_("says"))
    def plainly(self, version: TermsVersion) -> str:
        return format_html_join("", "<p>{}</p>", ((one,) for one in wording.sentences(version)))


@admin.register(OutboxEvent)
class OutboxAdmin(ReadOnly):
    scope = Scope.HEAD_OFFICE
    list_display = ("created", "type", "subject", "handed_on")
    list_filter = (("handled_at", admin.EmptyFieldListFilter), ("created_at", RangeDateTimeFilter))
    ordering = ("-id",)
    search_fields = ("=type",)
    search_help_text = _("Type, such as member.joined")
    export_columns = ("id", "type", "subject", "created_at", "handled_at")
    created = instant("created_at", _("created"))
    handed_on = instant("handled_at", _("handed on"))


class PostingInline(ReadOnlyInline):
    model = Posting
    fields = ("wallet", "kind", "signed", "contra", "after", "occurred_at", "store", "reference")
    readonly_fields = ("signed", "after")
    signed = figure("points", _("points"), plus=True)
    after = figure("balance_after", _("balance after"))

    def get_queryset(self, request: HttpRequest) -> QuerySet[Posting]:
        rows: QuerySet[Posting] = super().get_queryset(request).select_related("wallet", "store")
        return rows


class LedgerList(ReadOnly):
    """A list of the books. `who_holds` and `who_acted` are set on its rows where people are known (members.admin)."""

    holder_path = "holder"

    @admin.display(description=_("member"))
    def member(self, row: Any) -> str:
        return format_html('<a href="{}" class="text-link">{}</a>', *row.who_holds) if getattr(row, "who_holds", None) else "–"

    @admin.display(description=_("staff"))
    def staff(self, row: Any) -> str:
        return getattr(row, "who_acted", "")


class PostingAdmin(LedgerList):
    """The ledger, line by line."""

    scope = "store"
    holder_path = "wallet.holder"
    actor_path = "entry.actor"
    list_display = ("time", "member", "kind", "signed", "after", "store", "staff", "reason", "reference")
    list_filter = (
        "kind",
        ("store", AutocompleteSelectFilter),
        ("recorded_at", RangeDateTimeFilter),
        ("points", RangeNumericFilter),
    )  # fmt: skip
    list_select_related = ("entry", "wallet", "store")
    ordering = ("-recorded_at",)
    date_hierarchy = "recorded_at"
    search_fields = ("=entry__key",)
    search_help_text = _("Key of an entry")
    export_columns = (
        "recorded_at", "occurred_at", "wallet__holder", "kind", "points", "balance_after", "contra", "store__code",
        "entry__reason", "reference", "entry__key",
    )  # fmt: skip
    fieldsets = (
        (None, {"fields": ("member", "kind", "signed", "after", "store", "reference", "occurred_at", "recorded_at")}),
        (_("In the books"), {"fields": ("entry", "wallet", "seq", "contra", "reason", "staff", "chain")}),
    )
    readonly_fields = ("member", "signed", "after", "reason", "staff", "chain")
    time = instant("recorded_at", _("time"))
    signed = figure("points", _("points"), plus=True)
    after = figure("balance_after", _("balance after"))

    @admin.display(description=_("rule or reason"))
    def reason(self, posting: Posting) -> str:
        return posting.entry.reason

    @admin.display(description=_("hash"))
    def chain(self, posting: Posting) -> str:
        return bytes(posting.hash).hex()


class WalletAdmin(LedgerList):
    scope = "posting__store"
    list_display = ("member", "point_type", "points", "owed", "lines", "opened")
    list_display_links = ("point_type",)
    list_filter = ("point_type", ("balance", RangeNumericFilter), ("deficit", RangeNumericFilter))
    ordering = ("-id",)
    search_fields = ("=holder",)
    search_help_text = _("Holder's id")
    export_columns = ("holder", "point_type", "balance", "deficit", "seq", "opened_at")
    fields = ("member", "holder", "point_type", "points", "owed", "lines", "idle_expires_at", "opened_at", "chain")
    readonly_fields = ("member", "points", "owed", "lines", "chain", "holder", "idle_expires_at", "opened_at")
    points = figure("balance", _("balance"))
    owed = figure("deficit", _("deficit"))
    lines = figure("seq", _("postings"))
    opened = instant("opened_at", _("opened"))

    @admin.display(description=_("chain head"))
    def chain(self, wallet: Any) -> str:
        return bytes(wallet.head).hex()

    def within(self, rows: QuerySet[Any], stores: Collection[int]) -> QuerySet[Any]:
        return rows.filter(Exists(Posting.objects.filter(wallet=OuterRef("pk"), store__in=stores)))


class Ending(admin.SimpleListFilter):
    title = _("ends")
    parameter_name = "ends"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("7", _("in 7 days")), ("30", _("in 30 days")), ("never", _("never"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if self.value() == "never":
            return queryset.filter(expires_at=None)
        if self.value() in {"7", "30"}:
            return queryset.filter(open=True, expires_at__gt=now(), expires_at__lte=now() + timedelta(days=int(self.value() or 0)))
        return queryset


class LotAdmin(LedgerList):
    scope = "store"
    holder_path = "wallet.holder"
    list_display = ("earned", "member", "left", "granted", "usable", "ends", "store")
    list_filter = (Ending, "open", ("store", AutocompleteSelectFilter))
    list_select_related = ("wallet", "store")
    ordering = ("-id",)
    search_fields = ("=wallet__holder",)
    search_help_text = _("Holder's id")
    export_columns = ("wallet__holder", "points", "remaining", "open", "earned_at", "available_at", "expires_at", "store__code")
    fields = ("member", "wallet", "seq", "granted", "left", "earned_at", "available_at", "expires_at", "store")
    readonly_fields = ("member", "granted", "left")
    earned = instant("earned_at", _("earned"))
    usable = instant("available_at", _("usable from"))
    ends = instant("expires_at", _("expires"))
    granted = figure("points", _("points"))
    left = figure("remaining", _("remaining"))


class EntryAdmin(LedgerList):
    """Business acts, each with its postings."""

    scope = "posting__store"
    holder_path = ""
    actor_path = "actor"
    list_display = ("key", "reason", "staff", "terms", "undoes")
    list_select_related = ("terms",)
    ordering = ("-id",)
    search_fields = ("=key",)
    search_help_text = _("Key of an entry")
    export_columns = ("id", "key", "actor", "reason", "terms__version", "rule_version", "undoes")
    fields = ("id", "key", "reason", "staff", "terms", "rule_version", "undoes")
    readonly_fields = ("id", "staff")
    inlines = (PostingInline,)

    def within(self, rows: QuerySet[JournalEntry], stores: Collection[int]) -> QuerySet[JournalEntry]:
        return rows.filter(Exists(Posting.objects.filter(entry=OuterRef("pk"), store__in=stores)))


class AuditAdmin(LedgerList):
    """Who did what, when, and what it changed."""

    scope = Scope.HEAD_OFFICE
    holder_path = ""
    actor_path = "actor"
    list_display = ("time", "staff", "verb", "about", "effect")
    list_filter = (("at", RangeDateTimeFilter),)
    date_hierarchy = "at"
    search_fields = ("=object_id", "verb__startswith", "=object_type")
    search_help_text = _("Object's id, or what was done, such as member.changed")
    export_columns = ("at", "actor", "verb", "object_type", "object_id", "effect")
    fields = ("at", "staff", "verb", "about", "effect")
    readonly_fields = ("staff", "about", "effect")
    time = instant("at", _("time"))

    @admin.display(description=_("to"))
    def about(self, record: Any) -> str:
        try:
            address = reverse(f"admin:{record.object_type.replace('.', '_')}_change", args=[record.object_id])
        except NoReverseMatch:
            return f"{record.object_type} {record.object_id}"
        return format_html('<a href="{}" class="text-link">{} {}</a>', address, record.object_type.partition(".")[2], record.object_id[:8])

    @admin.display(description=_("changes"))
    def effect(self, record: Any) -> str:
        return auditing.in_words(record.changes)
