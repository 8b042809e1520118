"""The names behind the codes in rules, and which codes are known."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from django.utils.translation import gettext as _

from campaigns.models import Segment
from campaigns.values import Rule
from loyalty import queries
from loyalty.problems import Fault
from members.queries import tier_tables
from members.wording import called


@dataclass(frozen=True, slots=True)
class Names:
    """Names by code. `closed` are the stores that have closed."""

    stores: Mapping[str, str] = field(default_factory=dict)
    segments: Mapping[str, str] = field(default_factory=dict)
    tiers: Mapping[str, str] = field(default_factory=dict)
    closed: frozenset[str] = frozenset()

    def store(self, code: str) -> str:
        return self.stores.get(code, code)

    def segment(self, code: str) -> str:
        return self.segments.get(code, code)

    def tier(self, code: str) -> str:
        return self.tiers.get(code, code)


def known_tiers() -> Mapping[str, str]:
    """The names of tiers by code, of those in force and those announced."""
    return {one.code: called(one) for table in reversed(tier_tables()) for one in table.levels}


def behind(rules: Iterable[Rule]) -> Names:
    """All names that these rules need, in a constant number of statements."""
    rules = list(rules)
    stores = queries.stores_by_code(code for rule in rules for code in rule.stores)
    codes = {rule.segment for rule in rules if rule.segment}
    return Names(
        stores={code: one.name for code, one in stores.items()},
        segments=dict(Segment.objects.filter(code__in=codes).values_list("code", "name")) if codes else {},
        tiers=known_tiers(),
        closed=frozenset(code for code, one in stores.items() if one.closed_at),
    )


def unknown(rule: Rule) -> list[Fault]:
    """What the rule names that is not there, place by place."""
    names = behind([rule])
    asked: list[tuple[str, str, Iterable[str], Mapping[str, str]]] = [
        ("/where/stores", _("There is no store %(codes)s."), rule.stores, names.stores),
        ("/who/segment", _("There is no segment %(codes)s."), [rule.segment] if rule.segment else [], names.segments),
        ("/who/tiers", _("There is no tier %(codes)s."), rule.tiers, names.tiers),
    ]
    missing = [(pointer, text, sorted(set(codes) - set(known))) for pointer, text, codes, known in asked]
    return [Fault(pointer, text % {"codes": ", ".join(codes)}) for pointer, text, codes in missing if codes]
