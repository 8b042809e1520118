"""Goods that nobody bought, excluded by one person."""

from datetime import datetime
from uuid import uuid4

from campaigns import goods
from campaigns.models import ExcludedGoods


def exclude(kind: str, code: str, *, since: datetime | None = None, now: datetime) -> ExcludedGoods:
    drafted = goods.draft(kind, code, since=since, actor=uuid4(), now=now)
    return goods.publish(drafted.pk, actor=uuid4(), now=now)
