"""The money of an act, for the cashier's drawer: what is left to pay, what vouchers took off, what to hand back."""

from decimal import Decimal

from django.db.models import QuerySet
from django.utils.translation import gettext as _

from campaigns import queries
from catalog.models import Redemption, Voucher, VoucherUse
from loyalty import money
from loyalty.terms import Terms
from members import tilling
from members.models import TillAct
from members.tilling import Kind


def told(act: TillAct, contract: Terms) -> list[str]:
    """Sentences for the page of an act that stands; the first is the one that matters most."""
    match act.kind:
        case Kind.SALE:
            return _sale(act)
        case Kind.RETURN:
            back = queries.returns([act.thing])[act.thing]
            return [_("Hand back %(amount)s.") % {"amount": money.text(back.money_back, back.currency)}]
        case Kind.VOUCHER:
            used = _uses(act).first()
            return _left_to_pay(owed(used.voucher, used), contract.currency) if used else []
        case Kind.REDEMPTION:
            return _left_to_pay(Redemption.objects.get(pk=act.thing).money, contract.currency)
    return []


def to_pay(voucher: Voucher, contract: Terms) -> str:
    """€4.00 to pay: what is asked for at the first use of a voucher whose price was points and money."""
    due = owed(voucher)
    return _("%(amount)s to pay") % {"amount": money.text(due, contract.currency)} if due else ""


def owed(voucher: Voucher, used: VoucherUse | None = None) -> Decimal:
    """The money of its price, before its first use, or with `used` where that was the first."""
    earlier = voucher.use_set.filter(released_at=None, **({"id__lt": used.pk} if used else {}))
    return Decimal(0) if voucher.redemption is None or earlier.exists() else voucher.redemption.money


def _sale(act: TillAct) -> list[str]:
    sale = queries.purchases([act.thing])[act.thing]
    said = [_voucher(use, sale.currency) for use in _uses(act)]
    if not (sale.discount or sale.tender_amount):  # all of it is paid as at any till
        return said
    return [_due(sale.net_amount - sale.discount - sale.tender_amount, sale.currency), *said]


def _voucher(use: VoucherUse, currency: str) -> str:
    values = {"title": use.voucher.title, "amount": money.text(use.amount or Decimal(0), currency)}
    if use.taken is not None:
        left = {"left": money.text(use.remaining or Decimal(0), currency)}
        return _("%(title)s: %(amount)s taken off, %(left)s left on it.") % (values | left)
    if use.purchase:
        return _("%(title)s: %(amount)s taken off.") % values
    if due := owed(use.voucher, use):
        return _("%(title)s: %(amount)s to pay, then hand it over.") % (values | {"amount": money.text(due, currency)})
    return _("%(title)s: hand it over.") % values


def _left_to_pay(due: Decimal, currency: str) -> list[str]:
    return [_due(due, currency)] if due else []


def _due(due: Decimal, currency: str) -> str:
    return _("Left to pay: %(due)s.") % {"due": money.text(due, currency)}


def _uses(act: TillAct) -> QuerySet[VoucherUse]:
    """What was used under the act's number and counts still, with the purchase or beside it."""
    rows = VoucherUse.objects.filter(
        voucher__member=act.member_id, source=tilling.source(act.shop.code), receipt_number=act.number, released_at=None
    )
    return rows.select_related("voucher__redemption").order_by("id")
