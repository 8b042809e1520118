"""The ledger's door: the only writer of its tables.

Each verb takes a list of acts (one act is a list of one), locks the wallets in key order, decides in the order given
and writes all of it with a constant number of statements: one that locks and reads (`ledger_open`), one that writes
(`ledger_post`, both in sql/ledger.sql). Each act is answered, in order, by `Posted` or `Refused`. Verbs run inside the
caller's transaction and hold the locks until its end. Lock order everywhere: wallets, then stock, then counters.
"""

import json
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from typing import Any
from uuid import UUID

from django.db import connection, transaction
from django.db.models import Value
from django.db.models.functions import Coalesce

from loyalty import drafting, moving
from loyalty.acts import (
    Accrual,
    Act,
    Adjustment,
    Burn,
    ClawBack,
    Forgiveness,
    Merge,
    Outcome,
    Posted,
    Refusal,
    Refused,
    Restore,
    Reversal,
    Transfer,
    UnMerge,
)
from loyalty.drafting import Line, Lines, LockedWallet, Originals, Wallets
from loyalty.ids import uuid7
from loyalty.lots import OpenLot
from loyalty.models import Lot, PointType, Wallet
from loyalty.originals import originals
from loyalty.terms import FOREVER

# Enough lots for nearly every burn; a wallet that needs more is read again whole.
FIRST_LOTS = 64

type _Draft = Callable[[Any, Wallets], Lines]
type _Undo = Callable[[Any, Wallets, Originals], Lines]


def open_wallets(holders: Iterable[UUID], point_type: PointType = PointType.REDEEMABLE) -> None:
    """Give each holder a wallet; who has one keeps it."""
    wallets = [Wallet(holder=holder, point_type=point_type) for holder in sorted(holders)]
    Wallet.objects.bulk_create(wallets, ignore_conflicts=True)


def lock(holders: Iterable[UUID], point_type: PointType = PointType.REDEEMABLE) -> None:
    """Lock wallets in key order until the transaction ends, before anything else is locked."""
    wallets = Wallet.objects.filter(holder__in=list(holders), point_type=point_type)
    list(wallets.select_for_update().order_by("id").values_list("id"))


def accrue(acts: Sequence[Accrual], *, now: datetime, actor: UUID | None = None) -> list[Outcome]:
    """Grant points, each act as one lot; a deficit is paid first, out of the new lot."""
    return _post(acts, drafting.grant, now=now, actor=actor)


def burn(acts: Sequence[Burn], *, now: datetime, actor: UUID | None = None) -> list[Outcome]:
    """Spend points in burn order; refused with a deficit, or when fewer are available as of `now`."""
    return _post(acts, drafting.spend, now=now, actor=actor, lots="spendable")


def restore(acts: Sequence[Restore], *, now: datetime, actor: UUID | None = None) -> list[Outcome]:
    """Give burned points back to the lots they came from; never more than the burn took."""
    return _post_undoing(acts, lambda *given: drafting.restore(*given, now=now), now=now, actor=actor)


def adjust(acts: Sequence[Adjustment], *, now: datetime, actor: UUID | None) -> list[Outcome]:
    """Correct balances by hand; taking points is refused like a burn, and sees no lot of the same batch."""
    return _post(acts, drafting.adjust, now=now, actor=actor, lots="spendable")


def reverse(acts: Sequence[Reversal], *, now: datetime, actor: UUID | None) -> list[Outcome]:
    """Undo entries exactly: spent points go back to their lots, granted points leave theirs if none is spent."""
    return _post_undoing(acts, drafting.undo, now=now, actor=actor)


def claw_back(acts: Sequence[ClawBack], *, now: datetime, actor: UUID | None = None) -> list[Outcome]:
    """Take points back after a return; what is spent becomes a deficit, is forgiven or refuses the act, by its policy."""
    return _post_undoing(acts, drafting.claw_back, now=now, actor=actor, lots="all")


def forgive(acts: Sequence[Forgiveness], *, now: datetime, actor: UUID | None) -> list[Outcome]:
    """Give up a deficit, wholly or in part."""
    return _post(acts, drafting.forgive, now=now, actor=actor)


def transfer(acts: Sequence[Transfer], *, now: datetime, actor: UUID | None) -> list[Outcome]:
    """Move points between holders; refused like a burn."""
    return _post(acts, moving.transfer, now=now, actor=actor, lots="all")


def merge(acts: Sequence[Merge], *, now: datetime, actor: UUID | None) -> list[Outcome]:
    """Move all that a holder has to another; refused when there is nothing."""
    return _post(acts, moving.merge, now=now, actor=actor, lots="all")


def unmerge(acts: Sequence[UnMerge], *, now: datetime, actor: UUID | None) -> list[Outcome]:
    """Take back what is left of what a merge brought; refused when nothing is."""
    return _post_undoing(acts, moving.unmerge, now=now, actor=actor, lots="all")


def expire(*, now: datetime, limit: int = 10_000) -> tuple[int, int]:
    """Book the end of up to `limit` lots that ended by `now`, soonest first. Returns (lots, points) expired."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("select lots, points from ledger_expire(%s, %s)", [now, limit])
        lots, points = cursor.fetchone()
    return lots, points


@dataclass(frozen=True, slots=True)
class _Standing:
    """An entry that bears a key: read from the ledger, or (entry None) a line of this batch.

    `wallet` and `points` are those of its first line, `balances` those of its wallets after it.
    """

    wallet: int
    points: int
    balances: dict[int, int]
    entry: UUID | None
    line: int = -1
    balance: int = 0


def _post_undoing(acts: Sequence[Act], draft: _Undo, *, now: datetime, actor: UUID | None, lots: str = "none") -> list[Outcome]:
    """As `_post`, for acts on earlier entries, which are read once, behind the locks."""
    read: list[Originals] = []

    def drafted(act: Any, wallets: Wallets) -> Lines:
        if not read:
            named = [[one.entry, *getattr(one, "own", ())] for one in acts]  # type: ignore[union-attr]
            read.append(originals((entry for entries in named for entry in entries), now=now))
        return draft(act, wallets, read[0])

    return _post(acts, drafted, now=now, actor=actor, lots=lots)


def _post(acts: Sequence[Act], draft: _Draft, *, now: datetime, actor: UUID | None, lots: str = "none") -> list[Outcome]:
    """Lock and read, decide act by act, write. `draft` makes an act's lines and moves the wallets' state with them."""
    if not acts:
        return []
    with transaction.atomic():
        wallets, standing = _open(acts, now=now, lots=lots)
        lines: list[Line] = []
        decided: list[_Standing | Refusal] = []
        for act in acts:
            if act.key in standing:
                decided.append(_again(act, wallets, standing[act.key]))
                continue
            unknown = any(holder not in wallets for holder in act.holders)
            drafted = Refusal.UNKNOWN_HOLDER if unknown else draft(act, wallets)
            if isinstance(drafted, Refusal):
                decided.append(drafted)
                continue
            after = {wallets[holder].id: wallets[holder].net for holder in act.holders}
            balance = wallets[act.holder].net
            standing[act.key] = _Standing(drafted[0]["wallet"], drafted[0]["points"], after, None, len(lines), balance)
            decided.append(standing[act.key])
            lines += _with_entry(act, drafted, len(lines), actor)
        entries = _write(lines, now=now)
    return _answers(decided, entries)


def _again(act: Act, wallets: Wallets, standing: _Standing) -> _Standing | Refusal:
    """A key seen before answers what it answered then, if the act says the same."""
    sign = -1 if isinstance(act, Burn | ClawBack | Transfer) else 1
    points = sign * getattr(act, "points", sign * standing.points)
    if any(holder not in wallets or wallets[holder].id not in standing.balances for holder in act.holders):
        return Refusal.KEY_REUSED
    bearer = wallets[act.to if isinstance(act, UnMerge) else act.holder]
    if (bearer.id, points) != (standing.wallet, standing.points):
        return Refusal.KEY_REUSED
    return replace(standing, balance=standing.balances[wallets[act.holder].id])


def _answers(decided: list[_Standing | Refusal], entries: dict[int, UUID]) -> list[Outcome]:
    answers: list[Outcome] = []
    told: set[int] = set()
    for one in decided:
        if isinstance(one, Refusal):
            answers.append(Refused(one))
        elif one.entry is not None:
            answers.append(Posted(one.entry, one.balance, replayed=True))
        elif one.line in entries:
            answers.append(Posted(entries[one.line], one.balance, replayed=one.line in told))
            told.add(one.line)
        else:  # another wallet's entry took the key while we decided
            answers.append(Refused(Refusal.KEY_REUSED))
    return answers


def _with_entry(act: Act, lines: list[Line], ord_: int, actor: UUID | None) -> list[Line]:
    """The lines with what their entry says; the first one bears the key, the others name its entry."""
    if len(lines) > 1 and "entry" not in lines[0]:
        entry = str(uuid7())
        lines = [line | {"entry": entry} for line in lines]
    at, idle = act.occurred_at.isoformat(), act.idle_until and act.idle_until.isoformat()
    common: Line = {"occurred_at": at, "store": act.store, "reference": act.reference, "idle_until": idle}
    whole = [common | {"ord": ord_ + i} | line for i, line in enumerate(lines)]
    whole[0] |= {
        "key": act.key,
        "reason": act.reason,
        "actor": actor and str(actor),
        "terms": act.terms,
        "rule": act.rule_version and str(act.rule_version),
    }
    return whole


def _open(acts: Sequence[Act], *, now: datetime, lots: str) -> tuple[dict[UUID, LockedWallet], dict[str, _Standing]]:
    active: dict[UUID, datetime] = {}
    for act in acts:
        for holder in act.holders:
            active[holder] = min(act.occurred_at, active.get(holder, act.occurred_at))
    keys = list({act.key for act in acts})
    asked: list[Any] = [list(active), list(active.values()), PointType.REDEEMABLE, keys, now, lots, FIRST_LOTS]
    with connection.cursor() as cursor:
        cursor.execute("select ledger_open(%s, %s, %s, %s, %s, %s, %s)", asked)
        read = cursor.fetchone()[0]
    by_wallet: dict[int, list[OpenLot]] = {}
    for wallet, *lot in read["lots"]:
        by_wallet.setdefault(wallet, []).append(OpenLot(*lot))
    full = {wallet for wallet, first in by_wallet.items() if lots == "spendable" and len(first) == FIRST_LOTS}
    reader = _reader(full, now)
    wallets = {
        UUID(holder): LockedWallet(
            id_, balance - deficit, deficit, by_wallet.get(id_, []), partial(reader, id_) if id_ in full else None
        )
        for id_, holder, balance, deficit in read["wallets"]
    }
    return wallets, _standing(read["entries"])


def _standing(lines: Iterable[tuple[str, str, int, int, int]]) -> dict[str, _Standing]:
    """By key, from the entries' lines, given last first: (key, entry, wallet, points, balance after it)."""
    standing: dict[str, _Standing] = {}
    for key, entry, wallet, points, balance in lines:
        later = standing[key].balances if key in standing else {}
        standing[key] = _Standing(wallet, points, {wallet: balance} | later, UUID(entry))
    return standing


def _reader(wallets: Collection[int], now: datetime) -> Callable[[int], list[OpenLot]]:
    """All spendable lots of a wallet; the first one asked for reads those of all `wallets`, in one statement."""
    read: dict[int, list[OpenLot]] = {}

    def lots_of(wallet: int) -> list[OpenLot]:
        if not read:
            ends = Coalesce("expires_at", "wallet__idle_expires_at", Value(FOREVER))
            lots = Lot.objects.annotate(ends=ends).filter(wallet__in=wallets, open=True, available_at__lte=now, ends__gt=now)
            for owner, seq, remaining in lots.order_by("expires_at", "earned_at", "seq").values_list(
                "wallet", "seq", "remaining"
            ):
                read.setdefault(owner, []).append(OpenLot(seq, remaining))
        return read.get(wallet, [])

    return lots_of


def _write(lines: list[Line], *, now: datetime) -> dict[int, UUID]:
    """Write the lines; the entry of each line that was written, by its place in the list."""
    if not lines:
        return {}
    with connection.cursor() as cursor:
        cursor.execute("select ord, entry from ledger_post(%s, %s)", [json.dumps(lines), now])
        return dict(cursor.fetchall())
