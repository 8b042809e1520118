"""What may be typed into a field."""

import zoneinfo

from django.core.exceptions import ValidationError
from django.core.validators import RegexValidator
from django.utils.translation import gettext_lazy as _

CODE = RegexValidator(r"\A[A-Za-z0-9][A-Za-z0-9._-]{0,39}\Z", _("Use letters, digits, dots, dashes and underscores."))


def known_timezone(name: str) -> None:
    if name not in zoneinfo.available_timezones():
        raise ValidationError(_("%(name)s is no time zone. Use a name like Europe/Paris."), params={"name": name})
