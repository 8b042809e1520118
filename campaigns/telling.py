"""A return, and a payment with points, in words: the same text for member, cashier and support."""

from django.utils.formats import number_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from campaigns.models import Purchase, PurchaseReturn
from loyalty import money


def payment_sentence(one: Purchase) -> str:
    """What the points of a purchase paid, of what vouchers had left to pay."""
    worth, whole = money.text(one.tender_amount, one.currency), money.text(one.net_amount - one.discount, one.currency)
    return _("%(worth)s of %(amount)s paid in points") % {"worth": worth, "amount": whole}


def line_sentence(one: PurchaseReturn, points: int) -> str:
    """What a line of the statement that belongs to a return did: `points` below zero were taken back."""
    if points < 0:
        text = ngettext(
            "You returned goods for %(amount)s: %(points)s point taken back",
            "You returned goods for %(amount)s: %(points)s points taken back",
            -points,
        )
    else:
        text = ngettext(
            "You returned goods for %(amount)s: %(points)s point with which you had paid is given back",
            "You returned goods for %(amount)s: %(points)s points with which you had paid are given back",
            points,
        )
    return text % {"amount": money.text(one.net_amount, one.currency), "points": _figure(abs(points))}


def sentences(one: PurchaseReturn) -> list[str]:
    """Step by step: what came back, what the rest still earns, what was taken back and what was given back."""
    worth = {"amount": money.text(one.net_amount, one.currency)}
    said = [_("Goods for %(amount)s came back.") % worth]
    if one.goodwill:
        said.append(_("The points for them were left to the member out of goodwill."))
    else:
        kept = ngettext("What was kept earns %(points)s point.", "What was kept earns %(points)s points.", one.points_kept)
        said.append(kept % {"points": _figure(one.points_kept)})
        taken = ngettext("%(points)s point was taken back.", "%(points)s points were taken back.", one.points_clawed_back)
        said.append(taken % {"points": _figure(one.points_clawed_back)})
    if one.points_returned:
        back = ngettext(
            "%(points)s point that had paid for them was given back.",
            "%(points)s points that had paid for them were given back.",
            one.points_returned,
        )
        said.append(back % {"points": _figure(one.points_returned)})
    return said


def _figure(points: int) -> str:
    return number_format(points, force_grouping=True)
