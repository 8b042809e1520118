"""What earlier entries did, for the acts that undo them. Read behind the wallets' locks, in a constant number of statements."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from uuid import UUID

from django.db.models import Q

from loyalty.drafting import Original
from loyalty.lots import after_points
from loyalty.models import JournalEntry, Lot, LotUse, Posting

type Place = tuple[int, int]


def originals(entries: Iterable[UUID], *, now: datetime) -> dict[UUID, Original]:
    """Each entry that stands, by its id."""
    asked = list(set(entries))
    postings = list(Posting.objects.filter(entry__in=asked).order_by("id"))
    undoing = {id_: of for id_, of in JournalEntry.objects.filter(undoes__in=asked).values_list("id", "undoes") if of}
    later = list(Posting.objects.filter(entry__in=undoing))
    uses = _uses(postings)
    lots = _lots(postings, uses)
    given_back: dict[UUID, int] = {}
    for one in later:
        given_back[undoing[one.entry_id]] = given_back.get(undoing[one.entry_id], 0) + one.points
    first: dict[UUID, Posting] = {}
    brought: dict[UUID, set[int]] = {}
    for one in postings:
        if first.setdefault(one.entry_id, one) is not one:
            brought.setdefault(one.entry_id, set()).add(one.seq)
    return {id_: _original(one, uses, lots, given_back.get(id_, 0), brought.get(id_, set()), now) for id_, one in first.items()}


def _original(
    one: Posting, uses: dict[Place, list[Place]], lots: dict[Place, Lot], back: int, brought: set[int], now: datetime
) -> Original:
    own = lots.get((one.wallet_id, one.seq))
    # Whatever came back, to its lot, as a lot with grace or into a deficit, stood first in the order of the uses.
    left = after_points(uses.get((one.wallet_id, one.seq), []), max(back, 0))
    used = [lots[one.wallet_id, seq] for seq, _points in left]
    return Original(
        wallet=one.wallet_id, seq=one.seq, points=one.points, kind=one.kind, contra=one.contra,
        left=own.remaining if own else None,
        uses=left,
        ended=frozenset(lot.seq for lot in used if _ends(lot) <= now),
        earned_at=min((lot.earned_at for lot in used), default=None),
        brought=frozenset(brought),
    )  # fmt: skip


def _ends(lot: Lot) -> datetime:
    return lot.expires_at or lot.wallet.idle_expires_at or datetime.max.replace(tzinfo=lot.earned_at.tzinfo)


def _uses(postings: Sequence[Posting]) -> dict[Place, list[Place]]:
    """What each posting, by wallet and number, took from which lot."""
    found: dict[Place, list[Place]] = {}
    rows = LotUse.objects.filter(wallet__in={one.wallet_id for one in postings}, seq__in={one.seq for one in postings})
    for use in rows.order_by("lot_seq"):
        if use.lot_seq != use.seq:
            found.setdefault((use.wallet_id, use.seq), []).append((use.lot_seq, use.points))
    return found


def _lots(postings: Sequence[Posting], uses: dict[Place, list[Place]]) -> dict[Place, Lot]:
    """The lots that the postings opened or took from, by wallet and number."""
    seqs = {one.seq for one in postings} | {seq for taken in uses.values() for seq, _points in taken}
    rows = Lot.objects.filter(Q(wallet__in={one.wallet_id for one in postings}) & Q(seq__in=seqs)).select_related("wallet")
    return {(lot.wallet_id, lot.seq): lot for lot in rows}
