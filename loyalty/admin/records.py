"""What surrounds the books: the audit trail, and facts that wait to be told."""

from collections.abc import Sequence

from django.contrib import admin
from django.urls import NoReverseMatch, reverse
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _

from loyalty import auditing
from loyalty.backoffice import ReadOnly, Scope
from loyalty.columns import instant
from loyalty.filters import Between
from loyalty.models import AuditRecord, OutboxEvent

ID_SHOWN = 8


@admin.register(AuditRecord)
class AuditAdmin(ReadOnly):
    """Who did what, when, and what it changed."""

    scope = Scope.HEAD_OFFICE
    list_display = ("time", "who", "verb", "about", "effect")
    list_filter = (("at", Between),)
    date_hierarchy = "at"
    search_fields = ("object_id__exact", "verb__startswith", "object_type__exact")
    search_help_text = _("Object's id, or an act such as member.changed")
    export_columns = ("at", "who", "verb", "object_type", "object_id", "effect")
    fields = ("at", "who", "verb", "about", "effect")
    readonly_fields = ("who", "about", "effect")
    time = instant("at", _("time"))

    def prepare(self, rows: Sequence[AuditRecord]) -> None:
        self.name_staff(rows, "actor")

    @admin.display(description=_("who"))
    def who(self, record: AuditRecord) -> str:
        return self.acted(record, "actor")

    @admin.display(description=_("to"))
    def about(self, record: AuditRecord) -> str:
        kind = record.object_type.partition(".")[2]
        try:
            address = reverse(f"admin:{record.object_type.replace('.', '_')}_change", args=[record.object_id])
        except NoReverseMatch:
            return kind
        return format_html('<a href="{}" class="link">{} {}</a>', address, kind, record.object_id[:ID_SHOWN])

    @admin.display(description=_("changes"))
    def effect(self, record: AuditRecord) -> str:
        return auditing.in_words(record.changes)


@admin.register(OutboxEvent)
class OutboxAdmin(ReadOnly):
    scope = Scope.HEAD_OFFICE
    list_display = ("type", "created", "subject", "handed_on")
    list_filter = (("handled_at", admin.EmptyFieldListFilter), ("created_at", Between))
    ordering = ("-id",)
    search_fields = ("type__exact",)
    search_help_text = _("Type, such as member.joined")
    export_columns = ("id", "type", "subject", "created_at", "handled_at")
    created = instant("created_at", _("created"))
    handed_on = instant("handled_at", _("handed on"))
