"""Documents are taken once: receipts, returns, events, each unique by (source, number, kind)."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import connection


@dataclass(frozen=True, slots=True)
class Document:
    """`id` is what it would be stored under; `fingerprint` says what is written on it."""

    source: str
    number: str
    kind: str
    id: UUID
    fingerprint: bytes


@dataclass(frozen=True, slots=True)
class Taken:
    """Under which id the number stands, whether this call took it, and whether the same was written on it."""

    id: UUID
    fresh: bool
    same: bool


def fingerprint(body: Any) -> bytes:
    """SHA-256 of the canonical JSON of `body`."""
    return hashlib.sha256(json.dumps(body, sort_keys=True, separators=(",", ":"), default=str).encode()).digest()


TAKE = """
with asked as (
    select * from unnest(%s::text[], %s::text[], %s::text[], %s::uuid[], %s::bytea[])
             with ordinality as a (source, number, kind, document, fingerprint, place)
), fresh as (  -- in number order, so that two batches wait for each other instead of locking each other out; of equal ones
            -- the first of the list
    insert into loyalty_documentguard (source, number, kind, document, fingerprint)
    select source, number, kind, document, fingerprint from asked order by source, number, kind, place
    on conflict (source, number, kind) do nothing returning document
)
select document from fresh
"""
STANDING = """
select g.source, g.number, g.kind, g.document, g.fingerprint from loyalty_documentguard g
  join unnest(%s::text[], %s::text[], %s::text[]) as a (source, number, kind) using (source, number, kind)
"""


def take(documents: Sequence[Document]) -> list[Taken]:
    """Take each document unless its number is taken, also by an earlier one of the list; answers in order.

    Runs inside the caller's transaction, behind the wallets' locks; a parallel twin waits here until it ends.
    """
    columns = [[getattr(one, name) for one in documents] for name in ("source", "number", "kind", "id", "fingerprint")]
    with connection.cursor() as cursor:
        cursor.execute(TAKE, columns)
        fresh = {id_ for (id_,) in cursor.fetchall()}
    known = standing([(one.source, one.number, one.kind) for one in documents])  # sees what a twin committed meanwhile
    answers = []
    for one in documents:
        id_, print_ = known[one.source, one.number, one.kind]
        answers.append(Taken(id_, fresh=id_ == one.id and one.id in fresh, same=print_ == one.fingerprint))
    return answers


def standing(names: Sequence[tuple[str, str, str]]) -> dict[tuple[str, str, str], tuple[UUID, bytes]]:
    """Id and fingerprint of the documents that stand under these (source, number, kind)."""
    with connection.cursor() as cursor:
        cursor.execute(STANDING, [[name[part] for name in names] for part in range(3)])
        return {(source, number, kind): (id_, bytes(print_)) for source, number, kind, id_, print_ in cursor.fetchall()}
