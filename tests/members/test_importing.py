"""Members from a file, by the same door as everybody."""

from pathlib import Path
from typing import Any

import pytest

from loyalty.csvfiles import Load, Report
from members import importing
from members.models import Member
from tests.factories import member

pytestmark = pytest.mark.django_db


def load(file: Path, text: str, **options: Any) -> Report:
    file.write_text(text)
    return Load(file, importing.LAYOUT, importing.parse, importing.judging(), importing.write, **options).run()


def test_judging_foresees_what_writing_does(tmp_path: Path) -> None:
    member(email="known@example.com", external_id="E0")
    rows = ["E0,", "E1,a@example.com", "E1,", "E2,A@example.com", "E3,known@example.com", "E4,d@example.com"]
    text = "external_id,email\n" + "".join(f"{row}\n" for row in rows)
    for options in ({"dry_run": True}, {}, {"skip_bad": True}):
        report = load(tmp_path / "m.csv", text, batch=1, **options)
        assert (report.new, report.known, report.bad) == (2, 2, 2)
        assert Member.objects.count() == (3 if report.written else 1)


def test_the_line_is_where_the_record_begins(tmp_path: Path) -> None:
    text = 'external_id,given_name,birthday\n\nE1,"A\nB",1990-01-01\nE2,"A\nB",nonsense\n'
    errors = load(tmp_path / "m.csv", text).error_file
    assert errors
    assert errors.read_text().splitlines()[1].startswith("5,birthday,")
