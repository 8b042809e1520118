"""Goods that stand outside the programme."""

from datetime import datetime

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from loyalty.versions import Publishable, approved_where_asked


class ExcludedGoods(Publishable):
    """From `since` on, and before `until`, these goods earn nothing and cannot be paid in points: gift cards, tobacco, deposits.

    `code` is an SKU or a category exactly as tills give it. What ended stays, for receipts that come late. A draft holds for
    nothing; once published only its end is written (a trigger says the same). It is worse if somebody bought these goods.
    """

    class Kind(models.TextChoices):
        SKU = "sku", _("SKU")
        CATEGORY = "category", _("category")

    kind = models.CharField(_("kind"), max_length=8, choices=Kind)
    code = models.CharField(_("SKU or category"), max_length=80)
    since = models.DateTimeField(_("excluded since"), null=True, blank=True)
    until = models.DateTimeField(_("excluded until"), null=True, blank=True, editable=False)

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
            *approved_where_asked("goods"),
        ]

    def __str__(self) -> str:
        return self.code

    @property
    def starts_at(self) -> datetime | None:
        """As pages of drafts call it."""
        return self.since
