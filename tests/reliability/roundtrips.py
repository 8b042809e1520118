"""Points that go and come back: parts add up to the whole, and a way there and back leaves everything as it was."""

import itertools
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random
from uuid import UUID, uuid4

from loyalty import posting, queries, verifying
from loyalty.acts import Burn, ClawBack, Merge, Outcome, Posted, Refused, Restore, Transfer, UnMerge
from loyalty.models import Lot, Posting
from tests.factories import NOW, accrual, holder

DAY = timedelta(days=1)
# Points by what moves with them: end, usable from, age.
type Lots = Counter[tuple[datetime | None, datetime, datetime]]
type Trip = Callable[["Round"], None]


@dataclass
class Round:
    """One trip with its own members; `wrong` collects what does not hold."""

    dice: Random
    wrong: list[str] = field(default_factory=list)
    keys: "itertools.count[int]" = field(default_factory=itertools.count)

    def key(self) -> str:
        return f"trip:{uuid4()}:{next(self.keys)}"

    def expect(self, what: str, found: object, wanted: object) -> None:
        if found != wanted:
            self.wrong.append(f"{what}: {found} instead of {wanted}")

    def given(self, to: UUID, count: int, *, days: Sequence[int | None] = (None, 30, 90, 365), pending: int = 0) -> list[UUID]:
        """So many lots of different sizes, ends and ages."""
        acts = [
            accrual(
                to, self.dice.randint(1, 500), at=NOW - self.dice.randint(0, 20) * DAY, pending=pending,
                days=self.dice.choice(list(days)), key=self.key(),
            )
            for _ in range(count)
        ]  # fmt: skip
        return [one.entry for one in posting.accrue(acts, now=NOW) if isinstance(one, Posted)]

    def burnt(self, who: UUID, points: int) -> UUID:
        [one] = posting.burn([Burn(key=self.key(), holder=who, points=points, occurred_at=NOW)], now=NOW)
        assert isinstance(one, Posted), one
        return one.entry

    def parts(self, points: int) -> list[int]:
        """`points` in random parts."""
        cuts = sorted({0, points, *(self.dice.randint(0, points) for _ in range(self.dice.randint(0, 6)))})
        return [high - low for low, high in itertools.pairwise(cuts)]


def claw_back(one: Round) -> None:
    """Awards taken back in parts, with burns between: all parts are the awards, one point more is refused."""
    who, dice = holder(), one.dice
    one.given(who, dice.randint(0, 3))
    own = one.given(who, dice.randint(1, 3), pending=dice.choice([0, 14]))
    awards = dict(Posting.objects.filter(entry__in=own).values_list("entry", "points"))
    award, before, spent = sum(awards.values()), net(who), 0
    owed = [(entry, part) for entry in own for part in one.parts(awards[entry])]
    dice.shuffle(owed)
    for entry, points in owed:
        held = queries.balances([who], NOW)[who]
        if held.available > 0 and not held.deficit and dice.random() < 0.6:
            part = dice.randint(1, held.available)
            one.burnt(who, part)
            spent += part
        act = ClawBack(key=one.key(), holder=who, entry=entry, points=points, own=tuple(own), occurred_at=NOW)
        [posted] = posting.claw_back([act], now=NOW)
        one.expect("a part was posted", type(posted), Posted)
    over = ClawBack(key=one.key(), holder=who, entry=own[0], points=1, own=tuple(own), occurred_at=NOW)
    one.expect("one point more", type(posting.claw_back([over], now=NOW)[0]), Refused)
    returned = Posting.objects.filter(wallet__holder=who, kind="return").values_list("points", flat=True)
    one.expect("parts of the award", -sum(returned), award)
    one.expect("balance without the award", net(who), before - award - spent)
    held = queries.balances([who], NOW)[who]
    one.expect("deficit only without points", min(held.balance, held.deficit), 0)


def restore(one: Round) -> None:
    """A burn given back in parts fills the same lots; one more point is refused."""
    who, dice = holder(), one.dice
    one.given(who, dice.randint(1, 5))
    before, held = lots(who), net(who)
    points = dice.randint(1, held)
    entry = one.burnt(who, points)
    for part in one.parts(points):
        posted = _restore(one, who, entry, part)
        one.expect("a part was posted", type(posted), Posted)
    one.expect("lots after all parts", lots(who), before)
    one.expect("one point more", type(_restore(one, who, entry, 1)), Refused)
    one.expect("balance", net(who), held)


def restore_late(one: Round) -> None:
    """The same when some of the lots have ended meanwhile: what comes back is what was taken, usable for the grace."""
    who, dice, late = holder(), one.dice, NOW + 60 * DAY
    one.given(who, dice.randint(1, 5), days=(None, 30, 90))
    points = dice.randint(1, net(who))
    entry = one.burnt(who, points)
    before = queries.balances([who], late)[who].available
    for part in one.parts(points):
        _restore(one, who, entry, part, at=late, grace=late + 14 * DAY)
    after = queries.balances([who], late)[who].available
    one.expect("usable after all parts", after - before, points)
    one.expect("one point more", type(_restore(one, who, entry, 1, at=late, grace=late + 14 * DAY)), Refused)


def transfer(one: Round) -> None:
    """There in parts, and back in parts: every lot's points have their end and age, at every step."""
    first, second = holder(), holder()
    one.given(first, one.dice.randint(1, 5))
    before, points = lots(first), net(first)
    for source, target in ((first, second), (second, first)):
        for part in one.parts(points):
            act = Transfer(key=one.key(), holder=source, to=target, points=part, occurred_at=NOW)
            [posted] = posting.transfer([act], now=NOW, actor=None)
            one.expect("a part was posted", type(posted), Posted)
            one.expect("points of both", lots(first) + lots(second), before)
        one.expect("points left behind", net(source), 0)
    one.expect("lots after there and back", lots(first), before)


def merge(one: Round) -> None:
    """Merged and un-merged, both have what they had; what was spent between is missing once."""
    first, second, dice = holder(), holder(), one.dice
    for who in (first, second):
        one.given(who, dice.randint(1, 4))
        one.given(who, dice.randint(0, 2), pending=14)
    before, both = (lots(first), lots(second)), net(first) + net(second)
    [merged] = posting.merge([Merge(key=one.key(), holder=first, to=second, occurred_at=NOW)], now=NOW, actor=None)
    assert isinstance(merged, Posted), merged
    one.expect("points of both", (lots(first), lots(second)), (Counter(), before[0] + before[1]))
    spent = dice.choice([0, 0, dice.randint(1, queries.balances([second], NOW)[second].available)])
    if spent:
        one.burnt(second, spent)
    back = UnMerge(key=one.key(), holder=first, to=second, entry=merged.entry, occurred_at=NOW)
    [undone] = posting.unmerge([back], now=NOW, actor=None)
    if isinstance(undone, Refused):  # all that came was spent
        one.expect("what is left of the first", [lots(second) - before[1], bool(spent)], [Counter(), True])
        return
    after = lots(first), lots(second)
    one.expect("balances", net(first) + net(second), both - spent)
    one.expect("gains", [after[0] - before[0], after[1] - before[1]], [Counter(), Counter()])
    if not spent:
        one.expect("lots after there and back", after, before)


TRIPS: dict[str, Trip] = {one.__name__: one for one in (claw_back, restore, restore_late, transfer, merge)}


def check(dice: Random, count: int) -> tuple[int, list[str]]:
    """So many rounds of each trip. Returns how many were made, and what was wrong, the ledger's verification with it."""
    rounds = [(name, trip, Round(dice)) for _ in range(count) for name, trip in TRIPS.items()]
    for _name, trip, one in rounds:
        trip(one)
    wrong = [f"{name}: {said}" for name, _trip, one in rounds for said in one.wrong]
    return len(rounds), wrong + [finding.bad_row for finding in verifying.verify() if finding.bad_row]


def net(who: UUID) -> int:
    return queries.net_balances([who])[who]


def lots(who: UUID) -> Lots:
    """Points left, by end, first day of use and age."""
    found: Lots = Counter()
    rows = Lot.objects.filter(wallet__holder=who, open=True)
    for end, usable, earned, points in rows.values_list("expires_at", "available_at", "earned_at", "remaining"):
        found[end, usable, earned] += points
    return found


def _restore(one: Round, who: UUID, entry: UUID, points: int, at: datetime = NOW, grace: datetime | None = None) -> Outcome:
    act = Restore(key=one.key(), holder=who, entry=entry, points=points, occurred_at=at, grace_until=grace)
    return posting.restore([act], now=at)[0]
