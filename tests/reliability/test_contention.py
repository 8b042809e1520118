"""The last points go out once (T3, points part, quick tier)."""

import secrets

import pytest

from tests.reliability import contention

TRIALS = 20


@pytest.mark.timeout(300)
@pytest.mark.usefixtures("committing_db")
def test_no_point_is_spent_twice() -> None:
    seed = secrets.randbelow(1 << 32)
    print(f"python -m tests.reliability points --trials {TRIALS} --seed {seed}")
    contention.play(f"{seed}.0", TRIALS)
