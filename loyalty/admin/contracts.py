"""The programme's terms: every version in words, and the next one from draft to publication."""

import zoneinfo
from collections.abc import Sequence
from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest
from django.utils import timezone
from django.utils.html import format_html_join
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminSelect2Widget

from loyalty import publishing, terms, wording
from loyalty.admin.reviewing import DraftForm, Reviewing
from loyalty.backoffice import Scope
from loyalty.models import Posting, TermsVersion

HELP = {
    "point_value": _("What one point is worth in the programme's currency, such as 0.01."),
    "pending_days": _("0: points can be used at once."),
    "expiry_months": _("For “months after activation” and “months without activity”."),
    "expiry_round_up": _("For “months after activation”."),
    "expiry_month": _("For “a fixed day of the year”: 1 to 12."),
    "expiry_day": _("For “a fixed day of the year”."),
    "claw_back": _("What happens when goods come back whose points the member has spent already."),
    "tender_min": _("The fewest points that a member can pay with at once."),
    "tender_step": _("Such as 100: members pay with 100, 200 or 300 points, and so on. 1: with any number."),
    "tender_max_percent": _(
        "How much of the goods that earn points can be paid in points, from 0 to 100. 0: points are not taken as money."
    ),
    "notice_days": _("How long before its start a change for the worse is announced to members."),
}
MONTHS = "expiry == 'months' || expiry == 'inactivity'"
FIXED = "expiry == 'fixed_day'"


class TermsForm(DraftForm):
    class Meta:
        model = TermsVersion
        fields = publishing.FIELDS
        help_texts = HELP

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.is_new:
            follows = publishing.newest(publishing.versions())
            self.initial = {name: getattr(follows, name) for name in publishing.FIELDS} | dict(self.initial)
        if "point_value" in self.initial:
            self.initial["point_value"] = f"{self.initial['point_value'].normalize():f}"

    def clean_currency(self) -> str:
        currency: str = self.cleaned_data["currency"]
        return currency.upper()

    def write(self) -> TermsVersion:
        given = {name: self.cleaned_data[name] for name in publishing.FIELDS if name in self.cleaned_data}
        if self.is_new:
            return publishing.draft(given, starts_at=self.starts_at(), actor=self.actor)
        return publishing.edit(self.instance.version, given, starts_at=self.starts_at(), actor=self.actor, seen=self.seen())


@admin.register(TermsVersion)
class TermsAdmin(Reviewing):
    scope = Scope.PROGRAMME
    publication = publishing.TERMS
    form = TermsForm
    list_display = ("__str__", "condition", "in_words", "starts", "published")
    export_columns = ("version", "in_words", "starts_at", "published_at")
    readonly_fields = ("plainly", "stands", "starts", "published", "worse", "drafter", "approver", "publisher")
    conditional_fields = {
        "expiry_months": MONTHS, "expiry_round_up": "expiry == 'months'", "expiry_month": FIXED, "expiry_day": FIXED,
    }  # fmt: skip

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        writes = self.has_change_permission(request, obj) if obj else self.has_add_permission(request)
        if not writes:
            frozen = ("published", "worse", "drafter", "approver", "publisher") if obj and obj.published_at else ("drafter",)
            return [(None, {"fields": ("version", "stands", "plainly", "starts", *frozen, "timezone", "currency")})]
        programme = [] if Posting.objects.exists() else [(_("Programme"), {"fields": ("currency", "timezone")})]
        return [
            (_("Worth"), {"fields": ("point_value", "pending_days")}),
            (_("Points as money"), {"fields": ("tender_max_percent", "tender_min", "tender_step")}),
            (_("End of points"), {"fields": ("expiry", "expiry_months", "expiry_round_up", "expiry_month", "expiry_day")}),
            (_("Returns"), {"fields": ("return_days", "claw_back")}),
            (_("Start and notice"), {"fields": ("starts_on", "notice_days")}),
            *programme,
        ]

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name == "timezone":
            names = [(name, name) for name in sorted(zoneinfo.available_timezones())]
            return forms.ChoiceField(label=capfirst(_("time zone")), choices=names, widget=UnfoldAdminSelect2Widget)
        return super().formfield_for_dbfield(db_field, request, **kwargs)

    def prepare(self, rows: Sequence[Any]) -> None:
        now, published = timezone.now(), terms.published()
        for one in rows:
            one.state = publishing.state(one, published=published, now=now)

    @admin.display(description=_("says"))
    def in_words(self, version: TermsVersion) -> str:
        return " ".join(wording.sentences(version))

    @admin.display(description=_("says"))
    def plainly(self, version: TermsVersion) -> str:
        return format_html_join("", "<p>{}</p>", ((one,) for one in wording.sentences(version)))

    @admin.display(description=_("worse for members"))
    def worse(self, version: TermsVersion) -> str:
        return str(_("yes, announced before") if version.detriment else _("no"))
