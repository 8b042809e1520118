"""The last points of a wallet, for more hands than there are points (T3, points part).

    python -m tests.reliability points --trials 1000 --seed S --state FILE

Every trial plays each scenario once, on fresh wallets, with a crowd of real connections that start at the same moment.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from functools import partial
from random import Random
from uuid import UUID

from loyalty import posting, queries
from loyalty.acts import Burn, ClawBack, Outcome, Posted, Refusal, Refused, Transfer
from tests.factories import NOW, give, holder
from tests.reliability.crowd import Crowd, both_verifiers, patiently

CONNECTIONS = 40
type Scenario = Callable[[Crowd, Random, str], None]


def play(seed: str, trials: int) -> int:
    """Play so many trials and verify the ledger; how many acts were tried."""
    draw = Random(seed)
    with Crowd(CONNECTIONS) as crowd:
        for trial in range(trials):
            for scenario in SCENARIOS:
                scenario(crowd, draw, f"{seed}:{trial}:{scenario.__name__}")
    both_verifiers()
    return trials * len(SCENARIOS)


def forty_burns_of_ten(crowd: Crowd, draw: Random, name: str) -> None:
    """From 100 points in three lots exactly ten are posted."""
    one = holder()
    give(one, 50, 35, 15)
    outcomes = crowd.rush(_burns(one, [10] * 40, name))
    assert _count(outcomes) == {None: 10, Refusal.INSUFFICIENT_POINTS: 30}, name
    assert _net(one) == 0, name


def a_hundred_for_the_last_thousand(crowd: Crowd, draw: Random, name: str) -> None:
    """A hundred clients, 100 points each, 1,000 there: exactly ten."""
    one = holder()
    give(one, *[100] * 10)
    outcomes = crowd.rush(_burns(one, [100] * 100, name))
    assert _count(outcomes) == {None: 10, Refusal.INSUFFICIENT_POINTS: 90}, name
    assert _net(one) == 0, name


def burns_of_any_size(crowd: Crowd, draw: Random, name: str) -> None:
    """Never more than there is; and nothing is refused that what is left at the end could still have paid."""
    one = holder()
    give(one, 120, 80)
    sizes = [draw.randint(1, 40) for _ in range(40)]
    outcomes = crowd.rush(_burns(one, sizes, name))
    posted = [size for size, outcome in zip(sizes, outcomes, strict=True) if isinstance(outcome, Posted)]
    left = _net(one)
    assert sum(posted) + left == 200, name
    assert all(size > left for size, outcome in zip(sizes, outcomes, strict=True) if isinstance(outcome, Refused)), name


def transfers_both_ways(crowd: Crowd, draw: Random, name: str) -> None:
    """Between the same two wallets: no deadlock, nothing lost, nobody below zero."""
    one, other = holder(), holder()
    give(one, 60, 40)
    give(other, 70, 30)
    acts = []
    for number in range(40):
        source, target = draw.sample([one, other], 2)
        move = Transfer(key=f"{name}:{number}", holder=source, to=target, points=draw.randint(1, 30), occurred_at=NOW)
        acts.append(move)
    outcomes = crowd.rush([partial(_first, posting.transfer, act) for act in acts])
    assert _count(outcomes).keys() <= {None, Refusal.INSUFFICIENT_POINTS}, name
    gone = sum(
        act.points if act.holder == one else -act.points
        for act, outcome in zip(acts, outcomes, strict=True)
        if isinstance(outcome, Posted)
    )
    assert (_net(one), _net(other)) == (100 - gone, 100 + gone), name


def claw_back_and_burn(crowd: Crowd, draw: Random, name: str) -> None:
    """An award is taken back while it is spent: what was spent before is owed, and nothing is spent after."""
    one = holder()
    [entry] = give(one, 100)
    burns = _burns(one, [draw.choice([10, 20, 30]) for _ in range(10)], name)
    backs = [
        ClawBack(key=f"{name}:back:{number}", holder=one, entry=entry, points=20, own=(entry,), occurred_at=NOW)
        for number in range(5)
    ]
    acts: list[Callable[[], Outcome]] = [*burns, *(partial(_first, posting.claw_back, back) for back in backs)]
    draw.shuffle(acts)
    outcomes = crowd.rush(acts)
    assert _count(outcomes).keys() <= {None, Refusal.INSUFFICIENT_POINTS, Refusal.DEFICIT}, name
    spent = -sum(line.points for line in queries.statement(one) if line.kind == "burn")
    assert spent <= 100, name
    assert _net(one) == -spent, "100 were granted and 100 taken back, so what was spent is owed"


def one_key_for_all(crowd: Crowd, draw: Random, name: str) -> None:
    """Forty clients with one key: posted once, and all are told the same."""
    one = holder()
    give(one, 100)
    outcomes = crowd.rush(_burns(one, [70] * 40, name, key=name))
    assert Counter(outcome.replayed for outcome in outcomes if isinstance(outcome, Posted)) == {False: 1, True: 39}, name
    assert len({outcome.entry for outcome in outcomes if isinstance(outcome, Posted)}) == 1, name
    assert _net(one) == 30, name


SCENARIOS: Sequence[Scenario] = (
    forty_burns_of_ten, a_hundred_for_the_last_thousand, burns_of_any_size, transfers_both_ways, claw_back_and_burn,
    one_key_for_all,
)  # fmt: skip


def _burns(of: UUID, sizes: Sequence[int], name: str, key: str = "") -> list[Callable[[], Outcome]]:
    acts = [Burn(key=key or f"{name}:{number}", holder=of, points=points, occurred_at=NOW) for number, points in enumerate(sizes)]
    return [partial(_first, posting.burn, act) for act in acts]


def _first(verb: Callable[..., list[Outcome]], act: Burn | ClawBack | Transfer) -> Outcome:
    """Again under its key when the wallet was busy."""
    more = {"actor": None} if isinstance(act, Transfer) else {}
    return patiently(lambda: verb([act], now=NOW, **more)[0])


def _count(outcomes: Sequence[Outcome]) -> Counter[Refusal | None]:
    """How many were posted (None) or refused, and why."""
    return Counter(outcome.reason if isinstance(outcome, Refused) else None for outcome in outcomes)


def _net(of: UUID) -> int:
    return queries.net_balances([of])[of]
