"""What a member holds or held for points: a voucher, a partner's code, a gift; where it stands, and what giving it back means."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from babel.numbers import format_percent
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format, number_format
from django.utils.translation import get_language, ngettext, pgettext, to_locale
from django.utils.translation import gettext as _

from catalog import issuing, pictures
from catalog.models import Redemption, Reward, Voucher, VoucherUse
from catalog.texts import said
from loyalty import money, queries
from loyalty.terms import Terms

Status = Redemption.Status
OVER = (Status.CANCELLED, Status.LAPSED, Status.RETURNED)


@dataclass(frozen=True, slots=True)
class Ticket:
    """`state`: `ready`, `waiting` for its first day or for the post, `used`, or `ended`; `words` say which, when, where and why.

    `given` away: a donation. `codes` are a partner's; `code` is ours. `back`: what comes of giving the points back, where that
    can be done. `uses`: of what is used bit by bit, when, where and for how much it was.
    """

    url: str
    title: str
    picture: dict[str, str] | None
    state: str
    words: str
    gives: str = ""
    code: str = ""
    left: str = ""
    codes: tuple[str, ...] = ()
    back: tuple[str, ...] = ()
    promise: str = ""
    stores: tuple[str, ...] = ()
    given: bool = False
    uses: tuple[str, ...] = ()


def of_voucher(one: Voucher, contract: Terms, now: datetime, *, whole: bool = False) -> Ticket:
    """`whole`: also what comes of giving it back, which asks the ledger."""
    bought = one.redemption
    state, words = _standing(one, contract, now)
    ready = state == "ready"
    returnable = ready and bought and bought.status == Status.CONFIRMED and not one.is_begun
    back = tuple(_back(bought, contract, now)) if whole and bought and returnable else ()
    promise = _("If you do not use it, your points come back by themselves.") if back and bought and bought.points else ""
    return Ticket(
        url=reverse("voucher", args=[one.pk]), title=named(one),
        picture=_picture(bought.reward) if bought else None, state=state, words=words, gives=_gives(one, contract),
        code=one.code if ready else "", left=_lasts(one.valid_until, contract, now) if ready else "", back=back,
        promise=promise, uses=tuple(_uses(one, contract)) if whole and (one.uses > 1 or one.remaining is not None) else (),
    )  # fmt: skip


def of_redemption(one: Redemption, contract: Terms, now: datetime, *, whole: bool = False) -> Ticket:
    """A redemption without a voucher of ours. `whole`: also its codes, and what comes of giving it back."""
    state, words = _received(one, contract)
    shown = tuple(each.text for each in one.codes.all() if each.shown_at) if whole else ()
    back = tuple(_back(one, contract, now)) if whole and one.status in (Status.RESERVED, Status.CONFIRMED) else ()
    return Ticket(
        url=reverse("redemption", args=[one.pk]), title=said(one.reward, "title"), picture=_picture(one.reward),
        state=state, words=words, codes=shown, back=back, given=state == "used" and one.reward.kind == Reward.Kind.DONATION,
        left=_lasts(one.reserved_until, contract, now) if one.status == Status.RESERVED and now < one.reserved_until else "",
    )  # fmt: skip


def _picture(reward: Reward) -> dict[str, str] | None:
    return pictures.addresses(reward.picture.name)


def _standing(one: Voucher, contract: Terms, now: datetime) -> tuple[str, str]:
    """Where a voucher stands; what became of the redemption that bought it goes first."""
    bought = one.redemption
    if bought and bought.status in OVER:
        return "ended", over(bought, contract)
    if bought and bought.status == Status.FULFILLED and not one.is_begun:
        return "used", _handed_over(bought, contract)
    match issuing.status(one, now):
        case "used":
            return "used", _used(one, contract)
        case "expired" if bought and bought.points and not one.is_begun:
            return "ended", _("Not used in time. Your points come back by themselves.")
        case "expired":
            return "ended", _("It ended on %(day)s.") % {"day": _last_day(one.valid_until, contract)}
        case "waiting":
            return "waiting", _("It is valid from %(day)s on.") % {"day": _day(one.valid_from, contract)}
    return "ready", _rest(one)


def _rest(one: Voucher) -> str:
    """What is left of a voucher that was used before."""
    if not one.is_begun:
        return ""
    if one.remaining is not None:
        return _("What is left on it ends with it; the points do not come back.")
    left = one.uses - one.used
    return ngettext("%(n)s more use.", "%(n)s more uses.", left) % {"n": number_format(left)}


def over(one: Redemption, contract: Terms) -> str:
    """Why the points of a redemption came back, and when."""
    last = next((step for step in reversed(one.steps.all()) if step.status == one.status), None)
    values = {"n": number_format(one.points, force_grouping=True), "date": _day(last.at, contract) if last else ""}
    match one.status:
        case Status.RETURNED:
            text = ngettext(
                "Not used in time. %(n)s point is back on your card.",
                "Not used in time. %(n)s points are back on your card.",
                one.points,
            )
            return text % values
        case Status.LAPSED:
            return _("Not confirmed within 15 minutes, so nothing was redeemed. Your points are back.")
    if last and last.actor == one.member.holder:
        return _("You gave it back on %(date)s. Your points are back.") % values
    if last and last.reason:
        values["reason"] = last.reason
        return _("Cancelled by the shop on %(date)s: %(reason)s. Your points are back.") % values
    return _("Cancelled by the shop on %(date)s. Your points are back.") % values


def why(one: Redemption) -> str:
    """The same in a line of the history, which has the date and the points already."""
    last = next((step for step in reversed(one.steps.all()) if step.status == one.status), None)
    if one.status == Status.RETURNED:
        return _("Voucher not used in time")
    if one.status == Status.LAPSED:
        return _("Not confirmed within 15 minutes")
    if last and last.actor == one.member.holder:
        return _("Given back by you")
    return (
        _("Cancelled by the shop: %(reason)s") % {"reason": last.reason} if last and last.reason else _("Cancelled by the shop")
    )


def named(one: Voucher) -> str:
    """What it is called in the language of whoever reads; one that was given and not bought has one name."""
    return said(one.redemption.reward, "title") if one.redemption else one.title


def taken_off(use: VoucherUse, currency: str) -> str:
    """What a voucher took off a receipt, in a line of the history."""
    values = {"amount": money.text(use.amount or Decimal(0), currency), "voucher": named(use.voucher)}
    if use.released_at:
        return _("%(amount)s off by the voucher “%(voucher)s”, which was given back") % values
    return _("%(amount)s off by the voucher “%(voucher)s”") % values


def _used(one: Voucher, contract: Terms) -> str:
    last = next((use for use in sorted(one.use_set.all(), key=lambda use: use.at, reverse=True) if use.released_at is None), None)
    if last is None:
        return ""
    values = {"date": _moment(last.at, contract), "shop": last.store.name, "number": last.receipt_number}
    return _("Used on %(date)s at %(shop)s, receipt %(number)s.") % values


def _handed_over(one: Redemption, contract: Terms) -> str:
    values = {"date": _moment(_at(one, Status.FULFILLED), contract), "shop": one.store.name if one.store else ""}
    return (_("Handed over on %(date)s at %(shop)s.") if one.store else _("Handed over on %(date)s.")) % values


def _received(one: Redemption, contract: Terms) -> tuple[str, str]:
    if one.status in OVER:
        return "ended", over(one, contract)
    if one.status == Status.RESERVED:
        return "waiting", ""
    on = {"date": _day(_at(one, Status.CONFIRMED), contract)}
    if one.reward.kind == Reward.Kind.DONATION:
        return "used", _("Given on %(date)s. Thank you.") % on
    if one.reward.kind == Reward.Kind.CODE:
        return "ready", _("Yours since %(date)s. It is used where the partner takes it.") % on
    if one.reward.fulfilment == Reward.Fulfilment.POSTED:
        sent = one.status == Status.FULFILLED
        return ("used", _("Sent on %(date)s.") % {"date": _day(_at(one, Status.FULFILLED), contract)}) if sent else (
            "waiting", _("Ordered on %(date)s. It comes by post.") % on
        )  # fmt: skip
    return "used", _("Yours since %(date)s.") % on


def _at(one: Redemption, status: str) -> datetime:
    return next((step.at for step in reversed(one.steps.all()) if step.status == status), one.reserved_at)


def _gives(one: Voucher, contract: Terms) -> str:
    """What the till takes off, on which receipts."""
    if one.remaining == one.value:
        off = _("%(amount)s, for one receipt or several") % {"amount": money.text(one.value, contract.currency)}
    elif one.remaining is not None:
        amounts = {"left": money.text(one.remaining, contract.currency), "all": money.text(one.value, contract.currency)}
        off = _("%(left)s of %(all)s left") % amounts
    else:
        off = _off(one, contract)
    minimum = Decimal(one.minimum_spend)
    least = _("on a receipt of at least %(amount)s") % {"amount": money.text(minimum, contract.currency)} if minimum else ""
    return pgettext("between two remarks", ", ").join(part for part in (off, least, _to_pay(one, contract)) if part)


def _to_pay(one: Voucher, contract: Terms) -> str:
    """The money of a price of points and money, until it was paid with the first use."""
    due = one.redemption.money if one.redemption and not (one.is_begun or one.ended_at) else Decimal(0)
    return _("%(amount)s to pay at the till") % {"amount": money.text(due, contract.currency)} if due else ""


def _uses(one: Voucher, contract: Terms) -> Iterator[str]:
    """Those that count, newest first."""
    for use in sorted(one.use_set.all(), key=lambda use: use.at, reverse=True):
        if use.released_at is None:
            values = {"date": _moment(use.at, contract), "shop": use.store.name}
            amount = use.amount if use.taken is None else use.taken - use.given_back
            if amount is None or one.type == Voucher.Type.ITEM:
                yield _("%(date)s at %(shop)s") % values
            else:
                yield _("%(date)s at %(shop)s: %(amount)s") % (values | {"amount": money.text(amount, contract.currency)})


def _off(one: Voucher, contract: Terms) -> str:
    return {
        Voucher.Type.AMOUNT: _("%(value)s off") % {"value": money.text(one.value, contract.currency)},
        Voucher.Type.PERCENT: _("%(value)s off")
        % {"value": format_percent(one.value / 100, locale=to_locale(get_language() or "en"))},
    }.get(Voucher.Type(one.type), "")


def _back(one: Redemption, contract: Terms, now: datetime) -> Iterator[str]:
    """What comes back, which of it ends first, and what does not come back because its date is over."""
    ends = queries.ends_of_taken(one.member.holder, one.entry) if one.entry else []
    gone = [(at, points) for at, points in ends if at and at <= now]
    back = one.points - sum(points for _at, points in gone)
    if back:
        text = ngettext("%(n)s point comes back.", "%(n)s points come back.", back)
        yield text % {"n": number_format(back, force_grouping=True)}
    if coming := next(((at, points) for at, points in ends if at and at > now), None):
        text = ngettext(
            "They keep the dates they had: %(n)s expires on %(date)s.",
            "They keep the dates they had: %(n)s expire on %(date)s.",
            coming[1],
        )
        yield text % {"n": number_format(coming[1], force_grouping=True), "date": _last_day(coming[0], contract)}
    for at, points in gone:
        text = ngettext(
            "%(n)s point expired on %(date)s meanwhile and does not come back.",
            "%(n)s points expired on %(date)s meanwhile and do not come back.",
            points,
        )
        yield text % {"n": number_format(points, force_grouping=True), "date": _last_day(at, contract)}


def lost(one: Redemption, now: datetime) -> int:
    """Points that the member would not see again, because they have expired meanwhile."""
    ends = queries.ends_of_taken(one.member.holder, one.entry) if one.entry else []
    return sum(points for at, points in ends if at and at <= now)


def _left(span: timedelta) -> str:
    """In the largest unit that says enough."""
    minutes = max(1, -(-int(span.total_seconds()) // 60))
    if minutes < 120:
        return ngettext("%(n)s minute left", "%(n)s minutes left", minutes) % {"n": number_format(minutes)}
    if minutes < 2880:
        return ngettext("%(n)s hour left", "%(n)s hours left", minutes // 60) % {"n": number_format(minutes // 60)}
    return ngettext("%(n)s day left", "%(n)s days left", minutes // 1440) % {"n": number_format(minutes // 1440)}


def _lasts(at: datetime, contract: Terms, now: datetime) -> str:
    """For how long, and until which time of today or the end of which day."""
    if at - now < timedelta(hours=2):
        time = date_format(timezone.make_naive(at, contract.zone), "TIME_FORMAT")
        return _("%(left)s, until %(time)s") % {"left": _left(at - now), "time": time}
    return _("%(left)s, until %(date)s") % {"left": _left(at - now), "date": _last_day(at, contract)}


def _day(at: datetime, contract: Terms) -> str:
    return date_format(contract.day_of(at), "DATE_FORMAT")


def _last_day(at: datetime, contract: Terms) -> str:
    return date_format(contract.last_day(at), "DATE_FORMAT")


def _moment(at: datetime, contract: Terms) -> str:
    return date_format(timezone.make_naive(at, contract.zone), "DATETIME_FORMAT")


def grouped(code: str) -> str:
    """As people read it aloud: 7K4Q H2Z PW3K 9XY."""
    return " ".join(part for part in (code[:4], code[4:7], code[7:11], code[11:]) if part)
