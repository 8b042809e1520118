"""What earlier entries did, for the acts that undo them. Read behind the wallets' locks, in a constant number of statements."""

from collections.abc import Iterable, Sequence
from uuid import UUID

from django.db.models import Sum, Value
from django.db.models.functions import Coalesce

from loyalty.drafting import Original
from loyalty.kinds import Kind
from loyalty.lots import PastLot, first_points
from loyalty.models import JournalEntry, Lot, LotUse, Posting
from loyalty.terms import FOREVER

type Place = tuple[int, int]


def originals(entries: Iterable[UUID]) -> dict[UUID, Original]:
    """Each entry that stands, by its id."""
    asked = list(set(entries))
    postings = list(Posting.objects.filter(entry__in=asked).select_related("entry").order_by("wallet_id", "seq"))
    given_back, clawed = _undone(asked)
    uses = _uses(postings)
    lots = _lots(postings, uses)
    first: dict[UUID, Posting] = {}
    places: dict[UUID, list[Place]] = {}
    for one in postings:
        first.setdefault(one.entry_id, one)
        places.setdefault(one.entry_id, []).append((one.wallet_id, one.seq))
    return {
        id_: Original(
            wallet=one.wallet_id, seq=one.seq, points=one.points, kind=one.kind, contra=one.contra,
            uses=first_points(uses.get((one.wallet_id, one.seq), []), given_back.get(id_, 0))[1],
            lots=lots.get(one.wallet_id, {}),
            places=frozenset(places[id_]), undoes=one.entry.undoes, clawed=clawed.get(id_, 0),
        )
        for id_, one in first.items()
    }  # fmt: skip


def _undone(entries: Sequence[UUID]) -> tuple[dict[UUID, int], dict[UUID, int]]:
    """Points of each entry that came back since, to whatever lots or into a deficit; and points that were taken back of it."""
    undoing = {id_: of for id_, of in JournalEntry.objects.filter(undoes__in=entries).values_list("id", "undoes") if of}
    repented = JournalEntry.objects.filter(undoes__in=undoing, posting__kind=Kind.REVERSE).values("undoes")
    lines = Posting.objects.filter(entry__in=undoing, kind__in=[Kind.RESTORE, Kind.REVERSE, Kind.RETURN])
    given: dict[UUID, int] = {}
    taken: dict[UUID, int] = {}
    for entry, points in lines.exclude(entry__in=repented).values_list("entry").annotate(points=Sum("points")).order_by():
        into = given if points > 0 else taken
        into[undoing[entry]] = into.get(undoing[entry], 0) + abs(points)
    return given, taken


def _uses(postings: Sequence[Posting]) -> dict[Place, list[Place]]:
    """What each posting, by wallet and number, took from which lot of its wallet, oldest lots first."""
    asked = {(one.wallet_id, one.seq) for one in postings}
    found: dict[Place, list[Place]] = {}
    rows = LotUse.objects.filter(wallet__in={wallet for wallet, _ in asked}, seq__in={seq for _, seq in asked}, points__gt=0)
    for wallet, seq, lot_seq, points in rows.order_by("lot_seq").values_list("wallet_id", "seq", "lot_seq", "points"):
        if (wallet, seq) in asked and lot_seq != seq:
            found.setdefault((wallet, seq), []).append((lot_seq, points))
    return found


def _lots(postings: Sequence[Posting], uses: dict[Place, list[Place]]) -> dict[int, dict[int, PastLot]]:
    """The lots that the postings opened or took from, by wallet and number."""
    asked = {(one.wallet_id, one.seq) for one in postings}
    asked |= {(wallet, seq) for (wallet, _), taken in uses.items() for seq, _points in taken}
    ends = Coalesce("expires_at", "wallet__idle_expires_at", Value(FOREVER))
    rows = Lot.objects.filter(wallet__in={wallet for wallet, _ in asked}, seq__in={seq for _, seq in asked})
    found: dict[int, dict[int, PastLot]] = {}
    for wallet, seq, *lot in rows.values_list("wallet_id", "seq", "remaining", ends, "earned_at", "store_id", "rule_version"):
        if (wallet, seq) in asked:
            found.setdefault(wallet, {})[seq] = PastLot(*lot)
    return found
