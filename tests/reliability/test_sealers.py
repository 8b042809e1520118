"""Two sealers on one folder, the house's own and one run by hand, take turns."""

from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from loyalty import checkpoints, sealing, verifying
from tests.factories import give, holder
from tests.reliability.crowd import Crowd


@pytest.mark.usefixtures("committing_db")
def test_two_sealers_at_once_give_no_number_twice(tmp_path: Path) -> None:
    key, folder = Ed25519PrivateKey.generate(), tmp_path / "checkpoints"
    public = tmp_path / "key.pub"
    public.write_text(key.public_key().public_bytes_raw().hex())
    with Crowd(2) as sealers:
        for _ in range(5):
            give(holder(), 10)
            sealed = [one for one in sealers.rush([lambda: sealing.seal(folder, key)] * 2) if one]
            assert len(sealed) == 1, "the second one finds nothing new"
    assert [one.number for one in checkpoints.read_all(folder, key.public_key())] == [1, 2, 3, 4, 5]
    assert [finding for finding in verifying.verify(folder, public) if finding.bad_row] == []
