"""What waits for a second person, and what was decided; each leads to the page where it is looked at and decided."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.contrib import admin, messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import NoReverseMatch, URLPattern, path, reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext
from unfold.decorators import display

from loyalty import auditing
from loyalty.backoffice import ReadOnly, Scope
from loyalty.columns import instant
from loyalty.filters import Between
from loyalty.problems import Problem
from members import approving, deciding, staffing
from members.admin.matters import facts_of, subjects_of
from members.approving import Decision
from members.models import ApprovalRequest

LOOKS: Any = {"waiting": "warning", "approved": "success", "refused": "danger"}


@admin.register(ApprovalRequest)
class ApprovalAdmin(ReadOnly):
    scope = Scope.HEAD_OFFICE
    list_display = ("what", "subject", "condition", "asked", "asker", "decided", "decider")
    list_filter = ("decision", ("requested_at", Between))
    list_display_links = None
    ordering = ("-id",)
    search_fields = ("object_id__exact",)
    search_help_text = _("Object's id")
    export_columns = ("verb", "object_type", "object_id", "requested_at", "asker", "decision", "decided_at", "decider")
    fields = ("act", "subject", "condition_in_words", "asked", "asker", "decided", "decider", "note", "fingerprint")
    readonly_fields = ("act", "subject", "condition_in_words", "asked", "asker", "decided", "decider")
    change_form_template = "admin/members/approvalrequest/change_form.html"
    asked = instant("requested_at", _("asked"))
    decided = instant("decided_at", _("decided"))

    def prepare(self, rows: Sequence[Any]) -> None:
        names = staffing.names({actor for one in rows for actor in (one.requested_by, one.decided_by) if actor})
        objects: dict[str, set[str]] = {}
        for one in rows:
            objects.setdefault(one.verb, set()).add(one.object_id)
        called = {verb: subjects_of(verb, ids) or self.house.called(verb, ids) for verb, ids in objects.items()}
        for one in rows:
            one.names, one.called = names, called[one.verb].get(one.object_id, "")

    def get_urls(self) -> list[URLPattern]:
        decide = path("<uuid:asked>/decide/", self.admin_site.admin_view(self.decide_view), name="members_approvalrequest_decide")
        return [decide, *super().get_urls()]

    def change_view(self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None) -> HttpResponse:
        """With what it would do, and the two buttons for whoever may press them."""
        one = self.get_object(request, object_id)
        context = {} if one is None else {
            "facts": facts_of(one), "waits": not one.decision, "elsewhere": self._elsewhere(one),
            "may_decide": self._may(request, one), "is_own": approving.is_of(one, auditing.actor_of(request)),
            "hopeless": not one.decision and deciding.is_hopeless(one),
        }  # fmt: skip
        response: HttpResponse = super().change_view(request, object_id, form_url, context | (extra_context or {}))
        return response

    def decide_view(self, request: HttpRequest, asked: UUID) -> HttpResponse:
        """One of the two buttons."""
        one = self.get_queryset(request).filter(pk=asked).first()
        decision = request.POST.get("decision", "")
        if one is None or decision not in Decision.values or not self._may(request, one):
            raise Http404
        by, note = auditing.actor_of(request), request.POST.get("note", "").replace("\0", "")[:200]
        try:
            deciding.decide(one.pk, decision, by=by, note=note, now=timezone.now())
        except Problem as problem:
            messages.error(request, problem.detail)
        else:
            messages.success(request, _("Approved.") if decision == Decision.APPROVED else _("Refused."))
        return redirect("admin:members_approvalrequest_change", asked)

    def _may(self, request: HttpRequest, one: ApprovalRequest) -> bool:
        matter = deciding.MATTERS.get(one.verb)
        return matter is not None and request.user.has_perm(matter.right)

    def _elsewhere(self, one: ApprovalRequest) -> str:
        """The page of what is decided where it was drafted."""
        if one.verb in deciding.MATTERS:
            return ""
        try:
            return reverse(f"admin:{one.object_type.replace('.', '_')}_change", args=[one.object_id])
        except NoReverseMatch:
            return ""

    @admin.display(description=_("act"))
    def what(self, request: ApprovalRequest) -> str:
        address = self._elsewhere(request) or reverse("admin:members_approvalrequest_change", args=[request.pk])
        return format_html('<a href="{}" class="link">{}</a>', address, self.act(request))

    @admin.display(description=_("act"))
    def act(self, request: ApprovalRequest) -> Any:
        return str(request)

    @admin.display(description=_("what it is about"))
    def subject(self, request: Any) -> str:
        if not hasattr(request, "called"):
            self.prepare([request])
        return request.called or self.get_empty_value_display()

    @display(description=_("state"), label=LOOKS)
    def condition(self, request: ApprovalRequest) -> Any:
        return request.decision or "waiting", self.condition_in_words(request)

    @admin.display(description=_("state"))
    def condition_in_words(self, request: ApprovalRequest) -> Any:
        return request.get_decision_display() if request.decision else pgettext("approval", "waiting")

    @admin.display(description=_("asked by"))
    def asker(self, request: Any) -> str:
        return self._name(request, request.requested_by)

    @admin.display(description=_("decided by"))
    def decider(self, request: Any) -> str:
        return self._name(request, request.decided_by)

    def _name(self, request: Any, actor: Any) -> str:
        if not hasattr(request, "names"):
            self.prepare([request])
        return request.names.get(actor, "") if actor else self.get_empty_value_display()
