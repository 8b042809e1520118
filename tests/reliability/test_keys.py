"""One key, one effect (T5, quick tier)."""

import secrets

import pytest

from tests.reliability import keys

KEYS = 500


@pytest.mark.timeout(300)
@pytest.mark.usefixtures("committing_db")
def test_a_key_has_one_effect_whatever_becomes_of_it() -> None:
    seed = secrets.randbelow(1 << 32)
    print(f"python -m tests.reliability keys --keys {KEYS} --seed {seed}")
    assert keys.play(f"{seed}.0", KEYS) > KEYS
