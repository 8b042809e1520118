"""Receipts with what they earned and why, to look at; the rules behind them, and their rates from draft to publication."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django import forms
from django.contrib import admin
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import AutocompleteSelectFilter, RangeNumericFilter
from unfold.widgets import UnfoldAdminDecimalFieldWidget, UnfoldAdminSelectWidget, UnfoldAdminSingleDateWidget

from campaigns import explaining, goods, publishing, rules
from campaigns.models import Award, EarnRule, ExcludedGoods, Purchase, PurchaseLine, RuleVersion
from campaigns.queries import of_receipt
from loyalty import money, terms
from loyalty.admin.reviewing import FIRST_DAY, LAST_DAY, DraftForm, Reviewing
from loyalty.backoffice import Backoffice, ReadOnly, ReadOnlyInline, Scope
from loyalty.columns import figure, instant, since
from loyalty.filters import Between
from loyalty.notice import Approval, Review
from loyalty.problems import Problem
from members import finding


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
        names = rules.names()
        said = explaining.sentences(purchase.trace, purchase.currency, names) + explaining.reasons(purchase.trace, names)
        return format_html("<ol class='steps'>{}</ol>", format_html_join("", "<li>{}</li>", ((step,) for step in said)))

    @admin.display(description=_("under"))
    def contract(self, purchase: Purchase) -> str:
        version = purchase.trace.get("terms")
        return str(_("terms version %(version)s") % {"version": version}) if version else ""


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


class GoodsForm(forms.ModelForm[ExcludedGoods]):
    starts_on = forms.DateField(
        label=capfirst(_("starts on")), required=False, widget=UnfoldAdminSingleDateWidget,
        validators=[MinValueValidator(FIRST_DAY), MaxValueValidator(LAST_DAY)],
        help_text=_("From this day on. Leave it empty to start at once."),
    )  # fmt: skip

    class Meta:
        model = ExcludedGoods
        fields = ("kind", "code")
        help_texts = {"code": _("Exactly as the tills write it.")}

    def _post_clean(self) -> None:
        """The verb judges and writes in one step."""
        if self.errors:
            return
        now, day = timezone.now(), self.cleaned_data["starts_on"]
        since = terms.current(now).midnight_after(day - timedelta(days=1)) if day else None
        try:
            self.instance = goods.exclude(self.cleaned_data["kind"], self.cleaned_data["code"], since=since, now=now)
        except Problem as problem:
            for fault in problem.faults:
                self.add_error("starts_on" if fault.pointer == "/since" else "code", fault.detail)

    def save(self, commit: bool = True) -> ExcludedGoods:
        return self.instance

    def save_m2m(self) -> None:
        """Nothing is left to write."""


@admin.register(ExcludedGoods)
class GoodsAdmin(Backoffice):
    """Goods that stand outside the programme in every store: added here and ended, never changed."""

    scope = Scope.PROGRAMME
    form = GoodsForm
    list_display = ("code", "kind", "begins", "ends")
    list_filter = ("kind", ("until", admin.EmptyFieldListFilter))
    search_fields = ("code",)
    search_help_text = _("SKU or category")
    export_columns = ("kind", "code", "since", "until")
    actions = ("end",)
    change_form_template = "admin/campaigns/excludedgoods/change_form.html"
    begins = instant("since", _("excluded since"))
    ends = instant("until", _("excluded until"))

    def get_fieldsets(self, request: HttpRequest, obj: Model | None = None) -> Any:
        return [(None, {"fields": ("kind", "code", "begins", "ends") if obj else ("kind", "code", "starts_on")})]

    def get_readonly_fields(self, request: HttpRequest, obj: Model | None = None) -> tuple[str, ...]:
        return ("kind", "code", "begins", "ends") if obj else ()

    def has_add_permission(self, request: HttpRequest) -> bool:
        return super().has_add_permission(request) and self._is_of_programme(request)

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_end_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("campaigns.change_excludedgoods") and self._is_of_programme(request)

    def change_view(self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None) -> HttpResponse:
        response: HttpResponse = super().change_view(request, object_id, form_url, {"may_end": self.has_end_permission(request)})
        return response

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """The form's verb has written."""

    @admin.action(description=_("Let these goods earn again"), permissions=["end"])
    def end(self, request: HttpRequest, queryset: QuerySet[ExcludedGoods]) -> HttpResponse | None:
        """From this moment on; asked once more before."""
        rows = list(queryset.filter(until=None))
        if "confirmed" in request.POST:
            ended = [one for one in rows if goods.end(one.pk, now=timezone.now())]
            for one in ended:
                self.audit(request, "ended", one, {"kind": one.kind, "code": one.code})
            if ended:
                self.message_user(request, _("These earn again: %(codes)s.") % {"codes": ", ".join(one.code for one in ended)})
            return None
        page = {"title": _("Let these goods earn again"), "opts": self.opts, "rows": rows}
        return TemplateResponse(request, "admin/campaigns/excludedgoods/end.html", self.admin_site.each_context(request) | page)

    def _is_of_programme(self, request: HttpRequest) -> bool:
        """It holds in every store: staff bound to some do not touch it."""
        return self.house.stores_of(request) is None
