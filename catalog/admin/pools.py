"""Pools of partners' codes: filled by pasting or by a file, with every line that was not taken named; codes masked."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Model, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.text import capfirst
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext, pgettext_lazy
from unfold.decorators import display
from unfold.widgets import UnfoldAdminFileFieldWidget, UnfoldAdminTextareaWidget

from catalog import codes
from catalog.admin.kept import Kept
from catalog.models import Code, CodePool
from loyalty import auditing
from loyalty.backoffice import ReadOnly, Scope
from loyalty.columns import figure, instant
from loyalty.problems import Problem

FILE_MAX = 8_000_000
SHOWN = 100


class FillForm(forms.Form):
    listed = forms.CharField(
        label=capfirst(_("codes")), required=False, max_length=FILE_MAX, strip=False,
        widget=UnfoldAdminTextareaWidget({"rows": 6, "autocomplete": "off", "spellcheck": "false"}),
        help_text=_("One on each line."),
    )  # fmt: skip
    file = forms.FileField(
        label=capfirst(_("or a CSV file")), required=False, widget=UnfoldAdminFileFieldWidget({"accept": ".csv,.txt,text/*"}),
        help_text=_("The first column counts."),
    )  # fmt: skip

    def text(self) -> str:
        """What was pasted, then what the file holds. Raises Problem."""
        file, listed = self.cleaned_data["file"], str(self.cleaned_data["listed"])
        if file is None:
            return listed
        if file.size > FILE_MAX:
            raise Problem("validation", _now("The file is larger than %(size)s MB. Send it in parts.") % {"size": 8})
        try:
            return "\n".join(filter(None, [listed.strip(), file.read().decode("utf-8-sig")]))
        except UnicodeDecodeError as error:
            raise Problem("validation", _now("Save the file as UTF-8.")) from error


@admin.register(CodePool)
class PoolAdmin(Kept):
    change_form_template = "admin/catalog/codepool/change_form.html"
    list_display = ("name", "code", "left", "given", "mark", "condition")
    fields = (("name", "code"), "low_water")
    search_fields = ("name", "code")
    search_help_text = _("Name or code")
    export_columns = ("code", "name", "left", "given", "low_water")
    left = figure("left", _("left"))
    given = figure("given", _("handed out"))
    mark = figure("low_water", _("tell when so few are left"))

    def get_queryset(self, request: HttpRequest) -> QuerySet[CodePool]:
        return codes.with_counts(super().get_queryset(request))

    def get_readonly_fields(self, request: HttpRequest, obj: Model | None = None) -> tuple[str, ...]:
        """The API names a pool by its code, so it stays."""
        return ("code",) if obj else ()

    def change_view(self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None) -> HttpResponse:
        filling = FillForm() if self.has_change_permission(request) else None
        return super().change_view(request, object_id, form_url, {"filling": filling} | (extra_context or {}))

    def response_add(self, request: HttpRequest, obj: Any, post_url_continue: str | None = None) -> HttpResponse:
        """Straight to where it is filled."""
        messages.success(request, _("Saved. Now put the codes in."))
        return redirect("admin:catalog_codepool_change", obj.pk)

    def get_urls(self) -> list[URLPattern]:
        page = self.admin_site.admin_view(self.fill_view)
        return [path("<path:object_id>/fill/", page, name="catalog_codepool_fill"), *super().get_urls()]

    def fill_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Put the codes in; lines that were not taken are shown with the reason."""
        pool = self.get_object(request, object_id)
        if pool is None:
            raise Http404
        if request.method != "POST" or not self.has_change_permission(request):
            raise PermissionDenied
        form = FillForm(request.POST, request.FILES)
        filled = self._filled(request, pool, form) if form.is_valid() else None
        if filled and not filled.skipped:
            return redirect(reverse("admin:catalog_codepool_change", args=[pool.pk]))
        context = self.admin_site.each_context(request) | {"opts": self.opts, "title": pool.name, "original": pool}
        skipped = filled.skipped if filled else ()
        more = {"form": FillForm() if filled else form, "skipped": skipped[:SHOWN], "more": max(len(skipped) - SHOWN, 0)}
        return TemplateResponse(request, "admin/catalog/codepool/filled.html", context | more)

    def _filled(self, request: HttpRequest, pool: CodePool, form: FillForm) -> codes.Filled | None:
        try:
            filled = codes.fill(pool, form.text(), actor=auditing.actor_of(request))
        except Problem as problem:
            form.add_error("listed", problem.detail)
            return None
        done = ngettext("%(count)s code added.", "%(count)s codes added.", filled.new) % {"count": filled.new}
        (messages.success if filled.new else messages.warning)(request, done)
        return filled

    @display(description=_("state"), label={"low": "danger", "fine": "success"})
    def condition(self, pool: Any) -> Any:
        if pool.left > pool.low_water:
            return "fine", pgettext_lazy("pool", "enough")
        return "low", pgettext_lazy("pool", "runs dry") if pool.left else pgettext_lazy("pool", "empty")


@admin.register(Code)
class CodeAdmin(ReadOnly):
    """Codes with their end alone; the whole code is for the member who redeemed it."""

    scope = Scope.HEAD_OFFICE
    list_display = ("ending", "pool", "taken", "shown")
    list_select_related = ("pool",)
    list_filter = ("pool", ("taken_at", admin.EmptyFieldListFilter))
    ordering = ("-id",)
    fields = ("ending", "pool", "taken", "shown")
    readonly_fields = ("ending", "taken", "shown")
    export_columns = ("id", "ending", "pool__code", "taken_at", "shown_at")
    taken = instant("taken_at", _("taken"))
    shown = instant("shown_at", _("shown"))

    @admin.display(description=_("code"))
    def ending(self, one: Code) -> str:
        return codes.masked(one.text)
