"""Tills: made here with a one-time code, looked after and revoked; what a shop's tills may take offline."""

from typing import Any
from uuid import UUID

from django import forms
from django.contrib import admin, messages
from django.db.models import Model, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy
from unfold.decorators import display

from loyalty import auditing
from loyalty.backoffice import Backoffice
from loyalty.columns import instant
from loyalty.ids import uuid7
from loyalty.problems import Problem
from members import cards, devices
from members.models import Device, TillLimits

WORDS = {
    "live": _("live"), "waiting": pgettext_lazy("till", "waits for its browser"), "revoked": pgettext_lazy("state", "revoked"),
}  # fmt: skip
LOOKS: Any = {"live": "success", "waiting": "warning", "revoked": "danger"}
SEEN = ("name", "store", "condition", "made", "registered", "seen")


class DeviceForm(forms.ModelForm[Device]):
    class Meta:
        model = Device
        fields = ("name", "store")


@admin.register(Device)
class DeviceAdmin(Backoffice):
    scope = "store"
    form = DeviceForm
    list_display = ("name", "store", "state", "registered", "seen")
    list_filter = ("store", ("revoked_at", admin.EmptyFieldListFilter))
    list_select_related = ("store",)
    search_fields = ("name",)
    search_help_text = _("Name")
    autocomplete_fields = ("store",)
    export_columns = ("name", "store__code", "made_at", "registered_at", "seen_at", "revoked_at")
    actions = ("revoke",)
    change_form_template = "admin/members/device/change_form.html"
    made = instant("made_at", _("made"))
    registered = instant("registered_at", _("registered"))
    seen = instant("seen_at", _("last seen"))

    def get_fieldsets(self, request: HttpRequest, obj: Model | None = None) -> Any:
        return [(None, {"fields": SEEN if obj else ("name", "store")})]

    def get_readonly_fields(self, request: HttpRequest, obj: Model | None = None) -> tuple[str, ...]:
        """It stays in its shop: what it sold stands there."""
        return tuple(name for name in SEEN if name != "name") if obj else ()

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        return super().get_form(request, obj, change=change, **kwargs | ({"fields": ("name",)} if change else {}))

    def change_view(self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None) -> HttpResponse:
        may = {"may_bind": self.has_revoke_permission(request)}
        response: HttpResponse = super().change_view(request, object_id, form_url, may)
        return response

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        if not change:
            obj.pk, obj.made_by = uuid7(), auditing.actor_of(request)
        super().save_model(request, obj, form, change)

    def response_add(self, request: HttpRequest, obj: Device, post_url_continue: str | None = None) -> HttpResponse:
        return self._code(request, obj)

    def get_urls(self) -> list[URLPattern]:
        code = path("<uuid:device>/code/", self.admin_site.admin_view(self.code_view), name="members_device_code")
        return [code, *super().get_urls()]

    def code_view(self, request: HttpRequest, device: UUID) -> HttpResponse:
        """A new code for a browser that lost its cookie, or another one."""
        found = self.get_queryset(request).filter(pk=device).first()
        if found is None or request.method != "POST" or not self.has_revoke_permission(request):
            raise Http404
        try:
            return self._code(request, found)
        except Problem as problem:
            messages.error(request, problem.detail)
            return redirect("admin:members_device_change", device)

    def _code(self, request: HttpRequest, device: Device) -> HttpResponse:
        """The code itself, this once."""
        code = devices.new_code(device.pk, by=auditing.actor_of(request), now=timezone.now())
        given = {"title": device.name, "opts": self.opts, "device": device, "code": cards.grouped(code)}
        given["address"] = request.build_absolute_uri(reverse("till"))
        return TemplateResponse(request, "admin/members/device/code.html", self.admin_site.each_context(request) | given)

    def has_revoke_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("members.change_device")

    @admin.action(description=_("Revoke tills"), permissions=["revoke"])
    def revoke(self, request: HttpRequest, queryset: QuerySet[Device]) -> HttpResponse | None:
        """Their browsers are strangers from this moment on; asked once more before."""
        tills = list(queryset.filter(revoked_at=None))
        if "confirmed" in request.POST:
            for one in tills:
                devices.revoke(one.pk, now=timezone.now())
                self.audit(request, "revoked", one, {})
            self.message_user(request, _("Revoked: %(names)s.") % {"names": ", ".join(one.name for one in tills)})
            return None
        context = self.admin_site.each_context(request) | {"title": _("Revoke tills"), "opts": self.opts, "tills": tills}
        return TemplateResponse(request, "admin/members/device/revoke.html", context)

    @display(description=_("state"), label=LOOKS)
    def state(self, device: Device) -> Any:
        state = condition_of(device)
        return state, WORDS[state]

    @admin.display(description=_("state"))
    def condition(self, device: Device) -> Any:
        return WORDS[condition_of(device)]


@admin.register(TillLimits)
class TillLimitsAdmin(Backoffice):
    scope = "store"
    fields = ("store", "receipts", "amount", "points")
    list_display = ("store", "receipts", "amount", "points")
    list_select_related = ("store",)
    autocomplete_fields = ("store",)
    export_columns = ("store__code", "receipts", "amount", "points")

    def get_readonly_fields(self, request: HttpRequest, obj: Model | None = None) -> tuple[str, ...]:
        return ("store",) if obj else ()


def condition_of(device: Device) -> str:
    if device.revoked_at:
        return "revoked"
    return "live" if device.registered_at else "waiting"
