"""Lists of the admin as files: CSV and XLSX, with the columns that the list's class names, and a record of who took them."""

from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django.contrib.admin.utils import label_for_field, lookup_field
from django.contrib.auth import get_permission_codename
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.utils.text import capfirst
from django.utils.timezone import localtime
from django.utils.translation import gettext as _
from import_export.admin import ExportMixin
from import_export.formats import base_formats
from tablib import Dataset
from unfold.contrib.import_export.forms import ExportForm

from loyalty import auditing

# Larger files are a matter for the worker.
ROWS_MAX = 10_000
# What a spreadsheet takes for the start of a formula (OWASP, CSV injection).
FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")


def safe(cell: Any) -> Any:
    """A text that a spreadsheet would run is led by an apostrophe; numbers stay numbers."""
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(FORMULA) else cell


class Escaped:
    """The library strips one leading = and makes text of every number."""

    def _escape_formulae(self, dataset: Dataset) -> None:
        for _row in range(len(dataset)):
            dataset.append([safe(cell) for cell in dataset.lpop()])


class Csv(Escaped, base_formats.CSV):
    pass


class Xlsx(Escaped, base_formats.XLSX):
    pass


class Exporting(ExportMixin):
    """`export_columns` are named like those of `list_display`; they give plain values, contacts masked."""

    export_form_class = ExportForm
    # With a byte order mark, so that spreadsheets read it as what it is.
    to_encoding = "utf-8-sig"
    export_columns: Sequence[str] = ()

    def get_export_formats(self) -> list[type[base_formats.Format]]:
        return [Csv, Xlsx]

    def has_export_permission(self, request: HttpRequest) -> bool:
        codename = get_permission_codename("export", self.opts)
        return bool(self.export_columns) and request.user.has_perm(f"{self.opts.app_label}.{codename}")

    def get_data_for_export(self, request: HttpRequest, queryset: QuerySet[Any], **kwargs: Any) -> Dataset:
        """The rows, written down in the audit trail. Raises ValueError, which the page shows, when there are too many."""
        rows = list(queryset[: ROWS_MAX + 1])
        if len(rows) > ROWS_MAX:
            raise ValueError(_("These are more than 10,000 rows. Narrow the list by a filter and export again."))
        self.prepare(rows)
        auditing.record(auditing.actor_of(request), "list.exported", self.opts.label_lower, "", {"rows": len(rows)})
        cells = [[plain(lookup_field(name, row, self)[2]) for name in self.export_columns] for row in rows]
        return Dataset(*cells, headers=self.export_headers())

    def export_headers(self) -> list[str]:
        return [capfirst(str(label_for_field(name, self.model, self))) for name in self.export_columns]

    def prepare(self, rows: Sequence[Any]) -> None:
        """Give the rows of one page what their columns need from elsewhere, in a constant number of statements."""

    def init_request_context_data(self, request: HttpRequest, form: Any) -> dict[str, Any]:
        context: dict[str, Any] = super().init_request_context_data(request, form)
        title = _("Export %(rows)s") % {"rows": self.opts.verbose_name_plural}
        return context | {"title": title, "fields_list": [("", self.export_headers())]}


def plain(value: Any) -> Any:
    """A cell: numbers as they are, instants in ISO 8601 with their zone."""
    if value is None:
        return ""
    if isinstance(value, datetime):
        return localtime(value).isoformat(timespec="seconds")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, bool | int | float | Decimal):
        return value
    if isinstance(value, list | tuple):
        return ", ".join(str(one) for one in value)
    return value.hex() if isinstance(value, bytes | memoryview) else str(value.pk if isinstance(value, Model) else value)
