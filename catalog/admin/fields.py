"""Fields that the forms of rewards and of their prices have in common: days, hours, and words in other languages."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError as FieldError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.utils import timezone
from django.utils.dates import WEEKDAYS
from django.utils.text import capfirst, format_lazy
from django.utils.translation import gettext_lazy as _
from unfold.widgets import (
    UnfoldAdminCheckboxSelectMultipleWidget,
    UnfoldAdminDecimalFieldWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminSingleDateWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
)

from catalog.models import Reward, RewardPrice
from loyalty import terms
from loyalty.admin.reviewing import FIRST_DAY, LAST_DAY
from loyalty.problems import Fault
from loyalty.terms import Terms

# The programme's own language stands in the reward's own fields.
LANGUAGES = [(code, name) for code, name in settings.LANGUAGES if code != settings.LANGUAGE_CODE]
DAYS = [(str(day + 1), name) for day, name in WEEKDAYS.items()]
UNITS = [("D", _("days")), ("W", _("weeks")), ("M", _("months")), ("Y", _("years"))]
WINDOW = (("starts_on", "starts_time"), ("ends_on", "ends_time"), "weekdays", ("hours_from", "hours_to"))


def text(label: Any, length: int, **given: Any) -> forms.CharField:
    widget = UnfoldAdminTextInputWidget({"autocomplete": "off"})
    return forms.CharField(label=capfirst(label), max_length=length, required=False, widget=widget, **given)


def choice(label: Any, choices: Any, **given: Any) -> forms.ChoiceField:
    widget = UnfoldAdminSelectWidget
    return forms.ChoiceField(label=capfirst(label), choices=choices, required=False, widget=widget, **given)


def number(label: Any, **given: Any) -> forms.DecimalField:
    widget = UnfoldAdminDecimalFieldWidget
    return forms.DecimalField(
        label=capfirst(label), required=False, min_value=0, max_digits=11, decimal_places=3, widget=widget, **given
    )


def day(label: Any, **given: Any) -> forms.DateField:
    within = [MinValueValidator(FIRST_DAY), MaxValueValidator(LAST_DAY)]
    widget = UnfoldAdminSingleDateWidget
    return forms.DateField(label=capfirst(label), required=False, widget=widget, validators=within, **given)


def clock(label: Any, **given: Any) -> forms.TimeField:
    widget = UnfoldAdminTextInputWidget({"autocomplete": "off", "inputmode": "numeric"})
    return forms.TimeField(
        label=capfirst(label), required=False, widget=widget, input_formats=["%H:%M"],
        error_messages={"invalid": _("Write an hour from 00:00 to 23:59, such as 10:00.")}, **given,
    )  # fmt: skip


class WindowForm(forms.Form):
    """When something holds, in days and times of the programme's zone."""

    starts_on = day(_("first day"))
    starts_time = clock(_("from this time of the first day"), help_text=_("Such as 18:00. Leave it empty for the whole day."))
    ends_on = day(_("last day"), help_text=_("Until the end of this day. Leave it empty for no end."))
    ends_time = clock(_("until this time of the last day"), help_text=_("Such as 22:00. Leave it empty for the whole day."))
    weekdays = forms.MultipleChoiceField(
        label=capfirst(_("days of the week")), choices=DAYS, required=False, widget=UnfoldAdminCheckboxSelectMultipleWidget,
        help_text=_("None chosen means every day. Days and hours are those of the shop."),
    )  # fmt: skip
    hours_from = text(_("each day from"), 5, help_text=_("Such as 10:00. Leave both empty for the whole day."))
    hours_to = text(_("each day until"), 5, help_text=_("Before this time; it may lie after midnight."))

    def clean_starts_time(self) -> time | None:
        return self._of_a_day("starts")

    def clean_ends_time(self) -> time | None:
        return self._of_a_day("ends")

    def _of_a_day(self, name: str) -> time | None:
        given: time | None = self.cleaned_data[f"{name}_time"]
        if given and f"{name}_on" not in self.errors and not self.cleaned_data.get(f"{name}_on"):
            raise FieldError(_("Say on which day."))
        return given

    def window(self, standing: Reward | RewardPrice) -> dict[str, Any]:
        """As the API says it; an instant that nobody touched stays to the second."""
        given, touched, contract = self.cleaned_data, {*self.changed_data}, terms.current(timezone.now())
        first: date | None = given["starts_on"]
        last: date | None = given["ends_on"]
        starts = _at(first - timedelta(days=1), first, given["starts_time"], contract) if first else None
        ends = _at(last, last, given["ends_time"], contract) if last else None
        hours = [given["hours_from"], given["hours_to"]]
        return {
            "starts_at": starts if touched & {"starts_on", "starts_time"} else standing.starts_at,
            "ends_at": ends if touched & {"ends_on", "ends_time"} else standing.ends_at,
            "weekdays": [int(one) for one in given["weekdays"]], "hours": hours if any(hours) else None,
        }  # fmt: skip


def _at(day_before: date, day: date, clock: time | None, contract: Terms) -> datetime:
    """The time of that day, else the midnight after the day before."""
    return datetime.combine(day, clock, contract.zone).astimezone(UTC) if clock else contract.midnight_after(day_before)


def _clock(at: datetime | None, contract: Terms) -> str:
    """The time of the day of an instant; nothing at midnight."""
    if at is None or at == contract.midnight_after(contract.day_of(at) - timedelta(days=1)):
        return ""
    return f"{at.astimezone(contract.zone):%H:%M}"


def shown_window(one: Reward | RewardPrice) -> dict[str, Any]:
    """The first values of a WindowForm."""
    contract = terms.current(timezone.now())
    hours = one.hours or ["", ""]
    return {
        "starts_on": contract.day_of(one.starts_at) if one.starts_at else None,
        "starts_time": _clock(one.starts_at, contract),
        "ends_on": contract.last_day(one.ends_at) if one.ends_at else None,
        "ends_time": _clock(one.ends_at, contract),
        "weekdays": [str(number) for number in one.weekdays], "hours_from": hours[0], "hours_to": hours[1],
    }  # fmt: skip


def in_language(name: str, language: str) -> str:
    return f"{name}_{language.replace('-', '_')}"


# What has a name alone, in every other language.
NAMES = {in_language("name", code): text(format_lazy(_("name in {language}"), language=name), 80) for code, name in LANGUAGES}


def named(translations: Mapping[str, Any]) -> dict[str, str]:
    """The first values of NAMES."""
    return {in_language("name", code): translations.get(code, {}).get("name", "") for code, _name in LANGUAGES}


def words() -> dict[str, forms.Field]:
    """Title, description and what the picture shows, in every other language."""
    found: dict[str, forms.Field] = {}
    for language, name in LANGUAGES:
        found[in_language("title", language)] = text(format_lazy(_("title in {language}"), language=name), 120)
        found[in_language("description", language)] = forms.CharField(
            label=capfirst(format_lazy(_("description in {language}"), language=name)), max_length=2000, required=False,
            widget=UnfoldAdminTextareaWidget({"rows": 3}),
        )  # fmt: skip
        found[in_language("picture_text", language)] = text(format_lazy(_("what it shows, in {language}"), language=name), 160)
    return found


def placed(fault: Fault, places: Mapping[str, str]) -> str:
    """The field of the form for a fault's pointer: the longest known way to it, else its own name."""
    steps = fault.pointer.strip("/").split("/")
    for length in range(len(steps), 0, -1):
        if found := places.get("/".join(steps[:length])):
            return found
    return steps[0]
