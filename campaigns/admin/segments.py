"""Segments: their lists of members, filled and cleared by pasting cards or ids, or by a file of them."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Count, Model, Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.text import capfirst
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from unfold.widgets import UnfoldAdminFileFieldWidget, UnfoldAdminTextareaWidget

from campaigns import segments
from campaigns.models import Segment
from loyalty import auditing
from loyalty.backoffice import Backoffice, Scope
from loyalty.columns import figure
from loyalty.problems import Problem

# Half a megabyte holds the longest list.
FILE_MAX = 4_000_000
SHOWN = 50


class ListForm(forms.Form):
    listed = forms.CharField(
        label=capfirst(_("cards, member ids or numbers in another system")), required=False, max_length=FILE_MAX,
        widget=UnfoldAdminTextareaWidget({"rows": 6}), help_text=_("One on each line."),
    )  # fmt: skip
    file = forms.FileField(
        label=capfirst(_("or a CSV file")), required=False, widget=UnfoldAdminFileFieldWidget,
        help_text=_("The first column counts."),
    )  # fmt: skip

    def text(self) -> str:
        """What was pasted and what the file holds. Raises Problem."""
        file = self.cleaned_data["file"]
        if file is None:
            return str(self.cleaned_data["listed"])
        try:
            return f"{self.cleaned_data['listed']}\n{file.read(FILE_MAX).decode('utf-8-sig')}".lstrip("\n")
        except UnicodeDecodeError as error:
            raise Problem("validation", _now("Save the file as UTF-8.")) from error


@admin.register(Segment)
class SegmentAdmin(Backoffice):
    scope = Scope.PROGRAMME
    change_form_template = "admin/campaigns/segment/change_form.html"
    list_display = ("name", "code", "size")
    fields = ("code", "name")
    search_fields = ("name", "code")
    search_help_text = _("Name or code")
    export_columns = ("code", "name", "size")
    size = figure("members", _("members"))

    def get_queryset(self, request: HttpRequest) -> QuerySet[Segment]:
        rows: QuerySet[Segment] = super().get_queryset(request)
        return rows.annotate(members=Count("memberships", filter=Q(memberships__until=None)))

    def get_readonly_fields(self, request: HttpRequest, obj: Model | None = None) -> tuple[str, ...]:
        """Rules name a segment by its code, so it stays."""
        return ("code",) if obj else ()

    def change_view(self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None) -> HttpResponse:
        may = self.has_change_permission(request)
        more = {"listing": ListForm() if may else None} | (extra_context or {})
        return super().change_view(request, object_id, form_url, more)

    def get_urls(self) -> list[URLPattern]:
        page = self.admin_site.admin_view(self.members_view)
        return [path("<path:object_id>/members/", page, name="campaigns_segment_members"), *super().get_urls()]

    def members_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Add or remove those who are listed; lines that name nobody are shown."""
        segment = self.get_object(request, object_id)
        if segment is None:
            raise Http404
        if request.method != "POST" or not self.has_change_permission(request):
            raise PermissionDenied
        form = ListForm(request.POST, request.FILES)
        bad = self._act(request, segment, form) if form.is_valid() else []
        if not bad and form.is_valid():
            return redirect(reverse("admin:campaigns_segment_change", args=[segment.pk]))
        context = self.admin_site.each_context(request) | {"opts": self.opts, "title": segment.name, "original": segment}
        more = {"form": form, "bad": bad[:SHOWN], "more": max(len(bad) - SHOWN, 0)}
        return TemplateResponse(request, "admin/campaigns/segment/members.html", context | more)

    def _act(self, request: HttpRequest, segment: Segment, form: ListForm) -> list[tuple[int, str]]:
        """Carry out what the button says; the lines that name nobody."""
        try:
            found, bad = segments.read(form.text())
        except Problem as problem:
            messages.error(request, problem.detail)
            return []
        given: Any = {"actor": auditing.actor_of(request), "now": timezone.now()}
        if "remove" in request.POST:
            count = segments.remove(segment, found, **given)
            done = ngettext("%(count)s member removed.", "%(count)s members removed.", count)
        else:
            count = segments.add(segment, found, **given)
            done = ngettext("%(count)s member added.", "%(count)s members added.", count)
        messages.success(request, done % {"count": count})
        return bad
