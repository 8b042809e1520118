"""The tier table through the API: each PUT is a new version, judged, approved by a second person where it is worse, published."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from ninja import Router, Status
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from config.pages.contracts import judged, of_programme
from loyalty import money, terms
from loyalty.endpoints import write
from loyalty.problems import Fault, Problem
from loyalty.publication import newest
from members import approving, publishing, wording
from members.access import Key
from members.models import TierTable
from members.tiers import Level, Table, in_force

router = Router(tags=["Configuration"])
CONFIGURE = Key("configure")
Name = Annotated[str, Field(min_length=1, max_length=publishing.NAME_MAX)]


class Named(BaseModel):
    model_config = ConfigDict(extra="forbid")

    name: Name


class TableIn(BaseModel):
    """What holds for all tiers; a part that is left out stays."""

    model_config = ConfigDict(extra="forbid")

    basis: str = ""
    window: str = ""
    review: str = ""
    grace_days: int = 0


class TierIn(BaseModel):
    """`threshold` in points, visits, or money of the programme, by what the table counts.

    A reward or names in other languages that are left out stay as they are.
    """

    model_config = ConfigDict(extra="forbid")

    name: Name
    threshold: Decimal = Field(ge=0, lt=10**10)
    entry_reward: int = Field(default=0, ge=0)
    translations: dict[str, Named] = Field(default={}, max_length=10)
    table: TableIn = TableIn()
    starts_at: AwareDatetime | None = None


@router.get("/tiers", auth=CONFIGURE)
def every(request: HttpRequest) -> Any:
    """The tiers in force, from the lowest; the table they are of, and what is still to come of it."""
    now = timezone.now()
    rows = publishing.versions()
    said, worse = publishing.states(rows, now=now), publishing.worse(rows)
    table = _in_force(rows, now)
    currency = terms.current(now).currency
    items = [_tier(one, table, currency) for one in table.levels] if table else []
    return {
        "items": items,
        "next": None,
        "table": table and _table(table),
        "versions": [_version(one, said, worse) for one in rows],
    }


@router.get("/tiers/{code}", auth=CONFIGURE)
def one(request: HttpRequest, code: str) -> Any:
    now = timezone.now()
    table = _in_force(publishing.versions(), now)
    level = table.level(code) if table else None
    if table is None or level is None:
        raise Problem("not-found", "There is no tier with this code.", status=404)
    return _tier(level, table, terms.current(now).currency) | {"table": _table(table)}


@router.put("/tiers/{code}", auth=CONFIGURE, response={200: Any, 201: Any, 202: Any})
def put(request: HttpRequest, response: HttpResponse, code: str, body: TierIn) -> Status[Any]:
    """The next version of the table, with this tier. What is worse for members waits for a second person first (202)."""
    return write(request, response, lambda: _put(code, body, of_programme(request), timezone.now()))


def _put(code: str, body: TierIn, actor: UUID, now: datetime) -> tuple[int, Any]:
    rows = publishing.versions()
    follows = newest(rows)
    before = publishing.plain(follows) if follows else None
    given = body.table.model_dump(exclude_unset=True)
    held = before.level(code) if before else None
    level = _level(code, body, held, given.get("basis") or (before.basis if before else "points"), terms.current(now).currency)
    levels = [*(each for each in (before.levels if before else ()) if each.code != code), level]
    drafted = publishing.draft_like(given, levels, starts_at=body.starts_at, actor=actor)
    seen = publishing.review(drafted.version, now=now)
    if not seen.lines:
        publishing.discard(drafted.version, actor=actor)
        return 200, _shown(code, follows or drafted, now) | {"status": "unchanged"}
    done = approving.publish_or_ask(publishing.TIERS, drafted.version, seen, by=actor, now=now)
    if done is None:
        return 202, _shown(code, drafted, now) | judged(seen) | {"status": "awaiting_approval"}
    return 200 if held else 201, _shown(code, done.version, now)


def _level(code: str, body: TierIn, held: Level | None, basis: str, currency: str) -> Level:
    units = body.threshold.scaleb(terms.minor_units(currency)) if basis == "spend" else body.threshold
    if units != int(units):
        detail = "Give a whole number." if basis != "spend" else f"Give an amount of {currency}."
        raise Problem("validation", detail, faults=[Fault("/threshold", detail)])
    names = tuple(sorted((language, named.name) for language, named in body.translations.items()))
    level = Level(code, body.name, int(units), body.entry_reward, names)
    kept = {"translations": "names", "entry_reward": "entry_reward"}
    left_out = {part for name, part in kept.items() if name not in body.model_fields_set}
    return replace(level, **{part: getattr(held, part) for part in left_out}) if held else level


def _shown(code: str, version: TierTable, now: datetime) -> dict[str, Any]:
    fresh = publishing.read(version.version)
    table, currency = publishing.plain(fresh), terms.current(now).currency
    level = table.level(code)
    assert level, "a tier that was put is in its table"
    said, worse = publishing.states([fresh], now=now), publishing.worse(publishing.versions())
    return _tier(level, table, currency) | {"table": _table(table)} | _version(fresh, said, worse)


def _in_force(rows: Sequence[TierTable], now: datetime) -> Table | None:
    published = [publishing.plain(each) for each in rows if each.published_at]
    return in_force(sorted(published, key=lambda each: (each.starts_at, each.version), reverse=True), now)


def _tier(level: Level, table: Table, currency: str) -> dict[str, Any]:
    return {
        "code": level.code,
        "name": level.name,
        "threshold": units(level.threshold, table.basis, currency),
        "entry_reward": level.entry_reward,
        "translations": {language: {"name": name} for language, name in level.names},
    }


def _table(table: Table) -> dict[str, Any]:
    return {"version": table.version, **{name: getattr(table, name) for name in publishing.FIELDS}}


def _version(one: TierTable, states: dict[int, str], worse: set[int]) -> dict[str, Any]:
    return {
        "version": one.version,
        "status": states[one.version],
        "starts_at": one.starts_at and one.starts_at.isoformat(),
        "detriment": one.version in worse,
    }


def units(value: int, basis: str, currency: str) -> int | str:
    """As the API writes it: a whole number of points or visits, an amount of money."""
    return money.plain(wording.spent(value, currency), currency) if basis == "spend" else value
