"""A member's own rows with all that their hashes cover, and the newest checkpoint that seals them, for checking offline."""

from pathlib import Path
from typing import Any
from uuid import UUID

from django.db import connection

from loyalty import checkpoints, sealed_heads
from loyalty.models import PointType, Wallet

FORMAT = "regulars-statement-1"
# One statement, so that all of it is of one instant. Instants are UTC, hashes hex.
ROWS = """
select json_build_object(
    'wallet', json_build_object('id', w.id, 'holder', w.holder, 'point_type', w.point_type, 'opened_at', w.opened_at,
        'balance', w.balance, 'deficit', w.deficit, 'seq', w.seq, 'head', encode(w.head, 'hex'), 'idle_expires_at', w.idle_expires_at),
    'postings', (select coalesce(json_agg(json_build_object('id', p.id, 'entry_id', p.entry_id, 'wallet_id', p.wallet_id, 'seq', p.seq,
        'kind', p.kind, 'points', p.points, 'contra', p.contra, 'balance_after', p.balance_after, 'occurred_at', p.occurred_at,
        'recorded_at', p.recorded_at, 'store_id', p.store_id, 'reference', p.reference, 'idle_until', p.idle_until,
        'hash', encode(p.hash, 'hex')) order by p.seq), '[]') from loyalty_posting p where p.wallet_id = w.id),
    'entries', (select coalesce(json_agg(to_json(e) order by e.id), '[]') from loyalty_journalentry e
        where e.id in (select entry_id from loyalty_posting where wallet_id = w.id)),
    'lots', (select coalesce(json_agg(to_jsonb(l) - 'wallet_id' order by l.seq), '[]') from loyalty_lot l where l.wallet_id = w.id),
    'lot_uses', (select coalesce(json_agg(to_jsonb(u) - 'wallet_id' order by u.seq, u.lot_seq), '[]') from loyalty_lotuse u where u.wallet_id = w.id))
  from loyalty_wallet w where w.id = %s
"""  # noqa: E501


def proven(holder: UUID, folder: Path | None) -> dict[str, Any] | None:
    """Everything in the holder's wallet, as docs/ledger.md describes it; None when there is no wallet."""
    wallet = Wallet.objects.filter(holder=holder, point_type=PointType.REDEEMABLE).values_list("id", flat=True).first()
    if wallet is None:
        return None
    sealed = _sealed(wallet, folder) if folder else None  # first, so that no checkpoint is newer than the rows
    with connection.cursor() as cursor:
        cursor.execute(ROWS, [wallet])
        rows = cursor.fetchone()[0]
    return {"format": FORMAT, **rows, "checkpoint": sealed}


def _sealed(wallet: int, folder: Path) -> dict[str, Any] | None:
    """What was signed, this wallet's head in it, and the path from that head to the root that was signed."""
    number = sealed_heads.last_sealed(folder, wallet)
    if number is None:
        return None
    sealed = checkpoints.read(folder / f"checkpoint-{number:06}.json")
    index = next(i for i, head in enumerate(sealed.heads) if head[0] == wallet)
    path = checkpoints.merkle_path(sealed.heads, index)
    return {"body": sealed.body, "signature": sealed.signature, "head": sealed.heads[index], "path": path}
