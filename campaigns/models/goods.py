"""Goods that stand outside the programme."""

from datetime import datetime

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _


class ExcludedGoods(models.Model):
    """From `since` on, and before `until`, these goods earn nothing and cannot be paid in points: gift cards, tobacco, deposits.

    `code` is an SKU or a category exactly as tills give it. What ended stays, for receipts that come late. A draft holds for
    nothing; once published only its end is written (a trigger says the same). `detriment`: somebody bought these goods, so it
    was approved by a second person and announced.
    """

    class Kind(models.TextChoices):
        SKU = "sku", _("SKU")
        CATEGORY = "category", _("category")

    kind = models.CharField(_("kind"), max_length=8, choices=Kind)
    code = models.CharField(_("SKU or category"), max_length=80)
    since = models.DateTimeField(_("excluded since"), null=True, blank=True)
    until = models.DateTimeField(_("excluded until"), null=True, blank=True, editable=False)
    drafted_by = models.UUIDField(_("drafted by"), null=True, blank=True, editable=False)
    published_at = models.DateTimeField(_("published"), null=True, blank=True, editable=False)
    published_by = models.UUIDField(_("published by"), null=True, blank=True, editable=False)
    approved_by = models.UUIDField(_("approved by"), null=True, blank=True, editable=False)
    detriment = models.BooleanField(_("worse for members"), default=False, db_default=False, editable=False)

    class Meta:
        verbose_name = _("excluded goods")
        verbose_name_plural = _("excluded goods")
        ordering = ["kind", "code", "-since"]
        constraints = [
            models.UniqueConstraint(fields=["kind", "code"], condition=Q(until=None), name="goods_excluded_once"),
            models.CheckConstraint(condition=Q(until=None) | Q(until__gte=F("since")), name="goods_end_after_start"),
            models.CheckConstraint(condition=~Q(code=""), name="goods_have_a_code"),
            models.CheckConstraint(
                condition=Q(published_at=None) | Q(since__isnull=False, since__gte=F("published_at")),
                name="goods_start_after_publication",
            ),
            models.CheckConstraint(condition=Q(until=None) | Q(published_at__isnull=False), name="goods_end_once_published"),
            models.CheckConstraint(
                condition=Q(approved_by=None) | (~Q(approved_by=F("drafted_by")) & ~Q(approved_by=F("published_by"))),
                name="goods_approved_by_another",
            ),
            models.CheckConstraint(
                condition=Q(detriment=False) | Q(approved_by__isnull=False), name="goods_detriment_is_approved"
            ),
        ]

    def __str__(self) -> str:
        return self.code

    @property
    def starts_at(self) -> datetime | None:
        """As pages of drafts call it."""
        return self.since
