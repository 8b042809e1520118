"""What is typed at a till. Errors say what to do, in the words of the label."""

import re
from decimal import Decimal
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from campaigns.schemas import AMOUNT_MAX, NUMBER_LENGTH
from loyalty.terms import Terms
from members import contacts
from members.schemas import no_nul

AMOUNT = re.compile(r"\A[0-9]{1,9}([.,][0-9]{1,3})?\Z", re.ASCII)
TYPED = {"autocomplete": "off", "autocapitalize": "characters", "spellcheck": "false", "data-takes-scans": True}


class CodeForm(forms.Form):
    code = forms.CharField(
        label=gettext_lazy("Code of the till"), max_length=40, widget=forms.TextInput(TYPED),
        error_messages={"required": gettext_lazy("Enter the code that the admin shows for this till.")},
    )  # fmt: skip


class PinForm(forms.Form):
    staff = forms.IntegerField(
        error_messages={"required": gettext_lazy("Tap your name."), "invalid": gettext_lazy("Tap your name.")}
    )
    pin = forms.CharField(
        label=gettext_lazy("PIN"), max_length=6,
        widget=forms.PasswordInput({"inputmode": "numeric", "autocomplete": "off", "autofocus": True}),
        error_messages={
            "required": gettext_lazy("Enter your PIN, then tap your name."),
            "max_length": gettext_lazy("A PIN has 4 to 6 digits."),
        },
    )  # fmt: skip


class AmountField(forms.CharField):
    """Money as people type it, with a point or a comma; more than nothing."""

    def __init__(self, contract: Terms, **given: Any) -> None:
        self._decimals = contract.minor_units
        attributes = {"inputmode": "decimal", "autocomplete": "off", "autofocus": True, "data-amount": True}
        required = {"required": _("Enter the amount that was paid, such as 18.60.")}
        super().__init__(max_length=14, widget=forms.TextInput(attributes), error_messages=required, **given)

    def clean(self, value: Any) -> Any:
        text = super().clean(value).strip()
        if not text and not self.required:
            return None
        if not AMOUNT.match(text):
            raise forms.ValidationError(_("Enter the amount that was paid, such as 18.60."))
        amount = Decimal(text.replace(",", "."))
        if amount != round(amount, self._decimals):
            raise forms.ValidationError(_("Give at most %(count)d decimals.") % {"count": self._decimals})
        if not 0 < amount <= AMOUNT_MAX:
            raise forms.ValidationError(_("Enter an amount above zero."))
        return amount


class SaleForm(forms.Form):
    """`number` names the receipt where the shop has none; `again` says that the same was meant twice."""

    number = forms.CharField(max_length=NUMBER_LENGTH, required=False, widget=forms.HiddenInput)
    again = forms.BooleanField(required=False, widget=forms.HiddenInput)

    def __init__(self, contract: Terms, *args: Any, max_points: int = 0, vouchers: Any = (), **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        ticked = (self.data if self.is_bound else self.initial).get("vouchers")
        asked = _("Price before vouchers, %(currency)s") if ticked else _("Amount paid, %(currency)s")
        self.fields["amount"] = AmountField(contract, label=asked % {"currency": contract.currency})
        if vouchers:
            self.fields["vouchers"] = forms.MultipleChoiceField(
                label=_("Vouchers and rewards"),
                choices=vouchers,
                required=False,
                widget=forms.CheckboxSelectMultiple,
                help_text=_("Tick what is taken off or handed over. The amount above is that before anything is taken off."),
            )
        if max_points:
            self.fields["points"] = forms.IntegerField(
                label=_("Of it paid with points"), required=False, min_value=0,
                widget=forms.TextInput({"inputmode": "numeric", "autocomplete": "off"}),
                error_messages={
                    "invalid": _("Enter a whole number of points."), "min_value": _("Enter a whole number of points."),
                },
            )  # fmt: skip
        self.fields["member_code"] = forms.CharField(
            label=_("Code of the member"), max_length=20, required=False,
            widget=forms.TextInput({"inputmode": "numeric", "autocomplete": "off"}),
        )  # fmt: skip
        self.fields["manager"] = forms.IntegerField(required=False, widget=forms.HiddenInput)
        self.fields["manager_pin"] = forms.CharField(
            label=_("PIN of the manager"), max_length=6, required=False,
            widget=forms.PasswordInput({"inputmode": "numeric", "autocomplete": "off"}),
        )  # fmt: skip
        self.fields["receipt"] = forms.CharField(
            label=_("Receipt number"), max_length=NUMBER_LENGTH - 1, required=False, widget=forms.TextInput(TYPED)
        )

    def clean_receipt(self) -> str:
        return no_nul(self.cleaned_data["receipt"].strip())


class EnrolForm(forms.Form):
    contact = forms.CharField(
        label=gettext_lazy("Phone number, e-mail address, or the number on a printed card"), max_length=254,
        widget=forms.TextInput(TYPED | {"autocapitalize": "none", "autofocus": True}),
        error_messages={"required": gettext_lazy("Enter a phone number, an e-mail address or the number of a printed card.")},
    )  # fmt: skip
    given_name = forms.CharField(
        label=gettext_lazy("What should we call you?"), required=False, max_length=80,
        widget=forms.TextInput({"autocomplete": "off"}),
        error_messages={"max_length": gettext_lazy("Enter a name of at most 80 characters.")},
    )  # fmt: skip


class RefundForm(forms.Form):
    number = forms.CharField(max_length=NUMBER_LENGTH, required=False, widget=forms.HiddenInput)

    def __init__(self, contract: Terms, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["amount"] = AmountField(
            contract, label=_("Price of what comes back, %(currency)s") % {"currency": contract.currency}
        )


class SetPinForm(forms.Form):
    staff = forms.TypedChoiceField(label=gettext_lazy("Colleague"), coerce=int)
    pin = forms.CharField(
        label=gettext_lazy("New PIN"), max_length=6,
        widget=forms.PasswordInput({"inputmode": "numeric", "autocomplete": "off"}),
        help_text=gettext_lazy("4 to 6 digits, typed at the till."),
        error_messages={
            "required": gettext_lazy("Choose 4 to 6 digits."), "max_length": gettext_lazy("Choose 4 to 6 digits."),
        },
    )  # fmt: skip
    again = forms.CharField(
        label=gettext_lazy("The same PIN again"), max_length=6,
        widget=forms.PasswordInput({"inputmode": "numeric", "autocomplete": "off"}),
        error_messages={"required": gettext_lazy("Type the PIN a second time.")},
    )  # fmt: skip

    def clean(self) -> dict[str, Any]:
        given = self.cleaned_data
        if given.get("pin") and given.get("again") and given["pin"] != given["again"]:
            self.add_error("again", _("The two differ. Type the PIN a second time."))
        return given


def contact_of(text: str) -> dict[str, str]:
    """An e-mail address or a phone number under its name. Raises ValueError in the reader's language."""
    return {"email": contacts.email(text)} if "@" in text else {"phone": contacts.phone(text)}
