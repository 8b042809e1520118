"""Where points are earned and spent."""

from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from loyalty.validators import CODE, known_timezone


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
