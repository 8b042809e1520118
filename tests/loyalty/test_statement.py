"""A member takes the statement home and checks it there."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.test import Client, override_settings

from loyalty import posting, sealing
from loyalty.acts import Burn, Posted, Restore
from loyalty.proof import verify
from members.access import EARN_ONLY_CARD
from members.models import Member
from tests.committing import Database
from tests.factories import NOW, StoreFactory, give, member


@pytest.fixture
def key() -> Ed25519PrivateKey:
    return Ed25519PrivateKey.generate()


def download(one: Member, folder: Path) -> bytes:
    client = Client()
    session = client.session
    session[EARN_ONLY_CARD] = str(one.pk)
    session.save()
    with override_settings(SEAL_FOLDER=folder):
        assert b"/history/proof/" in client.get("/history/").content
        answer = client.get("/history/proof/")
    assert answer["Content-Disposition"].startswith("attachment")
    return answer.content


def spent(one: Member) -> None:
    store = StoreFactory.create().pk
    give(one.holder, 100, 40, store=store)
    [burnt] = posting.burn([Burn(key=f"b{one.holder}", holder=one.holder, points=120, occurred_at=NOW)], now=NOW)
    assert isinstance(burnt, Posted)
    restore = Restore(key=f"r{one.holder}", holder=one.holder, entry=burnt.entry, points=30, occurred_at=NOW)
    posting.restore([restore], now=NOW)


def check(file: Path, *options: str) -> tuple[int, str]:
    """As the member runs it: a program of its own, away from the application."""
    program = [sys.executable, "-I", verify.__file__, "--statement", str(file), *options]
    answer = subprocess.run(program, cwd="/", env={}, capture_output=True, text=True, check=False)
    return answer.returncode, answer.stdout + answer.stderr


def test_a_downloaded_statement_is_checked_offline(committing_db: Database, tmp_path: Path, key: Ed25519PrivateKey) -> None:
    one, *others = [member(), member(), member()]
    for each in (one, *others):
        spent(each)
    folder, file = tmp_path / "checkpoints", tmp_path / "statement.json"
    file.write_bytes(download(one, folder))
    assert check(file) == (0, "4 lines hold; balance 50. No checkpoint has sealed them yet.\n")
    sealing.seal(folder, key)
    give(one.holder, 7)
    file.write_bytes(download(one, folder))
    public = key.public_key().public_bytes_raw().hex()
    code, said = check(file, "--public-key", public)
    assert (code, said.startswith("5 lines hold; balance 57. Checkpoint 1 of ")) == (0, True), said
    assert said.endswith("seals the first 4 of them.\n")
    assert check(file)[1].endswith("its signature was not checked: give --public-key.\n")
    text = file.read_text()
    assert not any(str(other.holder) in text for other in others)
    stranger = Ed25519PrivateKey.generate().public_key().public_bytes_raw().hex()
    assert check(file, "--public-key", stranger) == (1, "BROKEN: checkpoint 1 is not signed by this key\n")


def test_an_edited_statement_is_found(committing_db: Database, tmp_path: Path, key: Ed25519PrivateKey) -> None:
    one = member()
    spent(one)
    sealing.seal(tmp_path, key)
    whole = json.loads(download(one, tmp_path))
    for part in ("postings", "entries", "lots", "lot_uses"):
        for name, value in whole[part][0].items():
            changed = json.loads(json.dumps(whole))
            changed[part][0][name] = value + 1 if isinstance(value, int) and not isinstance(value, bool) else _other(name, value)
            file = tmp_path / "changed.json"
            file.write_text(json.dumps(changed))
            with pytest.raises((verify.BadError, KeyError)):
                verify.check_statement(file, None)


def _other(name: str, value: object) -> object:
    if value is None:
        return "00000000-0000-0000-0000-000000000000" if name != "idle_until" else "2026-01-01T00:00:00+00:00"
    if isinstance(value, bool):
        return not value
    text = str(value)
    if name.endswith("_at"):
        return text.replace("2026", "2025") if "2026" in text else text.replace("2027", "2028")
    return ("1" if text[:1] != "1" else "2") + text[1:]
