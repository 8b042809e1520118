"""A batch of acts that Python decides: wallets locked and read by one call, decided act by act, written by another.

For loyalty/posting.py alone, which is the door.
"""

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from django.db import connection, transaction

from loyalty.acts import (
    Act,
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
from loyalty.drafting import Line, Lines, LockedWallet, Originals, Wallets, latest
from loyalty.ids import uuid7
from loyalty.kinds import Kind
from loyalty.lots import OpenLot
from loyalty.models import PointType, Wallet
from loyalty.originals import originals

NEVER = datetime(1, 1, 1, tzinfo=UTC)
KIND_OF: dict[type, Kind] = {
    Restore: Kind.RESTORE, ClawBack: Kind.RETURN, Reversal: Kind.REVERSE, Forgiveness: Kind.FORGIVE, Transfer: Kind.TRANSFER,
    Merge: Kind.MERGE, UnMerge: Kind.MERGE,
}  # fmt: skip

type _Draft = Callable[[Any, Wallets], Lines]
type _Undo = Callable[[Any, Wallets, Originals], Lines]
# To whom an act brings lots.
type _Brings = Callable[[Any], UUID]


def lock(holders: Iterable[UUID], point_type: PointType = PointType.REDEEMABLE) -> None:
    """Lock wallets in key order until the transaction ends, before anything else is locked."""
    wallets = Wallet.objects.filter(holder__in=list(holders), point_type=point_type)
    list(wallets.select_for_update().order_by("id").values_list("id"))


@dataclass(frozen=True, slots=True)
class _Standing:
    """An entry that bears a key, of the ledger or (entry None) of this batch, where `line` is its first line.

    `moved` are kind and points of its postings, by wallet; `balances` what each wallet had after them.
    """

    undoes: UUID | None
    moved: dict[int, list[tuple[str, int]]]
    balances: dict[int, int]
    entry: UUID | None = None
    line: int = -1

    def says(self, act: Act, wallets: Wallets) -> bool:
        """Whether it is this act's: its kind, its wallets, its points, and the entry that it undoes."""
        named = {wallets[holder].id if holder in wallets else None for holder in act.holders}
        if named != set(self.moved) or self.undoes != getattr(act, "entry", None):
            return False
        moved = self.moved[wallets[act.holder].id]
        kind, sign = KIND_OF[type(act)], -1 if isinstance(act, ClawBack | Transfer) else 1
        points = sum(points for each, points in moved if each == kind)
        return moved[0][0] == kind and points == sign * getattr(act, "points", sign * points)


# An act's entry and its holder's balance after it, or why there is none.
type _Decided = tuple[_Standing, int] | Refusal


def post_undoing(
    acts: Sequence[Act],
    draft: _Undo,
    *,
    now: datetime,
    actor: UUID | None,
    with_lots: bool = False,
    brings: _Brings | None = None,
    point_type: PointType = PointType.REDEEMABLE,
) -> list[Outcome]:
    """As `post`, for acts on earlier entries."""

    def run(part: Sequence[Act]) -> list[Outcome]:
        return _post_run(part, _undoing(part, draft), now=now, actor=actor, with_lots=with_lots, point_type=point_type)

    return in_runs(acts, run, brings, point_type)


def post(
    acts: Sequence[Act],
    draft: _Draft,
    *,
    now: datetime,
    actor: UUID | None,
    with_lots: bool = False,
    brings: _Brings | None = None,
) -> list[Outcome]:
    """Post the acts, nearly always in one run."""
    return in_runs(acts, lambda run: _post_run(run, draft, now=now, actor=actor, with_lots=with_lots), brings)


def in_runs(
    acts: Sequence[Act],
    post: Callable[[Sequence[Act]], list[Outcome]],
    brings: _Brings | None = None,
    point_type: PointType = PointType.REDEEMABLE,
) -> list[Outcome]:
    """Post a batch, nearly always at once; of acts with one key the first decides."""
    runs = _runs(acts, brings)
    if len(runs) < 2:
        return post(acts) if acts else []
    outcomes: list[Outcome] = []
    refused: set[str] = set()
    with transaction.atomic():
        lock({holder for act in acts for holder in act.holders}, point_type)
        for run in runs:
            answers = iter(post([act for act in run if act.key not in refused]))
            told = [Refused(Refusal.KEY_REUSED) if act.key in refused else next(answers) for act in run]
            new = zip(run, told, strict=True)  # a key that another act bears is not refused, and may be asked for again
            refused |= {act.key for act, said in new if isinstance(said, Refused) and said.reason != Refusal.KEY_REUSED}
            outcomes += told
    return outcomes


def _runs(acts: Sequence[Act], brings: _Brings | None) -> list[list[Act]]:
    """Cut a batch before each act that needs what is written only with the acts before it.

    That is what they bring to its wallets, or the end of a wallet that they did not keep alive until this act.
    """
    runs: list[list[Act]] = [[]]
    brought: set[UUID] = set()
    alive: dict[UUID, datetime] = {}  # to when the run's acts keep a wallet; those that do not, not at all
    for act in acts:
        ended = any(_ended(alive.get(holder), act) for holder in act.holders)
        if brought & set(act.holders) or ended:
            runs.append([])
            brought, alive = set(), {}
        runs[-1].append(act)
        if brings:
            brought.add(brings(act))
        for holder in act.holders:
            alive[holder] = max(act.idle_until or NEVER, alive.get(holder, NEVER))
    return runs


def _ended(kept: datetime | None, act: Act) -> bool:
    """Whether the wallet may have ended before this act, by what the acts before it did for it (None: none touched it)."""
    if kept is None or (kept == NEVER and act.idle_until is None):
        return False
    return kept <= act.occurred_at


def _undoing(acts: Sequence[Act], draft: _Undo) -> _Draft:
    """A draft that is told what the acts' entries did, read once, behind the locks."""
    read: list[Originals] = []

    def drafted(act: Any, wallets: Wallets) -> Lines:
        if not read:
            named = [[one.entry, *getattr(one, "own", ())] for one in acts]  # type: ignore[union-attr]
            read.append(originals(entry for entries in named for entry in entries))
        return draft(act, wallets, read[0])

    return drafted


def _post_run(
    acts: Sequence[Act],
    draft: _Draft,
    *,
    now: datetime,
    actor: UUID | None,
    with_lots: bool,
    point_type: PointType = PointType.REDEEMABLE,
) -> list[Outcome]:
    """Lock and read, decide act by act, write. `draft` makes an act's lines and moves the wallets' state with them."""
    with transaction.atomic():
        wallets, standing = _open(acts, now=now, with_lots=with_lots, point_type=point_type)
        lines: list[Line] = []
        decided: list[_Decided] = []
        refused: set[str] = set()
        for act in acts:
            if act.key in standing or act.key in refused:
                decided.append(_again(act, wallets, standing.get(act.key)))
                continue
            unknown = any(holder not in wallets for holder in act.holders)
            drafted = Refusal.UNKNOWN_HOLDER if unknown else draft(act, wallets)
            if isinstance(drafted, Refusal):
                decided.append(drafted)
                refused.add(act.key)
                continue
            standing[act.key] = _standing(act, wallets, drafted, len(lines))
            decided.append((standing[act.key], wallets[act.holder].net))
            for holder in act.holders:
                wallets[holder].keep_alive(act.idle_until)
            lines += _with_entry(act, drafted, len(lines), actor)
        entries = _write(lines, now=now)
    return _answers(decided, entries)


def _again(act: Act, wallets: Wallets, standing: _Standing | None) -> _Decided:
    """A key seen before answers what it answered then, if that was posted and the act says the same."""
    if standing is None or not standing.says(act, wallets):
        return Refusal.KEY_REUSED
    return standing, standing.balances[wallets[act.holder].id]


def _standing(act: Act, wallets: Wallets, lines: list[Line], line: int) -> _Standing:
    """The entry of these lines, as an act with its key will find it."""
    moved: dict[int, list[tuple[str, int]]] = {}
    for one in lines:
        moved.setdefault(one["wallet"], []).append((one["kind"], one["points"]))
    balances = {wallets[holder].id: wallets[holder].net for holder in act.holders}
    return _Standing(getattr(act, "entry", None), moved, balances, line=line)


def _answers(decided: list[_Decided], entries: dict[int, UUID]) -> list[Outcome]:
    answers: list[Outcome] = []
    told: set[int] = set()
    for one in decided:
        if isinstance(one, Refusal):
            answers.append(Refused(one))
            continue
        standing, balance = one
        if standing.entry is not None:
            answers.append(Posted(standing.entry, balance, replayed=True))
        elif standing.line in entries:
            answers.append(Posted(entries[standing.line], balance, replayed=standing.line in told))
            told.add(standing.line)
        else:  # another wallet's entry took the key while we decided
            answers.append(Refused(Refusal.KEY_REUSED))
    return answers


def _with_entry(act: Act, lines: list[Line], ord_: int, actor: UUID | None) -> list[Line]:
    """The lines with what their entry says; the first one bears the key, the others name its entry."""
    entry = str(uuid7())
    common: Line = {"occurred_at": act.occurred_at.isoformat(), "store": act.store, "reference": act.reference, "entry": entry}
    whole = [common | {"ord": ord_ + i} | line for i, line in enumerate(lines)]
    for line in whole:
        idle = latest(act.idle_until, line.get("idle_until"))
        line["idle_until"] = idle and idle.isoformat()
    whole[0] |= {
        "key": act.key,
        "reason": act.reason,
        "actor": actor and str(actor),
        "terms": act.terms,
        "rule": act.rule_version and str(act.rule_version),
    }
    return whole


def _open(
    acts: Sequence[Act], *, now: datetime, with_lots: bool, point_type: PointType
) -> tuple[dict[UUID, LockedWallet], dict[str, _Standing]]:
    active: dict[UUID, datetime] = {}
    for act in acts:
        for holder in act.holders:
            active.setdefault(holder, act.occurred_at)
    keys = list({act.key for act in acts})
    asked: list[Any] = [list(active), list(active.values()), point_type, keys, now, with_lots]
    with connection.cursor() as cursor:
        cursor.execute("select ledger_open(%s, %s, %s, %s, %s, %s)", asked)
        read = cursor.fetchone()[0]
    by_wallet: dict[int, list[OpenLot]] = {}
    for wallet, *lot in read["lots"]:
        by_wallet.setdefault(wallet, []).append(OpenLot(*lot))
    wallets = {
        UUID(holder): LockedWallet(id_, balance - deficit, deficit, by_wallet.get(id_, []), idle and datetime.fromisoformat(idle))
        for id_, holder, balance, deficit, idle in read["wallets"]
    }
    standing: dict[str, _Standing] = {}
    for key, entry, undoes, wallet, kind, points, balance in read["entries"]:
        one = standing.setdefault(key, _Standing(undoes and UUID(undoes), {}, {}, UUID(entry)))
        one.moved.setdefault(wallet, []).append((kind, points))
        one.balances[wallet] = balance
    return wallets, standing


def _write(lines: list[Line], *, now: datetime) -> dict[int, UUID]:
    """Write the lines; the entry of each line that was written, by its place in the list."""
    if not lines:
        return {}
    with connection.cursor() as cursor:
        cursor.execute("select ord, entry from ledger_post(%s, %s)", [json.dumps(lines), now])
        return dict(cursor.fetchall())
