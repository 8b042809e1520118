"""The form of a reward: a person's words for what the API says, judged by the same shape."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError as FieldError
from django.utils import timezone
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _
from pydantic import ValidationError
from unfold.widgets import (
    UnfoldAdminFileFieldWidget,
    UnfoldAdminIntegerFieldWidget,
    UnfoldAdminSelect2MultipleWidget,
    UnfoldAdminTextareaWidget,
    UnfoldBooleanWidget,
)

from catalog import keeping, pictures
from catalog.admin.fields import LANGUAGES, UNITS, WindowForm, choice, in_language, number, placed, shown_window, text, words
from catalog.keeping import Picture
from catalog.models import Reward, Voucher
from catalog.schemas import DAYS_MAX, RewardIn
from loyalty import queries, terms
from loyalty.problems import Problem, problem_of
from loyalty.validators import CODE

KEPT = "picture_kept"
WORDS = ("title", "description", "picture_text")
AS_TYPED = ("title", "description", "kind", "points", "picture_text", "per_member", "low_water")
# Where a fault of the API's shape stands in the form.
PLACES = {
    "available/starts_at": "starts_on", "available/ends_at": "ends_on", "available/weekdays": "weekdays",
    "available/hours/1": "hours_to", "available/hours": "hours_from", "available": "ends_on",
    "voucher/amount": "voucher_amount", "voucher/minimum_spend": "voucher_minimum", "voucher/uses": "voucher_uses",
    "voucher/valid_for": "voucher_valid", "voucher/keeps_rest": "voucher_keeps_rest",
    "voucher/categories": "voucher_categories", "voucher": "voucher_amount",
}  # fmt: skip


def whole(label: Any, **given: Any) -> forms.IntegerField:
    widget = UnfoldAdminIntegerFieldWidget
    return forms.IntegerField(label=capfirst(label), required=False, min_value=1, widget=widget, **given)


WordFields = type("WordFields", (forms.Form,), words())


class RewardForm(WordFields, WindowForm, forms.ModelForm[Reward]):  # type: ignore[valid-type,misc]
    """Judges and keeps a good picture at once; the page writes when what stands beneath is good too."""

    # What the verb refused although the form was good, because something moved meanwhile.
    refused = ""

    picture = forms.FileField(
        label=capfirst(_("picture")), required=False,
        widget=UnfoldAdminFileFieldWidget({"accept": "image/jpeg,image/png,image/webp"}),
        help_text=_("JPEG, PNG or WebP, up to 10 MB. It is drawn anew: where and when it was taken is not kept."),
    )  # fmt: skip
    picture_kept = forms.CharField(required=False, widget=forms.HiddenInput)
    picture_remove = forms.BooleanField(label=capfirst(_("remove the picture")), required=False, widget=UnfoldBooleanWidget)
    money = number(_("money to pay"), help_text=_("Besides the points, in the programme’s currency."))
    cost = number(_("cost"), help_text=_("What one costs you. From it come the cost per point and the suggested points."))
    stores = forms.MultipleChoiceField(
        label=capfirst(_("only in these shops")), required=False, widget=UnfoldAdminSelect2MultipleWidget,
        help_text=_("None chosen means every shop."),
    )  # fmt: skip
    tiers = forms.MultipleChoiceField(
        label=capfirst(_("only for these tiers")), required=False, widget=UnfoldAdminSelect2MultipleWidget,
        help_text=_("None chosen means every member."),
    )  # fmt: skip
    voucher_type = choice(_("what the voucher gives"), Voucher.Type.choices)
    voucher_amount = number(_("how much"), help_text=_("Money, or the percentage."))
    voucher_minimum = number(_("minimum spend"))
    voucher_keeps_rest = forms.BooleanField(
        label=capfirst(_("keeps what is not used")), required=False, widget=UnfoldBooleanWidget,
        help_text=_("Like a gift card: what one receipt does not need stays on it for the next."),
    )  # fmt: skip
    voucher_uses = whole(_("uses"), initial=1, max_value=1000)
    voucher_valid = whole(_("valid for"), initial=30, max_value=DAYS_MAX["D"])
    voucher_unit = choice(_("unit"), UNITS)
    voucher_categories = text(
        _("only for these categories"), 2000, help_text=_("As the till sends them, with commas between. Empty: for all goods.")
    )

    class Meta:
        model = Reward
        help_texts = {"low_water": _("Whoever keeps the catalogue gets a mail, once each time that a row of stock falls so far.")}
        widgets = {"description": UnfoldAdminTextareaWidget({"rows": 4})}
        fields = (
            "code", "title", "description", "kind", "category", "points", "fulfilment", "per_member", "low_water",
            "code_pool", "picture_text",
        )  # fmt: skip

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.is_new = self.instance.pk is None
        one, known = self.instance, keeping.tiers()
        chosen = [] if self.is_new else [each.code for each in one.stores.all()]
        if not self.is_new:
            self.initial = {**self.initial, **self._shown(one), "stores": chosen, "tiers": one.tiers, "picture": None}
        if self.is_new and "code" in self.fields:
            self.fields["code"].validators.append(CODE)  # so that it is told together with what else is wrong
        shops = queries.open_stores()
        self._offer("stores", [(code, shops.get(code, code)) for code in dict.fromkeys([*chosen, *shops])])
        self._offer("tiers", [(code, known.get(code, code)) for code in dict.fromkeys([*one.tiers, *known])])

    def kept(self) -> str:
        """The picture that the form would show: one that was sent before, else the reward's own."""
        name = str(self.data.get(KEPT, ""))
        return name if pictures.is_kept(name) else str(self.instance.picture.name or "")

    def document(self) -> dict[str, Any]:
        """What was typed, in the words of the API."""
        given = self.cleaned_data
        return {
            **{name: given[name] for name in AS_TYPED},
            "category": given["category"].code if given["category"] else None,
            "money": given["money"] or 0, "cost": given["cost"],
            "fulfilment": "shop" if given["kind"] == Reward.Kind.VOUCHER else given["fulfilment"],
            "stores": given["stores"], "tiers": given["tiers"], "available": self.window(self.instance),
            "voucher": self._voucher(),
            "code_pool": given["code_pool"].code if given["code_pool"] and given["kind"] == Reward.Kind.CODE else None,
            "translations": {
                language: {name: given[in_language(name, language)] for name in WORDS} for language, _name in LANGUAGES
            },
            "withdrawn": self.instance.withdrawn_at is not None,
        }  # fmt: skip

    def code_of(self) -> str:
        return str(self.cleaned_data["code"] if self.is_new else self.instance.code)

    def clean_picture(self) -> Any:
        """Kept at once, so that it is still there when another field has to be mended."""
        upload = self.cleaned_data["picture"]
        if not upload:
            return None
        try:
            name = pictures.keep(upload)
        except Problem as problem:
            raise FieldError(problem.detail) from problem
        data: Any = self.data
        self.data = data.copy()
        self.data[KEPT] = name  # type: ignore[index]
        return upload

    def picture_of(self) -> Picture | None:
        """The picture that the reward is to have; None: the one it has."""
        if self.cleaned_data["picture_remove"]:
            return Picture("")
        name = self.kept()
        return Picture(name) if name and name != self.instance.picture.name else None

    def _post_clean(self) -> None:
        """Judged by the shape of the API and by the verb; nothing is written yet."""
        if self.refused:
            self.add_error(None, self.refused)
        if self.errors:
            return
        said = self.document()
        code = self.code_of()
        if self.is_new and Reward.objects.filter(code=code).exists():
            self.add_error("code", keeping.taken().detail)
        removed, shown = self.cleaned_data["picture_remove"], self.kept()
        if shown and not removed and not self.cleaned_data["picture_text"]:
            self.add_error("picture_text", _("Say what the picture shows, for those who cannot see it."))
        try:
            self.reward = RewardIn.model_validate(said)
            keeping.insist(code, self.reward, now=timezone.now())
        except (ValidationError, Problem) as error:
            problem = error if isinstance(error, Problem) else problem_of(error)
            for fault in problem.faults:
                name = placed(fault, PLACES)
                self.add_error(name if name in self.fields else None, fault.detail)

    def save(self, commit: bool = True) -> Reward:
        return self.instance

    def save_m2m(self) -> None:
        """Nothing is left to write."""

    def _offer(self, name: str, choices: list[tuple[str, Any]]) -> None:
        self.fields[name].choices = choices  # type: ignore[attr-defined]

    def _voucher(self) -> dict[str, Any] | None:
        """What it gives; of what is no voucher alone how long and how often it can be fetched."""
        given, kind = self.cleaned_data, self.cleaned_data["kind"]
        if kind in (Reward.Kind.CODE, Reward.Kind.DONATION):
            return None
        said = {"uses": given["voucher_uses"] or 1, "valid_for": f"P{given['voucher_valid'] or 30}{given['voucher_unit'] or 'D'}"}
        if kind != Reward.Kind.VOUCHER:
            return {"type": "item"} | said
        if keeps_rest := given["voucher_type"] in ("amount", "") and given["voucher_keeps_rest"]:
            said["uses"] = 1
        categories = [one.strip() for one in given["voucher_categories"].replace("，", ",").split(",")]
        return said | {
            "type": given["voucher_type"] or "amount", "amount": given["voucher_amount"] or 0,
            "minimum_spend": given["voucher_minimum"] or 0, "keeps_rest": bool(keeps_rest),
            "categories": [one for one in categories if one],
        }  # fmt: skip

    def _shown(self, one: Reward) -> dict[str, Any]:
        voucher, decimals = one.voucher or {}, terms.current(timezone.now()).minor_units
        valid = voucher.get("valid_for", "P30D")
        return {
            **shown_window(one), "money": keeping.plain(one.money, decimals) if one.money else None,
            "cost": None if one.cost is None else keeping.plain(one.cost, decimals),
            "voucher_type": voucher.get("type", "amount"), "voucher_amount": voucher.get("amount"),
            "voucher_minimum": voucher.get("minimum_spend"), "voucher_uses": voucher.get("uses", 1),
            "voucher_keeps_rest": voucher.get("keeps_rest", False),
            "voucher_valid": int(valid[1:-1]), "voucher_unit": valid[-1],
            "voucher_categories": ", ".join(voucher.get("categories", [])),
            **{
                in_language(name, language): one.translations.get(language, {}).get(name, "")
                for language, _name in LANGUAGES for name in WORDS
            },
        }  # fmt: skip
