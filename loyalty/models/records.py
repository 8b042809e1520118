"""What surrounds the ledger: documents taken once, answers kept, facts to tell, acts of staff."""

from django.db import models
from django.db.models import Func, Q, Value
from django.db.models.functions import UUID7, Now
from django.utils.translation import gettext_lazy as _

NEXT_NUMBER = Func(Value("loyalty_auditrecord_number_seq"), function="nextval", output_field=models.BigIntegerField())


class DocumentGuard(models.Model):
    """A document (receipt, return, event) is taken once: the unique row says by whom it was taken and what it said."""

    source = models.CharField(max_length=60)
    number = models.CharField(max_length=120)
    kind = models.CharField(max_length=20)
    document = models.UUIDField()
    fingerprint = models.BinaryField()

    class Meta:
        verbose_name = _("document guard")
        verbose_name_plural = _("document guards")
        constraints = [models.UniqueConstraint(fields=["source", "number", "kind"], name="document_once")]


class IdempotencyRecord(models.Model):
    """The answer that an API key got for an Idempotency-Key; written in the transaction of the effect."""

    caller = models.UUIDField()
    key = models.CharField(max_length=255)
    fingerprint = models.BinaryField()
    status = models.PositiveSmallIntegerField()
    answer = models.JSONField()
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        verbose_name = _("idempotency record")
        verbose_name_plural = _("idempotency records")
        constraints = [models.UniqueConstraint(fields=["caller", "key"], name="idempotency_once")]
        indexes = [models.Index(fields=["created_at"], name="idempotency_age")]


class OutboxEvent(models.Model):
    """A fact for others to act on, written in the transaction that made it true; the relay hands it on."""

    type = models.CharField(_("type"), max_length=40)
    subject = models.UUIDField(_("about"))
    payload = models.JSONField(_("facts"), default=dict)
    created_at = models.DateTimeField(_("created"), db_default=Now())
    handled_at = models.DateTimeField(_("handed on"), null=True)

    class Meta:
        verbose_name = _("outbox event")
        verbose_name_plural = _("outbox")
        indexes = [models.Index(fields=["id"], condition=Q(handled_at=None), name="outbox_waiting")]

    def __str__(self) -> str:
        return self.type


class AuditRecord(models.Model):
    """Who did what to which object, with ids and changed fields only, no personal data. Append-only."""

    id = models.UUIDField(primary_key=True, db_default=UUID7(), editable=False)
    # In the order of writing: checkpoints seal the trail in ranges of numbers.
    number = models.BigIntegerField(_("number"), unique=True, editable=False, db_default=NEXT_NUMBER)
    at = models.DateTimeField(_("when"), db_default=Now())
    actor = models.UUIDField(_("who"), null=True)
    verb = models.CharField(_("did"), max_length=60)
    object_type = models.CharField(_("to"), max_length=40)
    object_id = models.CharField(_("object"), max_length=64)
    changes = models.JSONField(_("changes"), default=dict)

    class Meta:
        verbose_name = _("audit record")
        verbose_name_plural = _("audit trail")
        ordering = ["-at"]
        indexes = [
            models.Index(fields=["-at"], name="audit_time"),
            models.Index(fields=["object_type", "object_id"], name="audit_object"),
        ]

    def __str__(self) -> str:
        return self.verb


class Checkpoint(models.Model):
    """What a signed checkpoint file says, for the admin to show; the truth is the file outside. Append-only.

    Digests are SHA-256 in hex; `root` is over the heads of all wallets.
    """

    number = models.BigIntegerField(_("number"), primary_key=True)
    at = models.DateTimeField(_("sealed"))
    previous = models.CharField(_("digest of the one before"), max_length=64)
    digest = models.CharField(_("digest of the file"), max_length=64)
    wallets = models.BigIntegerField(_("wallets"))
    heads = models.BigIntegerField(_("changed heads"))
    rows = models.JSONField(_("rows sealed"))
    sums = models.JSONField(_("points by contra account"))
    posting_id = models.BigIntegerField(_("highest posting"))
    root = models.CharField(_("root"), max_length=64)
    signature = models.CharField(_("signature"), max_length=128)

    class Meta:
        verbose_name = _("checkpoint")
        verbose_name_plural = _("checkpoints")
        ordering = ["-number"]

    def __str__(self) -> str:
        return f"{self.number}"
