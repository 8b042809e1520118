"""Categories of rewards: the shelves of the catalogue."""

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import Count, Model, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from catalog.admin.fields import LANGUAGES, NAMES, in_language, named
from catalog.admin.kept import Kept
from catalog.models import Category
from loyalty.columns import figure

Names = type("Names", (forms.Form,), dict(NAMES))


class CategoryForm(Names, forms.ModelForm[Category]):  # type: ignore[valid-type,misc]
    class Meta:
        model = Category
        fields = ("code", "name", "position")
        help_texts = {"position": _("Lower numbers stand first.")}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.initial = {**self.initial, **named(self.instance.translations)}

    def save(self, commit: bool = True) -> Category:
        said = {code: self.cleaned_data[in_language("name", code)] for code, _name in LANGUAGES}
        self.instance.translations = {code: {"name": name} for code, name in said.items() if name}
        return super().save(commit)


@admin.register(Category)
class CategoryAdmin(Kept):
    form = CategoryForm
    list_display = ("name", "code", "position", "rewards")
    search_fields = ("name", "code")
    search_help_text = _("Name or code")
    export_columns = ("code", "name", "position", "rewards")
    rewards = figure("rewards_now", _("rewards"))

    def get_queryset(self, request: HttpRequest) -> QuerySet[Category]:
        rows: QuerySet[Category] = super().get_queryset(request)
        return rows.annotate(rewards_now=Count("reward"))

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        writes = self.has_change_permission(request, obj) if obj else True
        others = tuple(in_language("name", code) for code, _name in LANGUAGES) if writes else ()
        return [(None, {"fields": (("name", "code", "position"), *([others] if others else []))})]

    def get_readonly_fields(self, request: HttpRequest, obj: Model | None = None) -> tuple[str, ...]:
        """The API names a category by its code, so it stays."""
        return ("code",) if obj else ()
