"""The rules under which receipts are bought and returned at random (returning.py)."""

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from campaigns.models import EarnRule, RuleVersion

# Kind, value, conditions.
PLAIN: list[tuple[str, str, dict[str, Any]]] = [
    ("base", "1", {"what": {"categories": ["tea"]}}),
    ("base", "2", {"per": "unit", "what": {"skus": ["X"]}}),
    ("bonus", "3", {"per": "unit", "what": {"brands": ["North"]}, "pending": "P14D"}),
    ("bonus", "20", {"per": "purchase", "at_least": {"amount": "30"}}),
    ("bonus", "7", {"per": "purchase", "what": {"categories": ["coffee"]}, "at_least": {"quantity": "3"}}),
    ("bonus", "0.25", {"per": "amount", "what": {"exclude_categories": ["tea"]}, "exclusive_group": "g"}),
    ("multiplier", "2", {"what": {"categories": ["tea"]}}),
    ("multiplier", "1.5", {"when": {"weekdays": [6, 7]}, "exclusive_group": "g"}),
]
CAPPED: list[tuple[str, str, dict[str, Any]]] = [
    ("bonus", "9", {"per": "purchase", "caps": [{"unit": "points", "per": "member", "window": "month", "limit": "25"}]}),
    ("bonus", "4", {"per": "unit", "caps": [{"unit": "times", "per": "member", "window": "day", "limit": "1"}]}),
    ("multiplier", "3", {"caps": [{"unit": "points", "per": "member", "window": "rolling:P7D", "limit": "60"}]}),
    ("bonus", "15", {"per": "purchase", "who": {"first_purchase": True}}),
    ("bonus", "12", {"per": "purchase", "who": {"every_visit": 3}}),
    ("multiplier", "1.25", {"who": {"tiers": ["silver", "gold"]}}),
]
ENDING: list[tuple[str, str, dict[str, Any]]] = [
    ("bonus", "10", {"per": "purchase", "expires": "P20D"}),
    ("bonus", "0.5", {"per": "amount", "expires": "P45D", "caps": [
        {"unit": "points", "per": "rule", "window": "week", "limit": "900"}]}),
]  # fmt: skip
WORLDS = {"plain": PLAIN, "capped": [*PLAIN, *CAPPED], "ending": [*PLAIN, *CAPPED, *ENDING]}


def publish(code: str, kind: str, value: str, spec: dict[str, Any], *, at: datetime) -> None:
    rule, _made = EarnRule.objects.get_or_create(code=code, defaults={"name": code})
    version = rule.versions.count() + 1
    starts = at if version == 1 else at + timedelta(hours=1)
    RuleVersion.objects.create(
        rule=rule, version=version, kind=kind, value=Decimal(value), spec=spec, starts_at=starts, published_at=at
    )
