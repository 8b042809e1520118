"""Forms of the portal. Errors say what to do, in the words of the label."""

from typing import Any

from allauth.account.forms import ConfirmLoginCodeForm, LoginForm, RequestLoginCodeForm
from django import forms
from django.conf import settings
from django.utils.translation import gettext_lazy as _

from members import contacts
from members.models import Member
from members.schemas import no_nul

ENTER_EMAIL = _("Enter an e-mail address like name@example.com.")


class ContactField(forms.CharField):
    """An e-mail address in one spelling."""

    def __init__(self, **kwargs: Any) -> None:
        attributes = {"autocomplete": "email", "inputmode": "email", "autocapitalize": "none", "spellcheck": "false"}
        messages = {"required": ENTER_EMAIL, "max_length": ENTER_EMAIL, "null_characters_not_allowed": ENTER_EMAIL}
        super().__init__(max_length=254, widget=forms.TextInput(attrs=attributes), error_messages=messages, **kwargs)

    def clean(self, value: Any) -> str:
        text = super().clean(value)
        try:
            return contacts.email(text)
        except ValueError as error:
            raise forms.ValidationError(str(error)) from error


class AddressForm(forms.Form):
    address = forms.CharField(
        label=_("Where should we send it?"), max_length=500,
        widget=forms.Textarea({"rows": 4, "autocomplete": "street-address"}),
        help_text=_("Your name, street, town and country."),
        error_messages={
            "required": _("Write where we should send it: your name, street, town and country."),
            "max_length": _("Write at most 500 characters."),
        },
    )  # fmt: skip


class JoinForm(forms.Form):
    contact = ContactField(label=_("E-mail address"))
    given_name = forms.CharField(
        label=_("What should we call you?"),
        required=False, max_length=80, widget=forms.TextInput(attrs={"autocomplete": "given-name"}),
        error_messages={"max_length": _("Enter a name of at most 80 characters.")},
    )  # fmt: skip
    offers = forms.BooleanField(label=_("Send me offers by e-mail"), required=False)


class SignInForm(RequestLoginCodeForm):
    """Strangers and members see the same answer."""

    email = ContactField(label=_("E-mail address"))  # type: ignore[assignment]  # its own checks, not Django's


class CodeForm(ConfirmLoginCodeForm):
    """One field that takes spaces, paste and autofill."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["code"]
        field.label = _("6-digit code")
        field.error_messages["required"] = _("Enter the 6-digit code from the mail.")
        field.widget.attrs |= {"autocomplete": "one-time-code", "inputmode": "numeric", "placeholder": ""}


class StaffSignInForm(LoginForm):
    """E-mail and password; errors name the fix."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["login"].error_messages |= {"required": ENTER_EMAIL, "invalid": ENTER_EMAIL}
        self.fields["password"].error_messages["required"] = _("Enter your password.")


class AccountForm(forms.ModelForm):  # type: ignore[type-arg]
    class Meta:
        model = Member
        fields = ("given_name", "language")

        labels = {"given_name": _("What should we call you?")}

    language = forms.ChoiceField(label=_("Language"), choices=settings.LANGUAGES)

    def clean_given_name(self) -> str:
        return no_nul(self.cleaned_data["given_name"].strip())
