"""What a member is told: one row per message and channel, made once by its unique key, sent from the row."""

from django.db import models
from django.db.models import Q
from django.db.models.functions import UUID7, Now
from django.utils.translation import gettext_lazy as _

from members.models.people import Member
from members.models.users import User


class Message(models.Model):
    """Something told to a member, or to one of the staff, on one channel.

    `subject_key` is the period or thing it is about; with whom it is for, kind and channel it is unique, so a message that
    is made twice is one message. `facts` fill the templates templates/emails/<kind>.*, in the member's language.
    """

    class Channel(models.TextChoices):
        INBOX = "inbox", _("portal")
        EMAIL = "email", _("e-mail")

    class Kind(models.TextChoices):
        WELCOME = "welcome", _("welcome")
        EXPIRY_REMINDER = "expiry_reminder", _("expiry reminder")
        POINTS_EXPIRED = "points_expired", _("points expired")
        BIRTHDAY = "birthday", _("birthday")
        TERMS_CHANGE = "terms_change", _("change of the rules")
        TIER_UP = "tier_up", _("tier reached")
        TIER_AT_RISK = "tier_at_risk", _("tier at risk")
        REDEMPTION = "redemption", _("reward redeemed")
        REDEMPTION_CANCELLED = "redemption_cancelled", _("redemption cancelled")
        VOUCHER_EXPIRING = "voucher_expiring", _("voucher about to expire")
        BACK_IN_STOCK = "back_in_stock", _("reward back in stock")
        LOW_STOCK = "low_stock", _("stock runs low")
        TILL_CODE = "till_code", _("code for the till")

    id = models.UUIDField(primary_key=True, db_default=UUID7(), editable=False)
    member = models.ForeignKey(Member, models.CASCADE, null=True, related_name="messages", verbose_name=_("member"))
    user = models.ForeignKey(User, models.CASCADE, null=True, related_name="messages", verbose_name=_("staff member"))
    kind = models.CharField(_("kind"), max_length=20, choices=Kind)
    subject_key = models.CharField(_("about"), max_length=80)
    channel = models.CharField(_("channel"), max_length=8, choices=Channel)
    facts = models.JSONField(_("facts"), default=dict)
    due_at = models.DateTimeField(_("due"), db_default=Now())
    claimed_at = models.DateTimeField(_("claimed"), null=True)
    tries = models.PositiveSmallIntegerField(_("tries"), default=0, db_default=0)
    sent_at = models.DateTimeField(_("sent"), null=True)
    failed_at = models.DateTimeField(_("given up"), null=True)

    class Meta:
        verbose_name = _("message")
        verbose_name_plural = _("messages")
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(condition=Q(member=None) ^ Q(user=None), name="message_for_one_person"),
            models.UniqueConstraint(fields=["member", "kind", "subject_key", "channel"], name="message_once"),
            models.UniqueConstraint(
                fields=["user", "kind", "subject_key", "channel"], condition=Q(user__isnull=False), name="message_once_for_staff"
            ),
        ]
        indexes = [
            models.Index(fields=["due_at"], condition=Q(sent_at=None, failed_at=None), name="message_waiting"),
            models.Index(fields=["member", "-id"], condition=Q(channel="inbox"), name="message_inbox"),
        ]

    def __str__(self) -> str:
        return self.get_kind_display()
