"""Who is in a segment, and who was: lists that staff keep."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from datetime import datetime
from uuid import UUID

from django.db import connection, transaction
from django.utils.translation import gettext as _

from campaigns.models import Segment, SegmentMembership
from loyalty import auditing
from loyalty.problems import Problem
from members.queries import resolve

LABEL = "campaigns.segment"
# Cards and ids alone stand in such a list, one a line.
LINES_MAX, LINE_LENGTH = 50_000, 80
HEADINGS = {"member", "member_id", "card", "card_number", "external_id", "id"}
OF_MEMBERS = """
select asked.place, array_agg(s.code)
  from unnest(%s::uuid[], %s::timestamptz[]) with ordinality as asked (member, at, place)
  join campaigns_segmentmembership m
    on m.member_id = asked.member and m.since <= asked.at and (m.until is null or asked.at < m.until)
  join campaigns_segment s on s.id = m.segment_id
 group by asked.place
"""


def of_members(asked: Sequence[tuple[UUID, datetime]]) -> list[frozenset[str]]:
    """The codes of the segments in which each member was at its instant, in one statement."""
    found: dict[int, frozenset[str]] = defaultdict(frozenset)
    with connection.cursor() as cursor:
        cursor.execute(OF_MEMBERS, [[member for member, _at in asked], [at for _member, at in asked]])
        found.update({place: frozenset(codes) for place, codes in cursor.fetchall()})
    return [found[place] for place in range(1, len(asked) + 1)]


def add(segment: Segment, members: Collection[UUID], *, actor: UUID, now: datetime) -> int:
    """Let members be in the segment from now on; how many were not in it."""
    with transaction.atomic():
        inside = _inside(segment, members)
        rows = [SegmentMembership(segment=segment, member_id=one, since=now) for one in sorted(set(members) - inside)]
        SegmentMembership.objects.bulk_create(rows, batch_size=5000)
        if rows:
            auditing.record(actor, "segment.filled", LABEL, segment.pk, {"members": len(rows)})
    return len(rows)


def remove(segment: Segment, members: Collection[UUID], *, actor: UUID, now: datetime) -> int:
    """Let members be in the segment no longer; how many were in it. That they were stays known."""
    with transaction.atomic():
        inside = _inside(segment, members)
        SegmentMembership.objects.filter(segment=segment, member__in=inside, until=None).update(until=now)
        if inside:
            auditing.record(actor, "segment.cleared", LABEL, segment.pk, {"members": len(inside)})
    return len(inside)


def read(text: str) -> tuple[set[UUID], list[tuple[int, str]]]:
    """The members whom a pasted list or a CSV file names in its first column, and the lines (number, text) that name nobody.

    A line is a card number, a member's id, or the number in another system. Raises Problem for a list that is too long.
    """
    lines = [(number, line.split(",")[0].split(";")[0].strip().strip('"')) for number, line in enumerate(text.splitlines(), 1)]
    lines = [(number, line) for number, line in lines if line and not (number == 1 and line.lower() in HEADINGS)]
    if len(lines) > LINES_MAX:
        raise Problem("limit-reached", _("The list has more than %(most)s lines.") % {"most": LINES_MAX})
    asked = {line for _number, line in lines if len(line) <= LINE_LENGTH and "\0" not in line}
    known = resolve(asked)
    external = resolve(f"external:{line}" for line in asked - known.keys())
    found = {line: facts.id for line, facts in known.items()}
    found |= {line.removeprefix("external:"): facts.id for line, facts in external.items()}
    return set(found.values()), [(number, line) for number, line in lines if line not in found]


def _inside(segment: Segment, members: Collection[UUID]) -> set[UUID]:
    """Who of them is in it now; the segment is locked, so that one act counts after the other."""
    Segment.objects.select_for_update().get(pk=segment.pk)
    rows = SegmentMembership.objects.filter(segment=segment, until=None, member__in=members)
    return set(rows.values_list("member", flat=True))
