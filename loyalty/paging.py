"""Keyset paging: a page continues after the last row seen, so its cost does not grow with the list."""

import base64
import json
from collections.abc import Callable, Sequence
from typing import Any

from loyalty.problems import Fault, Problem

LIMIT_MAX = 200
# Longer than any that `encode` makes, too short to nest deeply.
CURSOR_LENGTH = 200


def encode(position: Sequence[Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(list(position), default=str).encode()).decode().rstrip("=")


def decode(cursor: str | None, parts: int) -> list[Any] | None:
    """The position that `encode` was given; None without a cursor. Raises Problem for a made-up one."""
    if not cursor:
        return None
    try:
        position = len(cursor) <= CURSOR_LENGTH and json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    except ValueError:
        position = None
    if not isinstance(position, list) or len(position) != parts:
        raise Problem(
            "validation", "The cursor is not one that a list answered.", faults=[Fault("/cursor", "Start without a cursor.")]
        )
    return position


def page[T](rows: Sequence[T], limit: int, position: Callable[[T], Sequence[Any]], item: Callable[[T], Any]) -> dict[str, Any]:
    """`rows` hold up to `limit` + 1; the one too many only tells that there is a next page."""
    shown = rows[:limit]
    return {"items": [item(row) for row in shown], "next": encode(position(shown[-1])) if len(rows) > limit else None}
