"""Fields of the rule form that are more than one box: a duration, a limit, a list of names."""

import re
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from django import forms
from django.utils.functional import Promise
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy
from unfold.widgets import (
    UnfoldAdminIntegerFieldWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
)

type Choices = Sequence[tuple[str, str | Promise]]

UNITS: Choices = [("D", _("days")), ("W", _("weeks")), ("M", _("months")), ("Y", _("years"))]
COUNTED: Choices = [("points", _("points")), ("times", _("times")), ("money", _("worth in money"))]
COUNTED_FOR: Choices = [
    ("member", _("per member")),
    ("member_store", _("per member and store")),
    ("rule", _("in all")),
    ("rule_store", _("per store")),
    ("campaign", _("for the whole campaign")),
    ("programme", _("for all offers together")),
]
WINDOWS: Choices = [
    ("day", pgettext_lazy("limit", "day")),
    ("week", pgettext_lazy("limit", "week")),
    ("month", pgettext_lazy("limit", "month")),
    ("year", pgettext_lazy("limit", "year")),
    ("ever", _("ever")),
    ("rolling", _("any so many days")),
]
# Names stand one a line or between commas.
BETWEEN = re.compile(r"[,;，、\n]")


class NamesField(forms.CharField):
    """A list of names, as a tuple."""

    def __init__(self, label: Any, *, rows: int = 2, **given: Any) -> None:
        super().__init__(
            label=capfirst(label), required=False, widget=UnfoldAdminTextareaWidget({"rows": rows}), max_length=40_000, **given
        )

    def prepare_value(self, value: Any) -> Any:
        return ", ".join(value) if isinstance(value, list | tuple) else value

    def clean(self, value: Any) -> Any:
        return [name for one in BETWEEN.split(super().clean(value)) if (name := one.strip())]

    def has_changed(self, initial: Any, data: Any) -> bool:
        return super().has_changed(self.prepare_value(initial or ""), data)


def named(widget: type[forms.Widget], name: Any, **given: Any) -> forms.Widget:
    """A part of a field, which a screen reader calls by its own name."""
    return widget({"aria-label": name}, **given)


class Parts(forms.MultiWidget):
    """Boxes side by side."""

    def render(self, name: str, value: Any, attrs: Any = None, renderer: Any = None) -> SafeString:
        return format_html('<span class="parts">{}</span>', super().render(name, value, attrs, renderer))


class DurationWidget(Parts):
    def __init__(self) -> None:
        super().__init__(
            [named(UnfoldAdminIntegerFieldWidget, _("number")), named(UnfoldAdminSelectWidget, _("unit"), choices=UNITS)]
        )

    def decompress(self, value: str | None) -> list[Any]:
        return [int(value[1:-1]), value[-1]] if value else [None, "D"]


class DurationField(forms.MultiValueField):
    """So many days, weeks, months or years: P14D."""

    def __init__(self, label: Any, **given: Any) -> None:
        fields = [forms.IntegerField(min_value=0, required=False), forms.ChoiceField(choices=UNITS, required=False)]
        super().__init__(
            fields, label=capfirst(label), required=False, require_all_fields=False, widget=DurationWidget(), **given
        )

    def compress(self, data_list: Any) -> str | None:
        number, unit = data_list or (None, None)
        return None if number is None else f"P{number}{unit or 'D'}"


class CapWidget(Parts):
    def __init__(self) -> None:
        super().__init__(
            [
                named(UnfoldAdminTextInputWidget, _("at most")),
                named(UnfoldAdminSelectWidget, _("what is counted"), choices=COUNTED),
                named(UnfoldAdminSelectWidget, _("counted together for"), choices=COUNTED_FOR),
                named(UnfoldAdminSelectWidget, _("within"), choices=WINDOWS),
                named(UnfoldAdminIntegerFieldWidget, _("so many days")),
            ]
        )

    def decompress(self, value: dict[str, Any] | None) -> list[Any]:
        if not value:
            return [None, "points", "member", "day", None]
        window, _rolling, days = value["window"].partition(":P")
        return [value["limit"], value["unit"], value["per"], window, days.removesuffix("D") or None]


class CapField(forms.MultiValueField):
    """A limit in the words of the API; an empty number is none."""

    def __init__(self) -> None:
        choices = [forms.ChoiceField(choices=each, required=False) for each in (COUNTED, COUNTED_FOR, WINDOWS)]
        fields = [
            forms.DecimalField(required=False, max_digits=15, decimal_places=3),
            *choices,
            forms.IntegerField(required=False),
        ]
        super().__init__(
            fields, required=False, require_all_fields=False,
            widget=CapWidget(),
        )  # fmt: skip

    def compress(self, data_list: Any) -> dict[str, Any] | None:
        limit, unit, per, window, days = data_list or (None,) * 5
        if limit is None:
            return None
        windowed = f"rolling:P{days or 0}D" if window == "rolling" else window or "day"
        return {"unit": unit or "points", "per": per or "member", "window": windowed, "limit": plain(limit)}


def plain(number: Decimal) -> str:
    return f"{number.normalize():f}"
