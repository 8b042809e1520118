"""A member's points as both the portal and the API tell them: ledger lines, explained by the purchases behind them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django_stubs_ext import StrPromise

from campaigns import explaining, telling
from campaigns.models import Award, Purchase, PurchaseReturn
from campaigns.queries import awards_by_entry, paid_by_entry, returns_by_entry
from catalog.models import Redemption, VoucherUse
from catalog.queries import redemptions_by_key, vouchers_on
from catalog.texts import said
from config.pages import tickets
from loyalty import queries
from loyalty.kinds import Kind
from loyalty.queries import StatementLine
from loyalty.terms import Terms
from members import adjusting
from members.queries import tier_tables, tiers_rewarded
from members.wording import called

FILTERS = {
    "earned": [Kind.EARN, Kind.BONUS, Kind.IMPORT, Kind.EXCHANGE_IN, Kind.RESTORE],
    "used": [Kind.BURN, Kind.EXCHANGE_OUT],
    "expired": [Kind.EXPIRE],
}
TITLES: dict[str, StrPromise] = {
    Kind.EXPIRE: gettext_lazy("Points expired"),
    Kind.ADJUST: gettext_lazy("Corrected by the shop"),
    Kind.REVERSE: gettext_lazy("Undone by the shop"),
    Kind.IMPORT: gettext_lazy("Brought along from the old card"),
}


@dataclass(frozen=True, slots=True)
class Explained:
    """One line of the passbook, with the award, the return or the payment behind it, and the vouchers on its receipt."""

    line: StatementLine
    title: str
    detail: str
    award: Award | None
    returned: PurchaseReturn | None = None
    redemption: Redemption | None = None
    paid: Purchase | None = None
    vouchers: tuple[VoucherUse, ...] = ()

    def shown(self, contract: Terms) -> dict[str, Any]:
        return {
            "id": self.line.entry,
            "date": contract.day_of(self.line.occurred_at),
            "kind": self.line.kind,
            "title": self.title,
            "detail": self.detail,
            "points": self.line.points,
            "balance_after": self.line.balance_after,
            "url": reverse("line", args=[self.line.entry]),
        }


def explained(lines: Sequence[StatementLine]) -> list[Explained]:
    """Each line with its title and arithmetic, in a constant number of statements."""
    entries = [line.entry for line in lines]
    awards, back = awards_by_entry(entries), returns_by_entry(entries)
    paid = paid_by_entry([line.entry for line in lines if line.kind == Kind.BURN])
    titles = adjusting.titles(line.entry for line in lines if line.kind == Kind.ADJUST)
    titles |= welcomes(line for line in lines if line.kind == Kind.BONUS and line.entry not in awards)
    bought, off = redemptions(lines), _taken_off([*awards.values()], [*paid.values()])
    titles |= {line.entry: _of_redemption(line, bought[line.entry]) for line in lines if line.entry in bought}
    found = []
    for line in lines:
        award, returned, payment = awards.get(line.entry), back.get(line.entry), paid.get(line.entry)
        redemption, heading = bought.get(line.entry), titles.get(line.entry) or title(line, award)
        why = tickets.why(redemption) if redemption and line.kind == Kind.RESTORE else ""
        receipt = payment or (award.purchase if award else None)
        vouchers = tuple(off.get(receipt.pk, ())) if receipt else ()
        said_of = [why or detail(line, award, returned, payment)]
        said_of += [tickets.taken_off(use, receipt.currency) for use in vouchers] if receipt and line.kind == Kind.EARN else []
        text = "; ".join(filter(None, said_of))
        found.append(Explained(line, heading, text, award, returned, redemption, payment, vouchers))
    return found


def _taken_off(awards: Sequence[Award], paid: Sequence[Purchase]) -> dict[UUID, list[VoucherUse]]:
    """The vouchers on the receipts behind these; no statement where none took anything off."""
    receipts = [*(one.purchase for one in awards if one.purchase), *paid]
    reduced = {one.pk for one in receipts if one.discount}
    return vouchers_on(reduced) if reduced else {}


def redemptions(lines: Iterable[StatementLine]) -> dict[UUID, Redemption]:
    """What was redeemed with the points that a line took or gave back."""
    asked = [line.entry for line in lines if line.kind in (Kind.BURN, Kind.RESTORE)]
    return redemptions_by_key(queries.keys_of(asked)) if asked else {}


def _of_redemption(line: StatementLine, one: Redemption) -> str:
    """Flat white at Bastille: by the shop that took it, once one did."""
    reward = said(one.reward, "title")
    if line.kind == Kind.RESTORE:
        return _("Points back: %(reward)s") % {"reward": reward}
    used = [use for use in one.voucher.use_set.all() if use.released_at is None] if hasattr(one, "voucher") else []
    store = used[-1].store.name if used else line.store_name
    return _("%(reward)s at %(store)s") % {"reward": reward, "store": store} if store else reward


def welcomes(lines: Iterable[StatementLine]) -> dict[UUID, str]:
    """Titles of the lines that paid the entry reward of a tier."""
    asked = [line.entry for line in lines]
    rewarded = tiers_rewarded(asked) if asked else {}
    names = {one.code: called(one) for table in reversed(tier_tables()) for one in table.levels} if rewarded else {}
    return {entry: _("%(tier)s reached") % {"tier": names.get(code, code)} for entry, code in rewarded.items()}


def title(line: StatementLine, award: Award | None) -> str:
    if award and line.kind == Kind.BONUS:
        return _for_bonus(award)
    place = {"store": line.store_name}
    match line.kind:
        case Kind.EARN | Kind.BONUS:
            return _("Purchase at %(store)s") % place if line.store_name else _("Purchase")
        case Kind.BURN:
            return _("Used at %(store)s") % place if line.store_name else _("Points used")
        case Kind.RETURN:
            return _("Returned to %(store)s") % place if line.store_name else _("Goods returned")
    return str(TITLES.get(line.kind) or Kind(line.kind).label)


def _for_bonus(award: Award) -> str:
    """What the member did beside buying, or the offer that held."""
    if award.event:
        return explaining.event_title(award.event.type, award.event.trace["streak"])
    return award.rule_version.rule.name


def detail(line: StatementLine, award: Award | None, returned: PurchaseReturn | None, paid: Purchase | None) -> str:
    """The arithmetic of the one rule that gave these points, what came back that took or gave them, or what they paid."""
    if returned:
        return telling.line_sentence(returned, line.points)
    if paid:
        return telling.payment_sentence(paid)
    if award is None:
        return ""
    said = explaining.award_sentence(str(award.rule_version_id), award.cause.trace, award.currency)
    return _("%(rule)s, %(sum)s") % {"rule": award.rule_version.rule.name, "sum": said} if award.event else said


def by_month(lines: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Lines, newest first, under the first day of their month; a line recorded late stands where it was recorded."""
    months: list[dict[str, Any]] = []
    for line in lines:
        first = line["date"].replace(day=1)
        if not months or months[-1]["label_date"] != first:
            months.append({"label_date": first, "lines": []})
        months[-1]["lines"].append(line)
    return months


def expiries(holder: UUID, contract: Terms, now: datetime) -> list[dict[str, Any]]:
    """What ends on which day, soonest first, with the lots it comes from."""
    days: dict[date, dict[str, Any]] = {}
    for lot in queries.open_lots(holder, now):
        if lot.expires_at is None:
            continue
        day = days.setdefault(contract.last_day(lot.expires_at), {"points": 0, "lots": []})
        day["points"] += lot.points
        day["lots"].append({"points": lot.points, "store": lot.store_name, "earned_on": contract.day_of(lot.earned_at)})
    return [{"on": day, **what} for day, what in days.items()]
