"""Who may do what: staff by role and store, programs by key and scope."""

import uuid

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import UUID7, Now
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

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
    made_by = models.UUIDField(_("made by"), null=True, editable=False)
    expires_at = models.DateTimeField(_("ends"), null=True, blank=True)
    revoked_at = models.DateTimeField(_("revoked"), null=True, blank=True, editable=False)
    last_used_at = models.DateTimeField(_("last used"), null=True, editable=False)

    class Meta:
        verbose_name = _("API key")
        verbose_name_plural = _("API keys")
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


# What waits for a second person, by its verb.
ACTS = {
    "terms.publish": _("publish terms"), "rate.publish": _("publish a rule"), "adjustment.post": _("adjust points"),
    "apikey.trust": _("trust an API key"), "limits.raise": _("raise the limits"), "tiers.publish": _("publish tiers"),
    "tier.override": _("set a tier by hand"), "goods.exclude": _("exclude goods"),
}  # fmt: skip


class ApprovalRequest(models.Model):
    """An act that waits for a second person, and what they decided. `fingerprint` names what exactly was asked for.

    `verb` is dotted (`terms.publish`); `object_type` a model's label; people act under their random ids.
    """

    class Decision(models.TextChoices):
        APPROVED = "approved", pgettext_lazy("decision", "approved")
        REFUSED = "refused", pgettext_lazy("decision", "refused")

    id = models.UUIDField(primary_key=True, db_default=UUID7(), editable=False)
    verb = models.CharField(_("act"), max_length=60)
    object_type = models.CharField(_("to"), max_length=40)
    object_id = models.CharField(_("object"), max_length=64)
    fingerprint = models.CharField(_("fingerprint"), max_length=64)
    requested_by = models.UUIDField(_("asked by"))
    requested_at = models.DateTimeField(_("asked"))
    decided_by = models.UUIDField(_("decided by"), null=True)
    decided_at = models.DateTimeField(_("decided"), null=True)
    decision = models.CharField(_("decision"), max_length=8, choices=Decision, blank=True)
    note = models.CharField(_("why"), max_length=200, blank=True)

    class Meta:
        verbose_name = _("approval")
        verbose_name_plural = _("approvals")
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(decided_by=None) | ~Q(decided_by=F("requested_by")), name="approval_by_another_person"
            ),
            models.CheckConstraint(
                condition=Q(decision="", decided_by=None, decided_at=None)
                | (~Q(decision="") & Q(decided_by__isnull=False, decided_at__isnull=False)),
                name="approval_decided_whole",
            ),
            models.UniqueConstraint(
                fields=["verb", "object_type", "object_id", "fingerprint"],
                condition=Q(decision__in=["", "approved"]),
                name="approval_asked_once",
            ),
        ]
        indexes = [models.Index(fields=["-id"], condition=Q(decision=""), name="approval_waiting")]

    def __str__(self) -> str:
        return str(ACTS.get(self.verb, self.verb))


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
