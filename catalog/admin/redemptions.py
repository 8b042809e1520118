"""Redemptions, to look at and to end: cancelled with a reason, handed over from the list of a shop."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any
from uuid import UUID

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import AutocompleteSelectFilter
from unfold.decorators import display
from unfold.widgets import UnfoldAdminTextInputWidget

from catalog import codes, handout, pictures, redeeming
from catalog.models import Redemption, RedemptionStep, Voucher
from loyalty import auditing, money, terms
from loyalty.backoffice import ReadOnly, ReadOnlyInline
from loyalty.columns import figure, instant, moment
from loyalty.filters import Between
from loyalty.problems import Problem
from members import addresses, finding

Status = Redemption.Status
CANCEL, FULFIL = "catalog.cancel_redemption", "catalog.fulfil_redemption"
OPEN = (Status.RESERVED, Status.CONFIRMED)
LOOKS: Any = {
    Status.RESERVED: "info", Status.CONFIRMED: "warning", Status.FULFILLED: "success", Status.CANCELLED: "default",
    Status.LAPSED: "default", Status.RETURNED: "default",
}  # fmt: skip
SHOWN = 100


class CancelForm(forms.Form):
    reason = forms.CharField(
        label=capfirst(_("reason")), max_length=200, widget=UnfoldAdminTextInputWidget({"autocomplete": "off"}),
        help_text=_("The member reads it."), error_messages={"required": _("Say why, in words for the member.")},
    )  # fmt: skip


class StepInline(ReadOnlyInline):
    model = RedemptionStep
    fields = ("status", "when", "who", "reason")
    readonly_fields = ("when", "who")
    verbose_name_plural = _("steps")
    when = instant("at", _("when"))

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm("catalog.view_redemption")

    @admin.display(description=_("by"))
    def who(self, step: RedemptionStep) -> str:
        names = self.admin_site.staff([step.actor]) if step.actor else {}  # type: ignore[attr-defined]
        return names.get(step.actor, "–")  # type: ignore[no-any-return]


@admin.register(Redemption)
class RedemptionAdmin(ReadOnly):
    scope = "store"
    change_form_template = "admin/catalog/redemption/change_form.html"
    list_display = ("what", "reserved", "holder", "points", "store", "condition")
    list_filter = ("status", ("store", AutocompleteSelectFilter), ("reserved_at", Between))
    list_select_related = ("reward", "member", "store")
    ordering = ("-reserved_at", "-id")
    search_fields = ("reward__title", "reward__code")
    search_help_text = _("Reward, or a card number")
    fields = ("what", "holder", "points", "paid", "store", "stands", "reserved", "until", "shown_codes")
    readonly_fields = ("what", "holder", "points", "paid", "stands", "reserved", "until", "shown_codes")
    export_columns = (
        "id", "reward__code", "quantity", "member__id", "points", "money", "store__code", "status", "reserved_at",
    )  # fmt: skip
    inlines = (StepInline,)
    points = figure("points", _("points"))
    reserved = instant("reserved_at", _("reserved"))
    until = instant("reserved_until", _("reserved until"))

    def get_queryset(self, request: HttpRequest) -> QuerySet[Redemption]:
        rows: QuerySet[Redemption] = super().get_queryset(request).select_related("reward", "member", "store")
        return rows

    def get_search_results(self, request: HttpRequest, queryset: Any, search_term: str) -> Any:
        """A card finds its member's redemptions."""
        known = finding.identified(search_term) if search_term else set()
        if known:
            return queryset.filter(member__in=known), False
        return super().get_search_results(request, queryset, search_term)

    def prepare(self, rows: Sequence[Any]) -> None:
        self.name_members(rows, "member__holder")

    def change_view(self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None) -> HttpResponse:
        obj = self.get_object(request, object_id)
        may: dict[str, Any] = {}
        if obj:
            may = {
                "cancelling": CancelForm() if obj.status in OPEN and request.user.has_perm(CANCEL) else None,
                "handing": obj.status == Status.CONFIRMED and request.user.has_perm(FULFIL),
            }
        return super().change_view(request, object_id, form_url, may | (extra_context or {}))

    def get_urls(self) -> list[URLPattern]:
        wrap = self.admin_site.admin_view
        return [
            path("hand-out/", wrap(self.hand_out_view), name="catalog_redemption_hand_out"),
            path("<uuid:redemption>/fulfil/", wrap(self.fulfil_view), name="catalog_redemption_fulfil"),
            path("<uuid:redemption>/cancel/", wrap(self.cancel_view), name="catalog_redemption_cancel"),
            *super().get_urls(),
        ]

    def hand_out_view(self, request: HttpRequest) -> HttpResponse:
        """What waits to be handed over in a shop, what came first at the top."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        context = self.admin_site.each_context(request) | self._waiting(request)
        return TemplateResponse(request, "admin/catalog/redemption/hand_out.html", context)

    def fulfil_view(self, request: HttpRequest, redemption: UUID) -> HttpResponse:
        """It is in the member's hands, or in the post."""
        now = timezone.now()
        return self._do(
            request, redemption, FULFIL, _("Handed over: %(what)s."),
            lambda actor: redeeming.fulfil(redemption, now=now, actor=actor),
        )  # fmt: skip

    def cancel_view(self, request: HttpRequest, redemption: UUID) -> HttpResponse:
        """Give the points back, for a reason that the member reads."""
        form, now = CancelForm(request.POST), timezone.now()
        if request.method == "POST" and not form.is_valid():
            messages.error(request, str(form.errors["reason"][0]))
            return redirect("admin:catalog_redemption_change", redemption)
        reason = form.cleaned_data["reason"] if form.is_bound and form.is_valid() else ""
        return self._do(
            request, redemption, CANCEL, _("Cancelled: %(what)s. The points are back."),
            lambda actor: redeeming.cancel(redemption, by_merchant=True, reason=reason, now=now, actor=actor),
        )  # fmt: skip

    def _waiting(self, request: HttpRequest) -> dict[str, Any]:
        """The first of what waits, for this member of staff and in the shop of the address."""
        bound, chosen, is_all = self.house.stores_of(request), _chosen(request), "shop" not in request.GET
        shops = handout.by_shop(bound)
        rows = handout.waiting(bound).select_related("reward", "member", "store", "voucher").order_by("reserved_at", "id")
        shown = list((rows if is_all else rows.filter(store=chosen))[:SHOWN])
        sent_to = addresses.of(one.member_id for one in shown if _is_posted(one)) if request.user.has_perm(FULFIL) else {}
        waiting = sum(count for store, _name, count in shops if is_all or store == chosen)
        return {
            "title": _("Hand-out list"), "opts": self.opts, "rows": [self._row(one, sent_to) for one in shown],
            "more": max(waiting - SHOWN, 0), "tabs_list": _tabs(shops, chosen, is_all=is_all),
            "may": request.user.has_perm(FULFIL),
        }  # fmt: skip

    def _do(
        self, request: HttpRequest, redemption: UUID, right: str, done: Any, verb: Callable[[UUID], Redemption]
    ) -> HttpResponse:
        one = self.get_queryset(request).filter(pk=redemption).first()
        if one is None:
            raise Http404
        if request.method != "POST" or not (request.user.has_perm(right) and self.has_view_permission(request)):
            raise PermissionDenied
        try:
            verb(auditing.actor_of(request))
        except Problem as problem:
            messages.error(request, problem.detail)
        else:
            messages.success(request, done % {"what": self.what(one)})
        if "shop" in request.POST or "list" in request.POST:
            asked = {"shop": request.POST["shop"]} if "shop" in request.POST else {}
            return redirect(f"{reverse('admin:catalog_redemption_hand_out')}?{urlencode(asked)}".rstrip("?"))
        return redirect("admin:catalog_redemption_change", redemption)

    def _row(self, one: Any, sent_to: Mapping[UUID, str]) -> dict[str, Any]:
        voucher: Voucher | None = getattr(one, "voucher", None)
        currency = terms.current(timezone.now()).currency if one.money else ""
        return {
            "one": one, "what": self.what(one), "since": moment(one.reserved_at),
            "picture": pictures.addresses(one.reward.picture.name), "how": one.reward.get_fulfilment_display(),
            "ending": codes.masked(voucher.code) if voucher else "", "money": money.text(one.money, currency) if currency else "",
            "posted": _is_posted(one), "address": sent_to.get(one.member_id, ""),
        }  # fmt: skip

    @admin.display(description=_("reward"), ordering="reward__title")
    def what(self, one: Redemption) -> str:
        return f"{one.quantity} × {one.reward.title}" if one.quantity > 1 else one.reward.title

    @admin.display(description=_("member"))
    def holder(self, one: Redemption) -> str:
        return self.held(one, "member__holder")

    @admin.display(description=_("money to pay"))
    def paid(self, one: Redemption) -> str:
        return money.text(one.money, terms.current(timezone.now()).currency) if one.money else ""

    @display(description=_("status"), ordering="status", label=LOOKS)
    def condition(self, one: Redemption) -> Any:
        return one.status, one.get_status_display()

    @admin.display(description=_("status"))
    def stands(self, one: Redemption) -> str:
        return one.get_status_display()

    @admin.display(description=_("codes"))
    def shown_codes(self, one: Redemption) -> str:
        """With their ends alone: enough for support to tell them apart."""
        voucher = Voucher.objects.filter(redemption=one).first()
        given = [codes.masked(code.text) for code in one.codes.all()] + ([codes.masked(voucher.code)] if voucher else [])
        return ", ".join(given)


def _chosen(request: HttpRequest) -> int | None:
    """The shop in the address; nothing where no shop was chosen for the redemption."""
    asked = request.GET.get("shop", "")
    return int(asked) if asked.isdecimal() and len(asked) < 10 else None


def _tabs(shops: Sequence[tuple[int | None, str, int]], chosen: int | None, *, is_all: bool) -> list[dict[str, Any]]:
    """One for each shop with something to hand over."""
    every = sum(count for _id, _name, count in shops)
    rows: list[tuple[str, str, bool]] = [(_("All shops (%(count)s)") % {"count": every}, "?", is_all)]
    for store, name, count in shops:
        title = _("%(shop)s (%(count)s)") % {"shop": name or _("no shop chosen"), "count": count}
        rows.append((title, f"?shop={'' if store is None else store}", not is_all and store == chosen))
    return [{"title": title, "link": link, "active": active, "has_permission": True} for title, link, active in rows]


def _is_posted(one: Redemption) -> bool:
    return one.reward.fulfilment == one.reward.Fulfilment.POSTED
