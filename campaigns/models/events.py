"""Acts of members that are no purchases, and what each earned and why."""

from django.db import models
from django.db.models import Q
from django.db.models.functions import UUID7
from django.utils.translation import gettext_lazy as _

from members.models import Member


class Event(models.Model):
    """An act of a member. (`source`, `number`) is taken once, by the ledger's document guard.

    `day` is that of the programme's calendar. `once` names what counts once (campaigns/eventkinds.py): empty where every
    act counts, and for a repetition, which is kept and earns nothing. `streak`: the how-manieth day in a row with such an
    act, kept true when an earlier day is told late; 0 for a repetition.
    """

    id = models.UUIDField(primary_key=True, db_default=UUID7(), editable=False)
    source = models.CharField(_("source"), max_length=60)
    number = models.CharField(_("event number"), max_length=120)
    member = models.ForeignKey(Member, models.PROTECT, verbose_name=_("member"))
    type = models.CharField(_("type"), max_length=48)
    occurred_at = models.DateTimeField(_("happened"))
    recorded_at = models.DateTimeField(_("recorded"))
    day = models.DateField(_("day"))
    store = models.ForeignKey("loyalty.Store", models.PROTECT, null=True, verbose_name=_("store"))
    points_earned = models.BigIntegerField(_("points earned"))
    once = models.CharField(_("counts once as"), max_length=160, blank=True)
    streak = models.PositiveIntegerField(_("days in a row"))
    trace = models.JSONField(_("trace"))
    data = models.JSONField(_("details"))

    class Meta:
        verbose_name = _("event")
        verbose_name_plural = _("events")
        constraints = [models.UniqueConstraint(fields=["member", "once"], condition=~Q(once=""), name="event_counts_once")]
        indexes = [
            models.Index(fields=["member", "type", "day"], condition=Q(streak__gt=0), name="event_days"),
            models.Index(fields=["-occurred_at", "-id"], name="event_time"),
            models.Index(fields=["number"], name="event_number"),
        ]

    def __str__(self) -> str:
        return self.type.removeprefix("custom:").replace("_", " ")
