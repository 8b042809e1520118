"""Receipts from a file: judged first, then written; what is wrong comes back to be mended."""

import io
import threading
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connections, transaction

from campaigns import importing
from campaigns.models import Purchase
from loyalty import posting
from loyalty.csvfiles import Load, Report
from members.models import Member
from tests.committing import Database
from tests.factories import StoreFactory, member

HEAD = "source,receipt_number,store,member,occurred_at,currency,line_id,net_amount\n"


def row(of: Member, number: str = "R1", **given: str) -> str:
    fields = {"at": "2026-06-01T10:00:00Z", "line": "1", "amount": "5.00"} | given
    return f"t,{number},S1,{of.pk},{fields['at']},EUR,{fields['line']},{fields['amount']}\n"


def load(file: Path, text: str, **options: Any) -> Report:
    file.write_text(text)
    return Load(file, importing.LAYOUT, importing.parse, importing.judging(), importing.write, **options).run()


def counts(report: Report) -> tuple[int, int, int]:
    return report.new, report.known, report.bad


@pytest.mark.django_db
def test_a_file_is_written_once_however_often_it_is_loaded(tmp_path: Path) -> None:
    StoreFactory.create()
    one = member()
    text = HEAD + row(one) + row(one, line="2") + row(one, "R2")
    assert counts(load(tmp_path / "r.csv", text, dry_run=True)) == (2, 0, 0)
    assert Purchase.objects.count() == 0
    assert counts(load(tmp_path / "r.csv", text, batch=1)) == (2, 0, 0)
    assert counts(load(tmp_path / "r.csv", text)) == (0, 2, 0)
    assert Purchase.objects.count() == 2


@pytest.mark.django_db
@pytest.mark.parametrize(
    "wrong",
    [
        {"amount": "12,99"},
        {"amount": "5.00,"},
        {"number": "R0", "amount": "6.00"},
        {"at": "0001-01-01T00:00:00+01:00"},
        {"at": "1780308000"},
        {"amount": "1e1"},
        {"amount": "-1.00"},
    ],
)
def test_a_bad_record_keeps_the_file_out_or_is_skipped(tmp_path: Path, wrong: dict[str, str]) -> None:
    StoreFactory.create()
    one = member()
    text = HEAD + row(one, "R0") + row(one, "R2") + row(one, **wrong)
    report = load(tmp_path / "r.csv", text, batch=2)
    assert (counts(report), report.written, Purchase.objects.count()) == ((2, 0, 1), False, 0)
    assert (tmp_path / "r.errors.csv").read_text().splitlines()[1].startswith("4,")
    report = load(tmp_path / "r.csv", text, batch=2, skip_bad=True)
    assert (counts(report), report.written, Purchase.objects.count()) == ((2, 0, 1), True, 2)


@pytest.mark.django_db
def test_a_row_that_is_too_short_and_a_sum_that_is_too_large_are_bad(tmp_path: Path) -> None:
    StoreFactory.create()
    one = member()
    short = row(one, "R1").rpartition(",")[0] + "\n"
    huge = "".join(row(one, "R2", line=str(i), amount="600000000") for i in range(2))
    assert counts(load(tmp_path / "r.csv", HEAD + short + huge, skip_bad=True)) == (0, 0, 2)


@pytest.mark.django_db
def test_an_error_file_is_mended_and_loaded_again(tmp_path: Path) -> None:
    StoreFactory.create()
    one = member()
    errors = load(tmp_path / "r.csv", HEAD + row(one, amount="-1.00") + row(one, line="2")).error_file
    assert errors
    mended = errors.read_text().replace("-1.00", "1.00")
    assert counts(load(tmp_path / "mended.csv", mended)) == (1, 0, 0)
    load(tmp_path / "r.csv", HEAD + row(one, "R2"))
    assert not errors.exists()


@pytest.mark.django_db
def test_the_command_says_what_it_did(tmp_path: Path) -> None:
    StoreFactory.create()
    file, said = tmp_path / "r.csv", io.StringIO()
    file.write_text(HEAD + row(member()) + "t\n")
    with pytest.raises(CommandError):
        call_command("import_purchases", str(file), stdout=said, stderr=io.StringIO())
    assert "Receipts: 1 would be new, 0 known already, 1 bad." in said.getvalue()
    call_command("import_purchases", str(file), skip_bad=True, stdout=said, stderr=io.StringIO())
    assert "Receipts: 1 new, 0 known already, 1 bad." in said.getvalue()


def test_tills_go_on_while_a_file_is_judged_and_between_its_batches(committing_db: Database, tmp_path: Path) -> None:
    StoreFactory.create()
    one = member()
    locked: list[bool] = []

    def lock() -> None:
        with transaction.atomic():
            posting.lock([one.holder])
        locked.append(True)
        connections.close_all()

    def progress(_records: int, _share: float) -> None:
        till = threading.Thread(target=lock)
        till.start()
        till.join()

    load(tmp_path / "r.csv", HEAD + row(one, "R1") + row(one, "R2"), batch=1, progress=progress)
    assert len(locked) == 4  # after each batch, judged and written
