"""Receipts with what they earned and why, to look at; the rules behind them, and their rates from draft to publication."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import AutocompleteSelectFilter, RangeNumericFilter
from unfold.widgets import UnfoldAdminDecimalFieldWidget, UnfoldAdminSelectWidget

from campaigns import explaining, publishing, rules
from campaigns.models import Award, EarnRule, Event, Purchase, PurchaseLine, RuleVersion
from campaigns.queries import of_receipt
from loyalty import money
from loyalty.admin.reviewing import DraftForm, Reviewing
from loyalty.backoffice import ReadOnly, ReadOnlyInline, Scope
from loyalty.columns import figure, instant, since
from loyalty.filters import Between
from loyalty.notice import Approval, Review
from members import finding


def _steps(trace: dict[str, Any], currency: str) -> str:
    """How the points came about, step by step, and what gave nothing."""
    names = rules.names()
    said = explaining.sentences(trace, currency, names) + explaining.reasons(trace, names)
    return format_html("<ol class='steps'>{}</ol>", format_html_join("", "<li>{}</li>", ((step,) for step in said)))


class LineInline(ReadOnlyInline):
    model = PurchaseLine
    fields = ("line_id", "sku", "category", "brand", "quantity", "net_amount", "earned")
    readonly_fields = ("earned",)
    earned = figure("points", _("points"))


class AwardInline(ReadOnlyInline):
    model = Award
    fields = ("rule", "earned", "available_at", "expires_at", "posted")
    readonly_fields = ("rule", "earned", "posted")
    earned = figure("points", _("points"))

    def get_queryset(self, request: HttpRequest) -> QuerySet[Award]:
        rows: QuerySet[Award] = super().get_queryset(request).select_related("rule_version__rule")
        return rows

    @admin.display(description=_("rule"))
    def rule(self, award: Award) -> str:
        version = award.rule_version
        address = reverse("admin:campaigns_earnrule_change", args=[version.rule_id])
        return format_html('<a href="{}" class="link">{} v{}</a>', address, version.rule.name, version.version)

    @admin.display(description=_("journal entry"))
    def posted(self, award: Award) -> str:
        address = reverse("admin:loyalty_journalentry_change", args=[award.entry])
        return format_html('<a href="{}" class="link">{}</a>', address, str(award.entry)[-12:])


@admin.register(Purchase)
class PurchaseAdmin(ReadOnly):
    scope = "store"
    list_display = ("receipt_number", "bought", "member", "store", "paid", "earned", "source")
    list_filter = (("store", AutocompleteSelectFilter), ("occurred_at", Between), ("points_earned", RangeNumericFilter))
    list_select_related = ("member", "store")
    ordering = ("-occurred_at",)
    date_hierarchy = "occurred_at"
    search_fields = ("receipt_number__exact",)
    search_help_text = _("Receipt number, card or the member's number in another system")
    export_columns = (
        "id", "source", "receipt_number", "member__id", "store__code", "occurred_at", "recorded_at", "currency", "net_amount",
        "points_earned",
    )  # fmt: skip
    fieldsets = (
        (_("Receipt"), {"fields": ("receipt_number", "source", "member", "store", "occurred_at", "recorded_at", "paid")}),
        (_("Points"), {"fields": ("earned", "why", "contract")}),
    )
    readonly_fields = ("paid", "earned", "why", "contract")
    inlines = (AwardInline, LineInline)
    bought = instant("occurred_at", _("bought"))
    earned = figure("points_earned", _("points"), plus=True)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Purchase], search_term: str
    ) -> tuple[QuerySet[Purchase], bool]:
        """A receipt's number, else whose card or number it is."""
        if not search_term:
            return queryset, False
        receipts = [one.pk for one in of_receipt(search_term)]
        found = {"pk__in": receipts} if receipts else {"member__in": finding.identified(search_term)}
        return queryset.filter(**found), False

    @admin.display(description=_("paid"), ordering="net_amount")
    def paid(self, purchase: Purchase) -> str:
        return money.text(purchase.net_amount, purchase.currency)

    paid.formatting = "price"  # type: ignore[attr-defined]

    @admin.display(description=_("because"))
    def why(self, purchase: Purchase) -> str:
        return _steps(purchase.trace, purchase.currency)

    @admin.display(description=_("under"))
    def contract(self, purchase: Purchase) -> str:
        version = purchase.trace.get("terms")
        return str(_("terms version %(version)s") % {"version": version}) if version else ""


@admin.register(Event)
class EventAdmin(ReadOnly):
    """What members did beside buying, and what it earned."""

    scope = "store"
    list_display = ("what", "happened", "member", "store", "earned", "source")
    list_filter = ("type", ("store", AutocompleteSelectFilter), ("occurred_at", Between))
    list_select_related = ("member", "store")
    ordering = ("-occurred_at",)
    date_hierarchy = "occurred_at"
    search_fields = ("number__exact",)
    search_help_text = _("Event number, card or the member's number in another system")
    export_columns = (
        "id",
        "source",
        "number",
        "member__id",
        "type",
        "store__code",
        "occurred_at",
        "recorded_at",
        "points_earned",
    )
    fieldsets = (
        (_("Event"), {"fields": ("what", "number", "source", "member", "store", "occurred_at", "recorded_at", "data")}),
        (_("Points"), {"fields": ("earned", "why", "contract")}),
    )
    readonly_fields = ("what", "earned", "why", "contract")
    inlines = (AwardInline,)
    happened = instant("occurred_at", _("happened"))
    earned = figure("points_earned", _("points"), plus=True)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Event], search_term: str
    ) -> tuple[QuerySet[Event], bool]:
        """An event's number, else whose card or number it is."""
        if not search_term:
            return queryset, False
        number = search_term.replace("\0", "").strip()
        known = Event.objects.filter(number=number).exists()
        found = {"number": number} if known else {"member__in": finding.identified(search_term)}
        return queryset.filter(**found), False

    @admin.display(description=_("type"), ordering="type")
    def what(self, event: Event) -> str:
        return explaining.event_title(event.type, event.streak)

    @admin.display(description=_("because"))
    def why(self, event: Event) -> str:
        return _steps(event.trace, "")

    @admin.display(description=_("under"))
    def contract(self, event: Event) -> str:
        return str(_("terms version %(version)s") % {"version": event.trace["terms"]})


class VersionInline(ReadOnlyInline):
    model = RuleVersion
    fields = ("number", "kind", "rate", "starts", "published")
    readonly_fields = ("number", "rate", "starts", "published")

    @admin.display(description=_("version"))
    def number(self, version: RuleVersion) -> str:
        address = reverse("admin:campaigns_ruleversion_change", args=[version.pk])
        return format_html('<a href="{}" class="link">v{}</a>', address, version.version)

    @admin.display(description=_("points per 1.00"))
    def rate(self, version: RuleVersion) -> str:
        return f"{version.value.normalize():f}"

    @admin.display(description=_("starts"))
    def starts(self, version: RuleVersion) -> str | None:
        return since(version.starts_at)

    @admin.display(description=_("published"))
    def published(self, version: RuleVersion) -> str | None:
        return since(version.published_at)


@admin.register(EarnRule)
class RuleAdmin(ReadOnly):
    """A rule and its frozen versions."""

    scope = Scope.PROGRAMME
    list_display = ("name", "code", "rate")
    search_fields = ("name", "code")
    search_help_text = _("Name or code")
    export_columns = ("code", "name", "rate")
    fields = ("name", "code")
    inlines = (VersionInline,)

    def get_queryset(self, request: HttpRequest) -> QuerySet[EarnRule]:
        rows: QuerySet[EarnRule] = super().get_queryset(request).prefetch_related("versions")
        return rows

    @admin.display(description=_("points per 1.00"))
    def rate(self, rule: EarnRule) -> str:
        version = self._now(rule)
        return f"{version.value.normalize():f}" if version else ""

    def _now(self, rule: EarnRule) -> RuleVersion | None:
        """The version in force."""
        now = timezone.now()
        started = [one for one in rule.versions.all() if one.published_at and one.starts_at and one.starts_at <= now]
        return max(started, key=lambda one: one.version, default=None)


class RateForm(DraftForm):
    named = DraftForm.named | {"rate": "value"}
    rule = forms.ModelChoiceField(
        label=capfirst(_("rule")), queryset=EarnRule.objects.filter(versions__kind="base").distinct(), to_field_name="code",
        widget=UnfoldAdminSelectWidget,
    )  # fmt: skip
    value = forms.DecimalField(
        label=capfirst(_("points per 1.00")), max_digits=12, decimal_places=6, widget=UnfoldAdminDecimalFieldWidget,
        help_text=_("Points for each 1.00 that is paid, such as 1 or 0.5."),
    )  # fmt: skip

    class Meta:
        model = RuleVersion
        fields = ("rule", "value")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not self.is_new:
            del self.fields["rule"]  # a version stays that of its rule
            self.initial["value"] = f"{self.instance.value.normalize():f}"

    def content(self) -> str:
        return publishing.content(self.instance)

    def write(self) -> RuleVersion:
        rate = self.cleaned_data["value"]
        if self.is_new:
            return publishing.draft(self.cleaned_data["rule"].code, rate, starts_at=self.starts_at(), actor=self.actor)
        return publishing.edit(self.instance.pk, rate, starts_at=self.starts_at(), actor=self.actor, seen=self.seen())


@admin.register(RuleVersion)
class RateAdmin(Reviewing):
    """Rates of base rules: what holds, what was announced, and the next one from draft to publication."""

    scope = Scope.PROGRAMME
    verb = publishing.VERB
    form = RateForm
    list_display = ("name", "condition", "rate", "starts", "published")
    list_filter = (("published_at", admin.EmptyFieldListFilter),)
    list_select_related = ("rule",)
    ordering = ("rule__code", "-version")
    export_columns = ("rule__code", "version", "rate", "starts_at", "published_at")

    def prepare(self, rows: Sequence[Any]) -> None:
        states = publishing.states(rows, now=timezone.now())
        for one in rows:
            one.state = states[one.pk]

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        if obj is None:
            return [(None, {"fields": ("rule", "value", "starts_on")})]
        if self.has_change_permission(request, obj):
            return [(None, {"fields": ("name", "value", "starts_on")})]
        return [(None, {"fields": ("name", "stands", "rate", "starts", "published")})]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        return ("name", "stands", "rate", "starts", "published")

    def review_of(self, obj: RuleVersion, now: datetime) -> Review:
        return publishing.review(obj.pk, now=now)

    def insist_on_time(self, review: Review, now: datetime) -> None:
        publishing.insist_on_time(review, now=now)

    def publish(self, obj: RuleVersion, *, actor: UUID, approval: Approval | None, now: datetime) -> bool:
        return publishing.publish(obj.pk, actor=actor, approval=approval, now=now).published

    def discard(self, obj: RuleVersion, *, actor: UUID) -> None:
        publishing.discard(obj.pk, actor=actor)

    @admin.display(description=_("rule"), ordering="rule__name")
    def name(self, version: RuleVersion) -> str:
        return f"{version.rule.name} v{version.version}"

    @admin.display(description=_("points per 1.00"), ordering="value")
    def rate(self, version: RuleVersion) -> str:
        return f"{version.value.normalize():f}"
