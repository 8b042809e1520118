"""What every list and page of the staff admin shares: who sees it, how much of it, how it counts and what it writes down.

A class says with `scope` how its rows belong to stores, and so to the staff of those stores; Django's permissions, given
by role in members.roles, say who sees and changes it. A class without `scope` fails at the first request.
"""

from collections.abc import Collection, Iterable
from enum import Enum, auto
from functools import cached_property
from typing import Any, ClassVar, cast

from django.contrib import admin
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.utils import unquote
from django.contrib.admin.widgets import RelatedFieldWidgetWrapper
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.db.models import ForeignKey, Model, QuerySet
from django.forms import ModelChoiceField
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.html import format_html
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from unfold.admin import ModelAdmin, TabularInline
from unfold.views import ChangeList

from loyalty import auditing
from loyalty.calendars import dates_of
from loyalty.columns import follow
from loyalty.exporting import Exporting
from loyalty.house import House
from loyalty.models import AuditRecord

COUNTED_TO = 10_000
HISTORY_SHOWN = 100


class Scope(Enum):
    """For rows that belong to no store: of the programme, seen by all, or of the head office, not by staff of a store."""

    PROGRAMME = auto()
    HEAD_OFFICE = auto()


class CappedPaginator(Paginator[Any]):
    """Counts no further than somebody would page."""

    template_name = "admin/count.html"

    @cached_property
    def count(self) -> int:
        counted: int = cast("QuerySet[Any]", self.object_list).order_by()[: COUNTED_TO + 1].count()
        return counted

    @property
    def is_capped(self) -> bool:
        return self.count > COUNTED_TO


class Rows(ChangeList):
    """A page of a list, with what its columns need from elsewhere."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.title = capfirst(str(self.opts.verbose_name_plural))

    def get_filters(self, request: HttpRequest) -> Any:
        """An address that names no day of any calendar is one that the list does not know."""
        try:
            return super().get_filters(request)
        except (ValueError, OverflowError) as error:
            raise IncorrectLookupParameters(error) from error

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        self.full_result_count = self.result_count
        self.result_list: Any = list(self.result_list)
        cast("Backoffice", self.model_admin).prepare(self.result_list)

    def dates(self) -> dict[str, Any]:
        """The links of the date hierarchy, without a look at every row."""
        return dates_of(self.queryset, self.date_hierarchy, self.params, self.get_query_string)


class Backoffice(Exporting, ModelAdmin):
    """A list and its pages. Nothing is deleted here: books, people and staff end in other ways."""

    scope: ClassVar[str | Scope]
    # Fields of which the audit trail keeps the name alone.
    private: ClassVar[Collection[str]] = ()
    paginator = CappedPaginator
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER
    list_per_page = 50
    list_filter_submit = True
    list_fullwidth = True
    warn_unsaved_form = True
    compressed_fields = True
    empty_value_display = "–"

    @property
    def house(self) -> House:
        return cast("House", self.admin_site)

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return Rows

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """What this member of staff may see."""
        rows: QuerySet[Any] = super().get_queryset(request)
        stores = self.house.stores_of(request)
        return rows if stores is None else self.within(rows, stores)

    def within(self, rows: QuerySet[Any], stores: Collection[int]) -> QuerySet[Any]:
        """The rows that belong to these stores."""
        if isinstance(self.scope, Scope):
            return rows if self.scope is Scope.PROGRAMME else rows.none()
        return rows.filter(**{f"{self.scope}__in": stores})

    def formfield_for_foreignkey(self, db_field: ForeignKey[Any, Any], request: HttpRequest, **kwargs: Any) -> Any:
        """Nobody can choose what they cannot see."""
        field = super().formfield_for_foreignkey(db_field, request, **kwargs)
        if isinstance(field, ModelChoiceField):
            field.queryset = self.admin_site.get_model_admin(db_field.related_model).get_queryset(request)
        return field

    def name_members(self, rows: Iterable[Any], path: str) -> None:
        """Set on each row who holds the wallet at the end of `path`."""
        if path:
            holders = {id(row): follow(row, path) for row in rows}
            known = self.house.members(set(holders.values()))
            for row in rows:
                row.held_by = known.get(holders[id(row)])

    def name_staff(self, rows: Iterable[Any], path: str) -> None:
        """Set on each row which member of staff acted."""
        if path:
            known = self.house.staff({actor for row in rows if (actor := follow(row, path))})
            for row in rows:
                row.acted_by = known.get(follow(row, path), "")

    def held(self, row: Any, path: str) -> str:
        if not hasattr(row, "held_by"):
            self.name_members([row], path)
        return format_html('<a href="{}" class="link">{}</a>', *row.held_by) if row.held_by else self.get_empty_value_display()

    def acted(self, row: Any, path: str) -> str:
        if not hasattr(row, "acted_by"):
            self.name_staff([row], path)
        return row.acted_by or self.get_empty_value_display()

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        """A field that was left empty is named in what it says."""
        form = super().get_form(request, obj, change=change, **kwargs)
        for field in form.base_fields.values():
            field.error_messages["required"] = _("Fill in the field “%(label)s”.") % {"label": capfirst(str(field.label))}
        return form

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """Without the little menu that opens other pages over this one."""
        field = super().formfield_for_dbfield(db_field, request, **kwargs)
        if field and isinstance(field.widget, RelatedFieldWidgetWrapper):
            field.widget = field.widget.widget
        return field

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def construct_change_message(self, request: HttpRequest, form: Any, formsets: Any, add: bool = False) -> Any:
        return auditing.changes_of(form, private=self.private)

    def log_addition(self, request: HttpRequest, obj: Model, message: Any) -> None:  # type: ignore[override]
        self.audit(request, "added", obj, message)

    def log_change(self, request: HttpRequest, obj: Model, message: Any) -> None:  # type: ignore[override]
        if message:
            self.audit(request, "changed", obj, message)

    def audit(self, request: HttpRequest, did: str, obj: Model, changes: dict[str, Any]) -> None:
        auditing.record(auditing.actor_of(request), f"{self.opts.model_name}.{did}", self.opts.label_lower, obj.pk, changes)

    def history_view(self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """What staff did to this object, from the audit trail."""
        obj = self.get_object(request, unquote(object_id))
        if obj is None:
            raise Http404
        if not self.has_view_or_change_permission(request, obj):
            raise PermissionDenied
        page = {"title": _("Changes"), "opts": self.opts, "object": obj, "records": self._records_of(obj)}
        context = self.admin_site.each_context(request) | page | (extra_context or {})
        return TemplateResponse(request, "admin/history.html", context)

    def _records_of(self, obj: Model) -> list[AuditRecord]:
        records = list(AuditRecord.objects.filter(object_type=self.opts.label_lower, object_id=str(obj.pk))[:HISTORY_SHOWN])
        self.name_staff(records, "actor")
        for record in records:
            record.words = auditing.in_words(record.changes)  # type: ignore[attr-defined]
        return records

    def _get_obj_does_not_exist_redirect(self, request: HttpRequest, opts: Any, object_id: str) -> HttpResponse:
        raise Http404


class ReadOnly(Backoffice):
    """Looked at, searched and exported; written by the product alone, so staff leave no changes to list."""

    def render_change_form(self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any) -> HttpResponse:
        response: HttpResponse = super().render_change_form(request, context | {"show_history": False}, *args, **kwargs)
        return response

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


class ReadOnlyInline(TabularInline):
    """Rows of the page's object, to look at."""

    extra = max_num = 0
    can_delete = False
    show_title = False

    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False
