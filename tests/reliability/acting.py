"""Random batches of acts for the ledger: what customers, tills, staff and broken clients might ask, in one seed's order.

Mostly sensible acts on a few wallets at a time; among them unknown holders, wrong entries, too many points, late acts, and
keys that were used before, for the same act or another.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any
from uuid import UUID

from loyalty.acts import (
    Accrual,
    Act,
    Adjustment,
    Burn,
    ClawBack,
    ClawBackPolicy,
    Forgiveness,
    Merge,
    Restore,
    Reversal,
    Transfer,
    UnMerge,
)
from loyalty.kinds import Kind
from tests.reliability.reference import Ledger

START = datetime(2026, 1, 1, tzinfo=UTC)
MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)
POLICIES = list(ClawBackPolicy)
KINDS = [Kind.EARN, Kind.EARN, Kind.BONUS, Kind.IMPORT]
RULES = [None, UUID(int=0xA), UUID(int=0xB)]
# How often each verb is called, of a hundred times; in some runs accruals more often, so that wallets hold many lots.
WEIGHTS = {
    "accrue": 27, "burn": 22, "restore": 11, "claw_back": 9, "adjust": 7, "reverse": 8, "transfer": 6, "forgive": 3,
    "merge": 3, "unmerge": 2, "expire": 2,
}  # fmt: skip
REMEMBERED = 12


class Crowd:
    """Who asks, and what for. Looks at the reference ledger to ask for what can be done; never at the product."""

    def __init__(self, seed: int, ledger: Ledger, stores: list[int]) -> None:
        self.random = Random(seed)
        self.ledger = ledger
        self.stores = [None, *stores]
        self.now = START
        self.holders: list[UUID] = []
        self.keys = 0
        self.weights = WEIGHTS | {"accrue": WEIGHTS["accrue"] * self.random.choice([1, 1, 5])}
        # What each holder did lately, by verb, that later acts may name; and acts of all, to be sent again.
        self.entries: dict[tuple[UUID, type], list[UUID]] = {}
        self.merges: list[tuple[UUID, Merge]] = []
        self.sent: list[Act] = []

    def arrive(self, count: int) -> list[UUID]:
        """So many new holders."""
        new = [UUID(int=self.random.getrandbits(128)) for _ in range(count)]
        self.holders += new
        return new

    def wait(self) -> None:
        """Let the clock go on: mostly by minutes, seldom by months."""
        days = self.random.choices([0.0, 0.2, 5, 40, 400], [60, 30, 8, 1.8, 0.2])[0]
        self.now += MINUTE + self.random.random() * days * DAY

    def verb(self) -> str:
        return self.random.choices(list(self.weights), list(self.weights.values()))[0]

    def batch(self, verb: str) -> list[Act]:
        """Acts for one call of a verb, on few wallets or many."""
        size = self.random.choice([1, self.random.randint(2, 10), self.random.randint(11, 50), self.random.randint(20, 50)])
        if verb in ("merge", "unmerge"):
            size = self.random.choice([1, 1, 3])
        who = self.random.sample(self.holders, min(len(self.holders), self.random.randint(2, size + 2)))
        acts: list[Act] = []
        short: set[UUID] = set()
        done: set[UUID] = set()
        while len(acts) < size:
            act = self.again(verb, acts) if self.random.random() < 0.05 else self.fresh(verb, who)
            if act is None:
                break
            # What idleness has ended is looked for where the first act of a holder needs it, not where one is refused in
            # between: of a wallet that was idle, one act is enough, and one after an act that does not keep it alive.
            # Nor is it looked for where an act is answered by the key of one that was refused in another part of the batch.
            holders = set(act.holders)
            again = any(act.key == one.key for one in acts) and any(self.is_idle(holder) for holder in holders)
            if not holders & done and not again:
                acts.append(act)
                done |= {holder for holder in holders if holder in short or self.is_idle(holder)}
                short |= holders if act.idle_until and act.idle_until <= self.now else set()
            elif self.random.random() < 0.2:
                break
        return acts

    def is_idle(self, holder: UUID) -> bool:
        wallet = self.ledger.wallets.get(holder)
        return bool(wallet and wallet.idle_until and wallet.idle_until <= self.now)

    def remember(self, act: Act, entry: UUID | None) -> None:
        """The act was answered: `entry` stands, or it was refused."""
        if entry is None:
            if self.random.random() < 0.1:
                self.sent.append(act)
            return
        self.sent.append(act)
        latest = self.entries.setdefault((act.holder, type(act)), [])
        latest.append(entry)
        del latest[:-REMEMBERED]
        if isinstance(act, Merge):
            self.merges.append((entry, act))
            del self.merges[:-REMEMBERED]

    # Single acts

    def fresh(self, verb: str, who: list[UUID]) -> Act | None:
        """A new act of one of those holders."""
        makers: dict[str, Callable[[dict[str, Any]], Act | None]] = {
            "accrue": self.accrual, "burn": self.burn, "restore": self.restore, "claw_back": self.claw_back,
            "adjust": self.adjustment, "reverse": self.reversal, "transfer": self.transfer, "forgive": self.forgiveness,
            "merge": self.merge, "unmerge": self.unmerge,
        }  # fmt: skip
        for _ in range(20):
            self.keys += 1
            holder = self.random.choice(who) if self.random.random() < 0.99 else UUID(int=self.random.getrandbits(128))
            late = self.random.random() < 0.2
            at = self.now - (self.random.random() * 30 * DAY if late else 0 * DAY)
            common: dict[str, Any] = {
                "key": f"k{self.keys}", "holder": holder, "occurred_at": at, "store": self.random.choice(self.stores),
                "reason": "random", "idle_until": self.idle_until(holder, at), "rule_version": self.random.choice(RULES),
            }  # fmt: skip
            if act := makers[verb](common):
                return act
        return None

    def again(self, verb: str, acts: list[Act]) -> Act | None:
        """An act that was sent before, as it was or changed; or a new one that bears an old key."""
        kinds = {
            "accrue": Accrual, "burn": Burn, "restore": Restore, "claw_back": ClawBack, "adjust": Adjustment,
            "reverse": Reversal, "transfer": Transfer, "forgive": Forgiveness, "merge": Merge, "unmerge": UnMerge,
        }  # fmt: skip
        lately = [*acts, *self.sent[-400:]]
        old = [act for act in lately if isinstance(act, kinds[verb])]
        if lately and self.random.random() < 0.2 and (act := self.fresh(verb, self.holders)):
            return replace(act, key=self.random.choice(lately).key)
        if not old:
            return self.fresh(verb, self.holders)
        act = self.random.choice(old)
        changes: dict[str, Any] = {
            "points": getattr(act, "points", 1) + (1 if getattr(act, "points", 1) > 0 else -1),
            "holder": self.random.choice(self.holders), "to": self.random.choice(self.holders),
            "entry": self.entry_of(self.random.choice(self.holders), Accrual, Burn, Merge),
        }  # fmt: skip
        name = self.random.choice(["", "", *(name for name in changes if hasattr(act, name))])
        return replace(act, **{name: changes[name]}) if name else act

    def idle_until(self, holder: UUID, at: datetime) -> datetime | None:
        """Two in five holders are under terms that end points after inactivity, and hardly any under both."""
        idles = holder.int % 5 < 2 if self.random.random() < 0.97 else self.random.random() < 0.3
        return at + self.random.randint(20, 120) * DAY if idles else None

    def accrual(self, common: dict[str, Any]) -> Act:
        pending = self.random.choice([0, 0, 0, 1, 14, 60])
        usable = common["occurred_at"] + pending * DAY
        undated = common["idle_until"] is not None or self.random.random() < 0.2
        # Few enough dates that lots share them.
        ends = None if undated else usable + self.random.choice([1, 7, 30, 30, 365, 365]) * DAY
        points = self.random.choice([1, self.random.randint(1, 20), self.random.randint(1, 500)])
        return Accrual(**common, points=points, available_at=usable, expires_at=ends, kind=self.random.choice(KINDS))

    def burn(self, common: dict[str, Any]) -> Act:
        return Burn(**common, points=self.some_of(self.spendable(common["holder"])))

    def adjustment(self, common: dict[str, Any]) -> Act:
        if self.random.random() < 0.4:
            return Adjustment(**common, points=-self.some_of(self.spendable(common["holder"])))
        ends = self.random.choice([None, common["occurred_at"] + self.random.randint(1, 400) * DAY])
        return Adjustment(**common, points=self.random.randint(1, 200), expires_at=ends)

    def reversal(self, common: dict[str, Any]) -> Act | None:
        holder = common["holder"]
        entry = self.entry_of(holder, Accrual, Burn, Burn, Adjustment, ClawBack, Restore, Transfer, Merge, Reversal, Forgiveness)
        if entry and self.random.random() < 0.5:
            return Reversal.of(entry, holder, occurred_at=common["occurred_at"])
        return Reversal(**common, entry=entry) if entry else None

    def restore(self, common: dict[str, Any]) -> Act | None:
        entry = self.entry_of(common["holder"], *[Burn] * 12, Accrual, Adjustment, Transfer, ClawBack)
        if entry is None:
            return None
        taken = self.ledger.names[entry].taken if entry in self.ledger.names else []
        grace = self.random.choice([None, self.now + 14 * DAY, self.now + 7 * DAY, self.now - DAY, self.now])
        return Restore(**common, entry=entry, points=self.some_of(sum(points for _, points in taken)), grace_until=grace)

    def claw_back(self, common: dict[str, Any]) -> Act | None:
        holder = common["holder"]
        entry = self.entry_of(holder, *[Accrual] * 15, Adjustment, Adjustment, Burn, Restore, Transfer)
        if entry is None:
            return None
        own = [entry] if self.random.random() < 0.95 else []
        while self.random.random() < 0.5 and (other := self.entry_of(holder, Accrual, Adjustment)):
            own.append(other)
        award = self.ledger.names.get(entry)
        points = self.some_of(sum(lot.points for lot in award.granted) if award else 0)
        policy = self.random.choice(POLICIES)
        return ClawBack(**common, entry=entry, own=tuple(own), points=points, policy=policy)

    def forgiveness(self, common: dict[str, Any]) -> Act | None:
        wallet = self.ledger.wallets.get(common["holder"])
        if wallet and not wallet.deficit and self.random.random() < 0.8:
            owing = [one.holder for one in self.ledger.wallets.values() if one.deficit]
            if not owing:
                return None
            wallet = self.ledger.wallets[self.random.choice(owing)]
            common["holder"] = wallet.holder
        return Forgiveness(**common, points=self.some_of(wallet.deficit if wallet else 0))

    def transfer(self, common: dict[str, Any]) -> Act:
        return Transfer(**common, to=self.random.choice(self.holders), points=self.some_of(self.spendable(common["holder"])))

    def merge(self, common: dict[str, Any]) -> Act:
        return Merge(**common, to=self.random.choice(self.holders))

    def unmerge(self, common: dict[str, Any]) -> Act | None:
        if not self.merges:
            return None
        entry, merged = self.random.choice(self.merges)
        common["holder"] = merged.holder
        if self.random.random() < 0.1 and (undone := self.entry_of(merged.holder, UnMerge)):
            return UnMerge(**common | {"holder": merged.to}, entry=undone, to=merged.holder)
        to = merged.to if self.random.random() < 0.95 else self.random.choice(self.holders)
        return UnMerge(**common, entry=entry, to=to)

    # What to ask for

    def spendable(self, holder: UUID) -> int:
        wallet = self.ledger.wallets.get(holder)
        return sum(lot.remaining for lot in wallet.active(self.now)) if wallet else 0

    def some_of(self, points: int) -> int:
        """A number that can mostly be had out of so many points: a part, all, or a little too much."""
        part = self.random.randint(1, max(1, points))
        return self.random.choice([max(1, part // 5), max(1, part // 5), part, max(1, points), points + 1])

    def entry_of(self, holder: UUID, *verbs: type) -> UUID | None:
        """An entry of the holder by one of these verbs; seldom another's, or one that does not exist."""
        if self.random.random() < 0.02:
            return UUID(int=self.random.getrandbits(128))
        if self.random.random() < 0.02:
            holder = self.random.choice(self.holders)
        entries = self.entries.get((holder, self.random.choice(verbs)))
        return self.random.choice(entries) if entries else None
