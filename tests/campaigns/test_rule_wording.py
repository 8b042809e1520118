"""Each rule in one sentence, as each language says it."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from django.utils import translation

from campaigns import specs, wording
from campaigns.naming import Names
from campaigns.ruleschemas import RuleIn
from loyalty import terms

pytestmark = pytest.mark.django_db
NAMES = Names(stores={"S1": "Bastille", "S2": "Opéra"}, segments={"lapsed": "Lapsed"}, tiers={"gold": "Gold", "silver": "Silver"})
DECEMBER = {"starts_at": "2026-11-30T23:00:00Z", "ends_at": "2026-12-31T23:00:00Z"}
CHRISTMAS = {"starts_at": "2026-12-24T23:00:00Z", "ends_at": "2026-12-25T23:00:00Z"}
WEEKEND: dict[str, Any] = {
    "kind": "multiplier", "value": "2", "when": {**DECEMBER, "weekdays": [6, 7], "hours": ["10:00", "14:00"]},
    "where": {"stores": ["S1"]}, "who": {"tiers": ["gold"]}, "what": {"categories": ["coffee"]},
    "caps": [{"unit": "points", "per": "member", "window": "day", "limit": 100}],
}  # fmt: skip
BASKET: dict[str, Any] = {
    "kind": "bonus", "value": "500", "per": "purchase", "at_least": {"amount": "50.00"}, "where": {"stores": ["S1", "S2"]},
    "when": {"birthday": "week"}, "caps": [{"unit": "times", "per": "rule", "window": "week", "limit": 1000}],
    "expires": "P14D", "pending": "P0D",
}  # fmt: skip
STREAK: dict[str, Any] = {
    "kind": "event", "value": "20", "event_type": "check_in", "who": {"streak": 7},
    "caps": [{"unit": "money", "per": "programme", "window": "rolling:P30D", "limit": "250"}],
}  # fmt: skip


def said(language: str, **given: Any) -> str:
    rule = RuleIn.model_validate(given)
    compiled = specs.compiled(UUID(int=1), "rule", rule.kind, rule.value, rule.spec(), rule.ends_at)
    contract = terms.current(datetime(2026, 11, 1, tzinfo=UTC))
    with translation.override(language):
        text = wording.sentence(compiled, since=rule.starts_at, contract=contract, names=NAMES)
    return text.replace("\u2009", " ").replace("\u202f", " ").replace("\xa0", " ")


@pytest.mark.parametrize(
    ("language", "sentence"),
    [
        (
            "en",
            ("2× points on coffee at Bastille, Saturdays and Sundays from 10:00 to 14:00, for Gold members, "
            "1–31 December 2026; "
            "at most 100 points per member and day."),
        ),
        (
            "fr",
            ("Points × 2 sur coffee à la boutique Bastille, le samedi et le dimanche de 10:00 à 14:00, pour les membres Gold, "
            "1–31 décembre 2026 ; 100 points au plus par membre et par jour."),
        ),
        (
            "zh-hans",
            ("2026年12月1日至31日，Gold会员，每周六和周日 10:00 至 14:00，在Bastille购买coffee享 2 倍积分；"
                "每位会员每天最多 100 分。"),
        ),
        (
            "zh-hant",
            ("2026年12月1日至31日，Gold會員，每週六和週日 10:00 至 14:00，在Bastille購買coffee享 2 倍點數；"
                "每位會員每天最多 100 點。"),
        ),
    ],
)  # fmt: skip
def test_a_weekend_in_december(language: str, sentence: str) -> None:
    assert said(language, **WEEKEND) == sentence


@pytest.mark.parametrize(
    ("language", "sentence"),
    [
        (
            "en",
            ("500 extra points for a purchase at Bastille or Opéra, within three days of the member’s birthday, "
            "for €50.00 or more; "
            "at most 1,000 times per week in all; the points can be used at once; "
            "the points expire 14 days after they can be used."),
        ),
        (
            "fr",
            ("500 points de plus par achat dans les boutiques Bastille ou Opéra, "
            "à trois jours au plus de l’anniversaire du membre, "
            "à partir de 50,00 € ; 1 000 fois au plus par semaine au total ; les points sont utilisables tout de suite ; "
            "les points expirent 14 jours après le moment où ils sont utilisables."),
        ),
        (
            "zh-hans",
            ("满 €50.00，会员生日前后三天内，在Bastille或Opéra每次消费额外得 500 分；合计每周最多 1,000 次；积分立即可用；"
            "积分可用后 14 天到期。"),
        ),
        (
            "zh-hant",
            ("滿 €50.00，會員生日前後三天內，在Bastille或Opéra每次消費額外得 500 點；合計每週最多 1,000 次；點數立即可用；"
            "點數可用後 14 天到期。"),
        ),
    ],
)  # fmt: skip
def test_a_basket_around_the_birthday(language: str, sentence: str) -> None:
    assert said(language, **BASKET) == sentence


@pytest.mark.parametrize(
    ("language", "sentence"),
    [
        (
            "en",
            ("20 points for a check-in, after every 7 days in a row; "
            "at most points worth €250.00 for all offers together in any 30 days."),
        ),
        (
            "fr",
            ("20 points pour un passage, après 7 jours de suite chaque fois ; "
            "250,00 € de points au plus pour toutes les offres ensemble sur 30 jours de suite."),
        ),
        ("zh-hans", "每连续 7 天，签到得 20 分；所有优惠合计任意连续 30 天内最多 价值 €250.00 的积分。"),
        ("zh-hant", "每連續 7 天，簽到得 20 點；所有優惠合計任意連續 30 天內最多 價值 €250.00 的點數。"),
    ],
)  # fmt: skip
def test_a_streak_of_check_ins(language: str, sentence: str) -> None:
    assert said(language, **STREAK) == sentence


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"kind": "base", "value": "1"}, "1 point per €1.00."),
        ({"kind": "base", "value": "0.5", "what": {"categories": ["fuel"]}}, "0.5 points per €1.00 on fuel."),
        (
            {"kind": "bonus", "value": "3", "per": "unit", "what": {"skus": ["123"], "brands": ["Illy"]}},
            "3 extra points for each item of the brand Illy or item 123.",
        ),
        (
            {"kind": "multiplier", "value": "1.5", "what": {"exclude_categories": ["gift-card"]}, "who": {"every_visit": 10}},
            "1.5× points, not on gift-card, once every 10 visits.",
        ),
        (
            {"kind": "bonus", "value": "100", "per": "purchase", "who": {"first_purchase": True, "segment": "lapsed"}},
            "100 extra points for a purchase, for members in “Lapsed”, for the first purchase.",
        ),
        (
            {"kind": "multiplier", "value": "3", "when": {"weekdays": [5], "hours": ["22:00", "02:00"]}},
            "3× points, Fridays until 02:00 and from 22:00 on.",
        ),
        (
            {"kind": "multiplier", "value": "3", "when": {"hours": ["22:00", "02:00"], "ends_at": "2026-12-24T17:30:00Z"}},
            "3× points, nightly from 22:00 to 02:00, until 24 December 2026, 18:30.",
        ),
        (
            {"kind": "event", "value": "1", "event_type": "custom:yoga-class", "exclusive_group": "acts"},
            "1 point for “yoga-class”; of the offers “acts” only the best counts.",
        ),
        (
            {
                "kind": "multiplier",
                "value": "2",
                "when": {"starts_at": "2026-12-24T23:00:00Z", "ends_at": "2026-12-25T23:00:00Z"},
            },
            "2× points, 25 December 2026.",
        ),
    ],
)
def test_each_condition_has_its_clause(given: dict[str, Any], sentence: str) -> None:
    assert said("en", **given) == sentence


def test_codes_stand_where_names_are_not_known() -> None:
    assert "at S9, for platinum members" in said(
        "en", kind="multiplier", value=Decimal(2), where={"stores": ["S9"]}, who={"tiers": ["platinum"]}
    )
