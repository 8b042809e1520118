"""The last points of a budget go out once (T3, quick tier)."""

import secrets

import pytest

from tests.reliability import budgets

TRIALS = 20


@pytest.mark.timeout(300)
@pytest.mark.usefixtures("committing_db")
def test_a_budget_is_given_to_the_point() -> None:
    seed = secrets.randbelow(1 << 32)
    print(f"python -m tests.reliability budgets --trials {TRIALS} --seed {seed}")
    budgets.play(f"{seed}.0", TRIALS)
