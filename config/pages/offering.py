"""Rewards as a member reads them: what each costs me now, what is in the way, and under which conditions."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from uuid import UUID

from babel.lists import format_list
from django.utils import timezone
from django.utils.formats import date_format, number_format, time_format
from django.utils.translation import get_language, gettext_lazy, ngettext, pgettext, to_locale
from django.utils.translation import gettext as _

from campaigns.wording import WORKDAYS, weekday
from catalog import offers, pictures, stock, waiting
from catalog.models import Reward
from catalog.offers import Priced
from catalog.pricing import Price, Why, Window
from catalog.texts import said
from config.pages.tier import Mark, marks
from loyalty import money
from loyalty.ids import uuid7
from loyalty.queries import StoreFacts, balances
from loyalty.terms import Terms
from members.models import Member
from members.queries import tier_tables
from members.wording import called

# Where points may be missing; what else is in the way of these goes away by itself or by the member.
AHEAD = (Why.POINTS, Why.UNVERIFIED, Why.DEFICIT)
SAID = {
    Why.WITHDRAWN: gettext_lazy("This reward is not offered any more."),
    Why.ENDED: gettext_lazy("This reward is not offered any more."),
    Why.STORE: gettext_lazy("This reward is for other shops."),
    Why.LIMIT: gettext_lazy("You have had this as often as anyone can."),
    Why.STOCK: gettext_lazy("Out of stock at the moment. Your points are still yours."),
    Why.BLOCKED: gettext_lazy("This card is blocked or closed; nothing can be had for it."),
    Why.DEFICIT: gettext_lazy("Your balance is below zero. New points fill it up first."),
    Why.UNVERIFIED: gettext_lazy("Yours once your card is verified."),
}


@dataclass(frozen=True, slots=True)
class Shown:
    """A reward in words. `was` is the plain price where a better one holds; `missing` the points that are not there yet.

    `token`: the redemption that this sight of the reward becomes, once. `choose`: a shop has to be named first.
    """

    code: str
    title: str
    text: str
    picture: dict[str, str] | None
    picture_text: str
    kind: str
    shelf: str
    points: int
    money: str
    due: Decimal
    was: str
    offer: str
    missing: int
    because: Why | None
    hindrance: str
    facts: list[str]
    conditions: list[str]
    shops: list[str]
    left: int | None
    choose: bool
    waiting: bool
    marks: list[Mark]
    token: UUID

    @property
    def can(self) -> bool:
        return self.because is None

    @property
    def enough(self) -> bool:
        """In reach, but for a proof of who asks."""
        return self.because in (None, Why.UNVERIFIED) and not self.missing


def shown(
    rewards: Sequence[Reward], member: Member, contract: Terms, *, now: datetime, store: StoreFacts | None = None
) -> list[Shown]:
    """Each in words, in a constant number of statements."""
    ids = [one.pk for one in rewards]
    priced = offers.priced(rewards, member, now=now, zone=contract.zone, store=store)
    has = balances([member.holder], now)[member.holder].available
    awaited, counted = waiting.awaited(member.pk, ids), stock.counted_by_store(ids)
    names = {one.code: called(one) for table in reversed(tier_tables()) for one in table.levels}
    return [
        _shown(one, has, contract, names, choose=one.reward.pk in counted and store is None, waiting=one.reward.pk in awaited)
        for one in priced
    ]


def _shown(one: Priced, has: int, contract: Terms, names: dict[str, str], *, choose: bool, waiting: bool) -> Shown:
    reward, price, because = one.reward, one.quoted.price, one.quoted.because
    plain, better = one.offer.price, one.quoted.price != one.offer.price
    missing = max(0, price.points - max(has, 0))
    shops = sorted(each.name for each in reward.stores.all())
    ahead = because in AHEAD and missing
    return Shown(
        code=reward.code, title=said(reward, "title"), text=said(reward, "description"),
        picture=pictures.addresses(reward.picture.name), picture_text=said(reward, "picture_text"), kind=reward.kind,
        shelf=reward.category.code if reward.category else "",
        points=price.points, money=_plus(price.money, contract.currency), due=price.money,
        was=_was(plain, price, contract.currency) if better else "", offer=_offer(price, contract, names) if better else "",
        missing=missing, because=because, hindrance=_hindrance(one, because, missing, contract, names),
        facts=list(_facts(one, shops, contract, names)), conditions=list(_conditions(one, shops, contract, names)),
        shops=shops, left=one.offer.left, choose=choose, waiting=waiting,
        marks=marks(max(has, 0), price.points) if ahead else [], token=uuid7(),
    )  # fmt: skip


def closest(found: Iterable[Shown]) -> Shown | None:
    """The most valuable one that can be had now, else the one with the fewest points missing. Gifts to others are no aim."""
    wanted = [one for one in found if one.kind != Reward.Kind.DONATION]
    within = max((one for one in wanted if one.enough), key=lambda one: (one.points, one.code), default=None)
    ahead = (one for one in wanted if one.because in AHEAD and one.missing)
    return within or min(ahead, key=lambda one: (one.missing, one.code), default=None)


def _plus(amount: Decimal, currency: str) -> str:
    return money.text(amount, currency) if amount else ""


def _was(plain: Price, price: Price, currency: str) -> str:
    """What the better price spares: its points, its money, or both."""
    points = number_format(plain.points, force_grouping=True) if plain.points != price.points else ""
    spared = money.text(plain.money, currency) if plain.money != price.money and plain.money else ""
    return " + ".join(part for part in (points, spared) if part)


def _offer(price: Price, contract: Terms, names: dict[str, str]) -> str:
    """The better price by its name, with its times and its end."""
    name = price.name or (_("Price for %(tier)s") % {"tier": names.get(price.tier, price.tier)} if price.tier else "")
    if price.birthday_month and not name:
        name = _("Price of your birthday month")
    return remarks(name, *_times(price.window, contract))


def remarks(*parts: str) -> str:
    """One after the other, those that there are."""
    return pgettext("between two remarks", ", ").join(part for part in parts if part)


def _times(window: Window, contract: Terms) -> Iterator[str]:
    if window.weekdays or window.hours:
        yield _schedule(window)
    if window.ends_at:
        yield _("until %(date)s") % {"date": day(window.ends_at, contract)}


def _schedule(window: Window) -> str:
    days = _list([weekday(one) for one in sorted(window.weekdays)])
    if window.weekdays == WORKDAYS:
        days = pgettext("every week", "Mondays to Fridays")
    if window.hours is None:
        return _("on %(days)s") % {"days": days}
    begin, end = (time_format(one, "TIME_FORMAT") for one in window.hours)
    values = {"days": days, "begin": begin, "end": end}
    if window.hours[0] < window.hours[1]:
        return (_("%(days)s from %(begin)s to %(end)s") if days else _("daily from %(begin)s to %(end)s")) % values
    return (_("%(days)s until %(end)s and from %(begin)s on") if days else _("nightly from %(begin)s to %(end)s")) % values


def day(ends_at: datetime, contract: Terms) -> str:
    """The last day before an end; with the time where it ends on the way."""
    if ends_at == contract.midnight_after(last := contract.last_day(ends_at)):
        return date_format(last, "DATE_FORMAT")
    return date_format(timezone.make_naive(ends_at, contract.zone), "DATETIME_FORMAT")


def _first(starts_at: datetime, contract: Terms) -> str:
    """The first day from a start on; with the time where it begins on the way."""
    first = contract.day_of(starts_at)
    if starts_at == contract.midnight_after(first - timedelta(days=1)):
        return date_format(first, "DATE_FORMAT")
    return date_format(timezone.make_naive(starts_at, contract.zone), "DATETIME_FORMAT")


def _hindrance(one: Priced, because: Why | None, missing: int, contract: Terms, names: dict[str, str]) -> str:
    window = one.offer.window
    if missing and because in AHEAD:
        return ngettext("%(n)s more point", "%(n)s more points", missing) % {"n": number_format(missing, force_grouping=True)}
    if because is Why.NOT_YET and window.starts_at:
        return _("From %(date)s on.") % {"date": _first(window.starts_at, contract)}
    if because is Why.NOT_NOW:
        return _("It can be had at other times: %(times)s.") % {"times": _schedule(window)}
    if because is Why.TIER:
        return _("Only for %(tiers)s members.") % {"tiers": _tiers(one, names)}
    return str(SAID[because]) if because else ""


def _facts(one: Priced, shops: list[str], contract: Terms, names: dict[str, str]) -> Iterator[str]:
    """What the list says of it: for whom, where, until when, how many are left."""
    offer = one.offer
    if offer.tiers and one.quoted.because is not Why.TIER:
        yield _("Only for %(tiers)s members.") % {"tiers": _tiers(one, names)}
    if shops:
        yield _("At %(shops)s.") % {"shops": _list(shops)}
    if offer.window.ends_at:
        yield _("Until %(date)s.") % {"date": day(offer.window.ends_at, contract)}
    if offer.left:
        yield ngettext("%(n)s left.", "%(n)s left.", offer.left) % {"n": number_format(offer.left, force_grouping=True)}


def _conditions(one: Priced, shops: list[str], contract: Terms, names: dict[str, str]) -> Iterator[str]:
    """What its page says before the button, in at most five short lines."""
    offer, reward = one.offer, one.reward
    voucher = reward.voucher or {}
    where = [_("At %(shops)s.") % {"shops": _list(shops)} if shops else _("In every shop.")]
    if reward.kind in (Reward.Kind.CODE, Reward.Kind.DONATION) or reward.fulfilment == Reward.Fulfilment.AT_ONCE:
        where = []
    elif reward.fulfilment == Reward.Fulfilment.POSTED:
        where = [_("By post, to the address that you give.")]
    if minimum := Decimal(voucher.get("minimum_spend", 0)):
        yield _("On a receipt of at least %(amount)s.") % {"amount": money.text(minimum, contract.currency)}
    if uses := int(voucher.get("uses", 1)) - 1:
        yield ngettext("It can be used %(n)s time.", "It can be used %(n)s times.", uses + 1) % {"n": number_format(uses + 1)}
    if voucher.get("keeps_rest"):
        yield _("What one receipt does not need stays on it. Once you have used some of it, the points do not come back.")
    yield from where
    times = [*_times(offer.window, contract)]
    if times:
        yield _("When: %(times)s.") % {"times": remarks(*times)}
    if offer.tiers and one.quoted.because is not Why.TIER:
        yield _("Only for %(tiers)s members.") % {"tiers": _tiers(one, names)}
    yield from _others(one, contract, names)
    if offer.per_member:
        text = ngettext("Once for each member.", "At most %(n)s times for each member.", offer.per_member)
        yield text % {"n": number_format(offer.per_member)}


def _others(one: Priced, contract: Terms, names: dict[str, str]) -> Iterator[str]:
    """Better prices at other times, for whoever may come back then."""
    now = one.quoted.price
    for price in one.offer.prices:
        if (
            price.points < now.points
            and not price.tier
            and not price.birthday_month
            and (price.window.weekdays or price.window.hours)
        ):
            points = ngettext("%(n)s point", "%(n)s points", price.points) % {
                "n": number_format(price.points, force_grouping=True)
            }
            yield _("%(price)s: %(points)s.") % {"price": _offer(price, contract, names), "points": points}


def _tiers(one: Priced, names: dict[str, str]) -> str:
    known = [name for code, name in names.items() if code in one.offer.tiers]
    return _list(known or sorted(one.offer.tiers))


def _list(words: Sequence[str]) -> str:
    return format_list(words, locale=to_locale(get_language() or "en")) if words else ""
