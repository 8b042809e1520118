"""Stores, which staff open and change."""

import zoneinfo

from django import forms
from django.conf import settings
from django.contrib import admin
from django.db.models import Model
from django.http import HttpRequest
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminSelect2Widget

from loyalty.backoffice import Backoffice
from loyalty.columns import instant
from loyalty.models import Store

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
