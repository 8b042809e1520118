"""A rule as a member would be told it: one sentence, built of whole clauses, so that each language orders its own."""

from collections.abc import Callable, Iterable, Iterator
from datetime import date, datetime, time, timedelta
from decimal import Decimal

from babel.dates import format_interval, get_month_names
from babel.lists import format_list
from django.utils.formats import date_format, number_format, time_format
from django.utils.text import capfirst
from django.utils.translation import get_language, ngettext, pgettext, to_locale
from django.utils.translation import gettext as _

from campaigns.naming import Names
from campaigns.specs import ONCE, ONCE_A_DAY
from campaigns.values import Cap, Kind, Per, Rule
from loyalty import money
from loyalty.terms import Terms
from loyalty.wording import plural

# How `format_interval` writes a day, a month in words and a year.
INTERVAL = "yMMMd"
WORKDAYS = frozenset(range(1, 6))


def sentence(rule: Rule, *, since: datetime | None, contract: Terms, names: Names) -> str:
    """2× points on coffee at Bastille, Saturdays from 10:00 to 14:00; at most 100 points per member and day.

    `since` is the start of the version, None where it is still open.
    """
    text = _at_stores(gives(rule, contract.currency), rule, names)
    for clause in conditions(rule, since, contract, names):
        text = _("%(text)s, %(clause)s") % {"text": text, "clause": clause}
    for clause in limits(rule, contract.currency):
        text = _("%(text)s; %(clause)s") % {"text": text, "clause": clause}
    return _("%(sentence)s.") % {"sentence": capfirst(text)}


def gives(rule: Rule, currency: str) -> str:
    """What the rule gives, and for which goods."""
    about, one = _goods(rule), plural(rule.value)
    said = {"points": _figure(rule.value), "amount": money.text(Decimal(1), currency), "goods": about}
    match rule.kind, rule.per:
        case Kind.MULTIPLIER, _per:
            return (_("%(points)s× points on %(goods)s") if about else _("%(points)s× points")) % said
        case Kind.EVENT, _per:
            text = ngettext("%(points)s point for %(act)s", "%(points)s points for %(act)s", one)
            return text % (said | {"act": act(rule.event_type or "")})
    texts = _base(one, about) if rule.kind is Kind.BASE else _bonus(one, about)
    return texts[rule.per] % said


def goods(*, categories: Iterable[str], brands: Iterable[str], skus: Iterable[str]) -> str:
    """Coffee, the brand Illy or item 4711."""
    branded = [_("the brand %(name)s") % {"name": name} for name in sorted(brands)]
    items = [_("item %(sku)s") % {"sku": sku} for sku in sorted(skus)]
    return _either([*sorted(categories), *branded, *items])


def act(event_type: str) -> str:
    """What a member does for the points."""
    known = {
        "sign_up": pgettext("points for", "joining"),
        "profile_completed": pgettext("points for", "a completed profile"),
        "check_in": pgettext("points for", "a check-in"),
        "birthday": pgettext("points for", "the birthday"),
        "review": pgettext("points for", "a review"),
        "share": pgettext("points for", "sharing with friends"),
        "referral_qualified": pgettext("points for", "a friend who joined and bought"),
        "survey_completed": pgettext("points for", "a completed survey"),
        "app_installed": pgettext("points for", "installing the app"),
    }
    return known.get(event_type) or pgettext("points for", "“%(name)s”") % {"name": event_type.removeprefix("custom:")}


def conditions(rule: Rule, since: datetime | None, contract: Terms, names: Names) -> Iterator[str]:
    """When, for whom, and from how much on."""
    if rule.exclude_categories:
        yield _("not on %(goods)s") % {"goods": _either(sorted(rule.exclude_categories))}
    yield from _schedule(rule)
    yield from _who(rule, names)
    if rule.at_least_amount is not None:
        yield _("for %(amount)s or more") % {"amount": money.text(rule.at_least_amount, contract.currency)}
    if rule.at_least_quantity is not None:
        text = ngettext("for %(count)s item or more", "for %(count)s items or more", plural(rule.at_least_quantity))
        yield text % {"count": _figure(rule.at_least_quantity)}
    yield from _window(since, rule.ends_at, contract)


def limits(rule: Rule, currency: str) -> Iterator[str]:
    """Caps, and what is special about the points."""
    implied = {ONCE} if rule.first_purchase else set()
    implied |= {ONCE_A_DAY} if rule.every_visit or rule.streak else set()
    for cap in rule.caps:
        if cap not in implied:
            yield limit(cap, currency)
    if rule.exclusive_group:
        yield _("of the offers “%(group)s” only the best counts") % {"group": rule.exclusive_group}
    if rule.pending:
        still = rule.pending[1:-1] != "0"
        text = _("the points can be used after %(duration)s") if still else _("the points can be used at once")
        yield text % {"duration": duration(rule.pending)}
    if rule.expires:
        yield _("the points expire %(duration)s after they can be used") % {"duration": duration(rule.expires)}


def limit(cap: Cap, currency: str) -> str:
    """At most 100 points per member and day."""
    said = {"limit": _limited(cap, currency), "counted": _counted(cap.per), "window": _of_time(cap.window)}
    if cap.window == "ever":
        return _("at most %(limit)s %(counted)s") % said
    if cap.window.startswith("rolling:"):
        days = int(cap.window.removeprefix("rolling:P").removesuffix("D"))
        text = ngettext(
            "at most %(limit)s %(counted)s in any %(days)s day", "at most %(limit)s %(counted)s in any %(days)s days", days
        )
        return text % (said | {"days": days})
    if cap.per in ("member", "member_store", "rule_store"):
        return _("at most %(limit)s %(counted)s and %(window)s") % said
    return _("at most %(limit)s per %(window)s %(counted)s") % said


def duration(text: str) -> str:
    """P14D as 14 days."""
    count = int(text[1:-1])
    words: dict[str, Callable[[], str]] = {
        "D": lambda: ngettext("%(count)s day", "%(count)s days", count),
        "W": lambda: ngettext("%(count)s week", "%(count)s weeks", count),
        "M": lambda: ngettext("%(count)s month", "%(count)s months", count),
        "Y": lambda: ngettext("%(count)s year", "%(count)s years", count),
    }
    return words[text[-1]]() % {"count": count}


def weekday(number: int) -> str:
    """As it comes back every week; Monday is 1."""
    return {
        1: pgettext("every week", "Mondays"),
        2: pgettext("every week", "Tuesdays"),
        3: pgettext("every week", "Wednesdays"),
        4: pgettext("every week", "Thursdays"),
        5: pgettext("every week", "Fridays"),
        6: pgettext("every week", "Saturdays"),
        7: pgettext("every week", "Sundays"),
    }[number]


def _base(one: int, goods: str) -> dict[Per, str]:
    if goods:
        return {
            Per.AMOUNT: ngettext(
                "%(points)s point per %(amount)s on %(goods)s", "%(points)s points per %(amount)s on %(goods)s", one
            ),
            Per.PURCHASE: ngettext(
                "%(points)s point for a purchase of %(goods)s", "%(points)s points for a purchase of %(goods)s", one
            ),
            Per.UNIT: ngettext(
                "%(points)s point for each item of %(goods)s", "%(points)s points for each item of %(goods)s", one
            ),
        }
    return {
        Per.AMOUNT: ngettext("%(points)s point per %(amount)s", "%(points)s points per %(amount)s", one),
        Per.PURCHASE: ngettext("%(points)s point for a purchase", "%(points)s points for a purchase", one),
        Per.UNIT: ngettext("%(points)s point for each item", "%(points)s points for each item", one),
    }


def _bonus(one: int, goods: str) -> dict[Per, str]:
    if goods:
        return {
            Per.AMOUNT: ngettext(
                "%(points)s extra point per %(amount)s on %(goods)s", "%(points)s extra points per %(amount)s on %(goods)s", one
            ),
            Per.PURCHASE: ngettext(
                "%(points)s extra point for a purchase with %(goods)s",
                "%(points)s extra points for a purchase with %(goods)s",
                one,
            ),
            Per.UNIT: ngettext(
                "%(points)s extra point for each item of %(goods)s", "%(points)s extra points for each item of %(goods)s", one
            ),
        }
    return {
        Per.AMOUNT: ngettext("%(points)s extra point per %(amount)s", "%(points)s extra points per %(amount)s", one),
        Per.PURCHASE: ngettext("%(points)s extra point for a purchase", "%(points)s extra points for a purchase", one),
        Per.UNIT: ngettext("%(points)s extra point for each item", "%(points)s extra points for each item", one),
    }


def _goods(rule: Rule) -> str:
    return goods(categories=rule.categories, brands=rule.brands, skus=rule.skus)


def _at_stores(text: str, rule: Rule, names: Names) -> str:
    if not rule.stores:
        return text
    said = ngettext("%(text)s at %(store)s", "%(text)s at %(store)s", len(rule.stores))
    return said % {"text": text, "store": _either(sorted(names.store(code) for code in rule.stores))}


def _schedule(rule: Rule) -> Iterator[str]:
    days = _list([weekday(day) for day in sorted(rule.weekdays)], "standard")
    if rule.weekdays == WORKDAYS:
        days = pgettext("every week", "Mondays to Fridays")
    if rule.hours:
        begin, end = rule.hours
        said = {"days": days, "begin": _hour(begin), "end": _hour(end)}
        if begin < end:
            yield (_("%(days)s from %(begin)s to %(end)s") if days else _("daily from %(begin)s to %(end)s")) % said
        elif days:
            yield _("%(days)s until %(end)s and from %(begin)s on") % said
        else:
            yield _("nightly from %(begin)s to %(end)s") % said
    elif days:
        yield _("on %(days)s") % {"days": days}
    if rule.birthday:
        yield {
            "day": _("on the member’s birthday"),
            "week": _("within three days of the member’s birthday"),
            "month": _("in the month of the member’s birthday"),
        }[rule.birthday]


def _who(rule: Rule, names: Names) -> Iterator[str]:
    if rule.tiers:
        yield _("for %(tiers)s members") % {"tiers": _either(sorted(names.tier(code) for code in rule.tiers))}
    if rule.segment:
        yield _("for members in “%(segment)s”") % {"segment": names.segment(rule.segment)}
    if rule.first_purchase:
        yield _("for the first purchase")
    if rule.every_visit:
        yield _("once every %(count)s visits") % {"count": rule.every_visit}
    if rule.streak:
        yield _("after every %(count)s days in a row") % {"count": rule.streak}


def _window(since: datetime | None, until: datetime | None, contract: Terms) -> Iterator[str]:
    """From the first day to the last one; to the minute where a day is not whole."""
    if since and since == until:  # the version that ends a rule
        at = until.astimezone(contract.zone)
        yield _("ended on %(date)s at %(time)s") % {
            "date": date_format(at, "DATE_FORMAT"),
            "time": time_format(at, "TIME_FORMAT"),
        }
        return
    begin, end = _date(since, contract), _date(until, contract, is_end=True)
    if since and until and _is_midnight(since, contract) and _is_midnight(until, contract) and since < until:
        yield _days(contract.day_of(since), contract.last_day(until))
    elif begin and end:
        yield _("from %(begin)s until %(end)s") % {"begin": begin, "end": end}
    elif begin:
        yield _("from %(date)s on") % {"date": begin}
    elif end:
        yield _("until %(date)s") % {"date": end}


def _days(first: date, last: date) -> str:
    """1–31 December 2026. Where intervals have the month's short name, it is written in full."""
    if first == last:
        return date_format(first, "DATE_FORMAT")
    locale = _locale()
    text = format_interval(first, last, INTERVAL, locale=locale)
    short, full = (get_month_names(width, locale=locale) for width in ("abbreviated", "wide"))
    for month in {first.month, last.month}:
        if not short[month][0].isdigit():
            text = text.replace(short[month], full[month])
    return text


def _date(at: datetime | None, contract: Terms, *, is_end: bool = False) -> str:
    if at is None or at.year < 1971:  # from the beginning
        return ""
    if _is_midnight(at, contract):
        return date_format(contract.last_day(at) if is_end else contract.day_of(at), "DATE_FORMAT")
    return date_format(at.astimezone(contract.zone), "DATETIME_FORMAT")


def _is_midnight(at: datetime, contract: Terms) -> bool:
    return at == contract.midnight_after(contract.day_of(at) - timedelta(days=1))


def _limited(cap: Cap, currency: str) -> str:
    one = plural(cap.limit)
    match cap.unit:
        case "money":
            return _("points worth %(amount)s") % {"amount": money.text(cap.limit, currency)}
        case "times":
            return ngettext("%(count)s time", "%(count)s times", one) % {"count": _figure(cap.limit)}
    return ngettext("%(count)s point", "%(count)s points", one) % {"count": _figure(cap.limit)}


def _counted(per: str) -> str:
    return {
        "member": _("per member"),
        "member_store": _("per member and store"),
        "rule": _("in all"),
        "rule_store": _("per store"),
        "campaign": _("for the whole campaign"),
        "programme": _("for all offers together"),
    }[per]


def _of_time(window: str) -> str:
    return {
        "day": pgettext("limit", "day"),
        "week": pgettext("limit", "week"),
        "month": pgettext("limit", "month"),
        "year": pgettext("limit", "year"),
    }.get(window, "")


def _either(words: Iterable[str]) -> str:
    return _list(list(words), "or")


def _list(words: list[str], style: str) -> str:
    return format_list(words, style="or" if style == "or" else "standard", locale=_locale()) if words else ""


def _locale() -> str:
    """English as outside America."""
    language = get_language() or "en"
    return "en_GB" if language == "en" else to_locale(language)


def _hour(at: time) -> str:
    return time_format(at, "TIME_FORMAT")


def _figure(number: Decimal) -> str:
    return number_format(f"{number.normalize():f}", force_grouping=True)
