"""Returns leak nothing and take nothing too much (SEMANTICS 3): random receipts, returned piece by piece in random order.

    python -m tests.reliability returns --receipts 100000 --seed S --state FILE

Each receipt is bought by two members, who return the same goods in different orders; in plain rounds a third one buys at
the end only what the first has kept. Points are spent between, rules change, and in some rounds points end. Every round
draws one of three worlds (tests/reliability/worlds.py); both verifiers must find nothing after each.
"""

import dataclasses
import itertools
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from random import Random
from typing import Any
from uuid import UUID, uuid4

from django.db.models import Sum

from campaigns import keeping, purchases, returns
from campaigns.awarding import Recorded
from campaigns.keeping import Measure, Piece, Sold, TooMuch, Wanted
from campaigns.models import Award, ClawBack, Purchase, PurchaseReturn, RuleVersion
from campaigns.returns import Claim, Taken
from campaigns.schemas import PurchaseIn, ReturnIn
from campaigns.values import Line
from loyalty import posting, publishing, queries, terms
from loyalty.acts import Burn, Posted
from loyalty.models import Posting
from loyalty.problems import Problem
from loyalty.terms import Terms
from members.models import Member
from tests.factories import ApplicationFactory, StoreFactory, members
from tests.members import tiering
from tests.reliability import leaving, worlds
from tests.reliability.crowd import both_verifiers

START = datetime(2026, 1, 10, 9, 0, tzinfo=UTC)
FAMILIES, PHASES, BATCH = 100, 4, 1000
# Of all receipts so far, in each phase.
RETURNED = 0.25
COIN = Decimal("0.01")


@dataclass(slots=True)
class Bought:
    """A receipt of a family. Of each of the two members: what came back, and what comes back next."""

    place: int
    family: int
    at: datetime
    lines: list[dict[str, Any]]
    sold: list[Sold]
    tender: int = 0
    ids: list[UUID] = field(default_factory=list)
    gone: tuple[list[Piece], list[Piece]] = field(default_factory=lambda: ([], []))
    earning: list[Piece] = field(default_factory=list)
    asked: tuple[list[ReturnIn], list[ReturnIn]] = field(default_factory=lambda: ([], []))


def play(seed: str, receipts: int, world: str = "") -> int:
    """One world, drawn unless it is named, with so many receipts; how many returns were taken."""
    dice = Random(seed)
    world = world or dice.choice(list(worlds.WORLDS))
    trial = Trial(dice, world, f"{world} {seed}")
    for phase in range(PHASES):
        trial.phase(receipts // PHASES + (phase < receipts % PHASES))
    trial.end()
    both_verifiers()
    return trial.returns


class Trial:
    def __init__(self, dice: Random, world: str, name: str) -> None:
        self.dice, self.world, self.name = dice, world, name
        self.now, self.returns = START, 0
        self.bought: list[Bought] = []
        self.numbers = itertools.count()
        for code in ("S1", "S2"):
            StoreFactory.create(code=code)
        if world == "ending":
            draft = publishing.draft({"claw_back": dice.choice(["deficit", "forgive", "refuse"])}, actor=uuid4())
            publishing.publish(draft.version, actor=uuid4(), approval=None, now=START)
        for place, rule in enumerate(worlds.WORLDS[world]):
            worlds.publish(f"rule-{place}", *rule, at=START)
        if world != "plain":
            tiering.publish(now=START)
        self.now += timedelta(minutes=1)
        self.contract: Terms = terms.current(self.now)
        people = members([ApplicationFactory.build(verified=True) for _ in range(3 * FAMILIES)], now=self.now)
        self.people: list[list[Member]] = [people[family::FAMILIES] for family in range(FAMILIES)]

    def phase(self, receipts: int) -> None:
        """Buy, spend, wait, let rules change, return, say it all again."""
        for _ in range(-(-receipts // BATCH)):
            self.buy(min(BATCH, receipts))
            receipts -= BATCH
            self.wait(hours=30)
        self.spend()
        self.wait(hours=24 * self.dice.choice([0, 5, 20]))
        if self.world == "ending" and self.dice.random() < 0.4:
            self.wait(hours=24 * 400)
        if self.world == "ending" and self.dice.random() < 0.7:
            posting.expire(now=self.now)
        self.edit()
        self.give_back()
        self.wait(hours=1)
        self.check()

    def wait(self, *, hours: int) -> None:
        self.now += timedelta(hours=hours, seconds=self.dice.randint(1, 3600))

    def buy(self, count: int) -> None:
        fresh = [self.receipt() for _ in range(count)]
        held = queries.balances([one.holder for family in self.people for one in family[:2]], self.now)
        spent: set[int] = set()
        for one in fresh if self.world != "plain" else ():
            least = min(held[member.holder].available for member in self.people[one.family][:2])
            worth = int(sum(sold.line.net_amount for sold in one.sold) * 100)
            if one.family not in spent and min(least, worth) >= 100 and self.dice.random() < 0.5:
                spent.add(one.family)
                one.tender = self.dice.randrange(100, min(least, worth) + 1)
        for who in (0, 1):
            told = purchases.record([self.sale(one, who) for one in fresh], now=self.now)
            for one, answer in zip(fresh, told, strict=True):
                assert isinstance(answer, Recorded), f"{self.name}: {answer}"
                one.ids.append(answer.id)
        self.bought += fresh

    def receipt(self) -> Bought:
        dice, sold, lines = self.dice, [], []
        for place in range(dice.choice([1, 1, 2, 3, 6])):
            what: dict[str, Any] = {
                "line_id": str(place), "sku": dice.choice("XYZ"), "category": dice.choice(["tea", "coffee", ""]),
                "brand": dice.choice(["North", ""]),
                "quantity": Decimal(dice.choice(["1", "1", "2", "3", "7", "0.350", "1.5"])),
                "net_amount": dice.randint(0, dice.choice([300, 3000, 9000])) * COIN,
            }  # fmt: skip
            lines.append(what)
            sold.append(Sold(Line(**what)))
        late = timedelta(minutes=dice.randint(0, 60 * 24))
        return Bought(
            next(self.numbers), dice.randrange(FAMILIES), max(START + timedelta(minutes=1), self.now - late), lines, sold
        )

    def sale(self, one: Bought, who: int, lines: Sequence[Line] | None = None) -> PurchaseIn:
        named = one.lines if lines is None else [_plainly(line) for line in lines]
        return PurchaseIn.model_validate({
            "source": f"till-{who}", "receipt_number": f"R{one.place}", "store": f"S{one.family % 2 + 1}",
            "member": str(self.people[one.family][who].pk), "occurred_at": one.at, "currency": "EUR", "lines": named,
            "points_tender": one.tender,
        })  # fmt: skip

    def spend(self) -> None:
        """The two of a family spend the same, as far as both have it."""
        held = queries.balances([one.holder for family in self.people for one in family[:2]], self.now)
        acts = []
        for family in self.people:
            least = min(held[one.holder].available for one in family[:2])
            if least > 0 and self.dice.random() < 0.6:
                points = self.dice.randint(1, least)
                acts += [Burn(key=str(uuid4()), holder=one.holder, points=points, occurred_at=self.now) for one in family[:2]]
        assert all(isinstance(outcome, Posted) for outcome in posting.burn(acts, now=self.now)), self.name

    def edit(self) -> None:
        """A rule of some kind gives more, or gives less, from tomorrow on."""
        place = self.dice.randrange(len(worlds.WORLDS[self.world]))
        kind, value, spec = worlds.WORLDS[self.world][place]
        factor = Decimal(self.dice.choice(["1.5", "2"] if kind == "base" else ["0.5", "1", "1.5"]))
        last = RuleVersion.objects.filter(rule__code=f"rule-{place}").order_by("-version").first()
        assert last is not None
        if kind != "multiplier" and last.value < 40:
            worlds.publish(
                f"rule-{place}", kind, str(last.value * factor if kind == "base" else Decimal(value) * factor), spec, at=self.now
            )
        self.wait(hours=24)

    def give_back(self) -> None:
        returned = [one for one in self.bought if self.dice.random() < RETURNED]
        for one in returned:
            self.wish(one)
        taken: list[tuple[Claim, UUID]] = []
        for who in (0, 1):
            claims = [Claim(one.ids[who], body) for one in returned for body in one.asked[who]]
            claims = self.mixed(claims)
            for batch in itertools.batched(claims, BATCH):
                for claim, answer in zip(batch, returns.take(batch, now=self.now), strict=True):
                    if isinstance(answer, Taken):
                        assert not answer.replayed, self.name
                        taken.append((claim, answer.id))
                    else:  # refused for spent points; what follows it may ask for more than is left then
                        assert self.contract.claw_back == "refuse", f"{self.name}: {answer} {claim}"
                        assert answer.status == 409, f"{self.name}: {answer} {claim}"
        self.returns += len(taken)
        self.again(self.dice.sample(taken, min(len(taken), 200)))
        for one in returned:
            one.asked = [], []

    def mixed(self, claims: list[Claim]) -> list[Claim]:
        """In another order, but for those of one receipt."""
        turns: dict[UUID, list[Claim]] = {}
        for claim in claims:
            turns.setdefault(claim.purchase, []).append(claim)
        order = [claim.purchase for claim in claims]
        self.dice.shuffle(order)
        return [turns[purchase].pop(0) for purchase in order]

    def again(self, taken: Sequence[tuple[Claim, UUID]]) -> None:
        """What was taken answers the same, and moves nothing."""
        before = Posting.objects.count()
        answers = returns.take([claim for claim, _ in taken], now=self.now)
        assert answers == [Taken(id_, replayed=True) for _, id_ in taken], self.name
        assert Posting.objects.count() == before, self.name

    def wish(self, one: Bought) -> None:
        """Some returns of a receipt: in the order of the first member, and of the second."""
        first, earning = list(one.gone[0]), list(one.earning)
        asked: list[ReturnIn] = []
        spelt: list[tuple[dict[str, Any], Sequence[Wanted]]] = []
        for _ in range(self.dice.choice([1, 1, 2, 3, 5])):
            wanted, amount = self.wanted(one.sold, first)
            if amount is not None:
                pieces = keeping.pieces_of_amount(one.sold, first, amount, self.contract)
            elif wanted:
                pieces = keeping.pieces(one.sold, first, wanted, self.contract)
            else:
                break
            goodwill = {"goodwill": True, "reason": "kind"} if self.dice.random() < 0.05 else {}
            first += pieces
            earning += () if goodwill else pieces
            head = {"return_number": f"B{next(self.numbers)}", "occurred_at": self.now} | goodwill
            what = {"amount": amount} if amount is not None else {"lines": [_asked(each) for each in wanted]}
            asked.append(ReturnIn.model_validate(head | what))
            is_open = amount is not None or any(each.quantity is None and each.net_amount is None for each in wanted)
            spelt.append((head, [_spelt_out(piece) for piece in pieces] if is_open else wanted))
        for other in (self.dice.sample(spelt, len(spelt)), spelt):
            second = list(one.gone[1])
            try:
                for _head, lines in other:
                    second += keeping.pieces(one.sold, second, lines, self.contract)
            except TooMuch:  # what was limited by the rest of the money can be asked for in one order only
                continue
            bodies = [ReturnIn.model_validate(head | {"lines": [_asked(each) for each in lines]}) for head, lines in other]
            one.gone, one.earning, one.asked = (first, second), earning, (asked, bodies)
            break

    def wanted(self, sold: Sequence[Sold], gone: Sequence[Piece]) -> tuple[list[Wanted], Decimal | None]:
        """Lines wholly, by quantity, by amount or by both; an amount of the whole; or all that is left."""
        dice, found = self.dice, keeping.by_line(gone)
        left = {}
        for line in (one.line for one in sold):
            goods = line.quantity - sum(piece.quantity for piece in found.get(line.line_id, ()))
            money = line.net_amount - sum(piece.net_amount for piece in found.get(line.line_id, ()))
            if goods or money:
                left[line.line_id] = (Decimal(goods), Decimal(money))
        rest = sum((money for _, money in left.values()), Decimal(0))
        how = dice.random()
        if how < 0.2 and rest:
            return [], dice.randint(1, int(rest * 100)) * COIN
        if how < 0.3:
            return [Wanted(id_) for id_ in left], None
        wanted = []
        for id_ in dice.sample(list(left), min(len(left), dice.choice([1, 1, 2]))):
            goods, money = left[id_]
            part = min(goods, Decimal(dice.choice(["1", "0.1", "0.333", "2"]))) if goods else None
            coins = dice.randint(0 if part else 1, int(money * 100)) * COIN if money else None
            wanted.append(
                dice.choice([Wanted(id_), Wanted(id_, part), Wanted(id_, None, coins or None), Wanted(id_, part, coins)])
            )
        return wanted, None

    def check(self) -> None:
        """What each receipt gave, lost and keeps, for both members."""
        now, rose = self.now, _rose()
        assert not rose or self.world == "ending", f"{self.name}: fewer goods earned more, {rose}"
        awards: dict[UUID, list[UUID]] = {}
        for purchase, entry in Award.objects.values_list("purchase", "entry"):
            awards.setdefault(purchase, []).append(entry)
        standing = queries.awarded([entry for some in awards.values() for entry in some], now)
        lowest = _lowest()
        clawed: dict[UUID, int] = {}
        for purchase, entries in awards.items():
            held = [standing[entry] for entry in entries]
            assert all(0 <= one.clawed <= one.points for one in held), f"{self.name}: more than awarded, {purchase}"
            points, clawed[purchase] = sum(one.points for one in held), sum(one.clawed for one in held)
            if purchase in lowest:
                carried, last = lowest[purchase], points - clawed[purchase] - sum(one.expired for one in held)
                assert last <= max(carried, 0) or purchase in rose, f"{self.name}: {last} kept, {carried} carried, {purchase}"
                assert clawed[purchase] <= max(0, points - carried), f"{self.name}: taken too much, {purchase}"
            else:
                assert clawed[purchase] == 0, f"{self.name}: taken without a return, {purchase}"
        if self.world != "ending":
            for one in self.bought:
                first, second = one.ids
                assert clawed.get(first, 0) == clawed.get(second, 0), f"{self.name}: by order, {first} {second} {one}"

    def end(self) -> None:
        """What was paid in points is back with all of the goods; and in a plain world it is as if never bought."""
        back = PurchaseReturn.objects.values("purchase").annotate(points=Sum("points_returned"), money=Sum("money_back"))
        returned = {row["purchase"]: (row["points"], row["money"]) for row in back.order_by()}
        sums = {row[0]: row[1:] for row in Purchase.objects.values_list("pk", "points_spent", "net_amount", "tender_amount")}
        for one in self.bought if self.contract.claw_back != "refuse" else ():
            for who, id_ in enumerate(one.ids):
                spent, net, tender = sums[id_]
                points, money = returned.get(id_, (0, Decimal(0)))
                whole = sum((piece.net_amount for piece in one.gone[who]), Decimal(0)) == net
                right = (points, money) == (spent, net - tender) if whole else points <= spent and money <= net - tender
                assert right, f"{self.name}: {points} of {spent} points and {money} of {net} back, {id_}"
        if self.world == "plain":
            self.never_bought()

    def never_bought(self) -> None:
        kept = [(one, leaving.left(one.sold, one.earning)) for one in self.bought]
        sales = [self.sale(one, 2, lines) for one, lines in kept if lines]
        told = [
            answer for batch in itertools.batched(sales, BATCH) for answer in purchases.record(batch, now=self.now, history=True)
        ]
        ids = {
            sale.receipt_number: answer.id for sale, answer in zip(sales, told, strict=True) if not isinstance(answer, Problem)
        }
        assert len(ids) == len(sales), self.name
        earned = dict(Purchase.objects.values_list("pk", "points_earned"))
        taken = dict(ClawBack.objects.values_list("purchase_return__purchase").annotate(points=Sum("points")).order_by())
        for one in self.bought:
            twin = ids.get(f"R{one.place}")
            wanted = earned[twin] if twin else 0
            for id_ in one.ids:
                left = earned[id_] - taken.get(id_, 0)
                assert left == wanted, f"{self.name}: {left} kept, {wanted} had never more been bought, {id_}"


def _lowest() -> dict[UUID, int]:
    """The least that each returned receipt's kept lines carried so far."""
    found: dict[UUID, int] = {}
    for purchase, kept in PurchaseReturn.objects.values_list("purchase", "points_kept"):
        assert purchase is not None, "nothing waits here"
        found[purchase] = min(kept, found.get(purchase, kept))
    return found


def _rose() -> set[UUID]:
    """Receipts of which fewer goods once earned more: a return then gives nothing back (docs/earning.md)."""
    last = dict(Purchase.objects.values_list("pk", "points_earned"))
    rose: set[UUID] = set()
    for purchase, kept in PurchaseReturn.objects.order_by("lines__id").values_list("purchase", "points_kept"):
        assert purchase is not None, "nothing waits here"
        if kept > last[purchase]:
            rose.add(purchase)
        last[purchase] = kept
    return rose


def _spelt_out(one: Piece) -> Wanted:
    """The same piece, whatever was returned before."""
    if one.asked == Measure.AMOUNT or not one.quantity:
        return Wanted(one.line_id, None, one.net_amount)
    return Wanted(one.line_id, one.quantity, None if one.asked == Measure.QUANTITY else one.net_amount)


def _asked(one: Wanted) -> dict[str, Any]:
    return {name: value for name, value in dataclasses.asdict(one).items() if value is not None}


def _plainly(line: Line) -> dict[str, Any]:
    return {
        "line_id": line.line_id, "sku": line.sku, "category": line.category, "brand": line.brand, "quantity": line.quantity,
        "net_amount": line.net_amount,
    }  # fmt: skip
