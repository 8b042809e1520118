"""Fields of the rule form that are more than one box: a duration, a limit, a list of names."""

import re
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.forms.renderers import get_default_renderer
from django.utils.functional import Promise
from django.utils.html import format_html, format_html_join
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

type Choices = list[tuple[str, str | Promise]]

UNITS: Choices = [("D", _("days")), ("W", _("weeks")), ("M", _("months")), ("Y", _("years"))]
COUNTED: Choices = [("", _("no limit")), ("points", _("points")), ("times", _("times")), ("money", _("worth in money"))]
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


class Parts(forms.MultiWidget):
    """Boxes side by side, each below its label."""

    def __init__(self, boxes: Sequence[tuple[Any, forms.Widget]]) -> None:
        super().__init__([widget for _label, widget in boxes])
        self.labels = [label for label, _widget in boxes]

    def render(self, name: str, value: Any, attrs: Any = None, renderer: Any = None) -> SafeString:
        shown = zip(self.labels, self.get_context(name, value, attrs)["widget"]["subwidgets"], strict=True)
        renderer = renderer or get_default_renderer()
        boxes = ((capfirst(label), renderer.render(box["template_name"], {"widget": box})) for label, box in shown)
        return format_html('<span class="parts">{}</span>', format_html_join("", "<label><span>{}</span>{}</label>", boxes))


class DurationWidget(Parts):
    def __init__(self) -> None:
        super().__init__([(_("number"), UnfoldAdminIntegerFieldWidget()), (_("unit"), UnfoldAdminSelectWidget(choices=UNITS))])

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
                (_("at most"), UnfoldAdminTextInputWidget()),
                (_("what is counted"), UnfoldAdminSelectWidget(choices=COUNTED)),
                (_("counted together for"), UnfoldAdminSelectWidget(choices=COUNTED_FOR)),
                (_("within"), UnfoldAdminSelectWidget(choices=WINDOWS)),
                (_("days"), UnfoldAdminIntegerFieldWidget()),
            ]
        )

    def decompress(self, value: dict[str, Any] | None) -> list[Any]:
        if not value:
            return [None, "", "member", "day", None]
        window, _rolling, days = value["window"].partition(":P")
        return [value["limit"], value["unit"], value["per"], window, days.removesuffix("D") or None]


class CapField(forms.MultiValueField):
    """A limit in the words of the API; nothing that was typed is dropped."""

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
        limit, unit, per, window, days = data_list or (None, "", "", "", None)
        if not unit and limit is None and days is None:
            return None
        if not unit:
            raise ValidationError(_("Say what is counted, or empty the number and the days for no limit."))
        if limit is None:
            raise ValidationError(_("Give the number, or choose “no limit” and empty the days."))
        if (days is not None) != (window == "rolling"):
            raise ValidationError(_("A number of days goes with “any so many days”, and only with it."))
        windowed = f"rolling:P{days}D" if window == "rolling" else window or "day"
        return {"unit": unit, "per": per or "member", "window": windowed, "limit": plain(limit)}


def plain(number: Decimal) -> str:
    return f"{number.normalize():f}"
