"""The report of overlaps in sentences: for the API, and for the page of staff."""

from dataclasses import dataclass, replace
from datetime import datetime

from django.db.models import Count, Q
from django.utils.translation import gettext as _

from campaigns import naming, overlaps, rules, wording
from campaigns.models import RuleVersion, Segment
from campaigns.overlaps import Entry, Finding, Known, Meeting, Why
from loyalty import queries, terms


@dataclass(frozen=True, slots=True)
class Told:
    """A finding in a sentence; `rules` are the codes that it is about."""

    meeting: Meeting
    rules: tuple[str, ...]
    text: str

    @property
    def is_warning(self) -> bool:
        return self.meeting in (Meeting.NEVER, Meeting.HIDDEN)


def overlapping(*, now: datetime, code: str | None = None) -> list[Told]:
    """What the rules that hold or will hold, and the drafts, do to each other; with a `code` what concerns that rule."""
    contract, names = terms.current(now), rules.names()
    found = overlaps.report(entries(now), _known(), zone=contract.zone, now=now, code=code)
    return [_told(one, names, contract.currency) for one in found]


def entries(now: datetime) -> list[Entry]:
    """Of each rule what holds, what was announced, and the newest draft; a version ends where the next one begins."""
    published: list[Entry] = []
    next_start: dict[str, datetime] = {}
    for one in rules.published(now):  # newest start first
        ends = [at for at in (one.rule.ends_at, next_start.get(one.rule.code)) if at]
        if not ends or one.starts_at < min(ends):  # else it was replaced before it began, or only ended another
            published.append(Entry(replace(one.rule, ends_at=min(ends, default=None)), one.starts_at))
        next_start[one.rule.code] = one.starts_at
    drafts = (
        RuleVersion.objects.filter(published_at=None).select_related("rule").order_by("rule_id", "-version").distinct("rule_id")
    )
    return [*published, *(Entry(rules.of_version(one), one.starts_at, is_draft=True) for one in drafts)]


def _known() -> Known:
    segments = Segment.objects.annotate(size=Count("memberships", filter=Q(memberships__until=None)))
    return Known(
        stores=queries.open_stores().keys(),
        segments=dict(segments.values_list("code", "size")),
        tiers=naming.known_tiers().keys(),
    )


def _told(one: Finding, names: dict[str, str], currency: str) -> Told:
    first = _title(one.first, names)
    if one.second is None:
        assert one.why, "a rule alone has a reason"
        return Told(one.meeting, (one.first.rule.code,), _never(one.why) % {"rule": first})
    second = _title(one.second, names)
    said = {"rule": first, "other": second, "group": one.first.rule.exclusive_group or ""}
    said["limit"] = wording.limit(one.cap, currency) if one.cap else ""
    return Told(one.meeting, (one.first.rule.code, one.second.rule.code), _met(one) % said)


def _met(one: Finding) -> str:
    multipliers = one.second is not None and one.first.rule.kind == one.second.rule.kind == "multiplier"
    return {
        Meeting.HIDDEN: _("%(rule)s never gives its rate: wherever it could, %(other)s gives its own."),
        Meeting.PRECEDES: _("Where both could hold, %(other)s gives its rate and %(rule)s does not."),
        Meeting.BEST_WINS: _("%(rule)s and %(other)s share the group “%(group)s”: the one that gives more holds."),
        Meeting.SHARED_CAP: _("%(rule)s and %(other)s draw on one limit: %(limit)s."),
        Meeting.ADD_UP: _("%(rule)s and %(other)s can multiply the same points: what each adds is added up, not multiplied.")
        if multipliers
        else _("%(rule)s and %(other)s can hold together: what they give is added up."),
    }[one.meeting]


def _never(why: Why) -> str:
    return {
        Why.ENDED: _("%(rule)s has ended."),
        Why.NO_TIME: _("%(rule)s can never hold: it ends before it begins."),
        Why.NO_DAY: _("%(rule)s can never hold: none of its days of the week comes before its end."),
        Why.STORES: _("%(rule)s can never hold: its stores are closed or unknown."),
        Why.TIERS: _("%(rule)s can never hold: nobody can be in its tiers."),
        Why.SEGMENT: _("%(rule)s can never hold: nobody is in its segment."),
        Why.GOODS: _("%(rule)s can never hold: it leaves out all goods that it names."),
        Why.VISIT: _("%(rule)s can never hold: a first purchase is no later visit."),
        Why.NOTHING: _("%(rule)s gives nothing."),
    }[why]


def _title(one: Entry, names: dict[str, str]) -> str:
    name = names.get(one.rule.code, one.rule.code)
    return _("“%(name)s” (draft)") % {"name": name} if one.is_draft else _("“%(name)s”") % {"name": name}
