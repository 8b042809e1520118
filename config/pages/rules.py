"""The public page of rules: what holds now in plain words, what will change and when, and all that ever changed."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from itertools import pairwise

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone

from campaigns import rules as earn_rules
from campaigns.rules import Published
from loyalty import judging, terms, wording
from loyalty.terms import Terms
from loyalty.wording import Line
from members import tiers
from members import wording as tier_wording
from members.access import public
from members.queries import tier_tables
from members.tiers import Table

# Before it nothing was announced: the first versions hold from the beginning.
BEGINNING = datetime(1970, 1, 2, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Change:
    """What becomes different on a day, part by part."""

    on: date
    lines: list[Line]


@dataclass(frozen=True, slots=True)
class Version:
    """All that a version of the terms says, and from which day to which."""

    since: date | None
    until: date | None
    sentences: list[str]


@public
def rules(request: HttpRequest) -> HttpResponse:
    now = timezone.now()
    contracts = _in_order(terms.published(), lambda _one: "terms")
    rates = _in_order(earn_rules.published(), lambda one: one.rule.code)
    contract = terms.in_force(contracts[::-1], now)
    tables, today = _in_order(tier_tables(), lambda _one: "tiers"), contract.day_of(now)
    changes = changes_of(contracts, rates, contract, earn_rules.names(), tables)
    context = {
        "in_force": [*_rates(rates, contract.currency, now), *wording.sentences(contract), *_tiers(tables, contract, now)],
        "coming": [one for one in changes if one.on > today],
        "past": [one for one in changes[::-1] if one.on <= today],
        "versions": _versions(contracts, contract)[::-1],
    }
    return render(request, "portal/rules.html", context)


def changes_of(
    contracts: Sequence[Terms],
    rates: Sequence[Published],
    contract: Terms,
    names: Mapping[str, str],
    tables: Sequence[Table] = (),
) -> list[Change]:
    """What became different, by day, oldest first; days are those of the programme's zone. `names` are those of rules."""
    days: dict[date, list[Line]] = {}
    for before, after in pairwise(contracts):
        days.setdefault(contract.day_of(after.starts_at), []).extend(
            wording.compared(before, after, judging.changes(before, after))
        )
    for code in dict.fromkeys(one.rule.code for one in rates):
        versions = [one for one in rates if one.rule.code == code]
        for old, new in pairwise([None, *versions] if versions[0].starts_at > BEGINNING else versions):
            assert new, "None stands first"
            days.setdefault(contract.day_of(new.starts_at), []).extend(
                _rate(old, new, contract, names[code] if len(names) > 1 else "")
            )
    for held, changed in pairwise([None, *tables]):
        assert changed, "None stands first"
        days.setdefault(contract.day_of(changed.starts_at), []).extend(
            tier_wording.compared(held, changed, tiers.changes(held, changed), contract.currency)
        )
    return [Change(day, lines) for day, lines in sorted(days.items()) if lines]


def _tiers(tables: Sequence[Table], contract: Terms, now: datetime) -> list[str]:
    table = tiers.in_force(tables[::-1], now)
    return tier_wording.sentences(table, contract.currency) if table else []


def _rate(old: Published | None, new: Published, contract: Terms, name: str) -> list[Line]:
    before, after = old.rule.value if old else Decimal(0), new.rule.value
    if before == after:
        return []
    return [wording.rate_line(before, after, contract.currency, judging.rate(before, after), name=name)]


def _rates(rates: Sequence[Published], currency: str, now: datetime) -> list[str]:
    """What a purchase earns now, by each base rule."""
    return [wording.rate(rule.value, currency) for rule in earn_rules.in_force(rates[::-1], now)]


def _versions(contracts: Sequence[Terms], contract: Terms) -> list[Version]:
    starts = [one.starts_at for one in contracts]
    return [
        Version(
            since=contract.day_of(start) if start > BEGINNING else None,
            until=contract.last_day(end) if end else None,
            sentences=wording.sentences(one),
        )
        for one, start, end in zip(contracts, starts, [*starts[1:], None], strict=True)
    ]


def _in_order[T: (Terms, Published, Table)](newest_first: Sequence[T], of: Callable[[T], str]) -> list[T]:
    """Oldest first, without those `of` the same thing that another replaced before they began."""
    held = {(of(one), one.starts_at): one for one in reversed(newest_first)}
    return sorted(held.values(), key=lambda one: one.starts_at)
