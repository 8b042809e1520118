"""Goods that stand outside the programme, for staff."""

from datetime import timedelta
from typing import Any

from django import forms
from django.contrib import admin
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminSingleDateWidget

from campaigns import goods
from campaigns.models import ExcludedGoods
from loyalty import terms
from loyalty.admin.reviewing import FIRST_DAY, LAST_DAY
from loyalty.backoffice import Backoffice, Scope
from loyalty.columns import instant
from loyalty.problems import Problem


class GoodsForm(forms.ModelForm[ExcludedGoods]):
    starts_on = forms.DateField(
        label=capfirst(_("starts on")), required=False, widget=UnfoldAdminSingleDateWidget,
        validators=[MinValueValidator(FIRST_DAY), MaxValueValidator(LAST_DAY)],
        help_text=_("From this day on. Leave it empty to start at once."),
    )  # fmt: skip

    class Meta:
        model = ExcludedGoods
        fields = ("kind", "code")
        help_texts = {"code": _("Exactly as the tills write it.")}

    def _post_clean(self) -> None:
        """The verb judges and writes in one step."""
        if self.errors:
            return
        now, day = timezone.now(), self.cleaned_data["starts_on"]
        since = terms.current(now).midnight_after(day - timedelta(days=1)) if day else None
        try:
            self.instance = goods.exclude(self.cleaned_data["kind"], self.cleaned_data["code"], since=since, now=now)
        except Problem as problem:
            for fault in problem.faults:
                self.add_error("starts_on" if fault.pointer == "/since" else "code", fault.detail)

    def save(self, commit: bool = True) -> ExcludedGoods:
        return self.instance

    def save_m2m(self) -> None:
        """Nothing is left to write."""


@admin.register(ExcludedGoods)
class GoodsAdmin(Backoffice):
    """Goods that stand outside the programme in every store: added here and ended, never changed."""

    scope = Scope.PROGRAMME
    form = GoodsForm
    list_display = ("code", "kind", "begins", "ends")
    list_filter = ("kind", ("until", admin.EmptyFieldListFilter))
    search_fields = ("code",)
    search_help_text = _("SKU or category")
    export_columns = ("kind", "code", "since", "until")
    actions = ("end",)
    change_form_template = "admin/campaigns/excludedgoods/change_form.html"
    begins = instant("since", _("excluded since"))
    ends = instant("until", _("excluded until"))

    def get_fieldsets(self, request: HttpRequest, obj: Model | None = None) -> Any:
        return [(None, {"fields": ("kind", "code", "begins", "ends") if obj else ("kind", "code", "starts_on")})]

    def get_readonly_fields(self, request: HttpRequest, obj: Model | None = None) -> tuple[str, ...]:
        return ("kind", "code", "begins", "ends") if obj else ()

    def has_add_permission(self, request: HttpRequest) -> bool:
        return super().has_add_permission(request) and self._is_of_programme(request)

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_end_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("campaigns.change_excludedgoods") and self._is_of_programme(request)

    def change_view(self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None) -> HttpResponse:
        response: HttpResponse = super().change_view(request, object_id, form_url, {"may_end": self.has_end_permission(request)})
        return response

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """The form's verb has written."""

    @admin.action(description=_("Let these goods earn again"), permissions=["end"])
    def end(self, request: HttpRequest, queryset: QuerySet[ExcludedGoods]) -> HttpResponse | None:
        """From this moment on; asked once more before."""
        rows = list(queryset.filter(until=None))
        if "confirmed" in request.POST:
            ended = [one for one in rows if goods.end(one.pk, now=timezone.now())]
            for one in ended:
                self.audit(request, "ended", one, {"kind": one.kind, "code": one.code})
            if ended:
                self.message_user(request, _("These earn again: %(codes)s.") % {"codes": ", ".join(one.code for one in ended)})
            return None
        page = {"title": _("Let these goods earn again"), "opts": self.opts, "rows": rows}
        return TemplateResponse(request, "admin/campaigns/excludedgoods/end.html", self.admin_site.each_context(request) | page)

    def _is_of_programme(self, request: HttpRequest) -> bool:
        """It holds in every store: staff bound to some do not touch it."""
        return self.house.stores_of(request) is None
