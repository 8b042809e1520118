"""What stands before the first receipt of an import with rules: the tier table, the rules, who is in which tier, first acts."""

import json
from collections.abc import Iterable, Mapping
from datetime import date, datetime
from pathlib import Path
from uuid import UUID

from campaigns import drafting, events, publishing
from campaigns.events import Happened
from campaigns.models import RuleVersion
from campaigns.ruleschemas import RuleIn
from config.journey.receipts import SOURCE
from loyalty.problems import Problem
from members import overriding
from members import publishing as tables
from members.queries import standing_tiers, tier_tables
from members.tiers import Level

RULES = Path(__file__).with_name("rules.json")
# Nobody who works here: one writes, and another agrees where a second person is asked.
WRITER, SECOND = UUID("0199c000-0000-7000-8000-000000000001"), UUID("0199c000-0000-7000-8000-000000000002")
# Tiers are the households' own from the beginning, by income: they stand for what members did before the data begin. No
# receipt lifts anybody, for nobody makes so many visits.
TIERS = {"silver": {"75-99K", "100-124K"}, "gold": {"125-149K", "150-174K", "175-199K", "200-249K", "250K+"}}
OUT_OF_REACH = 10**9
WHY = "The household's income, as the data have it"


# What members did when the data begin; the second of whom the data describe.
SIGN_UP, PROFILE = "sign_up", "profile_completed"


class OtherRulesError(Exception):
    """The installation has rules or tiers that are not those of the import."""


def said(file: Path) -> dict[str, RuleIn]:
    """The rules of the file by their codes."""
    return {one["code"]: RuleIn.model_validate(one) for one in json.loads(file.read_text())}


def publish_tiers(*, now: datetime) -> None:
    """The table of silver and gold, unless it stands. Raises OtherRulesError when another one does."""
    standing = tier_tables()
    if not standing:
        levels = [Level(code, code.capitalize(), OUT_OF_REACH + place) for place, code in enumerate(TIERS)]
        draft = tables.draft({"basis": "visits"}, levels, actor=WRITER)
        tables.publish(draft.version, actor=WRITER, now=now)
    elif [one.code for one in standing[0].levels] != list(TIERS):
        message = "The programme has tiers of its own; import into a fresh installation."
        raise OtherRulesError(message)


def publish_rules(rules: Mapping[str, RuleIn], *, now: datetime) -> None:
    """Each rule from `now` on, unless it stands. Raises OtherRulesError when it stands with other words, or began later."""
    standing = {one.rule.code: one for one in RuleVersion.objects.exclude(published_at=None).select_related("rule")}
    for code, given in rules.items():
        one = standing.get(code)
        if one is None:
            draft, _is_new = drafting.put(code, given, actor=WRITER)
            publishing.publish(draft.pk, actor=WRITER, now=now)
        elif (one.kind, one.value, one.spec) != (given.kind, given.value, given.spec()) or (one.starts_at or now) > now:
            message = f"The rule {code} stands with other words; import into a fresh installation."
            raise OtherRulesError(message)


def set_tiers(members: Mapping[UUID, str], *, last: date, now: datetime) -> int:
    """Give members their tier until the end of the day `last`, by hand; how many had none of it yet."""
    standing = standing_tiers(members)
    missing = {member: tier for member, tier in members.items() if member not in standing}
    for member, tier in missing.items():
        one = overriding.write(member, tier, last=last, why=WHY, actor=WRITER, now=now)
        overriding.decide(one.pk, approved=True, by=SECOND, now=now)
    return len(missing)


def tell(type_: str, names: Iterable[str], *, now: datetime) -> None:
    """Each member, by external id, did this at `now`, once. Raises Problem."""
    acts = [
        Happened(source=SOURCE, number=f"{type_}:{one}", type=type_, member=f"external:{one}", occurred_at=now) for one in names
    ]
    for answer in events.record(acts, now=now):
        if isinstance(answer, Problem):
            raise answer


def tier_of(income: str) -> str:
    return next((tier for tier, incomes in TIERS.items() if income in incomes), "")
