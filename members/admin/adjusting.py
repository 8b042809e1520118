"""Adjust points: a form, a page that shows what it would do, and the verb. Nothing is typed twice, nothing done twice."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from loyalty import auditing, queries
from loyalty.columns import signed
from loyalty.ids import uuid7
from loyalty.problems import Problem
from members import adjusting
from members.adjusting import Wanted
from members.models import Adjustment, Member
from members.schemas import POINTS_MAX, no_nul

ADD, ALONE = "members.add_adjustment", "members.post_adjustment"
DIRECTIONS = [("give", _("Give points")), ("take", _("Take points away"))]


class AdjustForm(forms.Form):
    """A number without a sign: keyboards of phones have none."""

    direction = forms.ChoiceField(label=_("What to do"), choices=DIRECTIONS, widget=UnfoldAdminSelectWidget)
    amount = forms.IntegerField(
        label=capfirst(_("points")), min_value=1, max_value=POINTS_MAX,
        widget=UnfoldAdminTextInputWidget({"inputmode": "numeric", "autocomplete": "off"}),
        error_messages={"invalid": _("Write a whole number of points, in digits alone.")},
    )  # fmt: skip
    reason = forms.ChoiceField(
        label=capfirst(_("reason")), choices=[("", _("Choose a reason")), *Adjustment.Reason.choices],
        widget=UnfoldAdminSelectWidget, help_text=_("The member sees it on the statement."),
    )  # fmt: skip
    note = forms.CharField(
        label=capfirst(_("note")), max_length=200, required=False, widget=UnfoldAdminTextInputWidget({"autocomplete": "off"}),
        help_text=_("For colleagues alone."),
    )  # fmt: skip
    receipt = forms.CharField(
        label=_("Receipt number"), max_length=60, required=False, widget=UnfoldAdminTextInputWidget({"autocomplete": "off"}),
        help_text=_("If it is about a purchase of this member."),
    )  # fmt: skip
    store: forms.ModelChoiceField[Any] = forms.ModelChoiceField(
        label=capfirst(_("store")), queryset=None, required=False, widget=UnfoldAdminSelectWidget, empty_label="–"
    )
    token = forms.UUIDField(widget=forms.HiddenInput)

    def __init__(
        self, *args: Any, member: Member, stores: QuerySet[Any], buyers: Callable[[str], set[UUID]], **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self.member, self.buyers = member, buyers
        self.fields["store"].queryset = stores  # type: ignore[attr-defined]
        for field in self.fields.values():
            field.error_messages["required"] = _("Fill in the field “%(label)s”.") % {"label": field.label}

    def clean_note(self) -> str:
        return no_nul(self.cleaned_data["note"])

    def clean_receipt(self) -> str:
        number: str = self.cleaned_data["receipt"].strip()
        if number and self.member.pk not in self.buyers(number):
            raise forms.ValidationError(_("This member has no receipt with this number."))
        return number

    def clean(self) -> dict[str, Any]:
        given = self.cleaned_data
        if given.get("reason") == Adjustment.Reason.OTHER and not given.get("note"):
            self.add_error("note", _("Say in a few words what the reason is."))
        return given

    def wanted(self) -> Wanted:
        given = self.cleaned_data
        return Wanted(
            member=self.member.pk, points=given["amount"] * (-1 if given["direction"] == "take" else 1), reason=given["reason"],
            note=given["note"], receipt=given["receipt"], store=given["store"].code if given["store"] else None,
        )  # fmt: skip


class Adjusting:
    """For the page of a member."""

    admin_site: Any
    above: Any
    opts: Any
    get_queryset: Callable[[HttpRequest], QuerySet[Member]]

    def adjust_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.adjust_view)
        return [path("<uuid:member>/adjust/", view, name="members_member_adjust")]

    def adjust_view(self, request: HttpRequest, member: UUID) -> HttpResponse:
        """Asked, shown, done: three requests with one token, so that a second click finds what the first did."""
        found = self.get_queryset(request).filter(pk=member).first()
        if found is None or not request.user.has_perm(ADD):
            raise Http404
        form = self._form(request, found)
        if not form.is_valid():
            return self._page(request, form, {})
        try:
            return self._done(request, form) if "confirmed" in request.POST else self._page(request, form, _effect(request, form))
        except Problem as problem:
            form.add_error(None, problem.detail)
            return self._page(request, form, {})

    def _form(self, request: HttpRequest, member: Member) -> AdjustForm:
        places = self.admin_site.get_model_admin(Adjustment._meta.get_field("store").related_model)
        stores = places.get_queryset(request).filter(closed_at=None).order_by("name")
        given = request.POST if request.method == "POST" and "change" not in request.POST else None
        initial: dict[str, Any] = {"token": uuid7()} if given is None else {}
        if "change" in request.POST:
            initial = {name: request.POST.get(name) for name in AdjustForm.base_fields}
        return AdjustForm(given, initial=initial, member=member, stores=stores, buyers=self.above.members_of_receipt)

    def _page(self, request: HttpRequest, form: AdjustForm, effect: dict[str, Any]) -> HttpResponse:
        balance = queries.net_balances([form.member.holder])[form.member.holder]
        context = self.admin_site.each_context(request) | {
            "title": _("Adjust points"), "opts": self.opts, "member": form.member, "form": form, "balance": signed(balance),
        }  # fmt: skip
        return TemplateResponse(request, "admin/members/member/adjust.html", context | effect)

    def _done(self, request: HttpRequest, form: AdjustForm) -> HttpResponse:
        one = adjusting.adjust(
            form.wanted(), by=auditing.actor_of(request), now=timezone.now(), alone=request.user.has_perm(ALONE),
            id_=form.cleaned_data["token"],
        )  # fmt: skip
        if one.status == Adjustment.Status.POSTED:
            messages.success(request, _("Posted: %(points)s points.") % {"points": signed(one.points, plus=True)})
        else:
            messages.info(request, _("Waits for a second person. Nothing has been posted yet."))
        return redirect(reverse("admin:members_member_change", args=[form.member.pk]))


def _effect(request: HttpRequest, form: AdjustForm) -> dict[str, Any]:
    """What it would do, for the page that asks once more. Raises Problem."""
    wanted, by, now = form.wanted(), auditing.actor_of(request), timezone.now()
    adjusting.insist(wanted, by=by, now=now)
    before = queries.net_balances([form.member.holder])[form.member.holder]
    return {
        "wanted": wanted, "points": signed(wanted.points, plus=True), "after": signed(before + wanted.points),
        "reason": Adjustment.Reason(wanted.reason).label, "store": form.cleaned_data["store"],
        "waits": adjusting.would_wait(wanted.points, by=by, alone=request.user.has_perm(ALONE), now=now),
    }  # fmt: skip
