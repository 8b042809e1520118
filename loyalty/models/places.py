"""Where points are earned and spent."""

import zoneinfo

from django.core.exceptions import ValidationError
from django.core.validators import RegexValidator
from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

CODE = RegexValidator(r"\A[A-Za-z0-9][A-Za-z0-9._-]{0,39}\Z", _("Use letters, digits, dots, dashes and underscores."))


def known_timezone(name: str) -> None:
    if name not in zoneinfo.available_timezones():
        raise ValidationError(_("%(name)s is no time zone. Use a name like Europe/Paris."), params={"name": name})


class Store(models.Model):
    """A shop of the chain. Its zone decides weekday and hour conditions, never expiry."""

    code = models.CharField(_("code"), max_length=40, unique=True, validators=[CODE])
    name = models.CharField(_("name"), max_length=120)
    timezone = models.CharField(_("time zone"), max_length=64, validators=[known_timezone])
    region = models.CharField(_("region"), max_length=80, blank=True)
    created_at = models.DateTimeField(_("opened"), db_default=Now(), editable=False)
    closed_at = models.DateTimeField(_("closed"), null=True, blank=True)

    class Meta:
        verbose_name = _("store")
        verbose_name_plural = _("stores")
        ordering = ["code"]

    def __str__(self) -> str:
        return self.name
