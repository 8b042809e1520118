"""Who pays what when: flash, weekend, festival, birthday month and member day, and the night on which clocks change."""

from datetime import UTC, datetime, time, timedelta
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.utils import timezone

from catalog.models import RewardPrice
from catalog.pricing import Offer, Price, Who, Window, calendar
from tests.catalog.selling import reward
from tests.members.tiering import publish
from tests.staff import signed_in, text

PARIS = ZoneInfo("Europe/Paris")
PLAIN, ANYBODY, FRIDAY = Price(100), (Who(),), frozenset({5})


def at(day: int, hour: int = 0, month: int = 6) -> datetime:
    """In June 2026, of which the 1st is a Monday."""
    return datetime(2026, month, day, hour, tzinfo=PARIS).astimezone(UTC)


def priced(*prices: Price, who: Any = ANYBODY, **given: Any) -> list[Any]:
    """Day, hour and points of each span of the first week."""
    found = calendar(Offer(PLAIN, prices, **given), who, since=at(1), until=at(8), zone=PARIS)
    assert (found[0].starts_at, found[-1].ends_at) == (at(1), at(8))
    assert all(one.ends_at == following.starts_at for one, following in pairwise(found))
    rows = [(one.starts_at.astimezone(PARIS), [price.points if price else None for price in one.prices]) for one in found]
    return [(local.day, local.hour, *points) for local, points in rows]


@pytest.mark.parametrize(
    ("window", "found"),
    [
        (Window(weekdays=frozenset({6, 7})), [(1, 0, 100), (6, 0, 50)]),
        (Window(weekdays=frozenset({2})), [(1, 0, 100), (2, 0, 50), (3, 0, 100)]),
        (Window(at(3, 18), at(4, 22)), [(1, 0, 100), (3, 18, 50), (4, 22, 100)]),
        (
            Window(weekdays=frozenset({5}), hours=(time(22), time(2))),
            [(1, 0, 100), (5, 0, 50), (5, 2, 100), (5, 22, 50), (6, 0, 100)],
        ),
        (Window(at(1), at(8)), [(1, 0, 50)]),
    ],
    ids=["weekend", "member day", "festival to the hour", "over midnight", "flash week"],
)
def test_a_price_holds_in_its_window_and_not_beside_it(window: Window, found: list[Any]) -> None:
    assert priced(Price(50, window=window)) == found


def test_each_kind_of_member_pays_the_best_of_its_own() -> None:
    prices = (Price(80, tier="gold"), Price(60, birthday_month=True), Price(70, window=Window(weekdays=frozenset({7}))))
    who = (Who(), Who("gold"), Who("gold", birthday=True))
    assert priced(*prices, who=who) == [(1, 0, 100, 80, 60), (7, 0, 70, 70, 60)]


def test_when_it_is_not_offered_there_is_no_price() -> None:
    assert priced(window=Window(at(3), at(5))) == [(1, 0, None), (3, 0, 100), (5, 0, None)]


def test_the_night_on_which_clocks_change_is_cut_where_the_shop_reads_it() -> None:
    price = Price(50, window=Window(hours=(time(1), time(4))))
    spans = calendar(Offer(PLAIN, (price,)), (Who(),), since=at(25, month=10), until=at(26, month=10), zone=PARIS)
    cheap = next(one for one in spans if one.prices == (price,))
    assert cheap.ends_at - cheap.starts_at == timedelta(hours=4), "an hour comes twice"


@pytest.mark.django_db
def test_the_page_of_a_reward_shows_a_week_and_what_begins_later() -> None:
    publish(now=timezone.now())
    one = reward(points=100)
    festival = datetime.combine(timezone.localdate() + timedelta(days=60), time(18), PARIS)
    RewardPrice.objects.create(reward=one, name="Festival", points=40, starts_at=festival, ends_at=festival + timedelta(hours=4))
    RewardPrice.objects.create(reward=one, points=70, tier="gold")
    RewardPrice.objects.create(reward=one, points=60, birthday_month=True)
    marketer = signed_in("marketer")
    page = f"/admin/catalog/reward/{one.pk}/change/"
    shown: Any = marketer.get(page)
    table = shown.context["preview"]
    assert table["heads"] == [
        "every member",
        "Gold",
        "every member, in the month of their birthday",
        "Gold, in the month of their birthday",
    ]
    assert [cell["text"] for cell in table["lines"][0]["prices"]] == ["100 points", "70 points", "60 points", "60 points"]
    later = next(line for line in table["lines"] if line["prices"][0]["name"] == "Festival")
    assert "18:00" in later["from"]
    assert "22:00" in later["until"]
    assert "Who pays what when" in text(shown)
    moved: Any = marketer.get(f"{page}?start={timezone.localdate() + timedelta(days=60)}")
    assert moved.context["preview"]["lines"][1]["prices"][0]["name"] == "Festival"
    for strange in ("0001-01-01", "9999-12-31", "soon", "%00"):
        assert marketer.get(f"{page}?start={strange}").status_code == 200
