"""The database says the same again: nothing in the ledger is changed, by anybody; what was changed is found."""

import psycopg
import pytest
from django.core.management import CommandError, call_command
from django.db import connection, transaction
from django.db.utils import DatabaseError

from config import checks
from loyalty import posting, verifying
from loyalty.acts import Burn, Posted, Restore
from loyalty.proof import verify
from tests.committing import Database
from tests.factories import NOW, StoreFactory, give, holder

TABLES = [
    "loyalty_journalentry", "loyalty_posting", "loyalty_lotuse", "loyalty_documentguard", "loyalty_auditrecord",
    "loyalty_checkpoint",
]  # fmt: skip


@pytest.mark.django_db
@pytest.mark.parametrize("table", [*TABLES, "loyalty_wallet", "loyalty_lot"])
@pytest.mark.parametrize("act", ["delete from {}", "truncate {} cascade"])
def test_the_application_cannot_remove_ledger_rows(table: str, act: str) -> None:
    with pytest.raises(DatabaseError, match="permission denied"), connection.cursor() as cursor:
        cursor.execute(act.format(table))


@pytest.mark.django_db
def test_the_application_cannot_rewrite_what_a_lot_or_posting_is() -> None:
    for act in (
        "update loyalty_posting set points = 1",
        "update loyalty_lot set points = 1",
        "update loyalty_wallet set holder = holder",
    ):
        with pytest.raises(DatabaseError, match="permission denied"), transaction.atomic():
            connection.cursor().execute(act)


@pytest.mark.django_db
def test_a_posting_names_a_store_that_is_there_and_stays() -> None:
    one, shop = holder(), StoreFactory.create()
    with pytest.raises(DatabaseError, match="a store is missing"), transaction.atomic():
        give(one, 5, store=shop.pk + 1000)
    assert give(one, 5, store=shop.pk)
    with pytest.raises(DatabaseError, match="permission denied"), transaction.atomic():
        shop.delete()


def test_triggers_stop_the_owner_too(committing_db: Database) -> None:
    with psycopg.connect(committing_db.url("regulars_owner"), autocommit=True) as owner:
        for table in TABLES:
            for act in (f"delete from {table}", f"truncate {table} cascade"):
                with pytest.raises(psycopg.errors.IntegrityConstraintViolation, match="append-only"):
                    owner.execute(act)
        with pytest.raises(psycopg.errors.IntegrityConstraintViolation, match="frozen"):
            owner.execute("update loyalty_termsversion set point_value = 2")
        with pytest.raises(psycopg.errors.IntegrityConstraintViolation, match="frozen"):
            owner.execute("update campaigns_ruleversion set value = 2")


TAMPERINGS = {
    "points of a posting": "update loyalty_posting set points = points + 1 where seq = 1",
    "balance_after": "update loyalty_posting set balance_after = balance_after + 1 where seq = 2",
    "reference": "update loyalty_posting set reference = 'other' where seq = 1",
    "a deleted posting": "delete from loyalty_posting where seq = 2",
    "what remains in a lot": "update loyalty_lot set remaining = remaining + 1 where seq = 1",
    "the end of a lot": "update loyalty_lot set expires_at = expires_at + interval '1 year'",
    "a balance": "update loyalty_wallet set balance = balance + 1000",
    "a lot use": "update loyalty_lotuse set points = points - 1",
    "the actor": "update loyalty_journalentry set actor = gen_random_uuid()",
    "a made-up posting": "insert into loyalty_posting (entry_id, wallet_id, seq, kind, points, contra, balance_after, "
    "occurred_at, recorded_at, reference, hash) select entry_id, wallet_id, 99, kind, points, contra, balance_after, "
    "now(), now(), '', hash from loyalty_posting where seq = 1",
}


@pytest.mark.parametrize("what", TAMPERINGS)
def test_verification_names_what_a_superuser_changed(committing_db: Database, what: str) -> None:
    one = holder()
    give(one, 100)
    posting.burn([Burn(key="b", holder=one, points=30, occurred_at=NOW)], now=NOW)
    assert all(finding.bad_row is None for finding in verifying.verify())
    with psycopg.connect(committing_db.url("postgres"), autocommit=True) as superuser:
        superuser.execute("set session_replication_role = replica")
        superuser.execute(TAMPERINGS[what])
    with pytest.raises(CommandError, match="does not add up"):
        call_command("verify_ledger")


def test_what_came_back_twice_is_found_also_without_its_hashes(committing_db: Database) -> None:
    one = holder()
    give(one, 100)
    burned = [posting.burn([Burn(key=f"b{n}", holder=one, points=30, occurred_at=NOW)], now=NOW)[0] for n in (1, 2)]
    for each in burned:
        assert isinstance(each, Posted)
        restored = Restore(key=f"r{each.entry}", holder=one, entry=each.entry, points=30, occurred_at=NOW)
        posting.restore([restored], now=NOW)
    with psycopg.connect(committing_db.url("postgres"), autocommit=True) as superuser:
        superuser.execute("set session_replication_role = replica")
        superuser.execute("update loyalty_journalentry set undoes = (select min(undoes::text)::uuid from loyalty_journalentry)"
                          " where undoes is not null")  # fmt: skip
    found = {finding.check: finding.bad_row for finding in verifying.verify()}
    assert "60 points were given back, it took 30" in str(found["nothing was given back more points than it took"])


@pytest.mark.django_db
def test_kinds_have_the_same_contra_accounts_for_those_who_write_and_those_who_check() -> None:
    with connection.cursor() as cursor:
        for kind in ("earn", "bonus", "import", "exchange_in", "burn", "exchange_out", "adjust"):
            cursor.execute("select ledger_contra(%s)", [kind])
            assert cursor.fetchone() == (verify.CONTRA[kind],)


def test_a_role_that_may_change_the_ledger_is_refused_at_start(committing_db: Database) -> None:
    assert checks.application_role_cannot_change_the_ledger(None, databases=["default"]) == []
    with psycopg.connect(committing_db.url("regulars_owner"), autocommit=True) as owner:
        owner.execute("grant update on loyalty_posting to regulars_app")
    [error] = checks.application_role_cannot_change_the_ledger(None, databases=["default"])
    assert "UPDATE on loyalty_posting" in error.msg
