"""A rule from draft to frozen version (SEMANTICS 9).

Base rates are terms of the programme: judged line by line, announced where they are worse, approved by a second person. All
other rules are offers: frozen as well, never changed for what was bought already, but free to come and to go; what is
unusually generous needs a second person too.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext as _

from campaigns import drafting, naming, queries, rules, weighing
from campaigns import wording as words
from campaigns.drafting import LABEL
from campaigns.models import EarnRule, RuleVersion
from campaigns.rules import Published
from campaigns.values import Kind, Per, Rule
from loyalty import auditing, judging, notice, outbox, publication, terms, wording
from loyalty.documents import fingerprint
from loyalty.judging import Effect
from loyalty.notice import Notice, Review
from loyalty.outbox import Event
from loyalty.problems import Fault, Problem
from loyalty.publication import Facts, Publication, newest
from loyalty.wording import Line

VERB = "rate.publish"
# More than one person alone may give: by a multiplier, at a time, and per amount as so many times the programme's rate.
FACTOR_ALONE, POINTS_ALONE, RATE_ALONE = Decimal(10), Decimal(5000), 10
ANY_GOODS: dict[str, Any] = {
    **dict.fromkeys(("skus", "categories", "brands", "exclude_categories"), frozenset()), "at_least_amount": None,
    "at_least_quantity": None,
}  # fmt: skip
# What was usual through so many days is; so the rate is not raised alone step by step.
USUAL = timedelta(days=30)


Outcome = publication.Outcome[RuleVersion]


class _Rules(Publication[RuleVersion, UUID]):
    model, verb = RuleVersion, VERB

    def draft_of(self, key: UUID, *, lock: bool) -> tuple[RuleVersion, Sequence[RuleVersion]]:
        if lock:
            # One publication after the other, for each is judged beside all that holds.
            list(EarnRule.objects.select_for_update().order_by("pk")[:1])
        return drafting.draft_of(key, lock=lock)

    def said(self, one: RuleVersion) -> list[Any]:
        return drafting.told(one)

    def in_audit(self, one: RuleVersion) -> Facts:
        return drafting.in_audit(one)

    def judged(self, one: RuleVersion, rows: Sequence[RuleVersion], now: datetime) -> Review:
        follows = newest(rows)
        publication.insist_on_order(one, follows)
        return _as_term(one, follows, now) if one.kind == Kind.BASE else _as_offer(one, follows, now)

    def started(self, one: RuleVersion, rows: Sequence[RuleVersion], facts: Facts, now: datetime) -> Facts:
        facts |= {"rule": one.rule.code, "rule_version": one.version}
        if one.kind == Kind.BASE:
            facts |= _told_to_members(one, rows, now)
            outbox.tell([Event("terms.published", one.pk, facts)])
        return facts

    def discard(self, key: UUID, *, actor: UUID) -> None:
        drafting.discard(key, actor=actor)

    def called(self, ids: Collection[str]) -> dict[str, str]:
        rows = RuleVersion.objects.filter(pk__in=ids).values_list("pk", "rule__name", "version")
        return {str(pk): f"{name} v{version}" for pk, name, version in rows}


RULES = _Rules()
review, publish = RULES.review, RULES.publish


def fingerprints(drafts: Sequence[RuleVersion], *, now: datetime) -> dict[UUID, str]:
    """What an approval of each draft is bound to, in a constant number of statements; those that were overtaken are left out."""
    if not drafts:
        return {}
    published, usual_rate, versions = rules.published(now), _usual_rate(now), defaultdict[int, list[RuleVersion]](list)
    for one in RuleVersion.objects.filter(rule__in={one.rule_id for one in drafts}).exclude(published_at=None):
        versions[one.rule_id].append(one)
    found = {}
    for one in drafts:
        follows = newest(versions[one.rule_id])
        if follows and follows.version > one.version:
            continue
        if one.kind == Kind.BASE:
            found[one.pk] = _signed(one, follows, _term_effect(one, follows, published, now))
        else:
            found[one.pk] = _signed_offer(one, follows, generous=_is_generous_offer(one, follows, published, usual_rate))
    return found


def end(code: str, *, at: datetime, actor: UUID, now: datetime) -> RuleVersion:
    """Let an offer end at a future instant, earlier than it says: by a version that ends as it begins.

    What was announced for later is replaced. Raises Problem: an unknown rule, a base rate, an instant that is past,
    nothing to end.
    """
    with transaction.atomic():
        versions = list(RuleVersion.objects.select_for_update(of=("self", "rule")).select_related("rule").filter(rule__code=code))
        last = newest(versions)
        if last is None:
            raise drafting.no_rule() if not versions else Problem("not-eligible", _("This rule was never published."), status=409)
        if last.kind == Kind.BASE:
            detail = _("A base rate is a term of the programme. Draft a version with an end: members are told before.")
            raise Problem("not-eligible", detail, status=409)
        if last.ends_at and last.ends_at <= at:
            raise Problem("not-eligible", _("This rule ends before that anyway."), status=409)
        if at <= now:
            raise Problem(
                "validation", _("The end lies in the past."), faults=[Fault("/ends_at", _("The end lies in the past."))]
            )
        number = max(one.version for one in versions) + 1
        one = RuleVersion.objects.create(
            rule=last.rule, version=number, kind=last.kind, value=last.value, spec=last.spec, starts_at=at, ends_at=at,
            drafted_by=actor, published_at=now, published_by=actor,
        )  # fmt: skip
        one.refresh_from_db()
        facts = {"rule": code, "rule_version": number, "ends_at": at.isoformat()}
        auditing.record(actor, "ruleversion.ended", LABEL, one.pk, facts)
    return one


def states(rows: Iterable[RuleVersion], *, now: datetime) -> dict[UUID, str]:
    """How each version stands among the published ones of its rule (loyalty/notice.py); `ended` once its end has come."""
    rows = list(rows)
    starts: dict[int, dict[int, datetime | None]] = {one.rule_id: {} for one in rows}
    published = RuleVersion.objects.filter(rule__in=starts).exclude(published_at=None)
    for rule, version, starts_at in published.values_list("rule", "version", "starts_at"):
        starts[rule][version] = starts_at
    stand = {one.pk: notice.state(one.version, starts[one.rule_id], now=now) for one in rows}
    ended = {one.pk for one in rows if one.ends_at and one.ends_at <= now and stand[one.pk] == "in_force"}
    return {pk: "ended" if pk in ended else state for pk, state in stand.items()}


def ended_by(rows: Iterable[RuleVersion]) -> dict[UUID, RuleVersion]:
    """By the version that ends a rule, what held until then, with that end; nothing where the rule had not begun."""
    ends = {one.rule_id: one for one in rows if one.published_at and one.starts_at and one.starts_at == one.ends_at}
    found: dict[UUID, RuleVersion] = {}
    earlier = RuleVersion.objects.filter(rule__in=ends).exclude(published_at=None).select_related("rule")
    for one in earlier.order_by("starts_at", "version"):
        last = ends[one.rule_id]
        if one.starts_at and last.starts_at and one.version < last.version and one.starts_at < last.starts_at:
            one.ends_at = last.ends_at
            found[last.pk] = one
    return found


def _is_same(one: RuleVersion, follows: RuleVersion | None) -> bool:
    return bool(follows and drafting.told(follows)[:3] == drafting.told(one)[:3] and follows.ends_at == one.ends_at)


def _as_term(one: RuleVersion, follows: RuleVersion | None, now: datetime) -> Review:
    not_before, same = (follows and follows.starts_at) or now, _is_same(one, follows)
    rule, effect = rules.of_version(one), _term_effect(one, follows, rules.published(now), now)
    asked = notice.judged(
        effect, asked=one.starts_at, not_before=not_before, now=now,
        touches=_is_bought([rule, *([rules.of_version(follows)] if follows else [])], now),
    )  # fmt: skip
    lines = [] if same else [_line(one, follows, effect, now)]
    generous = not same and notice.touches_somebody() and is_generous(rule, (), _usual_rate(now))
    return replace(_as_review(one, follows, lines, effect, asked, now), generous=generous)


def _term_effect(one: RuleVersion, follows: RuleVersion | None, published: Sequence[Published], now: datetime) -> Effect:
    if _is_same(one, follows):
        return Effect.SAME
    return _effect(rules.of_version(one), published, max(one.starts_at or now, (follows and follows.starts_at) or now, now))


def _as_offer(one: RuleVersion, follows: RuleVersion | None, now: datetime) -> Review:
    same = _is_same(one, follows)
    first = max(now + timedelta(microseconds=1), follows.starts_at or now) if follows else now
    step = weighing.compared(rules.of_version(follows), rules.of_version(one)) if follows else Effect.BENEFIT
    if follows and _conditions(one) != _conditions(follows):
        step = Effect.SAME  # better for some, worse for others
    lines = [] if same else [_line(one, follows, step, now)]
    asked = Notice(detriment=False, first=first, starts_at=one.starts_at or first, days=0)
    made = _as_review(one, follows, lines, Effect.SAME, asked, now)
    generous = _is_generous_offer(one, follows, rules.published(now), _usual_rate(now))
    undated = not same and follows is not None and one.starts_at is None
    signed = _signed_offer(one, follows, generous=generous)
    return replace(made, offer=True, generous=generous, fingerprint=signed, undated=undated)


def _as_review(
    one: RuleVersion, follows: RuleVersion | None, lines: list[Line], effect: Effect, asked: Notice, now: datetime
) -> Review:
    signed = _signed(one, follows, effect)
    coming = publication.announced(follows, now)
    return Review(LABEL, str(one.pk), lines, effect, asked, signed, one.drafted_by, coming, ends_at=one.ends_at)


def _signed(one: RuleVersion, follows: RuleVersion | None, effect: Effect) -> str:
    return fingerprint([LABEL, str(one.pk), follows and follows.version, *drafting.told(one), effect]).hex()


def _signed_offer(one: RuleVersion, follows: RuleVersion | None, *, generous: bool) -> str:
    return fingerprint([_signed(one, follows, Effect.SAME), generous]).hex()


def _is_generous_offer(
    one: RuleVersion, follows: RuleVersion | None, published: Sequence[Published], usual_rate: Decimal
) -> bool:
    same = _is_same(one, follows)
    return not same and is_generous(rules.of_version(one), [each.rule for each in published], usual_rate)


def _effect(rule: Rule, published: Sequence[Published], start: datetime) -> Effect:
    """Worse if, from `start` on, any line gets less than it would without this version (campaigns/weighing.py)."""
    base = [one for one in published if one.rule.kind is Kind.BASE]
    others = [one for one in base if one.rule.code != rule.code]
    becomes = [Published(rule, start), *others]
    turns = weighing.turns((one.starts_at for one in base), (rule, *(one.rule for one in base)), since=start)
    return judging.overall(weighing.effect(rules.in_force(base, at), rules.in_force(becomes, at)) for at in turns)


def is_generous(rule: Rule, others: Iterable[Rule], usual_rate: Decimal) -> bool:
    """Whether it gives so much that a second person has to agree, with the offers that may hold for the same receipt or act.

    `others` are rules that hold or will hold; what asks for a second person by itself is not counted again. `usual_rate` are
    points for each 1.00.
    """
    most = _most_alone(rule, usual_rate)
    beside: dict[str, Decimal] = {}
    for one in others:
        if one.code != rule.code and _adds_to(one, rule) and _gift(one) <= most:
            beside[one.code] = max(_gift(one), beside.get(one.code, Decimal(0)))
    return _gift(rule) + sum(beside.values()) > most


def _most_alone(rule: Rule, usual_rate: Decimal) -> Decimal:
    if rule.kind is Kind.MULTIPLIER:
        return FACTOR_ALONE - 1
    return POINTS_ALONE if rule.kind is Kind.EVENT or rule.per is not Per.AMOUNT else RATE_ALONE * usual_rate


def _gift(rule: Rule) -> Decimal:
    """A multiplier of 2 adds the points once."""
    return rule.value - (rule.kind is Kind.MULTIPLIER)


def _adds_to(one: Rule, other: Rule) -> bool:
    """Whether two offers of a kind may both pay for a receipt, whatever its lines are, or for an act."""
    if one.kind is Kind.BASE or one.kind is not other.kind or (one.per is Per.AMOUNT) != (other.per is Per.AMOUNT):
        return False
    if one.exclusive_group and one.exclusive_group == other.exclusive_group:
        return False
    return weighing.at_once(*(replace(each, **ANY_GOODS) for each in (one, other)))


def programme_rate(in_force: Sequence[Rule]) -> Decimal:
    """Points for each 1.00 that everybody gets: by the base rate without conditions that comes first."""
    plain = [one for one in in_force if one.kind is Kind.BASE and weighing.is_plain(one)]
    first = weighing.winner(plain, (True,) * len(plain))
    return Decimal(0) if first is None or plain[first].per is not Per.AMOUNT else plain[first].value


def _usual_rate(now: datetime) -> Decimal:
    """The programme's rate, now or some time ago, whichever is lower."""
    published = rules.published(now - USUAL)
    return min(programme_rate(rules.in_force(published, at)) for at in (now - USUAL, now))


def _is_bought(touched: Sequence[Rule], now: datetime) -> bool:
    """Whether anybody bought what the rules are about; a rule that names no goods is about all."""
    if not all(rule.skus or rule.categories or rule.brands for rule in touched):
        return True
    skus, categories, brands = (
        {name for rule in touched for name in getattr(rule, group)} for group in ("skus", "categories", "brands")
    )
    return queries.are_bought(skus=skus, categories=categories, brands=brands, now=now)


def _conditions(one: RuleVersion) -> dict[str, object]:
    return {name: said for name, said in one.spec.items() if name != "caps"}


def _line(one: RuleVersion, follows: RuleVersion | None, effect: Effect, now: datetime) -> Line:
    """The sentence before and the sentence after."""
    contract, was = terms.current(now), follows and rules.of_version(follows)
    rule = rules.of_version(one)
    if was and all(each.kind is Kind.BASE and each.per is Per.AMOUNT and weighing.is_plain(each) for each in (was, rule)):
        return wording.rate_line(was.value, rule.value, contract.currency, effect, name=_name(one))
    names = naming.behind([rule, *([was] if was else [])])
    before = words.sentence(was, since=None, contract=contract, names=names) if was else _("Nothing: the rule is new.")
    after = words.sentence(rule, since=None, contract=contract, names=names)
    return Line(one.rule.name, before, after, effect, wording.unaffected())


def _told_to_members(one: RuleVersion, versions: Sequence[RuleVersion], now: datetime) -> dict[str, object]:
    """What a message about a changed rate needs; where there are conditions, both sentences in each language."""
    held = _held_before(versions, one.starts_at or now)
    facts: dict[str, object] = {
        "name": _name(one), "rate_before": drafting.plain(held.value) if held else "0", "rate": drafting.plain(one.value),
        "replaces": publication.replaces(one, versions),
    }  # fmt: skip
    if held and weighing.is_plain(rules.of_version(held)) and weighing.is_plain(rules.of_version(one)):
        return facts
    return facts | {"said": wording.in_each_language(lambda: _line(one, held, Effect.DETRIMENT, now))}


def _name(one: RuleVersion) -> str:
    """What tells the rule from others, where there are any."""
    return one.rule.name if len(EarnRule.objects.values_list("pk")[:2]) > 1 else ""


def _held_before(versions: Sequence[RuleVersion], start: datetime) -> RuleVersion | None:
    """What holds until `start`: not what was announced for the same day; the first version where nothing did."""
    others = [one for one in versions if one.published_at and one.starts_at]
    held = [one for one in others if one.starts_at and one.starts_at < start]
    return max(held, key=lambda one: (one.starts_at, one.version)) if held else newest(others)
