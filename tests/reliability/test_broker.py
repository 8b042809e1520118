"""Without its broker the house goes on, and every reminder goes out once (T11, quick tier)."""

import secrets
from pathlib import Path

import pytest

from tests.committing import Database
from tests.reliability import broker

REMINDERS = 300


@pytest.mark.timeout(300)
def test_a_broker_that_is_wiped_killed_and_absent_loses_nothing(committing_db: Database, tmp_path: Path) -> None:
    seed = secrets.randbelow(1 << 32)
    print(f"python -m tests.reliability broker --reminders {REMINDERS} --seed {seed}")
    assert broker.play(f"{seed}.0", REMINDERS, committing_db, tmp_path) > broker.RECEIPTS_WITHOUT
