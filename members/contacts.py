"""E-mail addresses and phone numbers: one spelling each, and what of them may be shown."""

from functools import cache

import phonenumbers
from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import EmailValidator
from django.utils.translation import gettext as _

check_email = EmailValidator()


def email(text: str) -> str:
    """Lower case, without spaces around. Raises ValueError in the reader's language."""
    address = text.strip().lower()
    try:
        check_email(address)
    except ValidationError:
        raise ValueError(_("Enter an e-mail address like name@example.com.")) from None
    return address


def phone(text: str) -> str:
    """E.164. A number without a country's code is read as one of the programme's country. Raises ValueError."""
    try:
        number = phonenumbers.parse(text, settings.REGULARS_COUNTRY)
    except phonenumbers.NumberParseException:
        number = None
    if number is None or not phonenumbers.is_valid_number(number):
        raise ValueError(_("Enter a phone number like %(example)s.") % {"example": _example(settings.REGULARS_COUNTRY)})
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def masked_email(address: str) -> str:
    """As in w…@example.com."""
    name, _at, domain = address.partition("@")
    return f"{name[:1]}…@{domain}" if domain else ""


def masked_phone(number: str) -> str:
    """As in … 78."""
    return f"… {number[-2:]}" if number else ""


@cache
def _example(country: str) -> str:
    number = phonenumbers.example_number_for_type(country, phonenumbers.PhoneNumberType.MOBILE)
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.INTERNATIONAL) if number else "+33 6 12 34 56 78"
