"""What every list and page of the staff admin shares: who sees it, how much of it, how it counts and what it writes down.

A class says with `scope` how its rows belong to stores, and so to the staff of those stores; Django's permissions, given
by role in members.roles, say who sees and changes it. A class without `scope` fails at the first request.
"""

from collections.abc import Callable, Collection, Sequence
from datetime import datetime
from enum import Enum, auto
from functools import cached_property
from typing import Any, ClassVar

from babel.dates import format_skeleton
from django.contrib import admin
from django.contrib.admin.utils import unquote
from django.contrib.admin.views.main import ChangeList
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.db.models import ForeignKey, Model, QuerySet
from django.forms import BaseModelForm, ModelChoiceField
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.formats import number_format
from django.utils.timezone import localtime
from django.utils.translation import get_language, to_locale
from django.utils.translation import gettext as _
from unfold.admin import ModelAdmin, TabularInline

from loyalty import auditing
from loyalty.calendars import dates_of
from loyalty.exporting import Exporting
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
        counted: int = self.object_list.order_by()[: COUNTED_TO + 1].count()  # type: ignore[union-attr]
        return counted

    @property
    def is_capped(self) -> bool:
        return self.count > COUNTED_TO


class Rows(ChangeList):
    """A page of a list, with what its columns need from elsewhere."""

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        self.full_result_count = self.result_count
        self.result_list: Any = list(self.result_list)
        self.model_admin.prepare(self.result_list)

    def dates(self) -> dict[str, Any]:
        """The links of the date hierarchy, without a look at every row."""
        return dates_of(self.queryset, self.date_hierarchy, self.params, self.get_query_string)


class Backoffice(Exporting, ModelAdmin):  # type: ignore[misc]
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

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return Rows

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """What this member of staff may see; `request.stores` (members.access.stores_of) is None for every store."""
        rows: QuerySet[Any] = super().get_queryset(request)
        stores = request.stores  # type: ignore[attr-defined]
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

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def construct_change_message(self, request: HttpRequest, form: BaseModelForm[Any], formsets: Any, add: bool = False) -> Any:
        return auditing.changes_of(form, private=self.private)

    def log_addition(self, request: HttpRequest, obj: Model, message: Any) -> None:
        self.audit(request, "added", obj, message)

    def log_change(self, request: HttpRequest, obj: Model, message: Any) -> None:
        if message:
            self.audit(request, "changed", obj, message)

    def audit(self, request: HttpRequest, did: str, obj: Model, changes: dict[str, Any]) -> None:
        auditing.record(request.user.actor, f"{self.opts.model_name}.{did}", self.opts.label_lower, obj.pk, changes)  # type: ignore[union-attr]

    def history_view(self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """What staff did to this object, from the audit trail."""
        obj = self.get_object(request, unquote(object_id))
        if obj is None:
            raise Http404
        if not self.has_view_or_change_permission(request, obj):
            raise PermissionDenied
        records = list(AuditRecord.objects.filter(object_type=self.opts.label_lower, object_id=str(obj.pk))[:HISTORY_SHOWN])
        self.admin_site.get_model_admin(AuditRecord).prepare(records)
        context = self.admin_site.each_context(request) | {"title": _("History"), "opts": self.opts, "object": obj, "records": records}
        return TemplateResponse(request, "admin/history.html", context | (extra_context or {}))

    def _get_obj_does_not_exist_redirect(self, request: HttpRequest, opts: Any, object_id: str) -> HttpResponse:
        raise Http404


class ReadOnly(Backoffice):
    """Looked at, searched and exported; written by the product alone."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


class ReadOnlyInline(TabularInline):  # type: ignore[misc]
    """Rows of the page's object, to look at."""

    extra = max_num = 0
    can_delete = False
    show_title = False
    per_page = 50
    show_count = False

    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


type Column = Callable[[Any, Any], str]


def signed(number: int | None, *, plus: bool = False) -> str:
    """1,240 or −350 as the reader's language writes it, with a real minus sign; `plus` marks gains."""
    if number is None:
        return ""
    text = number_format(abs(number), force_grouping=True)
    return f"−{text}" if number < 0 else f"+{text}" if plus and number > 0 else text


def moment(instant: datetime | None) -> str:
    """15 Jun 2026, 14:03, in the zone of the programme."""
    return format_skeleton("yMMMdHm", localtime(instant), locale=to_locale(get_language() or "en")) if instant else ""


def figure(name: str, label: Any, *, plus: bool = False, ordering: str | None = None) -> Column:
    """A column of whole numbers, flush right."""

    @admin.display(description=label, ordering=ordering or name)
    def column(self: Any, row: Any) -> str:
        return signed(_follow(row, name), plus=plus)

    column.formatting = "price"  # type: ignore[attr-defined]
    return column


def instant(name: str, label: Any) -> Column:
    """A column of points in time."""

    @admin.display(description=label, ordering=name)
    def column(self: Any, row: Any) -> str:
        return moment(_follow(row, name))

    return column


def _follow(row: Any, path: str) -> Any:
    for part in path.split("__"):
        row = getattr(row, part, None)
    return row


def shown(rows: Sequence[Any], **given: Callable[[Any], Any]) -> None:
    """Set what a page's columns show on its rows."""
    for row in rows:
        for name, of in given.items():
            setattr(row, name, of(row))
