"""The ledger's door: the only writer of its tables.

Each verb takes a list of acts (one act is a list of one), locks the wallets in key order, decides in the order given
and writes all of it with a constant number of statements: one that locks and reads (`ledger_open`), one that writes
(`ledger_post`, both in sql/ledger.sql). Each act is answered, in order, by `Posted` or `Refused`. Verbs run inside the
caller's transaction and hold the locks until its end. Lock order everywhere: wallets, then stock, then counters.
"""

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection, transaction
from django.db.models import Q

from loyalty import drafting
from loyalty.acts import Accrual, Act, Adjustment, Burn, Outcome, Posted, Refusal, Refused, Reversal
from loyalty.drafting import Line, LockedWallet, Original
from loyalty.lots import OpenLot
from loyalty.models import Lot, LotUse, PointType, Posting, Wallet

# Enough lots for nearly every burn; a wallet that needs more is read again whole.
FIRST_LOTS = 64

type _Draft = Callable[[Any, LockedWallet], Line | Refusal]


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
    return _post(acts, drafting.grant, now=now, actor=actor, lots=0)


def burn(acts: Sequence[Burn], *, now: datetime, actor: UUID | None = None) -> list[Outcome]:
    """Spend points in burn order; refused with a deficit, or when fewer are available as of `now`."""
    return _post(acts, drafting.spend, now=now, actor=actor, lots=FIRST_LOTS)


def adjust(acts: Sequence[Adjustment], *, now: datetime, actor: UUID | None) -> list[Outcome]:
    """Correct balances by hand; taking points is refused like a burn, and sees no lot of the same batch."""
    return _post(acts, drafting.adjust, now=now, actor=actor, lots=FIRST_LOTS)


def reverse(acts: Sequence[Reversal], *, now: datetime, actor: UUID | None) -> list[Outcome]:
    """Undo entries exactly: spent points go back to their lots, granted points leave theirs if none is spent."""
    originals: dict[UUID, Original] = {}

    def draft(act: Reversal, wallet: LockedWallet) -> Line | Refusal:
        if not originals:  # read once, behind the locks
            originals.update(_originals([one.entry for one in acts]))
        return drafting.undo(act, wallet, originals.get(act.entry))

    return _post(acts, draft, now=now, actor=actor, lots=0)


def expire(*, now: datetime, limit: int = 10_000) -> tuple[int, int]:
    """Book the end of up to `limit` lots that ended by `now`, soonest first. Returns (lots, points) expired."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("select lots, points from ledger_expire(%s, %s)", [now, limit])
        lots, points = cursor.fetchone()
    return lots, points


@dataclass(frozen=True, slots=True)
class _Standing:
    """An entry that bears a key: read from the ledger, or (entry None) a line of this batch."""

    wallet: int
    points: int
    balance: int
    entry: UUID | None
    line: int = -1


def _post(acts: Sequence[Act], draft: _Draft, *, now: datetime, actor: UUID | None, lots: int) -> list[Outcome]:
    """Lock and read, decide act by act, write. `draft` makes an act's line and moves the wallet's state with it."""
    if not acts:
        return []
    with transaction.atomic():
        wallets, standing = _open(acts, now=now, lots=lots)
        lines: list[Line] = []
        decided: list[_Standing | Refusal] = []
        for act in acts:
            wallet = wallets.get(act.holder)
            if act.key in standing:
                decided.append(_again(act, wallet, standing[act.key]))
                continue
            line = draft(act, wallet) if wallet else Refusal.UNKNOWN_HOLDER
            if isinstance(line, Refusal) or wallet is None:
                decided.append(line if isinstance(line, Refusal) else Refusal.UNKNOWN_HOLDER)
                continue
            wallet.net += line["points"]
            made = _Standing(wallet.id, line["points"], wallet.net, None, len(lines))
            decided.append(made)
            standing[act.key] = made
            lines.append(_common(act, wallet, made.line, actor) | line)
        entries = _write(lines, now=now)
    return _answers(decided, entries)


def _again(act: Act, wallet: LockedWallet | None, standing: _Standing) -> _Standing | Refusal:
    """A key seen before answers what it answered then, if the act says the same."""
    points = {Accrual: 1, Burn: -1, Adjustment: 1}.get(type(act), 0) * getattr(act, "points", 0)
    same = wallet is not None and wallet.id == standing.wallet and points in (0, standing.points)
    return standing if same else Refusal.KEY_REUSED


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


def _common(act: Act, wallet: LockedWallet, ord_: int, actor: UUID | None) -> Line:
    return {
        "ord": ord_,
        "key": act.key,
        "wallet": wallet.id,
        "deficit_change": 0,
        "occurred_at": act.occurred_at.isoformat(),
        "store": getattr(act, "store", None),
        "reference": getattr(act, "reference", ""),
        "reason": act.reason,
        "actor": actor and str(actor),
    }


def _open(acts: Sequence[Act], *, now: datetime, lots: int) -> tuple[dict[UUID, LockedWallet], dict[str, _Standing]]:
    holders, keys = list({act.holder for act in acts}), list({act.key for act in acts})
    with connection.cursor() as cursor:
        cursor.execute("select ledger_open(%s, %s, %s, %s, %s)", [holders, PointType.REDEEMABLE, keys, now, lots])
        read = cursor.fetchone()[0]
    by_wallet: dict[int, list[OpenLot]] = {}
    for wallet, seq, remaining in read["lots"]:
        by_wallet.setdefault(wallet, []).append(OpenLot(seq, remaining))
    wallets = {}
    for id_, holder, balance, deficit in read["wallets"]:
        first = by_wallet.get(id_, [])
        more = _reader(id_, now) if lots and len(first) == lots else None
        wallets[UUID(holder)] = LockedWallet(id_, balance - deficit, deficit, first, more)
    standing = {key: _Standing(wallet, points, balance, UUID(entry)) for key, entry, wallet, points, balance in read["entries"]}
    return wallets, standing


def _reader(wallet: int, now: datetime) -> Callable[[], list[OpenLot]]:
    lots = Lot.objects.filter(Q(expires_at=None) | Q(expires_at__gt=now), wallet=wallet, open=True, available_at__lte=now)
    ordered = lots.order_by("expires_at", "earned_at", "seq").values_list("seq", "remaining")
    return lambda: [OpenLot(seq, remaining) for seq, remaining in ordered]


def _write(lines: list[Line], *, now: datetime) -> dict[int, UUID]:
    """Write the lines; the entry of each line that was written, by its place in the list."""
    if not lines:
        return {}
    with connection.cursor() as cursor:
        cursor.execute("select ord, entry from ledger_post(%s, %s)", [json.dumps(lines), now])
        return dict(cursor.fetchall())


def _originals(entries: Sequence[UUID]) -> dict[UUID, Original]:
    postings = list(Posting.objects.filter(entry__in=entries))
    wallets, seqs = [one.wallet_id for one in postings], [one.seq for one in postings]
    left = {(lot.wallet_id, lot.seq): lot.remaining for lot in Lot.objects.filter(wallet__in=wallets, seq__in=seqs)}
    uses: dict[tuple[int, int], list[tuple[int, int]]] = {}
    for use in LotUse.objects.filter(wallet__in=wallets, seq__in=seqs).order_by("lot_seq"):
        uses.setdefault((use.wallet_id, use.seq), []).append((use.lot_seq, use.points))
    return {
        one.entry_id: Original(
            one.wallet_id, one.seq, one.points, one.kind, one.contra,
            left.get((one.wallet_id, one.seq)), uses.get((one.wallet_id, one.seq), []),
        )
        for one in postings
    }  # fmt: skip
