"""Whoever changes the ledger behind the application's back is found, with all rights and with the triggers off (T6).

REGULARS_TAMPER_ROUNDS=100 runs the full tier. A round is a seed: what it chose is chosen again.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random

import psycopg
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.apps import apps
from django.db import connection, models, transaction
from pytest_django import DjangoDbBlocker

from loyalty import sealing, verifying
from loyalty.models import (
    Checkpoint,
    GrantCount,
    GrantDeputy,
    GrantExemption,
    GrantLimits,
    IdempotencyRecord,
    OutboxEvent,
    Store,
    TermsVersion,
)
from loyalty.proof import verify
from tests.committing import copied, default_is
from tests.loyalty.forging import FORGERIES, NEEDS_CHECKPOINTS, one_more_line, run, some_ledger, wallets

ROUNDS = int(os.environ.get("REGULARS_TAMPER_ROUNDS", "5"))
# Master data that staff may change, answers and events that end: the audit trail and the ledger tell of them.
NOT_LEDGER = {Store, IdempotencyRecord, OutboxEvent, GrantLimits, GrantCount, GrantDeputy, GrantExemption}
LEDGER = [model for model in apps.get_app_config("loyalty").get_models() if model not in NOT_LEDGER]
OTHER = {
    "uuid": "gen_random_uuid()",
    "boolean": "not {0}",
    "bytea": "coalesce({0}, '') || '\\x01'",
    "jsonb": "'{{\"x\": 1}}'",
    "timestamp with time zone": "coalesce({0}, now()) + interval '1 microsecond'",
    "character varying": "'zz'",
    "smallint": "coalesce({0}, 0) + 1",
    "integer": "coalesce({0}, 0) + 1",
    "bigint": "coalesce({0}, 0) + 1000003",
    "numeric": "{0} + 1",
}
TYPE_OF = "select data_type from information_schema.columns where table_name = %s and column_name = %s"
CHECK_CONSTRAINTS = """
select conrelid::regclass::text, conname from pg_constraint where contype = 'c' and conrelid = '{}'::regclass
"""


@pytest.fixture(scope="module")
def sealed(
    django_db_blocker: DjangoDbBlocker, admin: psycopg.Connection, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Path]:
    """The folder of checkpoints of some ledger; the connection is the superuser's. Every test undoes what it does."""
    key, folder = Ed25519PrivateKey.generate(), tmp_path_factory.mktemp("seal") / "checkpoints"
    folder.with_name("key.pub").write_text(key.public_key().public_bytes_raw().hex())
    with copied(admin) as database, django_db_blocker.unblock(), default_is(database):
        some_ledger()
        sealing.seal(folder, key)
        one_more_line()
        sealing.seal(folder, key)
        connection.close()
        user, connection.settings_dict["USER"] = connection.settings_dict["USER"], "postgres"
        try:
            yield folder
        finally:
            connection.close()
            connection.settings_dict["USER"] = user


@contextmanager
def undone() -> Iterator[None]:
    """What is done inside, with triggers off, has never been."""
    with transaction.atomic():
        run("set local session_replication_role = replica")
        yield
        transaction.set_rollback(True)


def found(folder: Path | None) -> list[str]:
    public_key = folder and folder.with_name("key.pub")
    return [finding.bad_row for finding in verifying.verify(folder, public_key) if finding.bad_row]


def found_by_second_verifier(folder: Path | None) -> str:
    """What the program that shares nothing with the application says, or nothing."""
    try:
        sealed = verify.Checkpoints(folder, verify.public_key(str(folder.with_name("key.pub")))) if folder else None
        with transaction.atomic():
            verify.check_database(connection.connection, sealed)
    except verify.BadError as error:
        return str(error)
    return ""


def test_an_untouched_ledger_raises_no_alarm(sealed: Path) -> None:
    for folder in (None, sealed):
        assert found(folder) == []
        assert found_by_second_verifier(folder) == ""


@pytest.mark.parametrize("what", FORGERIES)
def test_tampering_is_found_and_named(sealed: Path, what: str) -> None:
    for seed in range(ROUNDS):
        with undone():
            names = FORGERIES[what](Random(seed))
            if what in NEEDS_CHECKPOINTS:
                assert found(None) == [], "a test of the checkpoints should leave nothing else to find"
            told = "\n".join(found(sealed))
            assert any(name in told for name in names), f"seed {seed}: {told or 'nothing found'}"
            second = found_by_second_verifier(sealed)
            assert any(name in second for name in names), f"seed {seed}: {second or 'nothing found by the second verifier'}"
    assert found(sealed) == []


def test_the_missing_and_the_rewritten_range_are_named(sealed: Path) -> None:
    [wallet, *_] = wallets()
    [(last,)] = run("select seq from loyalty_wallet where id = %s", wallet)
    with undone():
        FORGERIES["the tail cut off"](_Always(wallet, 1))
        named = f"wallet {wallet}: postings number {last} to {last} or a part of them are missing (checkpoint 2"
        assert named in "".join(found(sealed))
        assert f"wallet {wallet}: missing from posting number {last} to {last}" in found_by_second_verifier(sealed)


class _Always(Random):
    """Chooses what it is told."""

    def __init__(self, *choices: int) -> None:
        super().__init__()
        self._choices = list(choices)

    def choice(self, seq):  # type: ignore[no-untyped-def]
        return self._choices.pop(0)


def columns() -> list[tuple[type[models.Model], str]]:
    return [(model, field.column) for model in LEDGER for field in model._meta.concrete_fields if field.column]


def test_every_column_of_every_ledger_table_is_covered(sealed: Path) -> None:
    uncovered, uncovered_by_second = [], []
    for model, column in columns():
        table = model._meta.db_table
        [(kind,)] = run(TYPE_OF, table, column)
        with undone():
            for constrained, name in run(CHECK_CONSTRAINTS.format(table)):
                run(f"alter table {constrained} drop constraint {name}")  # which a superuser could do as well
            new = OTHER[str(kind)].format(column)
            second_row = f"ctid = (select ctid from {table} order by ctid offset {0 if model is TermsVersion else 1} limit 1)"
            run(f"update {table} set {column} = {new} where {second_row}")
            if not found(sealed):
                uncovered.append(f"{table}.{column}")
            if model is not Checkpoint and not found_by_second_verifier(sealed):
                uncovered_by_second.append(f"{table}.{column}")
    assert (uncovered, uncovered_by_second) == ([], []), "no check covers these columns"
    assert len(columns()) > 70
