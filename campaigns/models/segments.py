"""Segments: sets of members that rules and campaigns speak of by their code. Here static lists, with their history."""

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from loyalty.validators import CODE
from members.models import Member


class Segment(models.Model):
    code = models.CharField(_("code"), max_length=40, unique=True, validators=[CODE])
    name = models.CharField(_("name"), max_length=120)

    class Meta:
        verbose_name = _("segment")
        verbose_name_plural = _("segments")
        ordering = ["code"]

    def __str__(self) -> str:
        return self.name


class SegmentMembership(models.Model):
    """A member is in the segment from `since` on, until the instant `until`; a receipt asks who was in it on its day."""

    segment = models.ForeignKey(Segment, models.PROTECT, related_name="memberships", verbose_name=_("segment"))
    member = models.ForeignKey(Member, models.CASCADE, related_name="+", verbose_name=_("member"))
    since = models.DateTimeField(_("since"))
    until = models.DateTimeField(_("until"), null=True, blank=True)

    class Meta:
        verbose_name = _("member of a segment")
        verbose_name_plural = _("members of segments")
        constraints = [
            models.UniqueConstraint(fields=["member", "segment"], condition=Q(until=None), name="segment_member_once"),
            models.CheckConstraint(condition=Q(until=None) | Q(until__gte=F("since")), name="segment_until_after_since"),
        ]
        indexes = [
            models.Index(fields=["member", "since"], name="segments_of_member"),
            models.Index(fields=["segment"], condition=Q(until=None), name="segment_members_now"),
        ]
