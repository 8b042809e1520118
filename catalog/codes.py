"""Partners' codes into their pools: each line is taken, or told why not. A code is in one pool, once, for ever."""

import csv
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from io import StringIO
from itertools import batched
from typing import Any
from uuid import UUID

from django.db import connection, transaction
from django.db.models import Count, Q, QuerySet
from django.utils.translation import gettext as _

from catalog.models import Code, CodePool
from loyalty import auditing
from loyalty.problems import Problem

LABEL = "catalog.codepool"
LENGTH, CODES_MAX, BATCH = 120, 100_000, 5_000
# What the first line of a CSV file may call the column.
HEADER = "code"
# What may stand between columns; spreadsheets differ by country.
MARKS = ",;\t"
# What was not taken is left out by the index of texts, also what a parallel upload wrote meanwhile.
FILL = """
insert into catalog_code (pool_id, text) select %s, unnest(%s::text[])
on conflict (text) do nothing returning text
"""


@dataclass(frozen=True, slots=True)
class Skipped:
    """A line that was not taken: its number, the end of what stands there, and why."""

    line: int
    ending: str
    why: str


@dataclass(frozen=True, slots=True)
class Filled:
    """How many codes were new, and the lines that were not taken, in their order."""

    new: int
    skipped: tuple[Skipped, ...]


def fill(pool: CodePool, text: str, *, actor: UUID) -> Filled:
    """Put the codes of `text` into the pool, one a line or the first column of a CSV. Raises Problem for too many or none."""
    lines, skipped = _read(text)
    if len(lines) > CODES_MAX:
        raise Problem("validation", _("These are more than 100,000 codes. Send them in several files."))
    if not lines and not skipped:
        raise Problem("validation", _("There are no codes in it. Write one on each line."))
    with transaction.atomic():
        parts = list(batched(lines, BATCH, strict=False))
        new = {code for part in parts for code in _insert(pool, part)}
        for part in parts:
            skipped += _known(pool, {code: lines[code] for code in part if code not in new})
        counts = {"new": len(new), "skipped": len(skipped)}
        auditing.record(actor, "codepool.filled", LABEL, pool.pk, {"code": pool.code, **counts})
    return Filled(len(new), tuple(sorted(skipped, key=lambda one: one.line)))


def with_counts(pools: QuerySet[CodePool]) -> QuerySet[CodePool, Any]:
    """Pools with `left`, the codes that can still be handed out, and `given`, those that were."""
    return pools.annotate(
        left=Count("codes", filter=Q(codes__redemption=None)), given=Count("codes", filter=~Q(codes__redemption=None))
    )


def running_dry() -> int:
    """How many pools have no more codes than their mark."""
    return sum(pool.left <= pool.low_water for pool in with_counts(CodePool.objects.all()))


def masked(text: str) -> str:
    """The end of a code, enough to tell it from its neighbours and too little to use it."""
    return f"…{text[-min(4, len(text) // 3) :]}" if len(text) >= 3 else "…"


def _read(text: str) -> tuple[dict[str, int], list[Skipped]]:
    """Codes with the line where each stands first, and the lines that hold none that can be kept."""
    found: dict[str, int] = {}
    skipped: list[Skipped] = []
    first = next((mark for mark in text if mark in MARKS), ",")
    rows = csv.reader(StringIO(text), delimiter=first)
    try:
        for row in rows:
            code, line = row[0].strip() if row else "", rows.line_num
            if not code or (line == 1 and code.lower() == HEADER):
                continue
            if why := _why_not(code, found):
                skipped.append(Skipped(line, masked(code[:LENGTH]), why))
            else:
                found[code] = line
    except csv.Error as error:
        detail = _("Line %(line)d is no CSV: %(error)s") % {"line": rows.line_num, "error": error}
        raise Problem("validation", detail) from error
    return found, skipped


def _why_not(code: str, found: dict[str, int]) -> str:
    if len(code) > LENGTH:
        return _("longer than %(length)s characters") % {"length": LENGTH}
    if not code.isprintable():
        return _("holds characters that cannot be shown")
    return _("stands on line %(line)s too") % {"line": found[code]} if code in found else ""


def _insert(pool: CodePool, texts: Sequence[str]) -> Iterable[str]:
    with connection.cursor() as cursor:
        cursor.execute(FILL, [pool.pk, list(texts)])
        return [text for (text,) in cursor.fetchall()]


def _known(pool: CodePool, lines: dict[str, int]) -> list[Skipped]:
    """Codes that were there before: in this pool, or in another one, which is named."""
    rows = Code.objects.filter(text__in=list(lines)).values_list("text", "pool__code")
    here, there = _("is in this pool already"), _("is in the pool %(code)s already")
    return [Skipped(lines[text], masked(text), here if code == pool.code else there % {"code": code}) for text, code in rows]
