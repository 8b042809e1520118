"""Corrections by hand, to look at: who asked, who decided, what was posted."""

from collections.abc import Sequence
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import AutocompleteSelectFilter
from unfold.decorators import display

from loyalty.backoffice import ReadOnly
from loyalty.columns import figure, instant
from loyalty.filters import Between
from members import finding, staffing
from members.models import Adjustment

Status = Adjustment.Status
LOOKS: Any = {Status.AWAITING: "warning", Status.POSTED: "success", Status.REFUSED: "danger"}


@admin.register(Adjustment)
class AdjustmentAdmin(ReadOnly):
    scope = "member__home_store"
    list_display = ("asked", "member", "signed", "reason", "store", "state", "asker", "decider")
    list_filter = ("status", "reason", ("store", AutocompleteSelectFilter), ("requested_at", Between))
    list_select_related = ("member", "store")
    date_hierarchy = "requested_at"
    ordering = ("-requested_at",)
    search_fields = ("receipt__exact",)
    search_help_text = _("Card, e-mail or phone of the member, or a receipt number")
    export_columns = (
        "requested_at",
        "member__id",
        "points",
        "reason",
        "store__code",
        "receipt",
        "status",
        "asker",
        "decider",
        "decided_at",
    )
    fields = (
        "member", "signed", "reason", "words", "note", "store", "receipt", "expires_at", "condition", "asked", "asker", "decided",
        "decider",
    )  # fmt: skip
    readonly_fields = ("signed", "condition", "asked", "asker", "decided", "decider")
    asked = instant("requested_at", _("asked"))
    decided = instant("decided_at", _("decided"))
    signed = figure("points", _("points"), plus=True)

    def prepare(self, rows: Sequence[Any]) -> None:
        names = staffing.names({actor for one in rows for actor in (one.requested_by, one.decided_by) if actor})
        for one in rows:
            one.names = names

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Adjustment], search_term: str
    ) -> tuple[QuerySet[Adjustment], bool]:
        members = finding.identified(search_term)
        if members:
            return queryset.filter(member__in=members), False
        found: tuple[QuerySet[Adjustment], bool] = super().get_search_results(request, queryset, search_term)
        return found

    @display(description=_("state"), label=LOOKS)
    def state(self, one: Adjustment) -> Any:
        return one.status, one.get_status_display()

    @admin.display(description=_("state"))
    def condition(self, one: Adjustment) -> str:
        return one.get_status_display()

    @admin.display(description=_("asked by"))
    def asker(self, one: Any) -> str:
        return self._name(one, one.requested_by)

    @admin.display(description=_("decided by"))
    def decider(self, one: Any) -> str:
        return self._name(one, one.decided_by)

    def _name(self, one: Any, actor: Any) -> str:
        if not hasattr(one, "names"):
            self.prepare([one])
        return one.names.get(actor, "") if actor else self.get_empty_value_display()
