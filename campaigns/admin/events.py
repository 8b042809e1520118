"""What members did beside buying, with what it earned and why, to look at."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import AutocompleteSelectFilter

from campaigns import explaining
from campaigns.admin.purchases import AwardInline, steps
from campaigns.models import Event
from loyalty.backoffice import ReadOnly
from loyalty.columns import figure, instant
from loyalty.filters import Between
from members import finding

OWN = "custom:"


class Type(admin.SimpleListFilter):
    """Named one by one, so that no look at every row finds out which there are."""

    title = _("type")
    parameter_name = "type"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [*explaining.EVENTS.items(), (OWN, _("an act of your own"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if self.value() == OWN:
            return queryset.filter(type__startswith=OWN)
        return queryset.filter(type=self.value()) if self.value() in explaining.EVENTS else queryset


@admin.register(Event)
class EventAdmin(ReadOnly):
    scope = "store"
    list_display = ("what", "happened", "member", "store", "earned", "source")
    list_filter = (Type, ("store", AutocompleteSelectFilter), ("occurred_at", Between))
    list_select_related = ("member", "store")
    ordering = ("-occurred_at",)
    date_hierarchy = "occurred_at"
    search_fields = ("number__exact",)
    search_help_text = _("Event number, card or the member's number in another system")
    export_columns = (
        "id", "source", "number", "member__id", "type", "store__code", "occurred_at", "recorded_at", "points_earned",
    )  # fmt: skip
    fieldsets = (
        (_("Event"), {"fields": ("what", "number", "source", "member", "store", "occurred_at", "recorded_at", "data")}),
        (_("Points"), {"fields": ("earned", "why", "contract")}),
    )
    readonly_fields = ("what", "earned", "why", "contract")
    inlines = (AwardInline,)
    happened = instant("occurred_at", _("happened"))
    earned = figure("points_earned", _("points"), plus=True)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Event], search_term: str
    ) -> tuple[QuerySet[Event], bool]:
        """An event's number, else whose card or number it is."""
        if not search_term:
            return queryset, False
        number = search_term.replace("\0", "").strip()
        known = Event.objects.filter(number=number).exists()
        found = {"number": number} if known else {"member__in": finding.identified(search_term)}
        return queryset.filter(**found), False

    @admin.display(description=_("type"), ordering="type")
    def what(self, event: Event) -> str:
        return explaining.event_title(event.type, event.streak)

    @admin.display(description=_("because"))
    def why(self, event: Event) -> str:
        return steps(event.trace, "")

    @admin.display(description=_("under"))
    def contract(self, event: Event) -> str:
        return str(_("terms version %(version)s") % {"version": event.trace["terms"]})
