"""Tiers that staff set by hand; one that lifts a member has two buttons for a second person."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy
from unfold.decorators import display
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminSingleDateWidget, UnfoldAdminTextInputWidget

from loyalty import auditing
from loyalty.admin.writing import VerbForm, Written
from loyalty.columns import instant, last_day, moment
from loyalty.problems import Problem
from members import overriding, wording
from members.models import TierOverride
from members.queries import tier_tables
from members.tiers import in_force


class OverrideForm(VerbForm):
    tier = forms.ChoiceField(label=capfirst(_("tier")), widget=UnfoldAdminSelectWidget)
    until = forms.DateField(
        label=capfirst(_("last day")), widget=UnfoldAdminSingleDateWidget, help_text=_("The tier is theirs until the end of it.")
    )
    why = forms.CharField(
        label=capfirst(_("reason")), max_length=overriding.WHY_MAX, widget=UnfoldAdminTextInputWidget,
        help_text=_("For colleagues and auditors; the member does not see it."),
    )  # fmt: skip

    class Meta:
        model = TierOverride
        fields = ("member",)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        table = in_force(tier_tables(), timezone.now())
        choices = [(one.code, wording.called(one)) for one in table.levels] if table else []
        if "tier" in self.fields:
            self.fields["tier"].choices = choices  # type: ignore[attr-defined]

    def write(self) -> TierOverride:
        said = self.cleaned_data
        return overriding.write(
            said["member"].pk, said["tier"], last=said["until"], why=said["why"], actor=self.actor, now=timezone.now()
        )


LOOKS: Any = {"waiting": "warning", "in_force": "success", "refused": "danger"}
STATES = {"waiting": pgettext_lazy("approval", "waiting"), "in_force": _("set"), "refused": pgettext_lazy("decision", "refused")}


@admin.register(TierOverride)
class OverrideAdmin(Written):
    """Tiers set by hand; one that lifts a member has two buttons for a second person."""

    scope = "member__home_store"
    form = OverrideForm
    change_form_template = "admin/members/tieroverride/change_form.html"
    list_display = ("member", "named", "condition", "last", "asked")
    list_select_related = ("member",)
    autocomplete_fields = ("member",)
    ordering = ("-id",)
    export_columns = ("id", "member__id", "tier", "until", "asked_at", "applied_at", "refused_at")
    readonly_fields = ("named", "last", "asked", "asker", "approver", "stands")
    asked = instant("asked_at", _("written"))

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        if obj is None:
            return [(None, {"fields": ("member", "tier", "until", "why")})]
        return [(None, {"fields": ("member", "named", "last", "why", "stands", "asked", "asker", "approver")})]

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def response_add(self, request: HttpRequest, obj: TierOverride, post_url_continue: str | None = None) -> HttpResponse:
        waits = _("Saved. It lifts the member, so a second person has to agree first.")
        messages.success(request, waits if overriding.is_waiting(obj) else _("Saved. The member has this tier now."))
        return redirect(_address(obj))

    def render_change_form(self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any) -> HttpResponse:
        obj = kwargs.get("obj")
        context["decides"] = bool(obj and overriding.is_waiting(obj) and self._may_decide(request, obj))
        response: HttpResponse = super().render_change_form(request, context, *args, **kwargs)
        return response

    def get_urls(self) -> list[URLPattern]:
        decide = path(
            "<uuid:override>/decide/<slug:decision>/",
            self.admin_site.admin_view(self.decide_view),
            name="members_tieroverride_decide",
        )
        return [decide, *super().get_urls()]

    def decide_view(self, request: HttpRequest, override: UUID, decision: str) -> HttpResponse:
        found = self.get_queryset(request).filter(pk=override).first()
        if found is None or decision not in ("approve", "refuse"):
            raise Http404
        if request.method != "POST" or not request.user.has_perm("members.approve_tieroverride"):
            raise PermissionDenied
        try:
            overriding.decide(override, approved=decision == "approve", by=auditing.actor_of(request), now=timezone.now())
        except Problem as problem:
            messages.error(request, problem.detail)
        else:
            messages.success(request, _("Approved.") if decision == "approve" else _("Refused."))
        return redirect(_address(found))

    def _may_decide(self, request: HttpRequest, obj: TierOverride) -> bool:
        return request.user.has_perm("members.approve_tieroverride") and auditing.actor_of(request) != obj.asked_by

    def prepare(self, rows: Sequence[Any]) -> None:
        table = in_force(tier_tables(), timezone.now())
        for one in rows:
            one.level = table.level(one.tier) if table else None

    @admin.display(description=_("tier"), ordering="tier")
    def named(self, one: Any) -> str:
        if not hasattr(one, "level"):
            self.prepare([one])
        return wording.called(one.level) if one.level else one.tier

    @admin.display(description=_("last day"), ordering="until")
    def last(self, one: TierOverride) -> str:
        return last_day(one.until)

    @display(description=_("state"), label=LOOKS)
    def condition(self, one: TierOverride) -> Any:
        state = _state(one)
        return state, STATES[state]

    @admin.display(description=_("state"))
    def stands(self, one: TierOverride) -> str:
        said = moment(one.applied_at or one.refused_at)
        return f"{STATES[_state(one)]} {said or ''}".strip()

    @admin.display(description=_("written by"))
    def asker(self, one: TierOverride) -> str:
        return self.house.staff([one.asked_by]).get(one.asked_by, "")

    @admin.display(description=_("approved by"))
    def approver(self, one: TierOverride) -> str:
        return self.house.staff([one.approved_by]).get(one.approved_by, "") if one.approved_by else ""


def _state(one: TierOverride) -> str:
    return "waiting" if overriding.is_waiting(one) else "in_force" if one.applied_at else "refused"


def _address(one: TierOverride) -> str:
    return reverse("admin:members_tieroverride_change", args=[one.pk])
