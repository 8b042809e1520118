"""What stands beneath a reward: what is left of it, shop by shop, and its other prices. All is written by the reward's verbs."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError as FieldError
from django.db.models import Model
from django.http import HttpRequest
from django.utils import timezone
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _
from pydantic import ValidationError
from unfold.admin import StackedInline, TabularInline
from unfold.forms import PaginationInlineFormSet
from unfold.widgets import UnfoldAdminIntegerFieldWidget

from catalog import keeping
from catalog.admin.fields import LANGUAGES, NAMES, WINDOW, WindowForm, choice, in_language, named, number, placed, shown_window
from catalog.models import RewardPrice, Stock
from catalog.schemas import PRICES_MAX, STOCK_MAX, PriceIn
from loyalty import terms
from loyalty.backoffice import ReadOnlyInline
from loyalty.problems import problem_of

PLACES = {
    "starts_at": "starts_on", "ends_at": "ends_on", "hours/0": "hours_from", "hours/1": "hours_to", "hours": "hours_from",
}  # fmt: skip

LEFT = _("What is left (without a row nobody counts)")


class StockForm(forms.ModelForm[Stock]):
    """`left` also says what was shown: what is typed is taken as a difference to it, for the shop sells meanwhile."""

    left = forms.IntegerField(
        label=capfirst(_("left")),
        min_value=0,
        max_value=STOCK_MAX,
        widget=UnfoldAdminIntegerFieldWidget,
        show_hidden_initial=True,
    )

    class Meta:
        model = Stock
        fields = ("store", "left")

    def _post_clean(self) -> None:
        """The reward's verbs judge and write."""

    def by(self) -> int:
        """How many more than were shown."""
        shown = self.data.get(self.add_initial_prefix("left"), "")
        return int(self.cleaned_data["left"]) - (int(shown) if shown.isdecimal() else self.instance.left)


class StockSet(PaginationInlineFormSet):
    def validate_unique(self) -> None:
        """One row for each shop, and one for all together."""
        named: set[Any] = set()
        for form in self.standing():
            if form.cleaned_data["store"] in named:
                form.add_error("store", FieldError(_("This shop stands here twice.")))
                raise FieldError(_("This shop stands here twice."))
            named.add(form.cleaned_data["store"])

    def standing(self) -> list[StockForm]:
        """The rows that are to be kept."""
        rows: list[Any] = self.forms
        return [one for one in rows if one.is_valid() and one.cleaned_data.get("left") is not None and not _gone(one)]

    def write(self, code: str, **by: Any) -> None:
        """Count anew what was added and removed, and move what was changed. Raises Problem."""
        counted: dict[str | None, int | None] = {_shop(one.instance): None for one in self.initial_forms if _gone(one)}
        moved: dict[str | None, int] = {}
        for one in self.standing():
            store = one.cleaned_data["store"].code if one.cleaned_data["store"] else None
            if one.instance.pk and store == _shop(one.instance):
                moved |= {store: one.by()} if one.by() else {}
            else:
                counted[store] = one.cleaned_data["left"]
                if one.instance.pk:
                    counted.setdefault(_shop(one.instance), None)
        if counted:
            keeping.count(code, counted, **by)
        if moved:
            keeping.restock(code, moved, **by)


Names = type("Names", (forms.Form,), dict(NAMES))


class PriceForm(Names, WindowForm, forms.ModelForm[RewardPrice]):  # type: ignore[valid-type,misc]
    money = number(_("money to pay"))
    tier = choice(_("only for the tier"), [])

    class Meta:
        model = RewardPrice
        fields = ("name", "points", "birthday_month")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk:
            self.initial = {**self.initial, **shown_window(self.instance), "tier": self.instance.tier, "money": self._money()}
            self.initial |= named(self.instance.translations)
        known = keeping.tiers()
        names = known | {self.instance.tier: known.get(self.instance.tier, self.instance.tier)}
        self.fields["tier"].choices = [("", _("every member")), *((code, name) for code, name in names.items() if code)]  # type: ignore[attr-defined]

    def _money(self) -> str | None:
        decimals = terms.current(timezone.now()).minor_units
        return keeping.plain(self.instance.money, decimals) if self.instance.money else None

    def _post_clean(self) -> None:
        """Judged by the shape of the API."""
        if self.errors:
            return
        given = self.cleaned_data
        try:
            self.price = PriceIn.model_validate(
                {
                    "name": given["name"], "points": given["points"], "money": given["money"] or 0, "tier": given["tier"] or None,
                    "birthday_month": given["birthday_month"], **self.window(self.instance),
                    "translations": {code: {"name": given[in_language("name", code)]} for code, _name in LANGUAGES},
                }
            )  # fmt: skip
        except ValidationError as error:
            for fault in problem_of(error).faults:
                name = placed(fault, PLACES)
                self.add_error(name if name in self.fields else "ends_on", fault.detail)


class PriceSet(PaginationInlineFormSet):
    def validate_unique(self) -> None:
        """Prices may be alike."""

    def prices(self) -> list[PriceIn]:
        kept = [one for one in self.forms if one.is_valid() and not _gone(one)]
        return [one.price for one in kept if hasattr(one, "price") and (one.instance.pk or one.has_changed())]


class ByReward:
    """Whoever may change the reward may change what stands beneath it."""

    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return request.user.has_perm("catalog.add_reward")

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return request.user.has_perm("catalog.change_reward")

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return request.user.has_perm("catalog.change_reward")

    def has_view_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return request.user.has_perm("catalog.view_reward")


class StockInline(ByReward, TabularInline):  # type: ignore[misc]
    model = Stock
    form = StockForm
    formset = StockSet
    fields = ("store", "left")
    extra = 1
    show_title = False
    verbose_name_plural = LEFT

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        field: Any = super().formfield_for_foreignkey(db_field, request, **kwargs)
        field.empty_label = _("all shops together")
        return field

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """Without the little menu that opens other pages over this one."""
        field: Any = super().formfield_for_dbfield(db_field, request, **kwargs)
        field.widget = getattr(field.widget, "widget", field.widget)
        return field


class PriceInline(ByReward, StackedInline):  # type: ignore[misc]
    model = RewardPrice
    form = PriceForm
    formset = PriceSet
    fields = (
        "name", tuple(NAMES), ("points", "money"), ("tier", "birthday_month"), *WINDOW,
    )  # fmt: skip
    extra = 0
    max_num = PRICES_MAX
    verbose_name_plural = _("Other prices (the member gets the best that holds)")


class Look(ReadOnlyInline):
    def has_view_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return request.user.has_perm("catalog.view_reward")


class StockLook(Look):
    model = Stock
    fields = ("store", "left")
    verbose_name_plural = LEFT


class PriceLook(Look):
    model = RewardPrice
    fields = ("name", "points", "money", "tier", "starts_at", "ends_at", "weekdays", "hours", "birthday_month")


def _gone(one: forms.ModelForm[Any]) -> bool:
    return bool(one.cleaned_data.get("DELETE"))


def _shop(row: Stock) -> str | None:
    return row.store.code if row.store else None
