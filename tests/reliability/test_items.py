"""The last item, code and voucher go out once (T3, quick tier)."""

import secrets

import pytest

from tests.reliability import items

TRIALS = 20


@pytest.mark.timeout(900)
@pytest.mark.usefixtures("committing_db")
def test_nothing_is_given_out_twice() -> None:
    seed = secrets.randbelow(1 << 32)
    print(f"python -m tests.reliability items --trials {TRIALS} --seed {seed}")
    items.play(f"{seed}.0", TRIALS)
