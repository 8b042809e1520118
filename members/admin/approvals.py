"""What waits for a second person, and what was decided; each leads to the page where it is looked at and decided."""

from collections.abc import Sequence
from typing import Any

from django.contrib import admin
from django.urls import NoReverseMatch, reverse
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext
from unfold.decorators import display

from loyalty.backoffice import ReadOnly, Scope
from loyalty.columns import instant
from loyalty.filters import Between
from members import staffing
from members.models import ApprovalRequest

ACTS = {"terms.publish": _("publish terms"), "rate.publish": _("publish a rule")}
LOOKS: Any = {"waiting": "warning", "approved": "success", "refused": "danger"}


@admin.register(ApprovalRequest)
class ApprovalAdmin(ReadOnly):
    scope = Scope.HEAD_OFFICE
    list_display = ("what", "condition", "asked", "asker", "decided", "decider")
    list_filter = ("decision", ("requested_at", Between))
    list_display_links = None
    ordering = ("-id",)
    search_fields = ("object_id__exact",)
    search_help_text = _("Object's id")
    export_columns = ("verb", "object_type", "object_id", "requested_at", "asker", "decision", "decided_at", "decider")
    fields = ("what", "condition_in_words", "asked", "asker", "decided", "decider", "fingerprint")
    readonly_fields = ("what", "condition_in_words", "asked", "asker", "decided", "decider")
    asked = instant("requested_at", _("asked"))
    decided = instant("decided_at", _("decided"))

    def prepare(self, rows: Sequence[Any]) -> None:
        names = staffing.names({actor for one in rows for actor in (one.requested_by, one.decided_by) if actor})
        for one in rows:
            one.names = names

    @admin.display(description=_("act"))
    def what(self, request: ApprovalRequest) -> str:
        words = ACTS.get(request.verb, request.verb)
        try:
            address = reverse(f"admin:{request.object_type.replace('.', '_')}_change", args=[request.object_id])
        except NoReverseMatch:
            return str(words)
        return format_html('<a href="{}" class="link">{}</a>', address, words)

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
