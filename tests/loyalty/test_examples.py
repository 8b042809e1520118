"""docs/ledger.md says what the ledger does: its examples run, and its table of verbs is that of the code."""

import inspect
import re
from collections import defaultdict
from uuid import UUID

import pytest
from django.db import transaction

from loyalty import posting, verifying
from loyalty.kinds import Kind
from loyalty.models import JournalEntry, Posting
from tests.loyalty.examples import DOCUMENT, Run, blocks

pytestmark = pytest.mark.django_db
EXAMPLES = blocks()


def differences(block: str) -> list[str]:
    """Where the example is wrong; what it posted is undone."""
    with transaction.atomic():
        found = list(Run().differences(block))
        transaction.set_rollback(True)
    return found


@pytest.mark.parametrize("block", EXAMPLES, ids=range(len(EXAMPLES)))
def test_an_example_is_what_happens(block: str) -> None:
    assert list(Run().differences(block)) == []
    assert [finding.bad_row for finding in verifying.verify() if finding.bad_row] == []


@pytest.mark.parametrize("block", EXAMPLES, ids=range(len(EXAMPLES)))
def test_any_other_number_in_an_answer_is_noticed(block: str) -> None:
    numbers = [
        (answer.start() + number.start(), number[0])
        for answer in re.finditer(r"(?:→|has|holds) .*", block)
        for number in re.finditer(r"(?<![\d-])\d+(?![\d-])|(?<=-)\d+$", answer[0])
    ]
    assert numbers
    for at, number in numbers:
        wrong = f"{block[:at]}{int(number) + 1}{block[at + len(number) :]}"
        assert differences(wrong), f"{number} at {at} could as well be one more"


def table() -> dict[str, tuple[set[str], list[str], str]]:
    """Each verb with its kinds, the words of its contra accounts, and its column."""
    rows: dict[str, tuple[set[str], list[str], str]] = {}
    [text] = re.findall(r"^\| verb \|.*\n\|[-|]+\n((?:\|.*\n)+)", DOCUMENT.read_text(), re.MULTILINE)
    for row in text.splitlines():
        verbs, kinds, contra, column = (cell.strip() for cell in row.strip("|").split("|"))
        for verb in re.findall(r"`(\w+)`", verbs):
            rows[verb] = set(re.findall(r"`(\w+)`", kinds)), re.findall(r"`(\w+)`", contra), column
    return rows


def test_the_table_lists_the_verbs_that_stand_and_what_they_post() -> None:
    rows = table()
    own = {name: one for name, one in inspect.getmembers(posting, inspect.isfunction) if one.__module__ == posting.__name__}
    verbs = {name for name, one in own.items() if name[0] != "_" and "now" in inspect.signature(one).parameters}
    assert rows.keys() == verbs
    assert set().union(*(kinds for kinds, _contra, _column in rows.values())) == set(Kind.values)
    posted = bookings()
    for verb, (kinds, contra, _column) in rows.items():
        assert {kind for kind, _account in posted[verb]} == kinds
        if verb != "reverse":  # see below
            assert {account for _kind, account in posted[verb]} == set(contra)


def bookings() -> dict[str, set[tuple[str, str]]]:
    """Kind and contra account of all that each verb posts in the examples."""
    found: dict[str, set[tuple[str, str]]] = defaultdict(set)
    for block in EXAMPLES:
        with transaction.atomic():
            run = Run()
            assert list(run.differences(block)) == []
            swept = Posting.objects.filter(kind=Kind.EXPIRE).values_list("entry", flat=True)
            for verb, entry in [*run.posted, *(("expire", one) for one in swept)]:
                found[verb] |= set(Posting.objects.filter(entry=entry).values_list("kind", "contra"))
            transaction.set_rollback(True)
    return found


@pytest.mark.parametrize("block", [one for one in EXAMPLES if "reverse " in one])
def test_a_reversal_is_booked_where_its_original_was(block: str) -> None:
    assert list(Run().differences(block)) == []
    undoings = JournalEntry.objects.filter(posting__kind=Kind.REVERSE).values_list("id", "undoes")
    assert undoings
    for undoing, undone in undoings:
        assert accounts(undoing) == accounts(undone)


def accounts(entry: UUID | None) -> set[str]:
    return set(Posting.objects.filter(entry=entry).values_list("contra", flat=True))


def test_each_account_stands_in_one_column() -> None:
    columns: dict[str, set[str]] = defaultdict(set)
    for _kinds, contra, column in table().values():
        names = [one.strip().removesuffix(", negative") for one in column.split(";")]
        for account, name in zip(contra, names if len(names) == len(contra) else names * len(contra), strict=True):
            columns[account].add(name)
    assert columns
    assert [account for account, names in columns.items() if len(names) > 1] == []
