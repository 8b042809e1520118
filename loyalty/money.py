"""Money in the reader's language."""

from decimal import Decimal

from babel.numbers import format_currency
from django.utils.translation import get_language, to_locale

from loyalty import terms


def text(amount: Decimal, currency: str) -> str:
    """€1,234.50 in English, 1 234,50 € in French."""
    return format_currency(amount, currency, locale=to_locale(get_language() or "en"))


def plain(amount: Decimal, currency: str) -> str:
    """As the API writes it: 1234.50."""
    return f"{amount:.{terms.minor_units(currency)}f}"
