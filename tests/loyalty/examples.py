"""Runs the worked examples of docs/ledger.md: each line through the ledger's door, and back into the words of the document.

A line is an act with its answer behind `→`, or what somebody `has` or `holds` then. Days are those of UTC; acts happen at
noon; what is usable on a day is so from its beginning, what ends with a day is so after its last moment.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

from loyalty import posting, queries
from loyalty.acts import (
    Accrual,
    Adjustment,
    Burn,
    ClawBack,
    ClawBackPolicy,
    Forgiveness,
    Merge,
    Outcome,
    Posted,
    Restore,
    Reversal,
    Transfer,
    UnMerge,
)
from loyalty.kinds import Kind
from tests.factories import holder

DOCUMENT = Path(__file__).parents[2] / "docs" / "ledger.md"
BLOCK = re.compile(r"^```ledger\n(.*?)^```$", re.MULTILINE | re.DOTALL)
LINE = re.compile(r"(?:(\d{4}-\d\d-\d\d) +)?(.+?) +(→|has|holds) +(.+)")
DAY = timedelta(days=1)

type Words = dict[str, str]


def blocks(text: str | None = None) -> list[str]:
    """The examples of the document."""
    return BLOCK.findall(DOCUMENT.read_text() if text is None else text)


@dataclass
class Run:
    """One example: its people, its named acts, its day; `posted` are the entries of each verb."""

    people: dict[str, UUID] = field(default_factory=dict)
    entries: dict[str, UUID] = field(default_factory=dict)
    posted: list[tuple[str, UUID]] = field(default_factory=list)
    today: date = date.min

    def differences(self, block: str) -> Iterator[str]:
        """The lines as they should read, where they read otherwise."""
        for line in block.splitlines():
            found = LINE.fullmatch(line.strip())
            assert found, f"this is no line of an example: {line}"
            day, what, sign, said = found.groups()
            if day:
                self.today = date.fromisoformat(day)
            true = {"→": self.answer, "has": self.has, "holds": self.holds}[sign](what, said)
            if true != said:
                yield f"{line.strip()}   # {true}"

    @property
    def now(self) -> datetime:
        return datetime.combine(self.today, time(12), UTC)

    def answer(self, what: str, _said: str) -> str:
        """What the ledger answers to an act: the balance after it, or why not."""
        verb, *words = what.split()
        if verb == "expire":
            lots, points = posting.expire(now=self.now)
            return f"{lots} lot{'' if lots == 1 else 's'}, {points} points"
        who, *words = words
        points = int(words.pop(0)) if len(words) % 2 else 0
        outcome = self._act(verb, who, points, dict(zip(words[::2], words[1::2], strict=True)))
        return f"{outcome.balance}" if isinstance(outcome, Posted) else outcome.reason.value

    def has(self, who: str, said: str) -> str:
        """The named parts of somebody's balance."""
        balance = queries.balances([self._who(who)], self.now)[self._who(who)]
        return ", ".join(f"{name} {getattr(balance, name)}" for name in re.findall(r"[a-z]+", said))

    def holds(self, who: str, said: str) -> str:
        """Somebody's lots in burn order; how old they are only where that is said."""
        lots = []
        for lot in queries.open_lots(self._who(who), self.now):
            usable = f" usable {lot.available_at.date()}" if lot.available_at > self.now else ""
            end = f" until {(lot.expires_at - DAY).date()}" if lot.expires_at else ""
            age = f" earned {lot.earned_at.date()}" if "earned" in said else ""
            lots.append(f"{lot.points}{usable}{end}{age}")
        return ", ".join(lots) or "nothing"

    def _act(self, verb: str, who: str, points: int, words: Words) -> Outcome:
        name, idle = words.pop("as", ""), words.pop("idle", "")
        common: dict[str, Any] = {
            "key": f"example:{len(self.posted)}:{verb}:{self._who(who)}:{self.now}", "holder": self._who(who),
            "occurred_at": self.now, "idle_until": _end(idle) if idle else None,
        }  # fmt: skip
        act = self._acts()[verb](common, points, words)
        assert not words, f"{verb} knows nothing of {words}"
        [outcome] = getattr(posting, verb)([act], now=self.now, actor=None)
        if isinstance(outcome, Posted):
            self.posted.append((verb, outcome.entry))
            self.entries[name] = outcome.entry
        return outcome  # type: ignore[no-any-return]

    def _acts(self) -> dict[str, Callable[[dict[str, Any], int, Words], Any]]:
        return {
            "accrue": self._accrual,
            "burn": lambda common, points, words: Burn(**common, points=points, kind=Kind(words.pop("kind", "burn"))),
            "restore": lambda common, points, words: Restore(
                **common, points=points, entry=self._of(words), grace_until=_end(words.pop("grace", ""))
            ),
            "claw_back": self._claw_back,
            "forgive": lambda common, points, _words: Forgiveness(**common, points=points),
            "reverse": lambda common, _points, words: Reversal(**common, entry=self._of(words)),
            "adjust": lambda common, points, words: Adjustment(**common, points=points, expires_at=_end(words.pop("until", ""))),
            "transfer": lambda common, points, words: Transfer(**common, points=points, to=self._who(words.pop("to"))),
            "merge": lambda common, _points, words: Merge(**common, to=self._who(words.pop("to"))),
            "unmerge": lambda common, _points, words: UnMerge(**common, to=self._who(words.pop("from")), entry=self._of(words)),
        }

    def _accrual(self, common: dict[str, Any], points: int, words: Words) -> Accrual:
        usable, earned = (_begin(words.pop(word, "")) for word in ("usable", "earned"))
        return Accrual(
            **common, points=points, available_at=usable or self.now, expires_at=_end(words.pop("until", "")), earned_at=earned,
            kind=Kind(words.pop("kind", "earn")),
        )  # fmt: skip

    def _claw_back(self, common: dict[str, Any], points: int, words: Words) -> ClawBack:
        award = self._of(words)
        return ClawBack(**common, points=points, entry=award, own=(award,), policy=ClawBackPolicy(words.pop("policy", "deficit")))

    def _who(self, name: str) -> UUID:
        if name not in self.people:
            self.people[name] = holder()
        return self.people[name]

    def _of(self, words: Words) -> UUID:
        return self.entries[words.pop("of")]


def _begin(day: str) -> datetime | None:
    return datetime.combine(date.fromisoformat(day), time(), UTC) if day else None


def _end(day: str) -> datetime | None:
    begin = _begin(day)
    return begin + DAY if begin else None
