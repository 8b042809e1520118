"""The tier table from draft to publication: all of it in one form, judged beneath it."""

from collections.abc import Sequence
from typing import Any, ClassVar

from django import forms
from django.contrib import admin
from django.http import HttpRequest
from django.utils import timezone
from django.utils.html import format_html_join
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _
from unfold.widgets import (
    UnfoldAdminDecimalFieldWidget,
    UnfoldAdminIntegerFieldWidget,
    UnfoldAdminTextInputWidget,
)

from loyalty import terms
from loyalty.admin.reviewing import DraftForm, Reviewing
from loyalty.backoffice import Scope
from loyalty.problems import Problem
from loyalty.publication import newest
from members import publishing, wording
from members.models import TierTable
from members.tiers import Level

PLACES = range(6)
LANGUAGES = (("fr", "Français"), ("zh-hans", "简体中文"), ("zh-hant", "繁體中文"))
SPEND_DECIMALS = 3


def _level_fields() -> dict[str, forms.Field]:
    """One row of fields for each tier that a table may have here; a row without a code is none."""
    found: dict[str, forms.Field] = {}
    for i in PLACES:
        found |= {
            f"code_{i}": _text(_("code"), 40),
            f"name_{i}": _text(_("name"), publishing.NAME_MAX),
            f"threshold_{i}": forms.DecimalField(
                label=capfirst(_("threshold")), required=False, min_value=0, max_digits=15, decimal_places=SPEND_DECIMALS,
                widget=UnfoldAdminDecimalFieldWidget, help_text=_("From which value on; 0: everybody has it.") if not i else "",
            ),
            f"reward_{i}": forms.IntegerField(
                label=capfirst(_("points on reaching it")), required=False, min_value=0, widget=UnfoldAdminIntegerFieldWidget
            ),
        }  # fmt: skip
        found |= {f"{language}_{i}": _text(name, publishing.NAME_MAX) for language, name in LANGUAGES}
    return found


def _text(label: Any, length: int) -> forms.CharField:
    attributes = {"autocomplete": "off"}
    return forms.CharField(
        label=capfirst(label), max_length=length, required=False, widget=UnfoldAdminTextInputWidget(attributes)
    )


LevelFields = type("LevelFields", (forms.Form,), _level_fields())


class TableForm(LevelFields, DraftForm):  # type: ignore[valid-type,misc]
    """All of a table in one form: what holds for each tier, and the tiers row by row."""

    class Meta:
        model = TierTable
        fields = publishing.FIELDS
        help_texts = {
            "basis": _("It cannot be changed once a table was published."),
            "grace_days": _("So long a tier stays that was not reached again."),
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        shown = newest(publishing.versions()) if self.is_new else self.instance
        if shown is not None:
            self.initial = {name: getattr(shown, name) for name in publishing.FIELDS} | dict(self.initial)
            self.initial |= self._rows(publishing.plain(shown).levels, shown.basis)

    def _rows(self, levels: Sequence[Level], basis: str) -> dict[str, Any]:
        rows: dict[str, Any] = {}
        for i, one in zip(PLACES, levels, strict=False):
            threshold = wording.spent(one.threshold, self._currency()) if basis == "spend" else one.threshold
            rows |= {f"code_{i}": one.code, f"name_{i}": one.name, f"threshold_{i}": threshold, f"reward_{i}": one.entry_reward}
            rows |= {f"{language}_{i}": name for language, name in one.names}
        return rows

    def _currency(self) -> str:
        return terms.current(timezone.now()).currency

    def clean(self) -> dict[str, Any] | None:
        cleaned: dict[str, Any] | None = super().clean()
        for i in PLACES:
            if self.data.get(f"code_{i}") and self.cleaned_data.get(f"threshold_{i}") is None:
                self.add_error(f"threshold_{i}", _("Give a threshold from 0 on."))
        return cleaned

    def levels(self) -> list[Level]:
        return [self._level(i) for i in PLACES if self.cleaned_data.get(f"code_{i}")]

    def _level(self, i: int) -> Level:
        said, threshold = self.cleaned_data, self.cleaned_data[f"threshold_{i}"]
        units = threshold.scaleb(terms.minor_units(self._currency())) if said["basis"] == "spend" else threshold
        if units != int(units):
            raise Problem("validation", str(_("Give a threshold with fewer decimals.")))
        names = tuple((language, said[f"{language}_{i}"]) for language, _name in LANGUAGES if said[f"{language}_{i}"])
        return Level(said[f"code_{i}"], said[f"name_{i}"], int(units), said[f"reward_{i}"] or 0, tuple(sorted(names)))

    def write(self) -> TierTable:
        given = {name: self.cleaned_data[name] for name in publishing.FIELDS if name in self.cleaned_data}
        if self.is_new:
            return publishing.draft(given, self.levels(), starts_at=self.starts_at(), actor=self.actor)
        return publishing.edit(
            self.instance.version, given, self.levels(), starts_at=self.starts_at(), actor=self.actor, seen=self.seen()
        )


@admin.register(TierTable)
class TableAdmin(Reviewing):
    scope = Scope.PROGRAMME
    publication = publishing.TIERS
    form = TableForm
    list_display = ("__str__", "condition", "in_words", "starts", "published")
    export_columns = ("version", "in_words", "starts_at", "published_at")
    readonly_fields = ("plainly", "stands", "starts", "published")

    class Media:
        css: ClassVar = {"all": ("css/admin-tiers.css",)}

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).prefetch_related("tiers")

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        writes = self.has_change_permission(request, obj) if obj else self.has_add_permission(request)
        if not writes:
            return [(None, {"fields": ("version", "stands", "plainly", "starts", "published")})]
        shown = obj or newest(publishing.versions())
        used = len(shown.tiers.all()) if shown else 0
        rows = [
            (
                _("Tier %(number)s") % {"number": i + 1},
                {
                    "classes": ["level", *(["collapse"] if i > max(used, 1) else [])],
                    "fields": (
                        (f"code_{i}", f"name_{i}", f"threshold_{i}", f"reward_{i}"),
                        tuple(f"{language}_{i}" for language, _name in LANGUAGES),
                    ),
                },
            )
            for i in PLACES
        ]
        return [
            *rows,
            (_("For all tiers"), {"fields": (("basis", "window"), ("review", "grace_days"))}),
            (_("Start"), {"fields": ("starts_on",)}),
        ]

    def prepare(self, rows: Sequence[Any]) -> None:
        now = timezone.now()
        states, currency = publishing.states(rows, now=now), terms.current(now).currency
        for one in rows:
            one.state, one.currency = states[one.version], currency

    @admin.display(description=_("says"))
    def in_words(self, version: TierTable) -> str:
        return " ".join(self._sentences(version))

    @admin.display(description=_("says"))
    def plainly(self, version: TierTable) -> str:
        return format_html_join("", "<p>{}</p>", ((one,) for one in self._sentences(version)))

    def _sentences(self, version: Any) -> list[str]:
        if not hasattr(version, "currency"):
            self.prepare([version])
        return wording.sentences(publishing.plain(version), version.currency)
