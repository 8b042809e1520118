"""Earn rules: what each says, and its versions from draft to publication; where rules meet."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from campaigns import naming, publishing, reporting, rules, wording
from campaigns.admin.ruleform import RuleForm, initial_of
from campaigns.models import EarnRule, RuleVersion
from campaigns.ruleschemas import CAPS_MAX
from loyalty import auditing, terms
from loyalty.admin.reviewing import BUTTONS, WORDS, Button, Reviewing
from loyalty.backoffice import ReadOnly, ReadOnlyInline, Scope
from loyalty.columns import since
from loyalty.problems import Problem

# A rule that is ended by a button holds for so long yet: no receipt of the past is touched.
ENDS_IN = timedelta(minutes=1)
EVENT, RECEIPT, PAID = "kind == 'event'", "kind != 'event'", "kind == 'base' || kind == 'bonus'"
CAPS = tuple(f"cap_{n}" for n in range(1, CAPS_MAX + 1))


def say(versions: Sequence[Any]) -> None:
    """Set on each version its sentence and how it stands, in a constant number of statements."""
    now = timezone.now()
    contract, compiled = terms.current(now), [rules.of_version(one) for one in versions]
    names, states = naming.behind(compiled), publishing.states(versions, now=now)
    for one, rule in zip(versions, compiled, strict=True):
        one.said = wording.sentence(rule, since=one.starts_at, contract=contract, names=names)
        one.state = states[one.pk]


class VersionInline(ReadOnlyInline):
    model = RuleVersion
    fields = ("number", "says", "starts", "published")
    readonly_fields = fields

    def get_queryset(self, request: HttpRequest) -> QuerySet[RuleVersion]:
        rows: QuerySet[RuleVersion] = super().get_queryset(request).select_related("rule")
        return rows

    @admin.display(description=_("version"))
    def number(self, version: RuleVersion) -> str:
        address = reverse("admin:campaigns_ruleversion_change", args=[version.pk])
        return format_html('<a href="{}" class="link">v{}</a>', address, version.version)

    @admin.display(description=_("says"))
    def says(self, version: Any) -> str:
        say([version])
        return str(version.said)

    @admin.display(description=_("starts"))
    def starts(self, version: RuleVersion) -> str | None:
        return since(version.starts_at)

    @admin.display(description=_("published"))
    def published(self, version: RuleVersion) -> str | None:
        return since(version.published_at)


@admin.register(EarnRule)
class RuleAdmin(ReadOnly):
    """A rule and its frozen versions. A new one begins as a draft."""

    scope = Scope.PROGRAMME
    list_display = ("name", "code", "says")
    search_fields = ("name", "code")
    search_help_text = _("Name or code")
    export_columns = ("code", "name", "says")
    fields = ("name", "code")
    inlines = (VersionInline,)

    def get_queryset(self, request: HttpRequest) -> QuerySet[EarnRule]:
        rows: QuerySet[EarnRule] = super().get_queryset(request).prefetch_related("versions__rule")
        return rows

    def prepare(self, rows: Sequence[Any]) -> None:
        shown = {rule.pk: version for rule in rows if (version := self._now(rule))}
        say(list(shown.values()))
        for rule in rows:
            rule.shown = shown.get(rule.pk)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return self._versions().has_add_permission(request)

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: Any = None) -> HttpResponse:
        return redirect("admin:campaigns_ruleversion_add")

    def change_view(self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None) -> HttpResponse:
        rule = self.get_object(request, object_id)
        newest = rule.versions.first() if rule else None
        versions = self._versions()
        may = newest is not None and versions.has_add_permission(request) and versions.is_theirs(request, newest)
        return super().change_view(request, object_id, form_url, {"may_draft": may, "newest": newest} | (extra_context or {}))

    def _versions(self) -> "VersionAdmin":
        page = self.admin_site.get_model_admin(RuleVersion)
        assert isinstance(page, VersionAdmin), "registered below"
        return page

    @admin.display(description=_("says"))
    def says(self, rule: Any) -> str:
        if not hasattr(rule, "shown"):
            self.prepare([rule])
        return str(rule.shown.said) if rule.shown else ""

    def _now(self, rule: EarnRule) -> RuleVersion | None:
        """The version in force, else the newest there is."""
        now, versions = timezone.now(), list(rule.versions.all())
        started = [one for one in versions if one.published_at and one.starts_at and one.starts_at <= now]
        return max(started or versions, key=lambda one: one.version, default=None)


@admin.register(RuleVersion)
class VersionAdmin(Reviewing):
    """Versions of rules: what holds, what was announced, and the next one from draft to publication."""

    scope = Scope.PROGRAMME
    publication = publishing.RULES
    form = RuleForm
    change_form_template = "admin/campaigns/ruleversion/change_form.html"
    buttons = dict(BUTTONS) | {
        "end": Button(
            _("End this rule"), _("It holds for one minute more and gives nothing after that. What it gave stays."),
            _("Ended."), "change", "danger",
        ),
    }  # fmt: skip
    list_display = ("name", "kind", "condition", "says", "starts", "published")
    list_filter = ("kind", ("published_at", admin.EmptyFieldListFilter))
    list_select_related = ("rule",)
    ordering = ("rule__code", "-version")
    search_fields = ("rule__name", "rule__code")
    search_help_text = _("Name or code")
    export_columns = ("rule__code", "version", "kind", "value", "says", "starts_at", "ends_at", "published_at")
    conditional_fields = {
        "per": PAID, "event_type": EVENT, "event_name": f"{EVENT} && event_type == 'custom'", "streak": EVENT,
        **dict.fromkeys(("first_purchase", "every_visit", "exclusive_group"), RECEIPT),
        **dict.fromkeys(("skus", "categories", "brands", "exclude_categories", "at_least_amount", "at_least_quantity"), RECEIPT),
    }  # fmt: skip

    def prepare(self, rows: Sequence[Any]) -> None:
        say(rows)

    def is_theirs(self, request: HttpRequest, obj: Any) -> bool:
        """Base rates are terms: whoever may write those."""
        return obj is None or obj.kind != RuleVersion.Kind.BASE or request.user.has_perm("loyalty.change_termsversion")

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        form = super().get_form(request, obj, change=change, **kwargs)
        form.may_base = request.user.has_perm("loyalty.change_termsversion")
        return form

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        """The next version of a rule begins as the newest one."""
        code = request.GET.get("rule", "")
        newest = RuleVersion.objects.filter(rule__code=code).select_related("rule").order_by("-version").first()
        return {"rule": code} | initial_of(newest) if newest else {}

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        if obj and not self.has_change_permission(request, obj):
            frozen = ("starts", "ends", "published", "drafter", "approver", "publisher")
            return [(None, {"fields": ("name", "sort", "stands", "order", "payer", *frozen)})]
        known = obj or "rule" in request.GET or request.POST.get("rule")
        first = ("name", "kind") if obj else ("rule", "name", "kind") if known else ("code", "name", "kind")
        caps = CAPS[: max(2, len(obj.spec.get("caps", [])) + 1 if obj else 0)]
        return [
            (_("Rule"), {"fields": (*first, "value", "per", "event_type", "event_name")}),
            (_("When"), {"fields": (("starts_on", "ends_on"), "weekdays", ("hours_from", "hours_to"), "birthday")}),
            (_("Where"), {"fields": ("stores",)}),
            (pgettext_lazy("rule", "Who"), {"fields": ("tiers", "segment", "first_purchase", "every_visit", "streak")}),
            (pgettext_lazy("rule", "What"), {"fields": ("skus", "categories", "brands", "exclude_categories")}),
            (_("At least"), {"fields": (("at_least_amount", "at_least_quantity"),)}),
            (_("Limits"), {"fields": (*caps, "exclusive_group", "priority")}),
            (_("How it is paid"), {"fields": (("pending", "expires"), "funded_by")}),
        ]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        shown = ("sort", "stands", "order", "payer", "starts", "ends", "published", "drafter", "approver", "publisher")
        writes = obj is None or self.has_change_permission(request, obj)
        return shown if writes else ("name", *shown)

    def get_urls(self) -> list[URLPattern]:
        page = self.admin_site.admin_view(self.overlaps_view)
        return [path("overlaps/", page, name="campaigns_ruleversion_overlaps"), *super().get_urls()]

    def overlaps_view(self, request: HttpRequest) -> HttpResponse:
        """Where rules meet, and those that never hold."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        context = self.admin_site.each_context(request) | {"opts": self.opts, "title": _("Where rules meet")}
        return TemplateResponse(
            request, "admin/campaigns/overlaps.html", context | {"found": reporting.overlapping(now=timezone.now())}
        )

    def changeform_view(
        self, request: HttpRequest, object_id: str | None = None, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        obj = self.get_object(request, object_id) if object_id else None
        more: dict[str, Any] = {}
        if obj:
            say([obj])
            ends = ["end"] if obj.state in ("in_force", "scheduled") and obj.kind != RuleVersion.Kind.BASE else []
            more = {
                "said": obj.said, "meets": reporting.overlapping(now=timezone.now(), code=obj.rule.code),
                "ending": self._buttons(request, ends, obj),
                "may_follow": self.has_add_permission(request) and self.is_theirs(request, obj),
            }  # fmt: skip
        return super().changeform_view(request, object_id, form_url, more | (extra_context or {}))

    def _insist(self, obj: Any, act: str, actor: UUID) -> None:
        if act != "end":
            super()._insist(obj, act, actor)
        elif not obj.published_at:
            raise Problem("not-eligible", str(_("This rule was never published.")), status=409)

    def _asked(self, request: HttpRequest, obj: Any, act: str, button: Button) -> HttpResponse:
        if act == "end" and not self._holds(obj):
            button = replace(button, effect=_("It was announced and has not begun. Now it will never begin, and gives nothing."))
        return super()._asked(request, obj, act, button)

    def _holds(self, obj: RuleVersion) -> bool:
        """Whether a version of the rule has begun."""
        return obj.rule.versions.filter(published_at__isnull=False, starts_at__lte=timezone.now()).exists()

    def _do(self, request: HttpRequest, obj: Any, act: str) -> bool:
        if act != "end":
            return super()._do(request, obj, act)
        now = timezone.now()
        publishing.end(obj.rule.code, at=now + ENDS_IN, actor=auditing.actor_of(request), now=now)
        return True

    @admin.display(description=_("rule"), ordering="rule__name")
    def name(self, version: RuleVersion) -> str:
        return f"{version.rule.name} v{version.version}"

    @admin.display(description=_("kind"))
    def sort(self, version: RuleVersion) -> str:
        return str(RuleVersion.Kind(version.kind).label)

    @admin.display(description=_("says"))
    def says(self, version: Any) -> str:
        if not hasattr(version, "said"):
            say([version])
        return str(version.said)

    @admin.display(description=_("state"))
    def stands(self, version: Any) -> str:
        if not hasattr(version, "state"):
            say([version])
        return str(WORDS[version.state])

    @admin.display(description=_("order"))
    def order(self, version: RuleVersion) -> int:
        return rules.of_version(version).priority

    @admin.display(description=_("paid by"))
    def payer(self, version: RuleVersion) -> str:
        return version.spec.get("funded_by") or self.get_empty_value_display()

    @admin.display(description=_("ends"), ordering="ends_at")
    def ends(self, version: RuleVersion) -> str | None:
        return since(version.ends_at)
