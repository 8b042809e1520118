"""Rewards, kept by people: what each is, what it costs both sides, who could have it, and where it stands."""

from collections.abc import Iterator, Sequence
from datetime import date, datetime, timedelta
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import Count, Model, Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.formats import number_format
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy
from unfold.decorators import display

from catalog import keeping, pictures, pricing
from catalog.admin import preview
from catalog.admin.fields import LANGUAGES, WINDOW, in_language
from catalog.admin.inlines import PriceInline, PriceLook, StockInline, StockLook
from catalog.admin.kept import Kept
from catalog.admin.rewardform import RewardForm
from catalog.models import Reward
from loyalty import auditing, money, queries, terms
from loyalty.admin.reviewing import FIRST_DAY, LAST_DAY
from loyalty.columns import figure, moment
from loyalty.problems import Problem

# Members whose points moved within so many days are those whom a reward could reach.
ACTIVE_DAYS = 365
ITEM = "kind != 'code' && kind != 'donation'"
VOUCHER = "kind == 'voucher'"
OFF = f"{VOUCHER} && voucher_type != 'item'"
MONEY = f"{VOUCHER} && (voucher_type == 'amount' || voucher_type == '')"
STATES = {
    "offered": pgettext_lazy("reward", "offered"), "not-yet": pgettext_lazy("reward", "not yet"),
    "ended": pgettext_lazy("reward", "ended"), "withdrawn": pgettext_lazy("reward", "withdrawn"),
    "sold-out": pgettext_lazy("reward", "sold out"),
}  # fmt: skip
LOOKS: Any = {"offered": "success", "not-yet": "info", "ended": "default", "withdrawn": "default", "sold-out": "danger"}


def flush(column: Any) -> Any:
    """A column of numbers, flush right."""
    column.formatting = "price"
    return column


class Offered(admin.SimpleListFilter):
    title = _("state")
    parameter_name = "offered"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("1", STATES["offered"]), ("0", STATES["withdrawn"])]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(withdrawn_at__isnull=self.value() == "1") if self.value() in ("0", "1") else queryset


@admin.register(Reward)
class RewardAdmin(Kept):
    form = RewardForm
    change_form_template = "admin/catalog/reward/change_form.html"
    list_display = ("named", "kind", "price", "left", "waits", "costs", "suggests", "reaches", "condition")
    list_display_links = ("named",)
    list_filter = ("kind", ("category", admin.RelatedOnlyFieldListFilter), Offered)
    search_fields = ("title", "code")
    search_help_text = _("Title or code")
    export_columns = (
        "code", "title", "kind", "category__code", "points", "money", "cost", "left", "waits", "costs", "suggests",
        "reaches", "withdrawn_at",
    )  # fmt: skip
    readonly_fields = ("when", "voucher_says", "shops", "tier_names")
    conditional_fields = {
        "code_pool": "kind == 'code'", "low_water": "kind != 'code'", "fulfilment": f"{ITEM} && !({VOUCHER})",
        "voucher_type": VOUCHER, "voucher_amount": OFF,
        "voucher_minimum": VOUCHER, "voucher_categories": VOUCHER,
        "voucher_keeps_rest": MONEY,
        "voucher_uses": f"{ITEM} && !({MONEY} && voucher_keeps_rest)", **dict.fromkeys(("voucher_valid", "voucher_unit"), ITEM),
    }  # fmt: skip
    waits = figure("waiting_now", pgettext_lazy("reward", "waiting"))

    def get_queryset(self, request: HttpRequest) -> QuerySet[Reward]:
        rows: QuerySet[Reward] = super().get_queryset(request).select_related("category", "code_pool")
        waiting = Count("waiting", filter=Q(waiting__told_at=None), distinct=True)
        free = Count("code_pool__codes", filter=Q(code_pool__codes__redemption=None), distinct=True)
        return rows.prefetch_related("stock__store").annotate(waiting_now=waiting, codes_left=free)

    def prepare(self, rows: Sequence[Any]) -> None:
        now = timezone.now()
        contract = terms.current(now)
        reach = queries.reach([one.points for one in rows], since=now - timedelta(days=ACTIVE_DAYS), now=now)
        for one in rows:
            one.contract, one.reach, one.state = contract, reach.share(one.points), _state(one, now)

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        writes = self.has_change_permission(request, obj) if obj else self.has_add_permission(request)
        if not writes:
            return [
                (None, {"fields": (("title", "code"), "kind", "category", "description")}),
                (_("Price"), {"fields": ("points", "money", "cost")}),
                (_("Handing out"), {"fields": ("fulfilment", "code_pool", "voucher_says", "per_member", "low_water")}),
                (_("Who and when"), {"fields": ("shops", "tier_names", "when")}),
            ]
        in_languages = [tuple(in_language(name, language) for name in ("title", "description")) for language, _name in LANGUAGES]
        removes = ("picture_remove",) if obj and obj.picture else ()
        seen = ("picture_text", *(in_language("picture_text", language) for language, _name in LANGUAGES))
        return [
            (_("What it is"), {"fields": (("title", "code"), ("kind", "category"), "description")}),
            (_("Price"), {"fields": (("points", "money", "cost"),)}),
            (
                _("Handing out"),
                {
                    "fields": (
                        ("fulfilment", "code_pool"), ("voucher_type", "voucher_amount", "voucher_minimum"), "voucher_keeps_rest",
                        "voucher_categories",
                        ("voucher_valid", "voucher_unit", "voucher_uses"), ("per_member", "low_water"),
                    )
                },
            ),
            (_("Picture"), {"fields": ("picture", "picture_kept", *removes, seen[:2], seen[2:])}),
            (
                _("Who and when"),
                {"fields": (("stores", "tiers"), *WINDOW)},
            ),
            (_("In other languages"), {"classes": ["collapse"], "fields": in_languages}),
        ]  # fmt: skip

    def get_readonly_fields(self, request: HttpRequest, obj: Model | None = None) -> tuple[str, ...]:
        """Receipts and tills name a reward by its code, so it stays."""
        writes = self.has_change_permission(request, obj) if obj else True
        return (() if writes else tuple(self.readonly_fields)) + (("code",) if obj else ())

    def get_prepopulated_fields(self, request: HttpRequest, obj: Any = None) -> dict[str, Any]:
        """A code to start with, in a browser with JavaScript."""
        return {} if obj or not self.has_add_permission(request) else {"code": ("title",)}

    def get_inlines(self, request: HttpRequest, obj: Any) -> list[Any]:
        return [StockInline, PriceInline] if self.has_change_permission(request, obj) else [StockLook, PriceLook]

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        form = super().get_form(request, obj, change=change, **kwargs)
        form.refused = getattr(request, "refused", "")
        return form

    def changeform_view(
        self, request: HttpRequest, object_id: str | None = None, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """What the verb refuses, because something moved meanwhile, stands in the form with all that was typed."""
        try:
            with transaction.atomic():
                return super().changeform_view(request, object_id, form_url, extra_context)
        except Problem as problem:
            request.refused = problem.detail  # type: ignore[attr-defined]
            return super().changeform_view(request, object_id, form_url, extra_context)

    def render_change_form(self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any) -> HttpResponse:
        obj, form = kwargs.get("obj"), context["adminform"].form
        kept = form.kept() if isinstance(form, RewardForm) else obj.picture.name if obj else ""
        context |= {"shown_picture": pictures.addresses(kept), "facts": list(self._facts(obj)) if obj else []}
        if obj:
            now = timezone.now()
            context["preview"] = preview.preview(obj, terms.current(now), now=now, start=_day(request.GET.get("start", "")))
        if obj and self.has_change_permission(request, obj):
            context["act"] = "offer" if obj.withdrawn_at else "withdraw"
        return super().render_change_form(request, context, *args, **kwargs)

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """See save_related."""

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        """All of it at once, by the verbs that the API calls; they write into the audit trail too."""
        by: dict[str, Any] = {"actor": auditing.actor_of(request)}
        stock, prices = formsets
        given = form.reward.model_copy(update={"prices": prices.prices()})
        code = form.code_of()
        written, _is_new = keeping.put(
            code, given, picture=form.picture_of(), must_be_new=not change, now=timezone.now(), **by
        )  # fmt: skip
        stock.write(code, **by)
        form.instance.pk, form.instance.title = written.pk, written.title

    def log_addition(self, request: HttpRequest, obj: Model, message: Any) -> None:  # type: ignore[override]
        """See save_related."""

    def log_change(self, request: HttpRequest, obj: Model, message: Any) -> None:  # type: ignore[override]
        """See save_related."""

    def get_urls(self) -> list[URLPattern]:
        act = self.admin_site.admin_view(self.act_view)
        return [path("<path:object_id>/<str:act>-it/", act, name="catalog_reward_act"), *super().get_urls()]

    def act_view(self, request: HttpRequest, object_id: str, act: str) -> HttpResponse:
        """Withdraw the reward, or offer it again."""
        obj = self.get_object(request, object_id)
        if obj is None or act not in ("withdraw", "offer"):
            raise Http404
        if request.method != "POST" or not self.has_change_permission(request, obj):
            raise PermissionDenied
        actor = auditing.actor_of(request)
        if act == "withdraw":
            keeping.withdraw(obj.code, actor=actor, now=timezone.now())
            messages.success(request, _("Withdrawn. What members redeemed stays theirs."))
        else:
            keeping.offer_again(obj.code, actor=actor)
            messages.success(request, _("Offered again."))
        return redirect(reverse("admin:catalog_reward_change", args=[obj.pk]))

    def _facts(self, one: Any) -> Iterator[tuple[Any, Any, Any]]:
        """What to know before a price is set: each with what it means."""
        self.prepare([one])
        yield _("state"), STATES[one.state], moment(one.withdrawn_at) or ""
        yield _("left"), self.left(one) or "–", _("of the codes in the pool") if one.code_pool_id else _("in all shops together")
        yield pgettext_lazy("reward", "waiting"), self.waits(one), _("members who want to be told")
        yield _("cost per point"), self.costs(one) or "–", _("the cost less the money paid, by the points")
        worth = _("points that are worth to the member what it costs you")
        yield _("suggested points"), self.suggests(one) or "–", worth
        yield _("reach"), self.reaches(one) or "–", _("of the members active in a year have the points now")

    @admin.display(description=_("reward"), ordering="title")
    def named(self, one: Reward) -> str:
        addresses = pictures.addresses(one.picture.name)
        shown = format_html('<img class="thumb" src="{}" alt="">', addresses["small"]) if addresses else ""
        return format_html('<span class="with-thumb">{}<span>{}<small>{}</small></span></span>', shown, one.title, one.code)

    @admin.display(description=_("price"), ordering="points")
    def price(self, one: Any) -> str:
        points = _("%(points)s points") % {"points": number_format(one.points, force_grouping=True)}
        return f"{points} + {money.text(one.money, self._contract(one).currency)}" if one.money else points

    @flush
    @admin.display(description=_("left"))
    def left(self, one: Any) -> str:
        left = _left(one)
        return "" if left is None else number_format(left, force_grouping=True)

    @flush
    @admin.display(description=_("cost per point"))
    def costs(self, one: Any) -> str:
        each = None if one.cost is None else pricing.cost_per_point(one.cost, one.money, one.points)
        return "" if each is None else f"{number_format(round(each, 4).normalize())} {self._contract(one).currency}"

    @flush
    @admin.display(description=_("suggested points"))
    def suggests(self, one: Any) -> str:
        value = self._contract(one).point_value
        points = None if one.cost is None else pricing.suggested_points(one.cost, one.money, value)
        return "" if points is None else number_format(points, force_grouping=True)

    @flush
    @admin.display(description=_("reach"))
    def reaches(self, one: Any) -> str:
        self._contract(one)
        return "" if one.reach is None else f"{number_format(round(one.reach * 100, 1))} %"

    @display(description=_("state"), label=LOOKS)
    def condition(self, one: Any) -> Any:
        return one.state, STATES[one.state]

    @admin.display(description=_("only in these shops"))
    def shops(self, one: Reward) -> str:
        return ", ".join(str(each) for each in one.stores.all())

    @admin.display(description=_("only for these tiers"))
    def tier_names(self, one: Reward) -> str:
        known = keeping.tiers()
        return ", ".join(known.get(code, code) for code in one.tiers)

    @admin.display(description=_("when"))
    def when(self, one: Reward) -> str:
        return " – ".join(filter(None, [moment(one.starts_at), moment(one.ends_at), *(one.hours or [])]))

    @admin.display(description=_("voucher"))
    def voucher_says(self, one: Reward) -> str:
        return ", ".join(f"{name}: {value}" for name, value in (one.voucher or {}).items())

    def _contract(self, one: Any) -> Any:
        if not hasattr(one, "contract"):
            self.prepare([one])
        return one.contract


def _left(one: Any) -> int | None:
    """In all: what is counted for all shops, else shop by shop; of codes those in the pool."""
    rows = {row.store_id: row.left for row in one.stock.all()}
    counts = [rows[None]] if None in rows else [sum(rows.values())] if rows else []
    return min([*counts, *([one.codes_left] if one.code_pool_id else [])], default=None)


def _state(one: Any, now: datetime) -> str:
    if one.withdrawn_at:
        return "withdrawn"
    if one.ends_at and now >= one.ends_at:
        return "ended"
    if one.starts_at and now < one.starts_at:
        return "not-yet"
    return "sold-out" if _left(one) == 0 else "offered"


def _day(text: str) -> date | None:
    """A day of the address; one that is none, or that lies where no calendar reaches, is not heeded."""
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return None
    return day if FIRST_DAY <= day <= LAST_DAY else None
