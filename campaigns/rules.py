"""Which frozen rules hold when."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from campaigns.engine import Rule
from campaigns.models import EarnRule, RuleVersion


@dataclass(frozen=True, slots=True)
class Published:
    rule: Rule
    starts_at: datetime


def published() -> list[Published]:
    """Every published version, newest start first."""
    rows = RuleVersion.objects.exclude(published_at=None).order_by("-starts_at", "-version")
    return [
        Published(Rule(id_, code, value), starts_at)
        for id_, code, value, starts_at in rows.values_list("id", "rule__code", "value", "starts_at")
        if starts_at
    ]


def in_force(versions: Sequence[Published], at: datetime) -> list[Rule]:
    """Of each rule the newest version that had started by `at`, in the order of their codes."""
    newest: dict[str, Rule] = {}
    for one in versions:
        if one.starts_at <= at:
            newest.setdefault(one.rule.code, one.rule)
    return [newest[code] for code in sorted(newest)]


def names() -> dict[str, str]:
    """The name of each rule, by its code."""
    return dict(EarnRule.objects.values_list("code", "name"))
