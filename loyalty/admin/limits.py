"""Limits for granting points: every setting there was, and a form for the next one."""

from collections.abc import Sequence
from typing import Any, ClassVar

from django.contrib import admin, messages
from django.db.models import Model
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from loyalty import limits
from loyalty.admin.writing import VerbForm, Written
from loyalty.backoffice import Scope
from loyalty.columns import figure, instant
from loyalty.house import House
from loyalty.limits import Limits
from loyalty.models import GrantLimits

WORDS = {"in_force": _("in force"), "past": _("replaced"), "proposed": _("not in force")}
LOOKS: Any = {"in_force": "success", "past": "default", "proposed": "warning"}


class LimitsForm(VerbForm):
    house: ClassVar[House]

    class Meta:
        model = GrantLimits
        fields = limits.NAMES

    def write(self) -> GrantLimits:
        given = self.cleaned_data
        wanted = Limits(given["single_points"], given["day_points"], given["month_points"])
        number, self.holds = self.house.propose_limits(wanted, by=self.actor, now=timezone.now())
        return GrantLimits.objects.get(pk=number)


@admin.register(GrantLimits)
class LimitsAdmin(Written):
    scope = Scope.HEAD_OFFICE
    form = LimitsForm
    list_display = ("when", "single", "day", "month", "state", "setter", "approver")
    ordering = ("-id",)
    export_columns = (*limits.NAMES, "set_at", "in_force_at", "setter", "approver")
    readonly_fields = ("when", "condition", "setter", "approver", "since")
    when = instant("set_at", _("set"))
    since = instant("in_force_at", _("in force since"))
    single = figure("single_points", _("for one act"))
    day = figure("day_points", _("in a day"))
    month = figure("month_points", _("in 30 days"))

    def get_fieldsets(self, request: HttpRequest, obj: Model | None = None) -> Any:
        if obj:
            return [(None, {"fields": (*limits.NAMES, "condition", "when", "setter", "since", "approver")})]
        text = _(
            "So many points one member of staff may grant alone, with the API keys that they made and nobody else trusts. "
            "Lower limits hold at once; for higher ones a second person is asked."
        )
        return [(None, {"fields": limits.NAMES, "description": text})]

    def get_changeform_initial_data(self, request: HttpRequest) -> Any:
        """What holds now."""
        now = limits.current()
        return dict(zip(limits.NAMES, (now.single, now.day, now.month), strict=True))

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        form = super().get_form(request, obj, change=change, **kwargs)
        form.house = self.house
        return form

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Limits hold in every store: staff bound to some do not touch them."""
        return super().has_add_permission(request) and self.house.stores_of(request) is None

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """The form's verb has written, into the audit trail too."""
        request.limits_hold = form.holds  # type: ignore[attr-defined]

    def response_add(self, request: HttpRequest, obj: Any, post_url_continue: str | None = None) -> HttpResponse:
        if request.limits_hold:  # type: ignore[attr-defined]
            messages.success(request, _("These limits hold from now on."))
        else:
            messages.info(request, _("Waits for a second person. Until then the limits stay as they are."))
        return redirect(reverse("admin:loyalty_grantlimits_changelist"))

    def prepare(self, rows: Sequence[Any]) -> None:
        names = self.house.staff({actor for one in rows for actor in (one.set_by, one.approved_by) if actor})
        newest = limits.number()
        for one in rows:
            one.names = names
            one.word = "in_force" if one.pk == newest else "past" if one.in_force_at else "proposed"

    @display(description=_("state"), label=LOOKS)
    def state(self, one: Any) -> Any:
        return one.word, WORDS[one.word]

    @admin.display(description=_("state"))
    def condition(self, one: Any) -> Any:
        self.prepare([one])
        return WORDS[one.word]

    @admin.display(description=_("set by"))
    def setter(self, one: Any) -> str:
        return self._name(one, one.set_by)

    @admin.display(description=_("approved by"))
    def approver(self, one: Any) -> str:
        return self._name(one, one.approved_by)

    def _name(self, one: Any, actor: Any) -> str:
        if not hasattr(one, "names"):
            self.prepare([one])
        return one.names.get(actor, "") if actor else self.get_empty_value_display()
