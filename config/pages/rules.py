"""The public page of rules: what holds now in plain words, what will change and when, and all that ever changed."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import pairwise

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext

from campaigns import goods, naming, weighing
from campaigns import rules as earn_rules
from campaigns import wording as rule_wording
from campaigns.models import ExcludedGoods
from campaigns.naming import Names
from campaigns.rules import Published
from campaigns.values import Kind, Per, Rule
from loyalty import judging, terms, wording
from loyalty.judging import Effect
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
class Words:
    """What rules are said with: `rules` are their names by code, `names` those behind the codes in them."""

    contract: Terms
    rules: Mapping[str, str]
    names: Names

    def sentence(self, rule: Rule) -> str:
        if _is_simple(rule):
            return wording.rate(rule.value, self.contract.currency)
        return rule_wording.sentence(rule, since=None, contract=self.contract, names=self.names)


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
    rates = _in_order([one for one in earn_rules.published() if one.rule.kind is Kind.BASE], lambda one: one.rule.code)
    contract = terms.in_force(contracts[::-1], now)
    words = Words(contract, earn_rules.names(), naming.behind(one.rule for one in rates))
    tables, excluded, today = _in_order(tier_tables(), lambda _one: "tiers"), goods.in_order(), contract.day_of(now)
    changes = changes_of(contracts, rates, words, tables, excluded)
    context = {
        "in_force": _in_force(rates, words, tables, excluded, now),
        "coming": [one for one in changes if one.on > today],
        "past": [one for one in changes[::-1] if one.on <= today],
        "versions": _versions(contracts, contract)[::-1],
    }
    return render(request, "portal/rules.html", context)


def _in_force(
    rates: Sequence[Published], words: Words, tables: Sequence[Table], excluded: Sequence[ExcludedGoods], now: datetime
) -> list[str]:
    contract = words.contract
    said = [*_rates(rates, words, now), *wording.sentences(contract), *_tiers(tables, contract, now)]
    return [*said, *_excluded(excluded, contract, now)]


def changes_of(
    contracts: Sequence[Terms],
    rates: Sequence[Published],
    words: Words,
    tables: Sequence[Table] = (),
    excluded: Sequence[ExcludedGoods] = (),
) -> list[Change]:
    """What became different, by day, oldest first; days are those of the programme's zone."""
    contract = words.contract
    days: dict[date, list[Line]] = {}
    for before, after in pairwise(contracts):
        days.setdefault(contract.day_of(after.starts_at), []).extend(
            wording.compared(before, after, judging.changes(before, after))
        )
    for code in dict.fromkeys(one.rule.code for one in rates):
        versions = [one for one in rates if one.rule.code == code]
        for old, new in pairwise([None, *versions] if versions[0].starts_at > BEGINNING else versions):
            assert new, "None stands first"
            days.setdefault(contract.day_of(new.starts_at), []).extend(_rate(old, new, rates, words))
    for held, changed in pairwise([None, *tables]):
        assert changed, "None stands first"
        days.setdefault(contract.day_of(changed.starts_at), []).extend(
            tier_wording.compared(held, changed, tiers.changes(held, changed), contract.currency)
        )
    for (day, effect), rows in _turns(excluded, contract).items():
        days.setdefault(day, []).append(goods.line(rows, effect))
    return [Change(day, lines) for day, lines in sorted(days.items()) if lines]


def _tiers(tables: Sequence[Table], contract: Terms, now: datetime) -> list[str]:
    table = tiers.in_force(tables[::-1], now)
    return tier_wording.sentences(table, contract.currency) if table else []


def _excluded(excluded: Sequence[ExcludedGoods], contract: Terms, now: datetime) -> list[str]:
    """What earns nothing now, by the day since when."""
    days: dict[date, list[ExcludedGoods]] = {}
    for one in excluded:
        if one.since and goods.state(one, now=now) == "in_force":
            days.setdefault(contract.day_of(one.since), []).append(one)
    text = gettext("Since %(date)s no points are given for, and none can pay for: %(goods)s.")
    return [text % {"date": date_format(day, "DATE_FORMAT"), "goods": goods.named(rows)} for day, rows in sorted(days.items())]


def _turns(excluded: Sequence[ExcludedGoods], contract: Terms) -> dict[tuple[date, Effect], list[ExcludedGoods]]:
    """What is excluded or earns again, by the day; what ended before it began is neither."""
    turns: dict[tuple[date, Effect], list[ExcludedGoods]] = {}
    for one in excluded:
        if one.since is None or one.since == one.until:
            continue
        turns.setdefault((contract.day_of(one.since), Effect.DETRIMENT), []).append(one)
        if one.until:
            turns.setdefault((contract.day_of(one.until), Effect.BENEFIT), []).append(one)
    return turns


def _rate(old: Published | None, new: Published, rates: Sequence[Published], words: Words) -> list[Line]:
    before, after, name = old.rule if old else None, new.rule, words.rules[new.rule.code] if len(words.rules) > 1 else ""
    if _is_simple(after) and (before is None or _is_simple(before)):
        value = before.value if before else Decimal(0)
        if value == after.value:
            return []
        return [wording.rate_line(value, after.value, words.contract.currency, judging.rate(value, after.value), name=name)]
    was, becomes = words.sentence(before) if before else "", words.sentence(after)
    if was == becomes:
        return []
    held = (earn_rules.in_force(rates[::-1], at) for at in (new.starts_at - timedelta(microseconds=1), new.starts_at))
    return [Line(name, was, becomes, weighing.effect(*held), wording.unaffected())]


def _is_simple(rule: Rule) -> bool:
    """So many points for each 1.00, for everybody."""
    return rule.per is Per.AMOUNT and weighing.is_plain(rule)


def _rates(rates: Sequence[Published], words: Words, now: datetime) -> list[str]:
    """What a purchase earns now, by each base rule."""
    return [words.sentence(rule) for rule in earn_rules.in_force(rates[::-1], now)]


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
