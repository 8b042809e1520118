"""The demo's catalogue, and a year of what its regulars had for their points, through the same verbs as everywhere."""

import random
from collections.abc import Sequence
from datetime import datetime, timedelta

from django.core.files.base import ContentFile

from catalog import codes, issuing, keeping, offers, pictures, redeeming
from catalog.issuing import Use
from catalog.keeping import Picture
from catalog.models import Category, CodePool, Redemption, Reward, Voucher
from catalog.redeeming import Ask
from catalog.schemas import RewardIn
from config.demo import menu, offer
from loyalty import queries
from loyalty.problems import Problem
from loyalty.queries import StoreFacts
from loyalty.terms import Terms
from members.models import Member
from members.queries import resolve

SOURCE = "demo"
# How many look for a reward at a time, the codes that the partner gave, and in how many of a hundred each thing comes of it.
AT_A_TIME, CODES = 3, 60
USED, GIVEN_BACK, CANCELLED = 78, 86, 90
REASON = "Sold out that morning"


def stock_up(draw: random.Random, *, now: datetime) -> None:
    """Put the catalogue up, with its pictures and a partner's codes; what is there stays as it is."""
    for place, (code, (name, others)) in enumerate(offer.CATEGORIES.items()):
        words = {language: {"name": text} for language, text in others.items()}
        Category.objects.get_or_create(code=code, defaults={"name": name, "position": place, "translations": words})
    code, name = offer.PARTNER
    pool, is_new = CodePool.objects.get_or_create(code=code, defaults={"name": name})
    if is_new:
        text = "\n".join(f"REX-{draw.randrange(10**4):04}-{draw.randrange(10**4):04}" for _ in range(CODES))
        codes.fill(pool, text, actor=menu.ACTOR)
    there = set(Reward.objects.values_list("code", flat=True))
    for code, (drawn, given) in offer.REWARDS.items():
        if code not in there:
            picture = Picture(pictures.keep(ContentFile(drawn().upload().getvalue())))
            keeping.put(code, RewardIn.model_validate(given), actor=menu.ACTOR, now=now, picture=picture)


def some(cards: Sequence[str], draw: random.Random, contract: Terms, *, now: datetime) -> int:
    """Some of those who have the points have something for them; returns how many. What ended unused is given back first."""
    redeeming.return_unused(now=now)
    known = queries.stores_by_code(menu.SHOPS)
    stores = [known[code] for code in menu.SHOPS]
    people = [facts.id for facts in resolve(draw.sample(cards[2:], min(AT_A_TIME, len(cards) - 2))).values()]
    members = sorted(Member.objects.filter(pk__in=people), key=lambda one: one.external_id or "")
    standing = [one for one in offers.standing() if one.code in offer.WISHES]
    return sum(_one(member, draw, standing, draw.choice(stores), contract, now=now) for member in members)


def _one(
    member: Member, draw: random.Random, standing: Sequence[Reward], store: StoreFacts, contract: Terms, *, now: datetime
) -> bool:
    priced = offers.priced(standing, member, now=now, zone=contract.zone, store=store)
    within = [one.reward for one in priced if one.quoted.because is None]
    if not within:
        return False
    wish = draw.choices(within, [offer.WISHES[one.code] for one in within])[0]
    one = take(member, wish, now=now, store=store)
    if one is None:
        return False
    chance = draw.randrange(100)
    voucher = Voucher.objects.filter(redemption=one).first()
    if voucher and chance < USED:
        at = now + timedelta(minutes=draw.randint(2, 40))
        issuing.use(voucher.code, Use(store, SOURCE, f"V{one.pk.hex[-8:].upper()}"), now=at)
    elif voucher and chance < CANCELLED:
        by_shop = chance >= GIVEN_BACK
        reason, actor = (REASON, menu.ACTOR) if by_shop else ("", member.holder)
        redeeming.cancel(one.pk, by_merchant=by_shop, reason=reason, now=now + timedelta(minutes=30), actor=actor)
    return True


def take(member: Member, reward: Reward, *, now: datetime, store: StoreFacts | None = None) -> Redemption | None:
    """Redeem and keep; None where it cannot be had."""
    try:
        held = redeeming.reserve(Ask(member, reward, store=store), now=now, actor=member.holder)
    except Problem:
        return None
    return redeeming.confirm(held.pk, now=now, actor=member.holder)


def for_the_logins(cards: Sequence[str], contract: Terms, *, now: datetime) -> None:
    """What the two demo members hold: vouchers that are ready, a partner's code, something used."""
    known = resolve(cards[:2])
    first, second = (Member.objects.get(pk=known[card].id) for card in cards[:2])
    [harbour] = queries.stores_by_code(["harbour"]).values()
    # Yesterday morning, behind all their receipts, so that their histories run in the order of their dates.
    at = contract.midnight_after(contract.day_of(now) - timedelta(days=2)) + timedelta(hours=9)
    wishes = ((first, "espresso"), (first, "flat-white"), (second, "five-off"), (second, "cinema"), (second, "tree"))
    for place, (member, code) in enumerate(wishes):
        one = take(member, keeping.find(code), now=at + timedelta(minutes=place))
        if one and code == "espresso":
            issuing.use(Voucher.objects.get(redemption=one).code, Use(harbour, SOURCE, "V1"), now=at + timedelta(hours=2))
