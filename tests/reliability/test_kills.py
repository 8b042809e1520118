"""Killed under load, the house loses and doubles nothing that it acknowledged (T4, quick tier)."""

import secrets
import sys
from pathlib import Path

import pytest

from tests.reliability import kills

EACH = 5


@pytest.mark.timeout(600)
@pytest.mark.skipif(sys.platform != "linux", reason="processes are found in /proc")
def test_nothing_acknowledged_is_lost_or_doubled(tmp_path: Path) -> None:
    seed = secrets.randbelow(1 << 32)
    print(f"python -m tests.reliability.kills --postgres {EACH} --web {EACH} --worker {EACH} --seed {seed}")
    ended = kills.play(tmp_path, f"{seed}.0", dict.fromkeys(kills.KINDS, EACH), acknowledged=0, say=print)
    assert ended.acknowledged > 10 * EACH
