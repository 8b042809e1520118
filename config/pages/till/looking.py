"""What was scanned or typed at the till's one field: a card, a voucher, a phone number or its end, an address."""

from dataclasses import dataclass, field
from urllib.parse import urlsplit
from uuid import UUID

from catalog import issuing
from catalog.models import Voucher
from config.pages.till.people import Shown, shown
from members import finding
from members.models import Member
from members.queries import with_card

LISTED = 8
ENDING = range(4, 13)


@dataclass(frozen=True, slots=True)
class Found:
    """One of them, or nothing. `more`: there are more members than those listed."""

    voucher: UUID | None = None
    member: UUID | None = None
    several: list[Shown] = field(default_factory=list)
    more: bool = False


def look(text: str) -> Found:
    """A code may come as the address that a QR code holds."""
    text = text.replace("\0", "").strip()
    if text.lower().startswith(("http://", "https://")):
        text = urlsplit(text).path.rstrip("/").rpartition("/")[2]
    code = issuing.parse(text)
    voucher = Voucher.objects.filter(code=code).values_list("pk", flat=True).first() if code else None
    if voucher:
        return Found(voucher=voucher)
    named = finding.identified(text)
    members = with_card().exclude(status=Member.Status.CLOSED)
    rows = list(members.filter(pk__in=named)[: LISTED + 1]) if named else list(_with_ending(text))
    if len(rows) == 1:
        return Found(member=rows[0].pk)
    return Found(several=[shown(one) for one in rows[:LISTED]], more=len(rows) > LISTED)


def _with_ending(text: str) -> list[Member]:
    digits = "".join(text.split())
    if not (digits.isascii() and digits.isdigit() and len(digits) in ENDING):
        return []
    return list(finding.with_phone_ending(with_card(), digits.removeprefix("0"))[: LISTED + 1])
