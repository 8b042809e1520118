"""Holds the product's ledger against the reference: answers, wallets, lots, and what can be spent."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection, transaction

from loyalty import queries, verifying
from loyalty.acts import Act, Outcome, Posted, Refusal
from loyalty.proof import verify
from tests.reliability.holdings import Lot, Wallet
from tests.reliability.reference import Answer, Ledger, Said

WALLETS = """
select w.holder, w.balance, w.deficit, w.seq, w.idle_expires_at,
       (select count(*) from loyalty_posting p where p.wallet_id = w.id),
       (select coalesce(sum(p.points), 0)::bigint from loyalty_posting p where p.wallet_id = w.id),
       (select count(*) from loyalty_lot l where l.wallet_id = w.id),
       (select coalesce(sum(l.remaining), 0)::bigint from loyalty_lot l where l.wallet_id = w.id)
  from loyalty_wallet w where w.holder = any (%s)
"""
LOTS = """
select w.holder, l.remaining, l.points, l.available_at, l.expires_at, l.earned_at, l.store_id, l.rule_version
  from loyalty_lot l join loyalty_wallet w on w.id = l.wallet_id
 where w.holder = any (%s) and (l.open or %s) order by w.id, l.seq
"""
TOTALS = """
select (select count(*) from loyalty_wallet), (select count(*) from loyalty_journalentry where key not like 'expire:%'),
       (select count(*) from loyalty_posting),
       (select coalesce(sum(points), 0)::bigint from loyalty_posting where contra = 'clearing')
"""


class Diverged(Exception):
    """The product and the reference say different things."""


def compare_answers(acts: Sequence[Act], outcomes: Sequence[Outcome], answers: Sequence[Answer]) -> None:
    """Each act is answered by both in the same way."""
    if len(acts) != len(outcomes):
        raise Diverged(f"{len(acts)} acts, {len(outcomes)} outcomes")
    for place, (act, outcome, answer) in enumerate(zip(acts, outcomes, answers, strict=True)):
        if in_words(outcome) != in_words(answer):
            raise Diverged(
                f"act {place} of {len(acts)}: {act}\n  product:   {in_words(outcome)}\n  reference: {in_words(answer)}"
            )


def in_words(answer: Outcome | Answer) -> str:
    match answer:
        case Posted() | Said():
            return f"balance {answer.balance}{', replayed' if answer.replayed else ''}"
        case Refusal():
            return f"refused: {answer}"
        case _:
            return f"refused: {answer.reason}"


def compare_wallets(ledger: Ledger, holders: Iterable[UUID], now: datetime, *, all_lots: bool = False) -> None:
    """These wallets, their lots (those with points, or all) and what can be spent of them are the same in both."""
    known = [holder for holder in dict.fromkeys(holders) if holder in ledger.wallets]
    lots: dict[UUID, list[tuple[Any, ...]]] = {holder: [] for holder in known}
    with connection.cursor() as cursor:
        cursor.execute(WALLETS, [known])
        wallets = {holder: row for holder, *row in cursor.fetchall()}
        cursor.execute(LOTS, [known, all_lots])
        for holder, *lot in cursor.fetchall():
            lots[holder].append(tuple(lot))
    balances = queries.balances(known, now)
    for holder in known:
        wallet = ledger.wallets[holder]
        same("wallet (balance, deficit, seq, idle date, postings, their sum, lots, what remains in them)",
             wallet, wallets.get(holder), wallet_row(wallet))  # fmt: skip
        rows = [lot_row(lot) for lot in wallet.lots if lot.remaining or all_lots]
        same("lots (remaining, points, available_at, expires_at, earned_at, store, rule)", wallet, lots[holder], rows)
        same("balances()", wallet, balances[holder], balance_of(wallet, now))


def same(what: str, wallet: Wallet, product: object, reference: object) -> None:
    if product != reference:
        raise Diverged(f"holder {wallet.holder}: {what}\n  product:   {product}\n  reference: {reference}")


def wallet_row(wallet: Wallet) -> list[Any]:
    balance = wallet.balance()
    return [
        balance, wallet.deficit, wallet.lines, wallet.idle_until, wallet.lines, wallet.posted, len(wallet.lots), balance,
    ]  # fmt: skip


def lot_row(lot: Lot) -> tuple[Any, ...]:
    return lot.remaining, lot.points, lot.available_at, lot.expires_at, lot.earned_at, lot.store, lot.rule


def balance_of(wallet: Wallet, now: datetime) -> queries.Balance:
    available = sum(lot.remaining for lot in wallet.active(now)) - wallet.deficit
    pending = sum(lot.remaining for lot in wallet.pending(now))
    return queries.Balance(wallet.balance(), available, pending, wallet.deficit)


def compare_all(ledger: Ledger, now: datetime) -> None:
    """Everything is the same in both, and the product's own verifier finds nothing."""
    for wallet in ledger.wallets.values():
        if wallet.net() != wallet.posted:
            raise Diverged(f"the reference itself: wallet {wallet.holder} has {wallet.net()}, its lines give {wallet.posted}")
    compare_wallets(ledger, ledger.wallets, now, all_lots=True)
    with connection.cursor() as cursor:
        cursor.execute(TOTALS)
        totals = cursor.fetchone()
    lines = sum(wallet.lines for wallet in ledger.wallets.values())
    expected = (len(ledger.wallets), len(ledger.entries), lines, 0)
    if totals != expected:
        raise Diverged(f"wallets, entries, postings, clearing account: product {totals}, reference {expected}")
    if found := [finding for finding in verifying.verify() if finding.bad_row]:
        raise Diverged(f"verify_ledger: {found[0].check}: {found[0].bad_row}")


def verify_independently() -> None:
    """The verifier that shares nothing with the application finds nothing."""
    with transaction.atomic():
        try:
            verify.check_database(connection.connection, None)
        except verify.BadError as error:
            raise Diverged(f"proof/verify.py: {error}") from error
