"""The form of an earn rule: a person's words for what the API says, judged by the same shape."""

from collections.abc import Mapping
from datetime import date, timedelta
from decimal import Decimal
from typing import Any, ClassVar

from django import forms
from django.core.exceptions import ValidationError as FieldError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.utils import timezone
from django.utils.dates import WEEKDAYS
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _
from pydantic import ValidationError
from unfold.widgets import (
    UnfoldAdminCheckboxSelectMultipleWidget,
    UnfoldAdminDecimalFieldWidget,
    UnfoldAdminIntegerFieldWidget,
    UnfoldAdminSelect2MultipleWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminSingleDateWidget,
    UnfoldAdminTextInputWidget,
    UnfoldBooleanWidget,
)

from campaigns import drafting, eventkinds, wording
from campaigns.admin.widgets import CapField, DurationField, NamesField
from campaigns.models import EarnRule, RuleVersion, Segment
from campaigns.ruleschemas import CAPS_MAX, RuleIn
from campaigns.specs import PRIORITY
from loyalty import queries, terms
from loyalty.admin.reviewing import FIRST_DAY, LAST_DAY, DraftForm
from loyalty.problems import Fault, Problem, problem_of

CUSTOM = "custom"
PER = [("amount", _("for each 1.00 that is paid")), ("purchase", _("once for a purchase")), ("unit", _("for each item"))]
BIRTHDAYS = [("", _("any day")), ("day", _("on it")), ("week", _("three days before and after")), ("month", _("in its month"))]
DAYS = [(str(day + 1), name) for day, name in WEEKDAYS.items()]
# Where a fault of the API's shape stands in the form.
PLACES = {
    "when/starts_at": "starts_on", "starts_at": "starts_on", "when/ends_at": "ends_on", "ends_at": "ends_on", "when": "ends_on",
    "when/hours": "hours_from", "when/weekdays": "weekdays", "when/birthday": "birthday", "where/stores": "stores",
    "who/tiers": "tiers", "who/segment": "segment", "who/first_purchase": "first_purchase", "who/every_visit": "every_visit",
    "who/streak": "streak", "what": "skus", "what/skus": "skus", "what/categories": "categories", "what/brands": "brands",
    "what/exclude_categories": "exclude_categories", "at_least": "at_least_amount", "at_least/amount": "at_least_amount",
    "at_least/quantity": "at_least_quantity",
}  # fmt: skip


def text(label: Any, length: int, **given: Any) -> forms.CharField:
    widget = UnfoldAdminTextInputWidget({"autocomplete": "off"})
    return forms.CharField(label=capfirst(label), max_length=length, required=False, widget=widget, **given)


def whole(label: Any, **given: Any) -> forms.IntegerField:
    return forms.IntegerField(label=capfirst(label), required=False, widget=UnfoldAdminIntegerFieldWidget, **given)


def number(label: Any, **given: Any) -> forms.DecimalField:
    widget = UnfoldAdminDecimalFieldWidget
    return forms.DecimalField(label=capfirst(label), required=False, max_digits=15, decimal_places=6, widget=widget, **given)


def choice(label: Any, choices: Any, **given: Any) -> forms.ChoiceField:
    widget = UnfoldAdminSelectWidget
    return forms.ChoiceField(label=capfirst(label), choices=choices, required=False, widget=widget, **given)


class RuleForm(DraftForm):
    named: ClassVar[dict[str, str]] = DraftForm.named | PLACES
    # Whether whoever is signed in may write base rates, which are terms.
    may_base: ClassVar[bool]

    rule = forms.ModelChoiceField(
        label=capfirst(_("rule")), queryset=EarnRule.objects.all(), to_field_name="code", required=False,
        widget=UnfoldAdminSelectWidget,
    )  # fmt: skip
    code = text(_("code"), 40, help_text=_("Short and for good, such as weekend-double."))
    name = text(_("name"), 120, help_text=_("As staff read it in lists."))
    kind = choice(_("kind"), RuleVersion.Kind.choices, initial="bonus")
    value = forms.DecimalField(
        label=capfirst(_("value")), max_digits=12, decimal_places=6, widget=UnfoldAdminDecimalFieldWidget,
        help_text=_("Points; of a multiplier the factor, such as 2 for double points."),
    )  # fmt: skip
    per = choice(_("paid"), PER)
    event_type = choice(_("act"), [])
    event_name = text(_("name of your own act"), 40, help_text=_("Small letters, digits and dashes, as the till sends it."))

    ends_on = forms.DateField(
        label=capfirst(_("last day")), required=False, widget=UnfoldAdminSingleDateWidget,
        validators=[MinValueValidator(FIRST_DAY), MaxValueValidator(LAST_DAY)],
        help_text=_("The rule holds until the end of this day. Leave it empty for no end."),
    )  # fmt: skip
    weekdays = forms.MultipleChoiceField(
        label=capfirst(_("days of the week")), choices=DAYS, required=False, widget=UnfoldAdminCheckboxSelectMultipleWidget,
        help_text=_("None chosen means every day. Days and hours are those of the store."),
    )  # fmt: skip
    hours_from = text(_("from"), 5, help_text=_("Such as 10:00. Leave both empty for the whole day."))
    hours_to = text(_("until"), 5, help_text=_("Before this time; it may lie after midnight."))
    birthday = choice(_("member’s birthday"), BIRTHDAYS)

    stores = forms.MultipleChoiceField(
        label=capfirst(_("stores")), required=False, widget=UnfoldAdminSelect2MultipleWidget,
        help_text=_("None chosen means every store."),
    )  # fmt: skip
    tiers = NamesField(_("tiers"), rows=1, help_text=_("Codes of tiers, with commas between. Empty means every member."))
    segment = forms.ModelChoiceField(
        label=capfirst(_("segment")), queryset=Segment.objects.all(), to_field_name="code", required=False,
        empty_label=_("every member"), widget=UnfoldAdminSelectWidget,
    )  # fmt: skip
    first_purchase = forms.BooleanField(
        label=capfirst(_("only for the first purchase")), required=False, widget=UnfoldBooleanWidget
    )
    every_visit = whole(_("only on every nth visit"), help_text=_("10 means the 10th, 20th, 30th day with a purchase."))
    streak = whole(_("only after n days in a row"), help_text=_("7 means after 7 days in a row with this act, again after 14."))

    skus = NamesField(_("items"), help_text=_("SKUs, with commas or on lines of their own."))
    categories = NamesField(_("categories"), help_text=_("As the till sends them. A line that is in one of all these is met."))
    brands = NamesField(_("brands"))
    exclude_categories = NamesField(_("but not these categories"))
    at_least_amount = number(_("amount"), help_text=_("What the goods above come to at least on one receipt."))
    at_least_quantity = number(_("items"), help_text=_("How many of the goods above at least."))

    cap_1, cap_2, cap_3, cap_4, cap_5, cap_6 = (CapField() for _limit in range(CAPS_MAX))

    priority = whole(_("order"), initial=PRIORITY, help_text=_("Rules with a lower number are taken first."))
    exclusive_group = text(_("exclusive group"), 40, help_text=_("Of rules with the same word here, only the best holds."))
    expires = DurationField(_("points expire after"), help_text=_("Counted from when they can be used. Empty: as the terms say."))
    pending = DurationField(_("points can be used after"), help_text=_("0 days: at once. Empty: as the terms say."))
    funded_by = text(_("paid by"), 60, help_text=_("store, centre, or partner: and its code."))

    class Meta:
        model = RuleVersion
        fields = ("value",)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        chosen = self.initial.get("stores") or []
        if not self.is_new:
            self.initial = {"starts_on": self.initial.get("starts_on")} | initial_of(self.instance) | {"kind": self.instance.kind}
            chosen = self.initial["stores"]
            del self.fields["rule"], self.fields["code"]  # a version stays that of its rule
        for n in range(1, CAPS_MAX + 1):
            self.fields[f"cap_{n}"].label = capfirst(_("limit %(number)s") % {"number": n})
        stores = queries.open_stores()
        self.fields["stores"].choices = [(code, stores.get(code, code)) for code in dict.fromkeys([*chosen, *stores])]  # type: ignore[attr-defined]
        acts = [(name, capfirst(wording.act(name))) for name in eventkinds.TYPES]
        self.fields["event_type"].choices = [("", "–"), *acts, (CUSTOM, _("an act of your own"))]  # type: ignore[attr-defined]
        self.fields["kind"].choices = [  # type: ignore[attr-defined]
            one for one in RuleVersion.Kind.choices if self.may_base or one[0] != RuleVersion.Kind.BASE
        ]

    def clean(self) -> dict[str, Any] | None:
        given: dict[str, Any] = super().clean() or {}
        if self.is_new and not given.get("rule") and not given.get("code"):
            self.add_error("code", FieldError(_("Give the rule a code.")))
        if self._kind(given) == RuleVersion.Kind.BASE and not self.may_base:
            self.add_error(None, FieldError(_("Base rates are terms of the programme: an owner changes them.")))
        return given

    def write(self) -> RuleVersion:
        given = self._rule()
        if not self.is_new:
            return drafting.revise(self.instance.pk, given, actor=self.actor, seen=self.seen())
        rule = self.cleaned_data.get("rule")
        code = rule.code if rule else self.cleaned_data["code"]
        return drafting.compose(code, given, actor=self.actor, is_new=rule is None)

    def _rule(self) -> RuleIn:
        """What was typed, in the shape of the API. Raises Problem."""
        try:
            return RuleIn.model_validate(self._document(self.cleaned_data))
        except ValidationError as error:
            problem = problem_of(error)
            raise Problem("validation", problem.detail, faults=[_placed(one) for one in problem.faults]) from error

    def _document(self, given: Mapping[str, Any]) -> dict[str, Any]:
        kind = self._kind(given)
        act = given["event_type"] if given["event_type"] != CUSTOM else f"custom:{given['event_name']}"
        hours = [given["hours_from"], given["hours_to"]]
        caps = [given[f"cap_{n}"] for n in range(1, CAPS_MAX + 1)]
        return {
            "name": given["name"] or None, "kind": kind, "value": given["value"],
            "per": (given["per"] or None) if kind in ("base", "bonus") else None,
            "event_type": (act or None) if kind == RuleVersion.Kind.EVENT else None,
            "when": {
                "starts_at": self.starts_at(), "ends_at": self.ends_at(), "weekdays": [int(day) for day in given["weekdays"]],
                "hours": hours if any(hours) else None, "birthday": given["birthday"] or None,
            },
            "where": {"stores": given["stores"]},
            "who": {
                "tiers": given["tiers"], "segment": given["segment"].code if given["segment"] else None,
                "first_purchase": given["first_purchase"], "every_visit": given["every_visit"], "streak": given["streak"],
            },
            "what": {name: given[name] for name in ("skus", "categories", "brands", "exclude_categories")},
            "at_least": {"amount": given["at_least_amount"], "quantity": given["at_least_quantity"]},
            "caps": [cap for cap in caps if cap],
            "priority": PRIORITY if given["priority"] is None else given["priority"],
            **{name: given[name] or None for name in ("exclusive_group", "expires", "pending", "funded_by")},
        }  # fmt: skip

    def _kind(self, given: Mapping[str, Any]) -> str:
        """A rule stays of its kind, whatever a form says."""
        rule = given.get("rule") if self.is_new else None
        known = rule.versions.values_list("kind", flat=True).first() if rule else None
        kind: str = known or given.get("kind") or ("" if self.is_new else self.instance.kind)
        return kind

    def ends_at(self) -> Any:
        """Midnight after the day in the programme's zone; an end that nobody touched stays to the second."""
        if not self.is_new and "ends_on" not in self.changed_data:
            return self.instance.ends_at
        day: date | None = self.cleaned_data["ends_on"]
        return terms.current(timezone.now()).midnight_after(day) if day else None


def initial_of(one: RuleVersion) -> dict[str, Any]:
    """What a version says, as the form shows it."""
    spec, when, who = one.spec, one.spec.get("when", {}), one.spec.get("who", {})
    act, hours, least = spec.get("event_type") or "", when.get("hours") or ["", ""], spec.get("at_least", {})
    contract = terms.current(timezone.now())
    custom = act.startswith(f"{CUSTOM}:")
    return {
        "name": one.rule.name, "kind": one.kind, "value": drafting.plain(one.value), "per": spec.get("per", "amount"),
        "event_type": CUSTOM if custom else act, "event_name": act.removeprefix(f"{CUSTOM}:") if custom else "",
        "ends_on": contract.day_of(one.ends_at - timedelta(microseconds=1)) if one.ends_at else None,
        "weekdays": [str(day) for day in when.get("weekdays", [])],
        "hours_from": hours[0], "hours_to": hours[1], "birthday": when.get("birthday", ""),
        "stores": spec.get("where", {}).get("stores", []), "tiers": who.get("tiers", []), "segment": who.get("segment"),
        "first_purchase": who.get("first_purchase", False), "every_visit": who.get("every_visit"), "streak": who.get("streak"),
        **{name: spec.get("what", {}).get(name, []) for name in ("skus", "categories", "brands", "exclude_categories")},
        "at_least_amount": Decimal(least["amount"]) if "amount" in least else None,
        "at_least_quantity": Decimal(least["quantity"]) if "quantity" in least else None,
        **{f"cap_{n}": cap for n, cap in enumerate(spec.get("caps", []), 1)},
        "priority": spec.get("priority", PRIORITY),
        **{name: spec.get(name) for name in ("exclusive_group", "expires", "pending", "funded_by")},
    }  # fmt: skip


def _placed(fault: Fault) -> Fault:
    """A fault at the field of the form: /when/hours/1 is the second hour, /caps/0/limit the first limit."""
    steps = fault.pointer.strip("/").split("/")
    if steps[0] == "caps":
        return Fault(f"/cap_{int(steps[1]) + 1 if len(steps) > 1 else 1}", fault.detail)
    if steps[:2] == ["when", "hours"]:
        return Fault("/hours_to" if steps[2:] == ["1"] else "/hours_from", fault.detail)
    while steps and steps[-1].isdigit():
        steps.pop()
    return Fault("/" + "/".join(steps), fault.detail)
