"""The ledger does what the reference says (T1, quick tier). The full tier is `python -m tests.reliability.stateful`."""

import os
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from uuid import UUID

import pytest

from loyalty.acts import Accrual, Refusal, Restore
from tests.committing import Database
from tests.reliability.comparing import Diverged
from tests.reliability.holdings import Entry, Lot, Part, Wallet
from tests.reliability.reference import Ledger
from tests.reliability.stateful import run_on_current_database

OPERATIONS = 20_000
# The same each time, so that a change turns it red and not chance; the full tier goes through others.
SEED = int(os.environ.get("REGULARS_SEED", "20261126"))


@pytest.mark.timeout(600)
def test_the_ledger_does_what_the_reference_says(committing_db: Database) -> None:
    trial = run_on_current_database(OPERATIONS, SEED)
    assert trial.operations >= OPERATIONS
    assert trial.operations > 5 * trial.steps, "batches are smaller than meant"


class GrantsOneMore(Ledger):
    """Wrong by one point, and only for awards of a certain size."""

    def accrue(self, act: Accrual, now: datetime) -> Entry | Refusal:
        return super().accrue(replace(act, points=act.points + 1) if act.points == 7 else act, now)


class SpendsWhatEndsLast(Ledger):
    """Burns the right points from the wrong lots."""

    def spend(self, wallet: Wallet, points: int, lots: list[Lot]) -> list[Part] | Refusal:
        return super().spend(wallet, points, lots[::-1])


class SparesOwnLots(Ledger):
    """Claws back in burn order."""

    def claw_back_order(self, wallet: Wallet, own: Iterable[UUID], now: datetime) -> list[Lot]:
        return wallet.held(now)


class ForgetsDeficits(Ledger):
    """Lets credits come in whole."""

    def give_back(self, parts: Sequence[Part]) -> None:
        for lot, points in parts:
            lot.remaining += points


class GivesNoGrace(Ledger):
    """Restores to lots that have ended."""

    def restore(self, act: Restore, now: datetime) -> Entry | Refusal:
        return super().restore(replace(act, grace_until=None), now)


class WakesIdlePoints(Ledger):
    """Lets an act revive what idleness had ended."""

    def end_idle(self, holder: UUID, at: datetime) -> None:
        return None


WRONG = [GrantsOneMore, SpendsWhatEndsLast, SparesOwnLots, ForgetsDeficits, GivesNoGrace, WakesIdlePoints]


@pytest.mark.parametrize("wrong", WRONG)
def test_a_ledger_that_differs_in_one_rule_is_noticed(committing_db: Database, wrong: type[Ledger]) -> None:
    with pytest.raises(Diverged, match=r"--seed 1\nstep \d+, operation \d+"):
        run_on_current_database(OPERATIONS, 1, wrong())
