"""Killed under load, the house loses and doubles nothing that it acknowledged (T4, quick tier)."""

import secrets
import sys
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest
from django.utils import timezone

from campaigns.awarding import Recorded
from campaigns.models import Purchase
from campaigns.purchases import record
from loyalty import posting
from loyalty.acts import Posted
from tests.committing import Database
from tests.factories import NOW, ReceiptFactory, StoreFactory, accrual, holder, member
from tests.reliability import audit, kills
from tests.reliability.audit import Acknowledged
from tests.reliability.clients import Receipt

EACH = 5


@pytest.mark.timeout(600)
@pytest.mark.skipif(sys.platform != "linux", reason="processes are found in /proc")
def test_nothing_acknowledged_is_lost_or_doubled(tmp_path: Path) -> None:
    seed = secrets.randbelow(1 << 32)
    print(f"python -m tests.reliability.kills --postgres {EACH} --web {EACH} --worker {EACH} --seed {seed}")
    ended = kills.play(tmp_path, f"{seed}.0", dict.fromkeys(kills.KINDS, EACH), acknowledged=0, say=print)
    assert (ended.faults.lost, ended.faults.doubled) == ([], []), ended.said
    assert ended.acknowledged > 10 * EACH


def test_what_is_lost_or_doubled_is_noticed(committing_db: Database) -> None:
    StoreFactory.create()
    [taken] = record([ReceiptFactory.build(member=str(member().pk), source="kills", receipt_number="R1")], now=timezone.now())
    [posted] = posting.accrue([accrual(holder(), 10, key="1:a")], now=NOW)
    assert isinstance(taken, Recorded)
    assert isinstance(posted, Posted)
    receipt, act = Receipt("R1", str(taken.id), 18), ("1:a", str(posted.entry), 10)
    told = Acknowledged([receipt], [act], [])
    with psycopg.connect(committing_db.url(), autocommit=True) as base:
        assert not audit.look(base, told)
        assert not audit.nothing_else(base, told, seed="1", members=1)
        for wrong in (Receipt("R2", str(uuid4()), 18), Receipt("R1", str(uuid4()), 18), Receipt("R1", str(taken.id), 19)):
            assert audit.look(base, Acknowledged([wrong])).lost == [wrong.number]
        for other in (("1:b", str(uuid4()), 10), ("1:a", str(uuid4()), 10), ("1:a", str(posted.entry), 11)):
            assert audit.look(base, Acknowledged([], [other])).lost == [other[0]]
        assert audit.look(base, Acknowledged([], [], [str(uuid4())])).lost
        assert audit.look(base, Acknowledged([], [("1:a", None, 10)])).doubled == ["1:a"], "it was refused and stands"
        assert audit.nothing_else(base, Acknowledged(), seed="1", members=1).doubled
        again = Purchase.objects.get(pk=taken.id)
        again.pk = None
        again.save(force_insert=True)
        assert audit.look(base, told).doubled == ["R1"]
