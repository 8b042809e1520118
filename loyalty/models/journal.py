"""The journal: what happened and why (the entry), and what it did to a wallet (the posting)."""

from django.db import models
from django.db.models import Q
from django.db.models.functions import UUID7
from django.utils.translation import gettext_lazy as _

from loyalty.kinds import Contra, Kind
from loyalty.models.places import Store
from loyalty.models.terms import TermsVersion
from loyalty.models.wallets import Wallet


class JournalEntry(models.Model):
    """One business act: what makes it unique, who did it, why, and under which terms. Append-only.

    Nothing here is personal: `actor` is a random id, `reason` a code.
    """

    id = models.UUIDField(primary_key=True, db_default=UUID7(), editable=False)
    key = models.CharField(_("key"), max_length=255)
    actor = models.UUIDField(_("actor"), null=True)
    reason = models.CharField(_("reason"), max_length=60, blank=True)
    terms = models.ForeignKey(
        TermsVersion, models.DO_NOTHING, null=True, db_constraint=False, db_index=False, verbose_name=_("terms")
    )
    rule_version = models.UUIDField(_("rule version"), null=True)
    undoes = models.UUIDField(_("undoes entry"), null=True)

    class Meta:
        verbose_name = _("journal entry")
        verbose_name_plural = _("journal entries")
        # A constraint, not `unique=True`, which would add an index for LIKE to every entry.
        constraints = [models.UniqueConstraint(fields=["key"], name="entry_key_once")]
        indexes = [models.Index(fields=["undoes"], condition=Q(undoes__isnull=False), name="entry_undoes")]

    def __str__(self) -> str:
        return self.key


class Posting(models.Model):
    """One signed line of an entry in one wallet; the row is both legs, the other being `contra`. Append-only.

    It carries all that a statement line and a sum by period, store or kind need, so neither joins another table.
    """

    entry = models.ForeignKey(JournalEntry, models.DO_NOTHING, db_constraint=False, db_index=True, verbose_name=_("entry"))
    wallet = models.ForeignKey(Wallet, models.DO_NOTHING, db_constraint=False, db_index=False, verbose_name=_("wallet"))
    seq = models.BigIntegerField(_("number"))
    kind = models.CharField(_("kind"), max_length=12, choices=Kind)
    points = models.BigIntegerField(_("points"))
    contra = models.CharField(_("contra account"), max_length=10, choices=Contra)
    balance_after = models.BigIntegerField(_("balance after"))
    occurred_at = models.DateTimeField(_("happened"))
    recorded_at = models.DateTimeField(_("recorded"))
    store = models.ForeignKey(Store, models.DO_NOTHING, null=True, db_constraint=False, db_index=False, verbose_name=_("store"))
    reference = models.CharField(_("reference"), max_length=120, blank=True)
    idle_until = models.DateTimeField(_("keeps the wallet until"), null=True)
    hash = models.BinaryField(_("hash"))

    class Meta:
        verbose_name = _("posting")
        verbose_name_plural = _("postings")
        constraints = [
            models.UniqueConstraint(fields=["wallet", "seq"], name="posting_position"),
            models.CheckConstraint(condition=Q(seq__gt=0) & ~Q(points=0), name="posting_moves_points"),
        ]
        indexes = [models.Index(fields=["recorded_at"], name="posting_recorded")]

    def __str__(self) -> str:
        return f"{self.points:+d}"
