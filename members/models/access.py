"""Who may do what: staff by role and store, programs by key and scope."""

import uuid

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from members.models.users import User


class StaffProfile(models.Model):
    class Role(models.TextChoices):
        OWNER = "owner", _("owner")
        MANAGER = "manager", _("store manager")
        MARKETER = "marketer", _("marketer")
        FINANCE = "finance", _("finance")
        SUPPORT = "support", _("support")
        CASHIER = "cashier", _("cashier")

    user = models.OneToOneField(User, models.CASCADE, related_name="staff", verbose_name=_("login"))
    name = models.CharField(_("name"), max_length=80)
    role = models.CharField(_("role"), max_length=10, choices=Role)
    stores = models.ManyToManyField(
        "loyalty.Store", blank=True, verbose_name=_("stores"), help_text=_("None chosen: every store.")
    )

    class Meta:
        verbose_name = _("staff member")
        verbose_name_plural = _("staff")

    def __str__(self) -> str:
        return self.name


class ApiKey(models.Model):
    """A key of a till, app or partner. Only its digest is kept; the key itself is shown once."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.CharField(_("name"), max_length=80)
    digest = models.BinaryField(unique=True, editable=False)
    scopes = models.JSONField(_("scopes"))
    store = models.ForeignKey("loyalty.Store", models.PROTECT, null=True, blank=True, verbose_name=_("only for store"))
    created_at = models.DateTimeField(_("made"), db_default=Now(), editable=False)
    expires_at = models.DateTimeField(_("ends"), null=True, blank=True)
    revoked_at = models.DateTimeField(_("revoked"), null=True, blank=True, editable=False)
    last_used_at = models.DateTimeField(_("last used"), null=True, editable=False)

    class Meta:
        verbose_name = _("API key")
        verbose_name_plural = _("API keys")
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class CodeAttempt(models.Model):
    """How often a sign-in code was compared; `code` is a digest that names it."""

    code = models.CharField(primary_key=True, max_length=64)
    tries = models.PositiveSmallIntegerField()
    at = models.DateTimeField()

    class Meta:
        verbose_name = _("code attempt")
        verbose_name_plural = _("code attempts")


class CodesSent(models.Model):
    """When codes were sent to an address within a day, newest first; `address` is a keyed digest of it."""

    address = models.CharField(primary_key=True, max_length=64)
    sent_at = ArrayField(models.DateTimeField())

    class Meta:
        verbose_name = _("codes sent")
        verbose_name_plural = _("codes sent")
