"""People. Personal data stands in this room alone; the ledger knows `holder`, a random id."""

import uuid

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.db.models.functions import UUID7, Lower, Now, Right
from django.utils.translation import gettext_lazy as _

from members.models.users import User


class Member(models.Model):
    """A person in the programme. The card earns at once; spending waits until a contact is verified."""

    class Status(models.TextChoices):
        ACTIVE = "active", _("active")
        BLOCKED = "blocked", _("blocked")
        CLOSED = "closed", _("closed")

    id = models.UUIDField(primary_key=True, db_default=UUID7(), editable=False)
    holder = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    user = models.OneToOneField(User, models.SET_NULL, null=True, blank=True, editable=False, verbose_name=_("login"))
    external_id = models.CharField(_("number in another system"), max_length=64, null=True, blank=True, unique=True)
    given_name = models.CharField(_("given name"), max_length=80, blank=True)
    family_name = models.CharField(_("family name"), max_length=80, blank=True)
    email = models.EmailField(_("e-mail"), blank=True)
    email_verified_at = models.DateTimeField(_("e-mail verified"), null=True, blank=True, editable=False)
    phone = models.CharField(_("phone"), max_length=20, blank=True, help_text=_("With the country's number, as +33612345678."))
    phone_verified_at = models.DateTimeField(_("phone verified"), null=True, blank=True, editable=False)
    birth_month = models.PositiveSmallIntegerField(
        _("birth month"), null=True, blank=True, validators=[MinValueValidator(1), MaxValueValidator(12)]
    )
    birth_day = models.PositiveSmallIntegerField(
        _("birth day"), null=True, blank=True, validators=[MinValueValidator(1), MaxValueValidator(31)]
    )
    birth_year = models.PositiveSmallIntegerField(_("birth year"), null=True, blank=True)
    birthday_set_at = models.DateTimeField(_("birthday given"), null=True, editable=False)
    language = models.CharField(_("language"), max_length=10, choices=settings.LANGUAGES, default="en")
    home_store = models.ForeignKey("loyalty.Store", models.PROTECT, null=True, blank=True, verbose_name=_("home store"))
    status = models.CharField(_("status"), max_length=8, choices=Status, default=Status.ACTIVE)
    tags = models.JSONField(_("tags"), default=list, blank=True)
    joined_at = models.DateTimeField(_("joined"), db_default=Now())

    class Meta:
        verbose_name = _("member")
        verbose_name_plural = _("members")
        constraints = [
            models.UniqueConstraint(Lower("email"), condition=~Q(email=""), name="member_email"),
            models.UniqueConstraint(fields=["phone"], condition=~Q(phone=""), name="member_phone"),
            models.CheckConstraint(
                condition=Q(birth_month=None, birth_day=None) | Q(birth_month__range=(1, 12), birth_day__range=(1, 31)),
                name="member_birthday_whole",
            ),
        ]
        indexes = [
            models.Index(fields=["birth_month", "birth_day"], name="member_birthday"),
            models.Index(fields=["-joined_at", "-id"], name="member_joined"),
            # A till asks for the end of a phone number.
            models.Index(Right("phone", 4), condition=~Q(phone=""), name="member_phone_ending"),
        ]

    def __str__(self) -> str:
        return f"{self.given_name} {self.family_name[:1]}".strip() or str(_("Member"))

    @property
    def is_verified(self) -> bool:
        return bool(self.email_verified_at or self.phone_verified_at)


class Card(models.Model):
    """A card number with check symbols (members/cards.py). A member may have had several; each still finds them."""

    number = models.CharField(_("number"), max_length=16, unique=True)
    member = models.ForeignKey(Member, models.CASCADE, related_name="cards", verbose_name=_("member"))
    issued_at = models.DateTimeField(_("issued"), db_default=Now())

    class Meta:
        verbose_name = _("card")
        verbose_name_plural = _("cards")
        ordering = ["-issued_at", "-id"]

    def __str__(self) -> str:
        return self.number


class PostalAddress(models.Model):
    """Where a member wants things sent; the newest alone is kept."""

    member = models.OneToOneField(Member, models.CASCADE, primary_key=True, verbose_name=_("member"))
    text = models.TextField(_("address"), max_length=500)
    at = models.DateTimeField(_("when"))

    class Meta:
        verbose_name = _("postal address")
        verbose_name_plural = _("postal addresses")

    def __str__(self) -> str:
        return self.text


class Consent(models.Model):
    """One change of mind: the newest row of (member, channel, purpose) counts. Never edited."""

    class Channel(models.TextChoices):
        EMAIL = "email", _("e-mail")
        SMS = "sms", _("SMS")
        PUSH = "push", _("push")

    class Purpose(models.TextChoices):
        MARKETING = "marketing", _("offers")
        SERVICE = "service", _("reminders")

    member = models.ForeignKey(Member, models.CASCADE, related_name="consents", verbose_name=_("member"))
    channel = models.CharField(_("channel"), max_length=8, choices=Channel)
    purpose = models.CharField(_("purpose"), max_length=12, choices=Purpose)
    granted = models.BooleanField(_("granted"))
    at = models.DateTimeField(_("when"), db_default=Now())

    class Meta:
        verbose_name = _("consent")
        verbose_name_plural = _("consents")
        ordering = ["-at", "-id"]

    def __str__(self) -> str:
        return f"{self.channel} {self.purpose}"
