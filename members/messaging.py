"""Messages: rows made once, shown in the portal; sending.py mails them.

A row is inserted by a unique key in the transaction of its cause, so that whatever crashes, each message exists once.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.conf import settings
from django.template.loader import render_to_string
from django.urls import NoReverseMatch, reverse
from django.utils import timezone, translation

from loyalty import judging, money, outbox, queries, terms, wording
from loyalty.outbox import Event
from loyalty.terms import Terms
from loyalty.wording import Line
from members import codes, tiers
from members import wording as tier_wording
from members.models import Consent, Member, Message, User
from members.queries import by_holder, tier_tables, told, with_birthday

REMIND_DAYS = (30, 7, 1)
# A reminder that an outage held up still goes out this many days later.
CATCH_UP_DAYS = 2
WAKING_HOUR = 9
# Points that ended longer ago than this are history, not news.
NEWS = timedelta(days=7)
# So many members are told of changed rules in one transaction.
TOLD_AT_ONCE = 2000
Channel = Message.Channel
# What would break a mail's header apart.
BREAKS = re.compile(r"[\s\x00-\x1f\x7f-\x9f]+")


@dataclass(frozen=True, slots=True)
class News:
    """Something to tell a member; `subject_key` is the period or thing it is about."""

    member: Member
    kind: Message.Kind
    subject_key: str
    facts: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Notice:
    """Something to tell one of the staff; `facts` hold the `page` to go to."""

    user: User
    kind: Message.Kind
    subject_key: str
    facts: dict[str, Any] = field(default_factory=dict)


def queue(news: Sequence[News], *, now: datetime, due_at: datetime | None = None, amend: bool = False) -> None:
    """Make the rows: in the portal at once, by mail when due where the member can be reached.

    A row that is there stays as it is; with `amend` it takes the new facts.
    """
    mailed = reachable_by_mail([one.member for one in news])
    rows = []
    for one in news:
        common: dict[str, Any] = {"member": one.member, "kind": one.kind, "subject_key": one.subject_key, "facts": one.facts}
        rows.append(Message(channel=Channel.INBOX, due_at=now, sent_at=now, **common))
        if one.member.pk in mailed and one.kind != Message.Kind.WELCOME:
            rows.append(Message(channel=Channel.EMAIL, due_at=due_at or now, **common))
    if amend:
        once = ["member", "kind", "subject_key", "channel"]
        Message.objects.bulk_create(rows, update_conflicts=True, update_fields=["facts"], unique_fields=once, batch_size=2000)
    else:
        Message.objects.bulk_create(rows, ignore_conflicts=True, batch_size=2000)


def tell_staff(news: Sequence[Notice], *, due_at: datetime) -> None:
    """Make the rows, by mail alone; one that is there stays as it is."""
    rows = [
        Message(user=one.user, kind=one.kind, subject_key=one.subject_key, facts=one.facts, channel=Channel.EMAIL, due_at=due_at)
        for one in news
    ]
    Message.objects.bulk_create(rows, ignore_conflicts=True, batch_size=2000)


def welcome(events: Sequence[Event], *, now: datetime) -> None:
    members = Member.objects.filter(id__in=[one.subject for one in events])
    queue([News(member, Message.Kind.WELCOME, "join") for member in members], now=now)


def points_changed(events: Sequence[Event], *, now: datetime) -> None:
    """Tell of expired points: how many the ledger has for that day, for a day's expiries may come in several batches."""
    expired = [one for one in events if one.facts["kind"] == "expire" and _instant(one) > now - NEWS]
    if not expired:
        return
    contract, members = terms.current(now), by_holder(one.subject for one in expired)
    told = {(one.subject, contract.last_day(_instant(one))) for one in expired if one.subject in members}
    ended = _ended(contract, told, now)
    # In one order everywhere, so that two relays amending the same rows wait for each other instead of dying.
    news = [
        News(members[holder], Message.Kind.POINTS_EXPIRED, day.isoformat(), {"points": points, "on": day.isoformat()})
        for (holder, day), points in sorted(ended.items())
        if points
    ]
    queue(news, now=now, amend=True)


def _ended(contract: Terms, told: set[tuple[UUID, date]], now: datetime) -> dict[tuple[UUID, date], int]:
    """Points of each holder that ended with each day, as the ledger has them."""
    if not told:
        return {}
    days = [day for _, day in told]
    after, until = contract.midnight_after(min(days) - timedelta(days=1)), contract.midnight_after(max(days))
    ended = dict.fromkeys(told, 0)
    for one in queries.expired(after=after, until=until, holders=[holder for holder, _ in told], now=now):
        key = (one.holder, contract.last_day(one.expires_at))
        if key in ended:
            ended[key] += one.points
    return ended


# Of an event about rules, what a message keeps.
TOLD_FACTS = ("version", "tiers", "name", "rate_before", "rate", "replaces", "said")


# What a change of rules is a version of, by the name of its number.
NUMBERED = {"version": "terms", "tiers": "tiers"}


def tier_changed(events: Sequence[Event], *, now: datetime) -> None:
    """Tell who has reached a tier; who is about to lose one was told before (members/requalifying.py)."""
    up = [one for one in events if one.facts["up"]]
    if not up:
        return
    contract = terms.current(now)
    members = {member.pk: member for member in Member.objects.filter(pk__in=[one.subject for one in up])}
    news = []
    for one in up:
        if member := members.get(one.subject):
            facts: dict[str, Any] = {"name": one.facts["name"], "names": one.facts["names"]}
            if one.facts["until"]:
                facts["on"] = contract.last_day(datetime.fromisoformat(one.facts["until"])).isoformat()
            news.append(News(member, Message.Kind.TIER_UP, f"{one.facts['tier']}:{one.facts['since']}"[:80], facts))
    queue(news, now=now, due_at=waking(now, contract))


def announce(events: Sequence[Event], *, now: datetime) -> None:
    """Tell every member of rules that become worse, and of what takes the place of such news.

    A batch, and an event that goes on after it, so each commits alone.
    """
    contract = terms.current(now)
    for one in (one for one in events if one.facts["detriment"] or one.facts.get("replaces")):
        facts = {name: value for name, value in one.facts.items() if name in TOLD_FACTS}
        facts["on"] = contract.day_of(datetime.fromisoformat(one.facts["starts_at"])).isoformat()
        numbered = next((name for name in ("version", "tiers") if name in facts), None)
        about = f"{NUMBERED[numbered]}:{facts[numbered]}" if numbered else f"rate:{one.subject}"
        members = told(after=one.facts.get("after"), limit=TOLD_AT_ONCE)
        news = [News(member, Message.Kind.TERMS_CHANGE, about, facts) for member in members]
        queue(news, now=now, due_at=waking(now, contract))
        if len(members) == TOLD_AT_ONCE:
            outbox.tell([Event("terms.announcing", one.subject, one.facts | {"after": str(members[-1].pk)})])


def remind_of_expiry(*, now: datetime) -> int:
    """Remind who loses points in 30, 7 and 1 days, once each. Returns how many reminders are due or were made before."""
    contract = terms.current(now)
    news: list[News] = []
    for days in REMIND_DAYS:
        last = contract.day_of(now) + timedelta(days=days)
        first = max(last - timedelta(days=CATCH_UP_DAYS), contract.day_of(now))
        news += _reminders(contract, first, last, days, now)
    queue(news, now=now, due_at=waking(now, contract))
    return len(news)


def _reminders(contract: Terms, first: date, last: date, days: int, now: datetime) -> Iterable[News]:
    """One reminder for each member and last day from `first` to `last`."""
    ending: dict[tuple[Any, date], int] = {}
    for one in queries.expiring(after=contract.midnight_after(first - timedelta(days=1)), until=contract.midnight_after(last)):
        key = (one.holder, contract.last_day(one.expires_at))
        ending[key] = ending.get(key, 0) + one.points
    members = by_holder({holder for holder, _ in ending})
    balances = queries.balances({holder for holder, _ in ending}, now)
    for (holder, day), points in ending.items():
        member = members.get(holder)
        if member is not None and member.status == Member.Status.ACTIVE:
            facts = {"points": points, "on": day.isoformat(), "balance": balances[holder].balance}
            yield News(member, Message.Kind.EXPIRY_REMINDER, f"{day}:{days}", facts)


def greet_birthdays(*, now: datetime) -> int:
    """Greet whose birthday is today in the programme's zone, once a year. Returns how many have it."""
    contract = terms.current(now)
    today = contract.day_of(now)
    news = [News(member, Message.Kind.BIRTHDAY, str(today.year)) for member in with_birthday(today)]
    queue(news, now=now, due_at=waking(now, contract))
    return len(news)


def waking(now: datetime, contract: Terms) -> datetime:
    """`now`, or nine in the morning of the programme's day if it is earlier: reminders wake nobody."""
    return max(now, now.astimezone(contract.zone).replace(hour=WAKING_HOUR, minute=0, second=0, microsecond=0))


def rendered(message: Message, versions: Sequence[Terms], now: datetime) -> tuple[str, str, str]:
    """Subject, text and HTML in the member's language, or in the house's, under the terms in force `now`."""
    contract = terms.in_force(list(versions), now)
    language = message.member.language if message.member else settings.LANGUAGE_CODE
    with translation.override(language):
        facts = dict(message.facts)
        if "on" in facts:
            facts["on"] = date.fromisoformat(facts["on"])
        if "points" in facts:
            facts["worth"] = money.text(contract.worth(facts["points"]), contract.currency)
        for name in ("rest", "money"):
            if name in facts:
                facts[name] = money.text(Decimal(facts[name]), contract.currency)
        if message.kind == Message.Kind.TERMS_CHANGE:
            facts["lines"] = _changed(facts, versions, contract)
        if "names" in facts:
            facts["tier"] = facts["names"].get(language) or facts["name"]
        if message.kind == Message.Kind.TIER_AT_RISK:
            facts["sentence"] = tier_wording.to_stay(
                facts["tier"], facts["basis"], facts["missing"], facts["on"], contract.currency
            )
        if "spend_code" in facts:
            facts["code"] = codes.to_spend(UUID(facts["spend_code"]))
        if "titles" in facts:
            facts["title"] = facts["titles"].get(language) or facts["title"]
        context = facts | {
            "member": message.member,
            "programme": settings.REGULARS_NAME,
            "card_url": settings.ORIGIN + reverse("card"),
            "rules_url": settings.ORIGIN + reverse("rules"),
            "tier_url": settings.ORIGIN + reverse("tier"),
            "voucher_url": _page("redemption", facts["redemption"]) if facts.get("redemption") else _page("vouchers"),
            "reward_url": _page("reward", facts["reward"]) if "reward" in facts else _page("rewards"),
            "page_url": settings.ORIGIN + facts.get("page", ""),
        }
        name = f"emails/{message.kind}"
        subject = BREAKS.sub(" ", render_to_string(f"{name}.subject.txt", context)).strip()
        return subject, render_to_string(f"{name}.txt", context), render_to_string(f"{name}.html", context)


def _page(name: str, *what: str) -> str:
    """Where this is shown; a message may outlive the page that it was written for, and then leads to the card."""
    try:
        return settings.ORIGIN + reverse(name, args=what)
    except NoReverseMatch:
        return settings.ORIGIN + reverse("card")


def _changed(facts: dict[str, Any], versions: Sequence[Terms], contract: Terms) -> list[Line]:
    """What a message about changed rules is about: the terms, the tier table, or a rate; one with conditions brings its words."""
    if "tiers" in facts:
        tables = tier_tables()
        changed = next(one for one in tables if one.version == facts["tiers"])
        earlier = [one for one in tables if one.version < changed.version and one.starts_at < changed.starts_at]
        held = max(earlier, key=lambda one: (one.starts_at, one.version), default=None)
        return tier_wording.compared(held, changed, tiers.changes(held, changed), contract.currency)
    if "said" in facts:
        before, after = facts["said"][translation.get_language() or "en"]
        return [Line(facts["name"], before, after, judging.Effect.DETRIMENT, wording.unaffected())]
    if "version" not in facts:
        before, after = Decimal(facts["rate_before"]), Decimal(facts["rate"])
        if before == after:
            return []
        return [wording.rate_line(before, after, contract.currency, judging.rate(before, after), name=facts.get("name", ""))]
    new = next(one for one in versions if one.version == facts["version"])
    old = terms.held_before([one for one in versions if one.version < new.version], new)
    return wording.compared(old, new, judging.changes(old, new))


def inbox(member: Member, limit: int = 50) -> list[dict[str, Any]]:
    """What the portal shows: newest first."""
    rows = Message.objects.filter(member=member, channel=Channel.INBOX).select_related("member").order_by("-id")
    now, versions, shown = timezone.now(), terms.published(), []
    contract = terms.in_force(versions, now)
    for message in rows[:limit]:
        subject, text, _html = rendered(message, versions, now)
        at = message.sent_at and timezone.make_naive(message.sent_at, contract.zone)
        body, page = _parted(text)
        shown.append({"subject": subject, "body": body, "page": page, "sent_at": at, "kind": message.kind})
    return shown


def _parted(text: str) -> tuple[str, str]:
    """A mail's words, and the page of ours that it leads to: in the portal that is a link and no long address."""
    lines = text.strip().splitlines()
    pages = [line for line in lines if line.startswith(f"{settings.ORIGIN}/") and " " not in line]
    words = "\n".join(line for line in lines if line not in pages)
    return words.strip(), pages[0].removeprefix(settings.ORIGIN) if pages else ""


def consents(member: Member) -> list[Consent]:
    """What the member agrees to now: of each channel and purpose the newest word, if it is yes."""
    newest = Consent.objects.filter(member=member).order_by("channel", "purpose", "-at", "-id").distinct("channel", "purpose")
    return [one for one in newest if one.granted]


def address(message: Message) -> str | None:
    """Where its mail goes; None where whom it is for cannot be reached any more."""
    if message.user:
        return message.user.email if message.user.is_active else None
    member = message.member
    reach = addressed if message.kind == Message.Kind.TILL_CODE else reachable_by_mail
    return member.email if member and reach([member]) else None


def addressed(members: Sequence[Member]) -> set[UUID]:
    """Active members with a verified address, by id: enough for what they ask for themselves."""
    active = [member for member in members if member.status == Member.Status.ACTIVE]
    return {member.pk for member in active if member.email and member.email_verified_at}


def reachable_by_mail(members: Sequence[Member]) -> set[UUID]:
    """Those of them who have not turned reminders off, by id."""
    verified = addressed(members)
    choices = Consent.objects.filter(
        member__in=verified, channel=Consent.Channel.EMAIL, purpose=Consent.Purpose.SERVICE
    ).order_by("at", "id")
    latest = dict(choices.values_list("member", "granted"))
    return {member for member in verified if latest.get(member, True)}


def _instant(event: Event) -> datetime:
    return datetime.fromisoformat(event.facts["occurred_at"])
