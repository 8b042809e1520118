"""Tills: browsers bound to a shop, the PINs of who works there, and what was done (members/tilling.py, devices.py, pins.py)."""

from django.db import models
from django.db.models import Q
from django.db.models.functions import UUID7, Now
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from members.models.access import StaffProfile
from members.models.people import Member


class Device(models.Model):
    """A browser at a shop's counter. It is known by a random secret in its cookie, of which the digest is kept here.

    `code` is a keyed digest of what binds a browser to it, once, until `code_until`.
    """

    id = models.UUIDField(primary_key=True, db_default=UUID7(), editable=False)
    name = models.CharField(_("name"), max_length=60, help_text=_("Where it stands, such as Counter 1."))
    store = models.ForeignKey("loyalty.Store", models.PROTECT, verbose_name=_("shop"))
    secret = models.BinaryField(unique=True, null=True, editable=False)
    code = models.BinaryField(unique=True, null=True, editable=False)
    code_until = models.DateTimeField(_("code valid until"), null=True, editable=False)
    made_by = models.UUIDField(_("made by"), null=True, editable=False)
    made_at = models.DateTimeField(_("made"), db_default=Now(), editable=False)
    registered_at = models.DateTimeField(_("registered"), null=True, editable=False)
    seen_at = models.DateTimeField(_("last seen"), null=True, editable=False)
    revoked_at = models.DateTimeField(_("revoked"), null=True, editable=False)

    class Meta:
        verbose_name = _("till")
        verbose_name_plural = _("tills")
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class TillLimits(models.Model):
    """What a shop's tills may do on the word of the staff; a shop without a row has the defaults.

    Offline: `receipts` in a day of all its tills together; `amount` for one receipt, in the programme's currency.
    `points` of one member in 24 hours at the tills of all shops without a code that is sent to the member.
    """

    store = models.OneToOneField("loyalty.Store", models.PROTECT, primary_key=True, verbose_name=_("shop"))
    receipts = models.PositiveIntegerField(_("receipts a day"), default=100, db_default=100)
    amount = models.DecimalField(_("largest receipt"), max_digits=12, decimal_places=3, default=200, db_default=200)
    points = models.PositiveIntegerField(
        _("points without a code"), default=200, db_default=200,
        help_text=_("What staff may use of a member’s points in 24 hours without a code that is sent to the member."),
    )  # fmt: skip

    class Meta:
        verbose_name = _("offline limits of a till")
        verbose_name_plural = _("offline limits of tills")
        constraints = [models.CheckConstraint(condition=Q(amount__gte=0), name="till_limit_not_negative")]

    def __str__(self) -> str:
        return str(self.store)


class Pin(models.Model):
    """What a colleague types at a till. `tries` count since the last right one, each before it is compared."""

    staff = models.OneToOneField(StaffProfile, models.CASCADE, primary_key=True, verbose_name=_("staff member"))
    digest = models.CharField(max_length=200, editable=False)
    set_by = models.UUIDField(_("set by"), editable=False)
    set_at = models.DateTimeField(_("set"), editable=False)
    tries = models.PositiveSmallIntegerField(default=0, db_default=0, editable=False)
    tried_at = models.DateTimeField(null=True, editable=False)

    class Meta:
        verbose_name = _("PIN")
        verbose_name_plural = _("PINs")


class Shift(models.Model):
    """A colleague at a till from a right PIN until it is locked; nobody else is there meanwhile."""

    id = models.UUIDField(primary_key=True, db_default=UUID7(), editable=False)
    device = models.ForeignKey(Device, models.PROTECT, verbose_name=_("till"))
    staff = models.ForeignKey(StaffProfile, models.PROTECT, verbose_name=_("staff member"))
    started_at = models.DateTimeField(_("began"))
    seen_at = models.DateTimeField(_("last seen"))
    ended_at = models.DateTimeField(_("ended"), null=True)

    class Meta:
        verbose_name = _("shift")
        verbose_name_plural = _("shifts")
        indexes = [models.Index(fields=["staff", "-started_at"], name="shift_of_staff")]
        constraints = [models.UniqueConstraint(fields=["device"], condition=Q(ended_at=None), name="shift_one_at_a_till")]

    def __str__(self) -> str:
        return str(self.started_at)


class TillAct(models.Model):
    """What was done at a till, for undoing and for the report of the day; what it moved stands in its own room under `thing`.

    `number` is what the till called it (a receipt's number); (`shop`, `number`, `kind`) is unique, so that a form that is
    sent twice is one act. `points` are what the member gained or lost, `unproved` those that were used without a code of the
    member's. `offline`: it was kept and sent later. `vouched_by`: the manager whose PIN let it pass, and whose limits counted.
    """

    class Kind(models.TextChoices):
        SALE = "sale", pgettext_lazy("at a till", "points given")
        VOUCHER = "voucher", pgettext_lazy("at a till", "voucher accepted")
        REDEMPTION = "redemption", pgettext_lazy("at a till", "points used")
        ENROLMENT = "enrolment", pgettext_lazy("at a till", "card made")
        RETURN = "return", pgettext_lazy("at a till", "refund")

    id = models.UUIDField(primary_key=True, db_default=UUID7(), editable=False)
    shift = models.ForeignKey(Shift, models.PROTECT, verbose_name=_("shift"))
    shop = models.ForeignKey("loyalty.Store", models.PROTECT, verbose_name=_("shop"))
    kind = models.CharField(_("act"), max_length=12, choices=Kind)
    member = models.ForeignKey(Member, models.PROTECT, verbose_name=_("member"))
    thing = models.UUIDField()
    number = models.CharField(_("number"), max_length=120)
    unproved = models.BigIntegerField(default=0, db_default=0, editable=False)
    points = models.BigIntegerField(_("points"), default=0, db_default=0)
    amount = models.DecimalField(_("amount"), max_digits=14, decimal_places=3, null=True)
    title = models.CharField(_("title"), max_length=120, blank=True)
    at = models.DateTimeField(_("when"))
    offline = models.BooleanField(_("sent later"), default=False, db_default=False)
    vouched_by = models.UUIDField(_("vouched for by"), null=True, editable=False)
    undone_at = models.DateTimeField(_("undone"), null=True)
    undone_by = models.UUIDField(_("undone by"), null=True)

    class Meta:
        verbose_name = _("act at a till")
        verbose_name_plural = _("acts at tills")
        indexes = [
            models.Index(fields=["shift", "-id"], name="till_act_of_shift"),
            models.Index(fields=["shop", "-at"], name="till_act_of_shop"),
            models.Index(fields=["member", "-at"], name="till_act_of_member"),
        ]
        constraints = [models.UniqueConstraint(fields=["shop", "number", "kind"], name="till_act_once")]

    def __str__(self) -> str:
        return self.number


class SpendCode(models.Model):
    """A code that was sent to a member who is at a counter: so many `points` may be used in this shop, once, until `until`."""

    id = models.UUIDField(primary_key=True, db_default=UUID7(), editable=False)
    member = models.ForeignKey(Member, models.CASCADE, verbose_name=_("member"))
    shift = models.ForeignKey(Shift, models.PROTECT, verbose_name=_("shift"))
    shop = models.ForeignKey("loyalty.Store", models.PROTECT, verbose_name=_("shop"))
    points = models.BigIntegerField(_("points"))
    sent_at = models.DateTimeField(db_default=Now())
    until = models.DateTimeField(_("valid until"))
    tries = models.PositiveSmallIntegerField(default=0, db_default=0)
    used_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = _("code for using points")
        verbose_name_plural = _("codes for using points")
        indexes = [models.Index(fields=["member", "-id"], name="spend_code_of_member")]

    def __str__(self) -> str:
        return str(self.until)
