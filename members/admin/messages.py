"""What members were told, to look at."""

from typing import Any

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy
from unfold.decorators import display

from loyalty.backoffice import ReadOnly
from loyalty.columns import instant
from members import finding
from members.models import Message

WORDS = {"sent": pgettext_lazy("state", "sent"), "waiting": _("waiting"), "failed": pgettext_lazy("state", "given up")}
LOOKS: Any = {"sent": "success", "waiting": "info", "failed": "danger"}
STATES = {"sent": ~Q(sent_at=None), "waiting": Q(sent_at=None, failed_at=None), "failed": ~Q(failed_at=None)}


class State(admin.SimpleListFilter):
    title = _("state")
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return list(WORDS.items())

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(STATES.get(self.value() or "", Q()))


@admin.register(Message)
class MessageAdmin(ReadOnly):
    scope = "member__home_store"
    list_display = ("due", "told", "kind", "channel", "state", "sent")
    list_filter = ("kind", "channel", State)
    list_select_related = ("member", "user")
    date_hierarchy = "due_at"
    search_fields = ("subject_key__exact",)
    search_help_text = _("Card, e-mail or phone of the member")
    export_columns = ("due_at", "member__id", "kind", "channel", "subject_key", "sent_at", "failed_at")
    fields = ("told", "kind", "channel", "subject_key", "facts", "due_at", "tries", "sent_at", "failed_at")
    readonly_fields = ("told",)
    due = instant("due_at", _("due"))
    sent = instant("sent_at", _("sent"))

    @admin.display(description=pgettext_lazy("message", "to"))
    def told(self, message: Message) -> str:
        return str(message.member or message.user)

    @display(description=_("state"), label=LOOKS)
    def state(self, message: Message) -> Any:
        state = "sent" if message.sent_at else "failed" if message.failed_at else "waiting"
        return state, WORDS[state]

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Message], search_term: str
    ) -> tuple[QuerySet[Message], bool]:
        members = finding.identified(search_term)
        if members:
            return queryset.filter(member__in=members), False
        found: tuple[QuerySet[Message], bool] = super().get_search_results(request, queryset, search_term)
        return found
