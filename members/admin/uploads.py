"""Members from a file: every row judged first, then written whole or not at all, by the door of `import_members`."""

import tempfile
import time
from collections.abc import Iterator, Sequence
from datetime import date
from itertools import batched
from pathlib import Path
from typing import Any

from django.contrib import messages
from django.contrib.auth import get_permission_codename
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from import_export.admin import ImportMixin
from import_export.formats.base_formats import CSV, XLSX, Format
from import_export.instance_loaders import BaseInstanceLoader
from import_export.resources import Resource
from import_export.results import Error, Result, RowResult
from import_export.tmp_storages import TempFolderStorage
from pydantic import ValidationError
from tablib import Dataset
from unfold.contrib.import_export.forms import ImportForm

from loyalty import auditing
from loyalty.csvfiles import Record, check_header
from loyalty.problems import Fault, Problem, problem_of
from members import importing
from members.schemas import MemberIn

# Longer files are loaded by `manage.py import_members`, which streams them.
ROWS_MAX = 5000
BATCH = 1000
PREVIEW = 30
KEPT_SECONDS = 3600


class Uploads(TempFolderStorage):
    """Files between the look and the act, in a folder of our own; what nobody confirmed is gone within the hour."""

    @staticmethod
    def folder() -> Path:
        folder = Path(tempfile.gettempdir()) / "regulars-uploads"
        folder.mkdir(mode=0o700, exist_ok=True)
        return folder

    def save(self, data: bytes) -> None:
        for old in self.folder().iterdir():
            if old.stat().st_mtime < time.time() - KEPT_SECONDS:
                old.unlink(missing_ok=True)
        with tempfile.NamedTemporaryFile(dir=self.folder(), delete=False) as file:
            file.write(data)
            self.name = file.name

    def get_full_path(self) -> str:
        return str(self.folder() / Path(self.name).name)


class MemberRows(Resource):
    """Rows are judged and written in batches before the library asks for them one by one."""

    class Meta:
        instance_loader_class = BaseInstanceLoader
        import_id_fields = ()
        # No savepoint a row.
        use_bulk = True
        batch_size = None

    outcomes: Sequence[bool | Problem] = ()

    @classmethod
    def get_display_name(cls) -> str:
        return cls.__name__

    def get_user_visible_fields(self) -> list[Any]:
        return []

    def get_diff_headers(self) -> list[str]:
        return list(self.columns)

    @property
    def columns(self) -> tuple[str, ...]:
        return importing.LAYOUT.required + importing.LAYOUT.optional

    def before_import(self, dataset: Dataset, **kwargs: Any) -> None:
        check_header(dataset.headers or [], importing.LAYOUT)
        if len(dataset) > ROWS_MAX:
            raise Problem("limit-reached", _("The file has more than 5,000 rows. Load it with: manage.py import_members FILE"))
        rows = (Record(line, [{name: _text(value) for name, value in row.items()}]) for line, row in enumerate(dataset.dict, 2))
        self.outcomes = [outcome for batch in batched(rows, BATCH) for outcome in _load(batch)]

    def import_row(self, row: dict[str, Any], instance_loader: Any, **kwargs: Any) -> RowResult:
        number = kwargs["row_number"]
        outcome = self.outcomes[number - 1] if self.outcomes else False
        result = RowResult()
        result.row_values = row
        result.diff = [_text(row.get(name)) for name in self.columns]
        if isinstance(outcome, Problem):
            result.import_type = RowResult.IMPORT_TYPE_ERROR
            faults = outcome.faults or [Fault("", outcome.detail)]
            result.errors = [Error(fault.detail, row=fault.pointer.strip("/"), number=number + 1) for fault in faults]
        else:
            result.import_type = RowResult.IMPORT_TYPE_NEW if outcome else RowResult.IMPORT_TYPE_SKIP
        return result


class Importing(ImportMixin):
    import_export_change_list_template = "admin/import_export/change_list_import_export.html"
    import_form_class = ImportForm
    tmp_storage_class = Uploads
    skip_admin_log = True

    def get_import_resource_classes(self, request: HttpRequest) -> list[type[Resource]]:
        return [MemberRows]

    def get_import_formats(self) -> list[type[Format]]:
        return [CSV, XLSX]

    def has_import_permission(self, request: HttpRequest) -> bool:
        codename = get_permission_codename("import", self.opts)
        return request.user.has_perm(f"{self.opts.app_label}.{codename}")

    def get_import_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return {"layout": importing.LAYOUT, "preview": f":{PREVIEW}"}

    def process_result(self, result: Result, request: HttpRequest) -> HttpResponse:
        """After the act: what it did, written down; a file that no longer fits (somebody joined meanwhile) did nothing."""
        if result.has_errors():
            messages.error(request, _("Nothing was imported, since a row no longer fits. Check the file again."))
            return redirect(f"admin:{self.opts.app_label}_{self.opts.model_name}_import")
        new, known = result.totals[RowResult.IMPORT_TYPE_NEW], result.totals[RowResult.IMPORT_TYPE_SKIP]
        auditing.record(auditing.actor_of(request), "member.imported", self.opts.label_lower, "", {"new": new, "known": known})
        messages.success(request, _("%(new)s members imported, %(known)s known already.") % {"new": new, "known": known})
        return redirect(f"admin:{self.opts.app_label}_{self.opts.model_name}_changelist")


def _load(records: Sequence[Record]) -> Iterator[bool | Problem]:
    """Judge and write one batch; answers in order."""
    judged = [_judge(record) for record in records]
    answers = iter(importing.write([one for one in judged if not isinstance(one, Problem)]))
    return (one if isinstance(one, Problem) else next(answers) for one in judged)


def _judge(record: Record) -> MemberIn | Problem:
    try:
        return importing.parse(record)
    except ValidationError as error:
        return problem_of(error)
    except Problem as problem:
        return problem


def _text(value: Any) -> str:
    return "" if value is None else value.isoformat()[:10] if isinstance(value, date) else str(value)
