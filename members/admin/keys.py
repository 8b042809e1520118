"""API keys: made here and shown once; never changed, only revoked."""

from typing import Any
from uuid import UUID

from django import forms
from django.contrib import admin, messages
from django.db.models import Model, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils import timezone
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy
from unfold.decorators import display
from unfold.widgets import UnfoldAdminCheckboxSelectMultipleWidget

from loyalty import auditing, limits
from loyalty.backoffice import Backoffice, Scope
from loyalty.columns import instant
from loyalty.problems import Problem
from members import access, staffing, trusting
from members.models import ApiKey

SCOPES = [
    ("pos", _("pos: give and take points at a till")),
    ("read", _("read: members, balances, statements, contacts masked")),
    ("adjust", _("adjust: correct balances")),
    ("configure", _("configure: stores, rules, and members with their contacts")),
    ("partner", _("partner: exchange points")),
]
# Where the session holds a key from when it is made until it is shown.
MADE = "key_made"
WORDS = {"live": _("live"), "ended": _("ended"), "revoked": pgettext_lazy("state", "revoked")}
LOOKS: Any = {"live": "success", "ended": "default", "revoked": "danger"}


class KeyForm(forms.ModelForm[ApiKey]):
    scopes = forms.MultipleChoiceField(label=capfirst(_("may")), choices=SCOPES, widget=UnfoldAdminCheckboxSelectMultipleWidget)

    class Meta:
        model = ApiKey
        fields = ("name", "scopes", "store", "expires_at")
        help_texts = {"expires_at": _("In the time zone of the programme. Leave it empty for no end.")}


@admin.register(ApiKey)
class KeyAdmin(Backoffice):
    scope = Scope.HEAD_OFFICE
    form = KeyForm
    fields = ("name", "scopes", "store", "expires_at")
    list_display = ("name", "may", "store", "state", "made", "ends", "used")
    list_filter = (("revoked_at", admin.EmptyFieldListFilter), "store")
    list_select_related = ("store",)
    search_fields = ("name",)
    search_help_text = _("Name")
    autocomplete_fields = ("store",)
    export_columns = ("name", "may", "store__code", "created_at", "expires_at", "revoked_at", "last_used_at")
    actions = ("revoke",)
    change_form_template = "admin/members/apikey/change_form.html"
    made = instant("created_at", _("made"))
    ends = instant("expires_at", _("ends"))
    used = instant("last_used_at", _("last used"))

    def get_fieldsets(self, request: HttpRequest, obj: Model | None = None) -> Any:
        seen = ("name", "may", "store", "condition", "granting", "made", "maker", "ends", "used")
        return [(None, {"fields": seen if obj else ("name", "scopes", "store", "expires_at")})]

    def get_readonly_fields(self, request: HttpRequest, obj: Model | None = None) -> tuple[str, ...]:
        return ("name", "may", "store", "condition", "granting", "made", "maker", "ends", "used") if obj else ()

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def change_view(self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None) -> HttpResponse:
        response: HttpResponse = super().change_view(
            request,
            object_id,
            form_url,
            {"may_revoke": self.has_revoke_permission(request), "may_trust": self._may_ask(object_id)},
        )
        return response

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        store = obj.store_id
        obj.pk, obj.token = access.create_key(
            obj.name, form.cleaned_data["scopes"], store=store, expires_at=obj.expires_at, made_by=auditing.actor_of(request)
        )

    def response_add(self, request: HttpRequest, obj: ApiKey, post_url_continue: str | None = None) -> HttpResponse:
        """To a page of its own, which can be loaded again without making a second key."""
        request.session[MADE] = {"name": obj.name, "token": obj.token}  # type: ignore[attr-defined]
        return redirect("admin:members_apikey_made")

    def made_view(self, request: HttpRequest) -> HttpResponse:
        """The key itself, this once."""
        if not self.has_add_permission(request):
            raise Http404
        made = request.session.pop(MADE, None)
        if made is None:
            messages.warning(request, _("A key is shown once. If nobody copied it, revoke it and make another."))
            return redirect("admin:members_apikey_changelist")
        context = self.admin_site.each_context(request) | {"title": made["name"], "opts": self.opts, "key": made}
        return TemplateResponse(request, "admin/members/apikey/made.html", context)

    def has_revoke_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("members.change_apikey")

    def get_urls(self) -> list[URLPattern]:
        trust = path("<uuid:key>/trust/", self.admin_site.admin_view(self.trust_view), name="members_apikey_trust")
        made = path("made/", self.admin_site.admin_view(self.made_view), name="members_apikey_made")
        return [trust, made, *super().get_urls()]

    def trust_view(self, request: HttpRequest, key: UUID) -> HttpResponse:
        """Ask for a second person's trust."""
        found = self.get_queryset(request).filter(pk=key).first()
        if found is None or request.method != "POST" or not self.has_revoke_permission(request):
            raise Http404
        try:
            trusting.ask(found, by=auditing.actor_of(request), now=timezone.now())
        except Problem as problem:
            messages.error(request, problem.detail)
        else:
            messages.info(request, _("Waits for a second person."))
        return redirect("admin:members_apikey_change", key)

    def _may_ask(self, key: str) -> bool:
        """Whether the key is counted, and nobody was asked yet."""
        try:
            return trusting.standing(key, now=timezone.now()) == ""
        except Problem:
            return False

    @admin.display(description=_("made by"))
    def maker(self, key: ApiKey) -> str:
        return staffing.names([key.made_by]).get(key.made_by, "") if key.made_by else self.get_empty_value_display()

    @admin.display(description=_("points it grants"))
    def granting(self, key: ApiKey) -> Any:
        if limits.exempted([key.pk]):
            return _("not counted for purchases")
        if key.made_by and not key.revoked_at and not self._may_ask(str(key.pk)):
            return _("wait for a second person to trust the key; until then they count as granted by whoever made it")
        return _("count as granted by whoever made the key, until a second person trusts it")

    @admin.action(description=_("Revoke keys"), permissions=["revoke"])
    def revoke(self, request: HttpRequest, queryset: QuerySet[ApiKey]) -> HttpResponse | None:
        """What they open stays shut from this moment on; asked once more before."""
        keys = list(queryset.filter(revoked_at=None))
        if "confirmed" in request.POST:
            for key in keys:
                access.revoke_key(key.pk, now=timezone.now())
                self.audit(request, "revoked", key, {})
            self.message_user(request, _("Revoked: %(names)s.") % {"names": ", ".join(key.name for key in keys)})
            return None
        context = self.admin_site.each_context(request) | {"title": _("Revoke keys"), "opts": self.opts, "keys": keys}
        return TemplateResponse(request, "admin/members/apikey/revoke.html", context)

    @admin.display(description=_("may"))
    def may(self, key: ApiKey) -> str:
        return ", ".join(key.scopes)

    @display(description=_("state"), label=LOOKS)
    def state(self, key: ApiKey) -> Any:
        state = condition_of(key)
        return state, WORDS[state]

    @admin.display(description=_("state"))
    def condition(self, key: ApiKey) -> Any:
        return WORDS[condition_of(key)]


def condition_of(key: ApiKey) -> str:
    if key.revoked_at:
        return "revoked"
    return "ended" if key.expires_at and key.expires_at <= timezone.now() else "live"
