"""Tiers set by hand: with a reason and an end. One that lifts a member is worth money, so a second person agrees first."""

from datetime import date, datetime
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext as _

from loyalty import auditing
from loyalty.documents import fingerprint
from loyalty.problems import Fault, Problem
from members import approving, holding
from members.approving import Act, Decision
from members.holding import Holding, Move, Reason, Rules
from members.models import Member, TierMembership, TierOverride

LABEL, VERB = "members.tieroverride", "tier.override"
WHY_MAX = 200


def write(member: UUID, tier: str, *, last: date, why: str, actor: UUID, now: datetime) -> TierOverride:
    """Set the tier until the end of the day `last`, or let it wait for a second person if it lifts the member.

    Raises Problem: no such tier, an end that has passed, no reason, one's own tier.
    """
    rules = _rules(now)
    until = rules.contract.midnight_after(last)
    _insist(rules.table.level(tier) is not None, "/tier", _("There is no such tier."))
    _insist(until > now, "/until", _("The end lies in the past."))
    _insist(bool(why.strip()) and len(why) <= WHY_MAX, "/why", _("Give a reason of at most 200 characters."))
    with transaction.atomic():
        one = Member.objects.get(pk=member)
        _insist_on_another(one, actor)
        made = TierOverride.objects.create(member=one, tier=tier, until=until, why=why.strip(), asked_by=actor, asked_at=now)
        made.refresh_from_db()
        auditing.record(actor, "tieroverride.written", LABEL, made.pk, {"tier": tier, "until": until.isoformat()})
        if _lifts(made, rules):
            approving.ask(act_on(made), by=actor, now=now)
        else:
            _apply(made, rules, by=actor, approved_by=None)
    return made


def decide(override: UUID, *, approved: bool, by: UUID, now: datetime) -> TierOverride:
    """Let what waits hold, or refuse it. Raises Problem, also when `by` wrote it or is the member."""
    rules = _rules(now)
    with transaction.atomic():
        one = TierOverride.objects.select_for_update().select_related("member").get(pk=override)
        _insist_on_another(one.member, by)
        decision = Decision.APPROVED if approved else Decision.REFUSED
        approving.decide(act_on(one), decision, by=by, author=one.asked_by, now=now)
        if approved:
            _insist(rules.table.level(one.tier) is not None, "/tier", _("There is no such tier."))
            _insist(one.until > now, "/until", _("The end lies in the past."))
            _apply(one, rules, by=one.asked_by, approved_by=by)
        else:
            one.refused_at = now
            one.save(update_fields=["refused_at"])
    return one


def act_on(one: TierOverride) -> Act:
    content = [str(one.member_id), one.tier, one.until.isoformat(), one.why]
    return Act(VERB, LABEL, str(one.pk), fingerprint([LABEL, *content]).hex())


def is_waiting(one: TierOverride) -> bool:
    return one.applied_at is None and one.refused_at is None


def _apply(one: TierOverride, rules: Rules, *, by: UUID, approved_by: UUID | None) -> None:
    person = holding.people([one.member_id], rules.contract)[one.member_id]
    holding.lock([person.holder], may_rise=False)
    standing = TierMembership.objects.filter(member=one.member_id, ended_at=None).first()
    holding.write([Move(person, standing, Holding(one.tier, one.until), Reason.OVERRIDE, by=by)], rules)
    one.applied_at, one.approved_by = rules.now, approved_by
    one.save(update_fields=["applied_at", "approved_by"])
    changed = {"tier": [rules.held(standing), one.tier], "until": one.until.isoformat(), "approved_by": str(approved_by or "")}
    auditing.record(by, "member.tier_set", "members.member", one.member_id, changed)


def _lifts(one: TierOverride, rules: Rules) -> bool:
    """Higher than what stands, or more than nothing for longer."""
    standing = TierMembership.objects.filter(member=one.member_id, ended_at=None).first()
    before, after = rules.table.rank(rules.held(standing)), rules.table.rank(one.tier)
    ends = standing.until if standing else None
    longer = ends is not None and one.until > ends and after > rules.table.rank(rules.base())
    return after > before or longer


def _insist_on_another(member: Member, actor: UUID) -> None:
    if member.user and member.user.actor == actor:
        raise Problem("not-eligible", _("Nobody sets their own tier."), status=409)


def _insist(holds: bool, pointer: str, detail: str) -> None:
    if not holds:
        raise Problem("validation", detail, faults=[Fault(pointer, detail)])


def _rules(now: datetime) -> Rules:
    rules = holding.rules(now)
    if rules is None:
        raise Problem("not-eligible", _("The programme has no tiers yet. Publish a tier table first."), status=409)
    return rules
