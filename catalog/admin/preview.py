"""Who pays what when: the prices of a reward over a week, and over the days of what is dated further ahead."""

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from typing import Any

from django.utils.formats import number_format
from django.utils.translation import gettext as _

from catalog import keeping, offers, pricing
from catalog.models import Reward
from catalog.pricing import Offer, Price, Who
from loyalty import money
from loyalty.columns import moment
from loyalty.terms import Terms

WEEK = timedelta(days=7)
# So many lines are read; a price that changes more often is cut off, and the page says so.
SHOWN = 30


def preview(one: Reward, contract: Terms, *, now: datetime, start: date | None) -> dict[str, Any]:
    """A table: a line for each time in which all prices stay as they are, a column for each kind of member."""
    offer = offers.offer(one, left=None)
    since = contract.midnight_after(start - timedelta(days=1)) if start else now
    who = list(_who(offer))
    weeks = [pricing.calendar(offer, who, since=begin, until=end, zone=contract.zone) for begin, end in _weeks(offer, since)]
    spans = [span for week in weeks for span in week]
    ends = {week[-1].ends_at for week in weeks}
    shown = spans[:SHOWN]
    lines = [
        {
            "from": _("now") if span.starts_at == now else moment(span.starts_at),
            "until": "…" if span.ends_at in ends else moment(span.ends_at),
            "prices": [_cell(price, offer, contract) for price in span.prices],
        }
        for span in shown
    ]
    return {"heads": [_head(each) for each in who], "lines": lines, "more": len(spans) > SHOWN, "start": contract.day_of(since)}


def _who(offer: Offer) -> Iterator[Who]:
    """Everybody, then those who have prices of their own; of a reward for some tiers, those alone."""
    own = {price.tier for price in offer.prices if price.tier}
    tiers = [tier for tier in keeping.tiers() if (tier in offer.tiers if offer.tiers else tier in own)]
    yield from [] if offer.tiers else [Who()]
    yield from (Who(tier) for tier in tiers)
    if any(price.birthday_month for price in offer.prices):
        yield from [] if offer.tiers else [Who(birthday=True)]
        yield from (Who(tier, birthday=True) for tier in tiers)


def _head(who: Who) -> str:
    name = keeping.tiers().get(who.tier or "", who.tier) if who.tier else _("every member")
    return _("%(who)s, in the month of their birthday") % {"who": name} if who.birthday else str(name)


def _weeks(offer: Offer, since: datetime) -> list[tuple[datetime, datetime]]:
    """The week from `since` on, and the first week of each window that opens later; none twice."""
    windows = [offer.window, *(price.window for price in offer.prices)]
    opens = sorted({one.starts_at for one in windows if one.starts_at and one.starts_at > since + WEEK})
    weeks: list[tuple[datetime, datetime]] = [(since, since + WEEK)]
    for start in opens:
        if start >= weeks[-1][1]:
            weeks.append((start, start + WEEK))
    return weeks


def _cell(price: Price | None, offer: Offer, contract: Terms) -> dict[str, Any]:
    if price is None:
        return {"text": "–", "name": _("not offered"), "better": False}
    points = _("%(points)s points") % {"points": number_format(price.points, force_grouping=True)}
    text = f"{points} + {money.text(price.money, contract.currency)}" if price.money else points
    return {"text": text, "name": price.name, "better": price != offer.price}
