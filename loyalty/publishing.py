"""Terms from draft to frozen version: copied from the newest, changed, judged, published. Callers say who acts.

Versions count on and start in their order. What is worse for members asks for notice and a second person (loyalty/notice.py).
"""

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Max
from django.utils.translation import gettext as _

from loyalty import judging, notice, outbox, publication, terms, wording
from loyalty.documents import fingerprint
from loyalty.judging import Change, Topic
from loyalty.models import Lot, PointType, Posting, TermsVersion
from loyalty.notice import Review
from loyalty.outbox import Event
from loyalty.problems import Fault, Problem
from loyalty.publication import Facts, Publication
from loyalty.terms import Terms
from loyalty.validators import known_timezone

FIELDS = (
    "currency", "timezone", "point_value", "expiry", "expiry_months", "expiry_round_up", "expiry_month", "expiry_day",
    "pending_days", "return_days", "claw_back", "notice_days", "tender_min", "tender_step", "tender_max_percent",
)  # fmt: skip
LABEL, VERB = "loyalty.termsversion", "terms.publish"
CURRENCY = re.compile(r"[A-Z]{3}")
# The longest a person plans for; beyond it dates leave the calendar.
MONTHS_MAX, DAYS_MAX = 600, 3650
DAYS_OF_MONTH = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
VALUE_MAX = Decimal(10**6)
# So many times what a point is worth now one person alone may make it; more is likely a slip.
FACTOR_ALONE = 10
# More than anybody pays with at once.
POINTS_MAX = 10**9
WHOLE = 100
# As far as the column counts.
VERSION_MAX = 2**31
YEARS = range(1970, 2200)

Outcome = publication.Outcome[TermsVersion]


class _Terms(Publication[TermsVersion, int]):
    model, verb, known_by = TermsVersion, VERB, "version"

    def draft_of(self, key: int, *, lock: bool) -> tuple[TermsVersion, Sequence[TermsVersion]]:
        rows = _locked() if lock else list(TermsVersion.objects.order_by("version"))
        one = next((each for each in rows if each.version == key), None) or read(key)
        if one.published_at:
            detail = _("Version %(number)s is published and stays as it is. Draft a new one.") % {"number": one.version}
            raise Problem("not-eligible", detail, status=409)
        return one, rows

    def said(self, one: TermsVersion) -> dict[str, Any]:
        said = {name: getattr(one, name) for name in FIELDS} | {"starts_at": one.starts_at and one.starts_at.isoformat()}
        return said | {"point_value": f"{Decimal(one.point_value).normalize():f}"}

    def in_audit(self, one: TermsVersion) -> Facts:
        return {"version": one.version} | self.said(one)

    def judged(self, one: TermsVersion, rows: Sequence[TermsVersion], now: datetime) -> Review:
        follows = newest(rows)
        publication.insist_on_order(one, follows)
        before, after = terms.as_terms(follows), terms.as_terms(one)
        changes = judging.changes(before, after)
        _insist_on_sense(changes, rows, after)
        effect = judging.overall(change.effect for change in changes)
        asked = notice.judged(effect, asked=one.starts_at, not_before=before.starts_at, now=now)
        lines, coming = wording.compared(before, after, changes), publication.announced(follows, now)
        generous = notice.touches_somebody() and after.point_value > FACTOR_ALONE * before.point_value
        signed = _signature(one, follows)
        return Review(LABEL, str(one.pk), lines, effect, asked, signed, one.drafted_by, coming, generous=generous)

    def started(self, one: TermsVersion, rows: Sequence[TermsVersion], facts: Facts, now: datetime) -> Facts:
        facts |= {"version": one.version, "replaces": publication.replaces(one, rows)}
        outbox.tell([Event("terms.published", UUID(int=one.version), facts)])
        return facts


TERMS = _Terms()
content, review, publish, discard = TERMS.content, TERMS.review, TERMS.publish, TERMS.discard


def versions() -> list[TermsVersion]:
    """Drafts too, newest first."""
    return list(TermsVersion.objects.order_by("-version"))


def read(version: int) -> TermsVersion:
    """Raises Problem `not-found`."""
    one = TermsVersion.objects.filter(version=version).first() if version < VERSION_MAX else None
    if one is None:
        raise Problem("not-found", _("There is no such version of the terms."), status=404)
    return one


def draft(given: Mapping[str, Any], *, starts_at: datetime | None = None, actor: UUID) -> TermsVersion:
    """A copy of the newest published version with what is `given` (names of FIELDS). Raises Problem for a wrong value."""
    with transaction.atomic():
        one = newest(_locked())
        one.pk, one.version = None, (TermsVersion.objects.aggregate(last=Max("version"))["last"] or 0) + 1
        one.published_at = one.published_by = one.approved_by = None
        one.detriment, one.drafted_by = False, actor
        _fill(one, given, starts_at)
        one.save(force_insert=True)
        TERMS.record(actor, "drafted", one, {name: str(value) for name, value in given.items()})
    return one


def edit(
    version: int, given: Mapping[str, Any], *, starts_at: datetime | None, actor: UUID, seen: str | None = None
) -> TermsVersion:
    """Change a draft; whatever was approved of it before does not count any more.

    `seen` is the `content` that the change was made upon. Raises Problem, also when the draft is another one by now.
    """
    return TERMS.revise(version, lambda one, _rows: _fill(one, given, starts_at), actor=actor, seen=seen)


def state(one: TermsVersion, *, published: Sequence[Terms], now: datetime) -> str:
    """How the version stands among all that are `published` (loyalty/notice.py)."""
    return notice.state(one.version, {other.version: other.starts_at for other in published}, now=now)


def signatures(rows: Sequence[TermsVersion]) -> dict[int, str]:
    """What an approval is bound to: the fingerprint of each draft, by version; `rows` are all versions.

    A draft that another version overtook has none.
    """
    follows = newest(rows)
    return {one.version: _signature(one, follows) for one in rows if not one.published_at and one.version > follows.version}


def newest(rows: Sequence[TermsVersion]) -> TermsVersion:
    """The last version published, in force or not: what the next one follows."""
    found = publication.newest(rows)
    assert found, "a programme has terms"
    return found


def _insist_on_sense(changes: Sequence[Change], rows: Sequence[TermsVersion], after: Terms) -> None:
    """Raises Problem for what cannot be said of points that were posted."""
    if any(change.topic is Topic.PROGRAMME for change in changes) and Posting.objects.exists():
        detail = _("Currency and time zone stay as they are once points were posted.")
        raise Problem("validation", detail, faults=[Fault("/currency", detail)])
    clash = judging.undated_clash([terms.as_terms(row) for row in rows if row.published_at], after) and Posting.objects.exists()
    if clash or (after.expiry == TermsVersion.Expiry.INACTIVITY and _endless_lots()):
        detail = _("Points that never end and points that end after inactivity cannot stand side by side. Choose months instead.")
        raise Problem("validation", detail, faults=[Fault("/expiry", detail)])


def _signature(one: TermsVersion, follows: TermsVersion) -> str:
    return fingerprint([LABEL, one.version, follows.version, TERMS.said(one)]).hex()


def _endless_lots() -> bool:
    """Are there points that never end, whatever terms they came under? An idle date of their wallet would end them."""
    undated = Lot.objects.filter(open=True, expires_at=None, wallet__idle_expires_at=None)
    return undated.filter(wallet__point_type=PointType.REDEEMABLE).exists()


def _locked() -> list[TermsVersion]:
    """All versions, locked, so that one act after the other counts, compares and publishes."""
    return list(TermsVersion.objects.select_for_update().order_by("version"))


def _fill(one: TermsVersion, given: Mapping[str, Any], starts_at: datetime | None) -> None:
    """Set what is given; what the kind of expiry, or a tender of nothing, does not use is emptied. Raises Problem."""
    for name, value in given.items():
        assert name in FIELDS, name
        setattr(one, name, value)
    one.starts_at = starts_at
    kind = one.expiry
    if kind not in (TermsVersion.Expiry.MONTHS, TermsVersion.Expiry.INACTIVITY):
        one.expiry_months = None
    if kind != TermsVersion.Expiry.MONTHS:
        one.expiry_round_up = TermsVersion.RoundUp.MONTH
    if kind != TermsVersion.Expiry.FIXED_DAY:
        one.expiry_month = one.expiry_day = None
    if one.tender_max_percent == 0:
        one.tender_min = one.tender_step = 1
    if faults := [Fault(f"/{name}", detail) for name, detail in _faults(one).items()]:
        raise Problem("validation", _("Some fields need another value."), faults=faults)


def _faults(one: TermsVersion) -> dict[str, str]:
    """What is wrong, by field."""
    wrong: dict[str, str] = {}
    if not CURRENCY.fullmatch(one.currency):
        wrong["currency"] = _("Give the three letters of a currency, such as EUR.")
    try:
        known_timezone(one.timezone)
    except ValidationError as error:
        wrong["timezone"] = error.messages[0]
    if one.starts_at and one.starts_at.year not in YEARS:
        wrong["starts_at"] = _("The start is more than ten years away.")
    value = Decimal(one.point_value)
    if not value.is_finite() or not 0 <= value < VALUE_MAX or value != round(value, 6):
        wrong["point_value"] = _("Give an amount of at least 0 with at most six decimals.")
    for name, allowed in (
        ("expiry", TermsVersion.Expiry),
        ("expiry_round_up", TermsVersion.RoundUp),
        ("claw_back", TermsVersion.ClawBack),
    ):
        if getattr(one, name) not in allowed:
            wrong[name] = _("Choose one of: %(codes)s.") % {"codes": ", ".join(allowed)}
    for name, least in (("pending_days", 0), ("return_days", 0), ("notice_days", 1)):
        if not least <= getattr(one, name) <= DAYS_MAX:
            wrong[name] = _("Give between %(least)s and %(most)s days.") % {"least": least, "most": DAYS_MAX}
    return wrong | _faults_of_expiry(one) | _faults_of_tender(one)


def _faults_of_expiry(one: TermsVersion) -> dict[str, str]:
    kind, months = one.expiry, one.expiry_months or 0
    if kind in (TermsVersion.Expiry.MONTHS, TermsVersion.Expiry.INACTIVITY) and not 1 <= months <= MONTHS_MAX:
        return {"expiry_months": _("Give between 1 and %(most)s months.") % {"most": MONTHS_MAX}}
    if kind == TermsVersion.Expiry.FIXED_DAY:
        month, day = one.expiry_month or 0, one.expiry_day or 0
        if not 1 <= month <= len(DAYS_OF_MONTH):
            return {"expiry_month": _("Give a month from 1 to 12.")}
        if not 1 <= day <= DAYS_OF_MONTH[month - 1]:
            return {"expiry_day": _("Give a day that this month has.")}
    return {}


def _faults_of_tender(one: TermsVersion) -> dict[str, str]:
    wrong = {
        name: _("Give between %(least)s and %(most)s points.") % {"least": 1, "most": POINTS_MAX}
        for name in ("tender_min", "tender_step")
        if not 1 <= getattr(one, name) <= POINTS_MAX
    }
    if not 0 <= one.tender_max_percent <= WHOLE:
        wrong["tender_max_percent"] = _("Give a percentage from 0 to 100.")
    return wrong
