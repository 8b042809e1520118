"""Balances of another system: brought along once, each as a lot, however often and however badly the run ends."""

import csv
import hashlib
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from io import StringIO
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from config.onebox.programs import BASE
from loyalty import posting, publishing, queries, terms, verifying
from loyalty.acts import Burn
from loyalty.models import AuditRecord, JournalEntry, Lot, Posting
from loyalty.notice import Approval
from members.access import EARN_ONLY_CARD
from members.models import Card, Member
from tests.committing import Database
from tests.config.households import wait_for
from tests.factories import ApplicationFactory, StoreFactory, give, member, members

HEAD = ("id", "member", "points", "expires_at", "earned_at", "available_at", "store", "reference")
FAR = "2099-12-31"


def row(id_: str, of: Member | str, points: object = 100, expires_at: str = FAR, **given: str) -> dict[str, str]:
    reference = of if isinstance(of, str) else str(of.pk)
    return {"id": id_, "member": reference, "points": str(points), "expires_at": expires_at, **given}


def write(file: Path, rows: Sequence[dict[str, str]]) -> Path:
    with file.open("w", newline="") as out:
        lines = csv.DictWriter(out, HEAD, restval="")
        lines.writeheader()
        lines.writerows(rows)
    return file


def run(file: Path, **options: Any) -> str:
    """What the command says; also when it ends with an error."""
    said = StringIO()
    try:
        call_command("import_balances", str(file), stdout=said, stderr=StringIO(), **options)
    except CommandError as error:
        said.write(str(error))
    return said.getvalue()


def errors(file: Path) -> dict[int, str]:
    """Field and reason of each bad row, by its line."""
    with file.with_name(f"{file.stem}.errors.csv").open(newline="") as found:
        return {int(line): f"{name}, {reason}" for line, name, reason, *_row in list(csv.reader(found))[1:]}


def adds_up() -> bool:
    return [finding.bad_row for finding in verifying.verify() if finding.bad_row] == []


@pytest.mark.django_db
def test_each_row_becomes_a_lot_with_its_own_dates_and_is_brought_once(tmp_path: Path) -> None:
    store = StoreFactory.create()
    one, other = member(external_id="E7"), member()
    card = Card.objects.get(member=other).number
    rows = [
        row("a", one, 300, "2099-06-30", earned_at="2024-02-29", store="S1", reference="slip 12"),
        row("b", "external:E7", 40, "2098-01-01T00:00:00+01:00", available_at="2098-01-01T00:00:00+02:00"),
        row("c", card, 2, "Never"),
        row("d", card, 1, ""),
    ]
    file = write(tmp_path / "b.csv", rows)
    for options, wanted in (({"dry_run": True}, 0), ({}, 4), ({}, 4)):
        run(file, **options)
        assert Posting.objects.count() == wanted
    contract = terms.current(timezone.now())
    lots = list(Lot.objects.order_by("id").values_list("points", "expires_at", "store"))
    entry = JournalEntry.objects.get(key="opening:a")
    today = contract.ends(Posting.objects.latest("id").occurred_at)
    assert lots == [
        (300, datetime(2099, 6, 30, 22, tzinfo=UTC), store.pk),  # midnight in Paris
        (40, datetime(2097, 12, 31, 23, tzinfo=UTC), None),
        (2, None, None),
        (1, today, None),
    ]
    assert [(line.kind, line.contra, line.reference) for line in Posting.objects.filter(entry=entry)] == [
        ("import", "opening", "slip 12")
    ]
    assert (entry.reason, entry.terms_id, entry.actor) == ("opening", contract.id, None)
    assert Lot.objects.get(points=300).earned_at == datetime(2024, 2, 28, 23, tzinfo=UTC)
    assert queries.balances([one.holder], timezone.now())[one.holder] == queries.Balance(340, 300, 40, 0)
    assert adds_up()


@pytest.mark.django_db
def test_older_points_are_spent_first_of_those_that_end_together(tmp_path: Path) -> None:
    one = member()
    run(write(tmp_path / "c.csv", [row("new", one, 10), row("old", one, 20, earned_at="2020-01-01")]))
    burn = Burn(key="b", holder=one.holder, points=20, occurred_at=timezone.now())
    posting.burn([burn], now=timezone.now())
    assert [(lot.points, lot.earned_at.year >= 2026) for lot in queries.open_lots(one.holder, timezone.now())] == [(10, True)]


@pytest.mark.django_db
def test_under_inactivity_bringing_points_is_an_act(tmp_path: Path) -> None:
    started, owner = timezone.now() - timedelta(days=400), uuid4()
    version = publishing.draft({"expiry": "inactivity", "expiry_months": 6}, actor=owner).version
    seen = publishing.review(version, now=started)
    publishing.publish(version, actor=owner, approval=Approval(uuid4(), seen.fingerprint), now=started)
    one = member()
    run(write(tmp_path / "b.csv", [row("a", one, 10, ""), row("b", one, 5, "never"), row("c", one, 1)]))
    contract = terms.current(timezone.now())
    end = contract.alive_until(Posting.objects.latest("id").occurred_at)
    assert end
    held = [queries.balances([one.holder], at)[one.holder].available for at in (end - timedelta(seconds=1), end)]
    assert held == [16, 1]


@pytest.mark.django_db
def test_the_last_lines_give_the_sum_to_compare_and_the_trail_keeps_it(tmp_path: Path) -> None:
    one, other = member(), member()
    first = [row("a", one, 12_000), row("b", one, 345)]
    file = write(tmp_path / "b.csv", first)
    assert "Balances: 2 would be new, 0 known already, 0 bad.\n12,345 points for 1 members; 12,345 of them would be new." in run(
        file, dry_run=True
    )
    assert not AuditRecord.objects.filter(verb__startswith="balances").exists()
    assert "Balances: 2 new, 0 known already, 0 bad.\n12,345 points for 1 members; 12,345 of them new.\n" in run(file)
    file = write(tmp_path / "b.csv", [*first, row("c", other, 5)])
    assert "Balances: 1 new, 2 known already, 0 bad.\n12,350 points for 2 members; 5 of them new.\n" in run(file)
    digest = hashlib.sha256(file.read_bytes()).hexdigest()
    begun, ended = AuditRecord.objects.filter(changes__file=digest).order_by("number")
    assert (begun.verb, begun.actor, ended.verb, ended.actor) == ("balances.import_begun", None, "balances.imported", None)
    assert ended.changes == {
        "file": digest, "new": 1, "known": 2, "bad": 0, "points": 5, "points_in_all": 12_350, "members": 2,
    }  # fmt: skip


def wrong_rows(one: Member, blocked: Member) -> list[tuple[dict[str, str], str]]:
    past, soon = timezone.now() - timedelta(days=2), timezone.now() + timedelta(days=2)
    return [
        (row("1", "nobody"), "member, No member has the card or id nobody."),
        (row("2", blocked), "member, This card is blocked or closed; it earns no points."),
        (row("3", one, 0), "points, Write a whole number of points from 1 to 100000000, in digits alone."),
        (row("4", one, "1_0"), "points, Write a whole number"),
        (row("5", one, "12.0"), "points, Write a whole number"),
        (row("6", one, 100_000_001), "points, Write a whole number"),
        (row("7", one, expires_at=past.date().isoformat()), "expires_at, These points have expired already"),
        (row("8", one, expires_at=past.isoformat()[:19] + "Z"), "expires_at, These points have expired already"),
        (row("9", one, expires_at="2099-02-30"), "expires_at, Write a day, such as 2026-12-31, or a moment"),
        (row("10", one, expires_at="31/12/2099"), "expires_at, Write a day"),
        (row("11", one, expires_at="9999-12-31"), "expires_at, Write never for points that do not end."),
        (row("12", one, earned_at=soon.date().isoformat()), "earned_at, The points cannot have been earned in the future."),
        (row("13", one, earned_at="1969-01-01"), "earned_at, Give a moment between 1970 and 2200."),
        (row("14", one, expires_at="2090-01-01", available_at="2090-01-02"), "available_at, The points would expire before"),
        (row("15", one, store="S9"), "store, There is no store S9."),
        (row("a@example.com", one), "id, Write no e-mail address here"),
        (row("16", one, reference="for a@example.com"), "reference, Write no e-mail address here"),
        (row("known", one, 101), "id, This id was used for another balance."),
        (row("known", one, reference="slip"), "id, This id was used for another balance."),
        (row("good", one, 7), "id, This id was used for another balance."),
        (row("", one), "id, Field required"),
    ]


@pytest.mark.django_db
def test_bad_rows_are_named_and_keep_the_file_out_or_are_left_out(tmp_path: Path) -> None:
    one, blocked = member(), member()
    run(write(tmp_path / "first.csv", [row("known", one)]))
    Member.objects.filter(pk=blocked.pk).update(status=Member.Status.BLOCKED)
    wrong = wrong_rows(one, blocked)
    file = write(tmp_path / "b.csv", [row("good", one), row("known", one), *(each for each, _reason in wrong)])
    assert f"1 would be new, 1 known already, {len(wrong)} bad" in run(file)
    assert Posting.objects.count() == 1
    found = errors(file)
    assert sorted(found) == list(range(4, 4 + len(wrong)))
    for line, (_row, reason) in enumerate(wrong, start=4):
        assert found[line].startswith(reason)
    assert "200 points for 1 members; 100 of them new." in run(file, skip_bad=True)
    assert Posting.objects.count() == 2


@pytest.mark.django_db
def test_what_stands_is_known_whatever_would_refuse_it_today(tmp_path: Path) -> None:
    one = member()
    file = write(tmp_path / "b.csv", [row("a", one)])
    run(file)
    Member.objects.filter(pk=one.pk).update(status=Member.Status.CLOSED)
    assert "0 new, 1 known already, 0 bad" in run(file)
    assert "0 new, 1 known already, 0 bad" in run(write(file, [row("a", Card.objects.get(member=one).number)]))


@pytest.mark.django_db
def test_a_batch_costs_the_same_statements_for_20_rows_and_2000(tmp_path: Path) -> None:
    people = members(ApplicationFactory.build_batch(20))

    def statements(count: int) -> int:
        file = write(tmp_path / f"{count}.csv", [row(f"{count}-{n}", people[n % 20], 1) for n in range(count)])
        with CaptureQueriesContext(connection) as made:
            assert f"{count:,} new" in run(file)
        return len(made)

    of_20, of_1000, of_2000 = statements(20), statements(1000), statements(2000)
    assert of_1000 == of_20  # one batch
    assert of_2000 - of_1000 < of_1000 < 40  # a second one, without what a run costs
    assert adds_up()


def others() -> int:
    """How many other sessions the database has."""
    with connection.cursor() as cursor:
        cursor.execute("select count(*) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()")
        return int(cursor.fetchone()[0])


def test_a_run_that_is_killed_half_way_is_simply_repeated(committing_db: Database, tmp_path: Path) -> None:
    people = members(ApplicationFactory.build_batch(50))
    rows = [row(f"k{n}", people[n % 50], 1 + n % 7, earned_at="2025-01-01") for n in range(8000)]
    file = write(tmp_path / "b.csv", rows)
    env = {name: value for name, value in os.environ.items() if name != "DJANGO_SETTINGS_MODULE"}
    env |= {"DATABASE_URL": committing_db.url(), "SECRET_KEY": "of this test"}
    command = [sys.executable, "manage.py", "import_balances", str(file)]
    child = subprocess.Popen(command, cwd=BASE, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        wait_for(lambda: Posting.objects.exists() or child.poll() is not None, within=60)
    finally:
        child.send_signal(signal.SIGKILL)
        child.wait()
    wait_for(lambda: others() == 0)  # a commit that was under way has come to its end
    written = Posting.objects.count()
    assert 0 < written < len(rows)
    assert written % 1000 == 0  # a batch whole or not at all
    [begun] = AuditRecord.objects.filter(verb__startswith="balances")
    assert begun.verb == "balances.import_begun"
    total = sum(int(one["points"]) for one in rows)
    assert f"{8000 - written:,} new, {written:,} known already, 0 bad.\n{total:,} points for 50 members;" in run(file)
    assert Posting.objects.count() == len(rows)
    held = queries.balances([one.holder for one in people], timezone.now())
    assert sum(one.balance for one in held.values()) == total
    assert adds_up()


@pytest.mark.django_db
def test_the_member_reads_where_the_points_come_from_and_when_they_end(tmp_path: Path) -> None:
    one = member()
    give(one.holder, 5, at=timezone.now() - timedelta(days=1))
    run(write(tmp_path / "b.csv", [row("a", one, 1234, "2030-06-30", earned_at="2024-05-01")]))
    client = Client()
    session = client.session
    session[EARN_ONLY_CARD] = str(one.pk)
    session.save()
    entry = JournalEntry.objects.get(key="opening:a").pk
    for address in ("/history/", "/history/?show=earned"):
        assert "Brought along from the old card" in client.get(address).content.decode()
    assert "Brought along" not in client.get("/history/?show=used").content.decode()
    answer = client.get(f"/history/{entry}/")
    page = answer.content.decode()
    assert "Brought along from the old card" in page
    assert (answer.context["expires_on"], answer.context["line"]["points"]) == (date(2030, 6, 30), 1234)
    assert "2030" in page
    assert "1,239" in page
    assert date(2030, 6, 30) in [day["on"] for day in client.get("/card/expiry/").context["months"]]
