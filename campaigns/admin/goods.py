"""Goods that stand outside the programme, for staff."""

from collections.abc import Sequence
from typing import Any

from django.contrib import admin
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from campaigns import goods
from campaigns.models import ExcludedGoods
from loyalty.admin.reviewing import DraftForm, Reviewing
from loyalty.backoffice import Scope
from loyalty.columns import instant

FROZEN = ("begins", "ends", "published", "drafter", "approver", "publisher")


class GoodsForm(DraftForm):
    class Meta:
        model = ExcludedGoods
        fields = ("kind", "code")
        help_texts = {"code": _("Exactly as the tills write it.")}

    def write(self) -> ExcludedGoods:
        kind, code, now = self.cleaned_data["kind"], self.cleaned_data["code"], timezone.now()
        if self.is_new:
            return goods.draft(kind, code, since=self.starts_at(), actor=self.actor, now=now)
        return goods.revise(self.instance.pk, kind, code, since=self.starts_at(), actor=self.actor, seen=self.seen(), now=now)


@admin.register(ExcludedGoods)
class GoodsAdmin(Reviewing):
    """Goods that stand outside the programme in every store: drafted here, published and ended, never changed."""

    scope = Scope.PROGRAMME
    publication = goods.GOODS
    form = GoodsForm
    list_display = ("code", "kind", "condition", "begins", "ends")
    list_filter = ("kind", ("published_at", admin.EmptyFieldListFilter), ("until", admin.EmptyFieldListFilter))
    search_fields = ("code",)
    search_help_text = _("SKU or category")
    export_columns = ("kind", "code", "since", "until", "published_at")
    actions = ("end",)
    change_form_template = "admin/campaigns/excludedgoods/change_form.html"
    begins = instant("since", _("excluded since"))
    ends = instant("until", _("excluded until"))

    def prepare(self, rows: Sequence[Any]) -> None:
        now = timezone.now()
        for one in rows:
            one.state = goods.state(one, now=now)

    def get_fieldsets(self, request: HttpRequest, obj: Model | None = None) -> Any:
        writes = obj is None or self.has_change_permission(request, obj)
        return [(None, {"fields": ("kind", "code", "starts_on") if writes else ("kind", "code", "stands", *FROZEN)})]

    def get_readonly_fields(self, request: HttpRequest, obj: Model | None = None) -> tuple[str, ...]:
        writes = obj is None or self.has_change_permission(request, obj)
        return () if writes else ("kind", "code", "stands", *FROZEN)

    def has_end_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("campaigns.change_excludedgoods") and self._is_of_programme(request)

    def changeform_view(
        self, request: HttpRequest, object_id: str | None = None, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        more = {"may_end": self.has_end_permission(request)}
        return super().changeform_view(request, object_id, form_url, more | (extra_context or {}))

    @admin.action(description=_("Let these goods earn again"), permissions=["end"])
    def end(self, request: HttpRequest, queryset: QuerySet[ExcludedGoods]) -> HttpResponse | None:
        """From this moment on; asked once more before."""
        rows = list(queryset.filter(until=None).exclude(published_at=None))
        if "confirmed" in request.POST:
            ended = [one for one in rows if goods.end(one.pk, now=timezone.now())]
            for one in ended:
                self.audit(request, "ended", one, {"kind": one.kind, "code": one.code})
            if ended:
                self.message_user(request, _("These earn again: %(codes)s.") % {"codes": ", ".join(one.code for one in ended)})
            return None
        page = {"title": _("Let these goods earn again"), "opts": self.opts, "rows": rows}
        return TemplateResponse(request, "admin/campaigns/excludedgoods/end.html", self.admin_site.each_context(request) | page)
