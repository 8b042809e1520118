"""Codes into their pools: every line is taken or told; nobody sees a whole code."""

from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from catalog import codes
from catalog.models import Code, CodePool
from loyalty.models import AuditRecord
from tests.staff import signed_in, text

pytestmark = pytest.mark.django_db
PAGE = "/admin/catalog/codepool/"


def pool(code: str = "CINEMA") -> CodePool:
    return CodePool.objects.create(code=code, name=code.title(), low_water=2)


def fill(client: Client, one: CodePool, listed: str = "", **given: Any) -> Any:
    return client.post(f"{PAGE}{one.pk}/fill/", {"listed": listed} | given, follow=True)


def test_codes_are_pasted_or_sent_as_a_file_and_every_line_that_was_not_taken_is_told() -> None:
    marketer, one, other = signed_in("marketer"), pool(), pool("ZOO")
    assert fill(marketer, other, "ZOO-0001\n").redirect_chain
    file = SimpleUploadedFile("codes.csv", "\ufeffCIN-0003;row\nCIN-0001;again\nZOO-0001;other\nCIN-0004;new\n".encode())
    answer = fill(marketer, one, "CIN-0001\n\n  CIN-0002  \nCIN-0001\n", file=file)
    told = [(each.line, each.ending, each.why) for each in answer.context["skipped"]]
    assert told == [
        (4, "…01", "stands on line 1 too"), (6, "…01", "stands on line 1 too"), (7, "…01", "is in the pool ZOO already"),
    ]  # fmt: skip
    assert set(one.codes.values_list("text", flat=True)) == {"CIN-0001", "CIN-0002", "CIN-0003", "CIN-0004"}
    again = fill(marketer, one, "code\nCIN-0002\n" + "x" * 121)
    assert [each.why for each in again.context["skipped"]] == ["is in this pool already", "longer than 120 characters"]
    record = AuditRecord.objects.filter(verb="codepool.filled").order_by("-id")[0]
    assert record.changes == {"code": "CINEMA", "new": 0, "skipped": 2}


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"listed": " \n"}, "There are no codes in it."),
        ({"file": SimpleUploadedFile("c.csv", "é".encode("latin-1"))}, "Save the file as UTF-8."),
    ],
)
def test_what_holds_no_codes_is_told(given: dict[str, Any], said: str) -> None:
    assert said in text(fill(signed_in("marketer"), pool(), **given))
    assert not Code.objects.exists()


def test_lists_show_the_end_of_a_code_alone_and_pools_that_run_dry() -> None:
    owner, one = signed_in("owner"), pool()
    fill(owner, one, "SECRET-CODE-7788\nSECRET-CODE-7799")
    listed = text(owner.get("/admin/catalog/code/"))
    assert "…7788" in listed
    assert "SECRET" not in listed
    exported = owner.post("/admin/catalog/code/export/", {"format": "0", "resource": "0"})
    assert "SECRET" not in text(exported)
    assert "runs dry" in text(owner.get(PAGE))
    assert codes.running_dry() == 1
    fill(owner, one, "A-1\nA-2")
    assert codes.running_dry() == 0


@pytest.mark.parametrize("role", ["manager", "finance", "support"])
def test_others_do_not_fill(role: str) -> None:
    one = pool()
    assert fill(signed_in(role), one, "A-1").status_code == 403
    assert not Code.objects.exists()
