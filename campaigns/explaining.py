"""A trace in words: the same text for member, cashier and support."""

from decimal import Decimal
from typing import Any

from django.utils.formats import number_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from loyalty import money


def rule_sentence(step: dict[str, Any], trace: dict[str, Any], currency: str) -> str:
    """The arithmetic of one rule: €18.60 × 1 = 18."""
    return _("%(amount)s × %(rate)s = %(points)s") % {
        "amount": money.text(Decimal(trace["basis"]), currency),
        "rate": number_format(Decimal(step["value"])),
        "points": number_format(Decimal(step["raw"]))
        if Decimal(step["raw"]) != step["points"]
        else number_format(step["points"]),
    }


def sentences(trace: dict[str, Any], currency: str) -> list[str]:
    """Step by step: what was counted, what each rule gave, how it was rounded."""
    steps = [rule_sentence(step, trace, currency) for step in trace["rules"]]
    points = trace["points"]
    if not trace["rules"]:
        steps.append(_("No rule gave points on that day."))
    if Decimal(trace["raw"]) != points:
        steps.append(
            ngettext("Rounded down to %(points)s point.", "Rounded down to %(points)s points.", points)
            % {"points": number_format(points)}
        )
    if not points and trace["rules"]:
        steps.append(_("The amount was too small for a whole point."))
    return steps
