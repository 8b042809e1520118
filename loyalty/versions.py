"""What all documents that members live by keep: who drafted, approved and published them, and if they are worse than before."""

from typing import Any, ClassVar, Self

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _


def actor(label: Any) -> "models.UUIDField[Any, Any]":
    return models.UUIDField(label, null=True, blank=True, editable=False)


class Publishable(models.Model):
    """A draft until it is published, then frozen (a trigger of each table says the same).

    `detriment`: when it was published it was worse for somebody, so a second person approved it and it was announced.
    """

    objects: ClassVar[models.Manager[Self]]

    drafted_by = actor(_("drafted by"))
    published_at = models.DateTimeField(_("published"), null=True, blank=True, editable=False)
    published_by = actor(_("published by"))
    approved_by = actor(_("approved by"))
    detriment = models.BooleanField(_("worse for members"), default=False, db_default=False, editable=False)

    class Meta:
        abstract = True


class Version(Publishable):
    """One of several that follow each other. A draft without a start starts as soon as it may."""

    version = models.PositiveIntegerField(_("version"))
    starts_at = models.DateTimeField(_("starts"), null=True, blank=True)

    class Meta:
        abstract = True


def approved_where_asked(name: str) -> list[models.BaseConstraint]:
    """Nobody approves what they drafted or publish, and what is worse was approved."""
    by_another = Q(approved_by=None) | (~Q(approved_by=F("drafted_by")) & ~Q(approved_by=F("published_by")))
    return [
        models.CheckConstraint(condition=by_another, name=f"{name}_approved_by_another"),
        models.CheckConstraint(condition=Q(detriment=False) | Q(approved_by__isnull=False), name=f"{name}_detriment_is_approved"),
    ]


def never_backdated(name: str) -> models.BaseConstraint:
    """Nothing starts before it was published."""
    return models.CheckConstraint(
        condition=Q(published_at=None) | Q(starts_at__gte=F("published_at")), name=f"{name}_start_after_publication"
    )
