"""Stores, which staff open and change, and the terms, which they read."""

import zoneinfo
from datetime import UTC, datetime

from django import forms
from django.conf import settings
from django.contrib import admin
from django.db.models import Model
from django.http import HttpRequest
from django.utils.html import format_html_join
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminSelect2Widget

from loyalty import wording
from loyalty.backoffice import Backoffice, ReadOnly, Scope
from loyalty.columns import instant, moment
from loyalty.models import Store, TermsVersion

# What the first terms version carries for its start.
BEGINNING = datetime(1970, 1, 2, tzinfo=UTC)
TIMEZONES = [(name, name) for name in sorted(zoneinfo.available_timezones())]


class StoreForm(forms.ModelForm[Store]):
    timezone = forms.ChoiceField(
        label=capfirst(_("time zone")), choices=TIMEZONES, widget=UnfoldAdminSelect2Widget, initial=settings.REGULARS_TIMEZONE
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
    fields = ("version", "plainly", "starts", "published", "timezone", "currency", "point_value")
    readonly_fields = ("plainly", "starts", "published")

    @admin.display(description=_("starts"))
    def starts(self, version: TermsVersion) -> str | None:
        """The first version governs all that lies before it."""
        return moment(version.starts_at) if version.starts_at > BEGINNING else str(_("from the beginning"))

    @admin.display(description=_("published"))
    def published(self, version: TermsVersion) -> str | None:
        at = version.published_at
        return moment(at) if at is None or at > BEGINNING else str(_("from the beginning"))

    @admin.display(description=_("says"))
    def in_words(self, version: TermsVersion) -> str:
        return " ".join(wording.sentences(version))

    @admin.display(description=_("says"))
    def plainly(self, version: TermsVersion) -> str:
        return format_html_join("", "<p>{}</p>", ((one,) for one in wording.sentences(version)))
