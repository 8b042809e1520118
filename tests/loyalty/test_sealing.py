"""Checkpoints: signed outside the database, each naming the one before, and cheap while little changes."""

from pathlib import Path

import psycopg
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.core.management import CommandError, call_command
from django.db import connection, transaction
from django.test import override_settings

from loyalty import auditing, checkpoints, posting, sealing, verifying
from loyalty.acts import Burn
from loyalty.models import Checkpoint
from loyalty.proof import verify
from tests.committing import Database
from tests.factories import NOW, give, holder


@pytest.fixture
def key() -> Ed25519PrivateKey:
    return Ed25519PrivateKey.generate()


@pytest.fixture
def public(key: Ed25519PrivateKey, tmp_path: Path) -> Path:
    file = tmp_path / "key.pub"
    file.write_text(key.public_key().public_bytes_raw().hex())
    return file


def wrong(folder: Path, public: Path) -> list[str]:
    return [finding.bad_row for finding in verifying.verify(folder, public) if finding.bad_row]


def test_each_checkpoint_lists_what_changed_and_sums_up_all(
    committing_db: Database, tmp_path: Path, key: Ed25519PrivateKey, public: Path
) -> None:
    one, other, _empty = holder(), holder(), holder()
    give(one, 100, 20)
    give(other, 50)
    auditing.record(None, "store.changed", "loyalty.store", 1, {"name": ["a", "b"]})
    folder = tmp_path / "checkpoints"
    first = sealing.seal(folder, key)
    assert first
    assert [seq for _, seq, _ in first.heads] == [2, 1, 0]
    assert first.body["sums"] == {"issued": 170}
    assert first.body["rows"] == {"posting": 3, "journalentry": 3, "lot": 3, "lotuse": 0, "documentguard": 0, "auditrecord": 1}
    assert sealing.seal(folder, key) is None, "nothing has changed"
    posting.burn([Burn(key="b", holder=one, points=30, occurred_at=NOW)], now=NOW)
    second = sealing.seal(folder, key)
    assert second
    assert [(seq, second.body["previous"]) for _, seq, _ in second.heads] == [(3, first.digest)]
    assert second.body["sums"] == {"issued": 170, "burned": -30}
    assert (folder / "latest.txt").read_text() == f"{second.line}\n"
    assert wrong(folder, public) == []
    assert Checkpoint.objects.count() == 2


def test_what_was_sealed_before_terms_had_a_column_still_verifies(
    committing_db: Database, tmp_path: Path, key: Ed25519PrivateKey, public: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    give(holder(), 5)
    folder = tmp_path / "checkpoints"
    older = [name for name in sealing.TERMS_COLUMNS if not name.startswith("tender_")]
    with monkeypatch.context() as then:
        then.setattr(sealing, "TERMS_COLUMNS", older)
        first = sealing.seal(folder, key)
    give(holder(), 5)
    second = sealing.seal(folder, key)
    assert first
    assert second
    assert len(second.body["terms_columns"]) == len(first.body["terms_columns"]) + 3
    assert first.body["terms"] != second.body["terms"]
    assert wrong(folder, public) == []
    with transaction.atomic():
        verify.check_database(connection.connection, verify.Checkpoints(folder, verify.public_key(str(public))))


def test_a_lost_index_is_made_again(committing_db: Database, tmp_path: Path, key: Ed25519PrivateKey, public: Path) -> None:
    one = holder()
    for points in (5, 6, 7):
        give(one, points)
        assert sealing.seal(tmp_path, key)
        (tmp_path / "heads.sqlite").unlink()
    assert wrong(tmp_path, public) == []


def test_what_a_running_transaction_has_numbered_is_left_to_a_later_checkpoint(
    committing_db: Database, tmp_path: Path, key: Ed25519PrivateKey, public: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sealing, "SETTLING_SECONDS", 0.0)
    give(holder(), 5)
    with psycopg.connect(committing_db.url()) as running:  # the newest transaction, and none after it has ended
        running.execute(
            "insert into loyalty_documentguard (source, number, kind, document, fingerprint) values ('t', '1', 'p', uuidv7(), '')"
        )
        sealed = sealing.seal(tmp_path, key)
    assert sealed
    assert sealed.body["ranges"]["documentguard"]["upto"] == 0
    assert wrong(tmp_path, public) == []
    later = sealing.seal(tmp_path, key)
    assert later
    assert (later.body["ranges"]["documentguard"]["upto"], later.body["rows"]["documentguard"]) == (1, 1)
    assert wrong(tmp_path, public) == []


def test_files_that_were_touched_are_found(committing_db: Database, tmp_path: Path, key: Ed25519PrivateKey, public: Path) -> None:
    one, folder = holder(), tmp_path / "checkpoints"
    for points in (5, 6, 7):
        give(one, points)
        sealing.seal(folder, key)
    second = folder / "checkpoint-000002.json"
    whole = second.read_bytes()
    second.write_bytes(whole.replace(b'"issued":11', b'"issued":12'))
    assert wrong(folder, public)[0] == "checkpoint-000002.json is not signed by this key"
    second.write_bytes(whole.replace(b'"heads":[[1,2', b'"heads":[[1,3'))
    assert "heads listed in checkpoint-000002.json" in wrong(folder, public)[0]
    second.unlink()
    assert "checkpoint 2 is missing" in wrong(folder, public)[0]
    second.write_bytes(whole)
    assert wrong(folder, public) == []
    (folder / "checkpoint-000003.json").unlink()
    assert wrong(folder, public) == ["checkpoint 3 has a row and no file"]


def test_the_command_makes_a_key_once_and_seals_with_it(
    committing_db: Database, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "seal" / "key"
    call_command("create_seal_key", str(file))
    assert file.stat().st_mode & 0o777 == 0o600
    assert capsys.readouterr().out == file.with_name("key.pub").read_text()
    with pytest.raises(CommandError, match="there already"):
        call_command("create_seal_key", str(file))
    with pytest.raises(CommandError, match="REGULARS_SEAL_KEY"):
        call_command("seal_ledger")
    give(holder(), 5)
    folder = tmp_path / "checkpoints"
    with override_settings(SEAL_KEY=file):
        call_command("seal_ledger", folder=folder)
    line = capsys.readouterr().out
    assert line.startswith("000001 ")
    assert line == (folder / "latest.txt").read_text()
    call_command("verify_ledger", checkpoints=folder, public_key=file.with_name("key.pub"))
    assert "The ledger adds up." in capsys.readouterr().out
    assert checkpoints.files(folder)
