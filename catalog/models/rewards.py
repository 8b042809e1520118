"""What points buy: rewards, their prices, and what is left of them."""

from django.db import models
from django.db.models import F, Q, Value
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from catalog.models.codes import CodePool
from loyalty.validators import CODE
from members.models import Member


class Category(models.Model):
    """A shelf of the catalogue. `translations` holds `{language: {"name": …}}` beside the programme's own language."""

    code = models.CharField(_("code"), max_length=40, unique=True, validators=[CODE])
    name = models.CharField(_("name"), max_length=80)
    position = models.PositiveSmallIntegerField(_("position"), default=0, db_default=0)
    translations = models.JSONField(_("translations"), default=dict, blank=True)

    class Meta:
        verbose_name = _("category of rewards")
        verbose_name_plural = _("categories of rewards")
        ordering = ["position", "name"]

    def __str__(self) -> str:
        return self.name


class Reward(models.Model):
    """A catalogue item. Empty lists and None ask for nothing: everywhere, everybody, always, as many as wanted.

    `points` and `money` are the price where no RewardPrice is better. `voucher` says what a voucher of this reward gives
    (catalog/schemas.py has its shape). `cost` is what one costs the merchant.
    When no more than `low_water` are left in one of its rows of stock, whoever keeps the catalogue is told.
    """

    class Kind(models.TextChoices):
        GOODS = "goods", _("goods")
        SERVICE = "service", _("service")
        VOUCHER = "voucher", _("voucher")
        CODE = "code", _("a partner's code")
        TRIAL = "trial", _("trial of a product")
        DONATION = "donation", _("donation")

    class Fulfilment(models.TextChoices):
        SHOP = "shop", _("in the shop")
        AT_ONCE = "at_once", _("at once")
        POSTED = "posted", _("by post")

    code = models.CharField(_("code"), max_length=40, unique=True, validators=[CODE])
    title = models.CharField(_("title"), max_length=120)
    description = models.TextField(_("description"), blank=True, max_length=2000)
    kind = models.CharField(_("kind"), max_length=10, choices=Kind)
    category = models.ForeignKey(Category, models.PROTECT, null=True, blank=True, verbose_name=_("category"))
    picture = models.ImageField(_("picture"), upload_to="rewards/", blank=True)
    picture_text = models.CharField(_("what the picture shows"), max_length=160, blank=True)
    translations = models.JSONField(_("translations"), default=dict, blank=True)
    points = models.PositiveBigIntegerField(_("points"))
    money = models.DecimalField(_("money to pay"), max_digits=12, decimal_places=3, default=0, db_default=0)
    cost = models.DecimalField(_("cost"), max_digits=12, decimal_places=3, null=True, blank=True)
    fulfilment = models.CharField(_("handed out"), max_length=8, choices=Fulfilment, default=Fulfilment.SHOP)
    stores = models.ManyToManyField("loyalty.Store", blank=True, verbose_name=_("only in these shops"))
    tiers = models.JSONField(_("only for these tiers"), default=list, blank=True)
    per_member = models.PositiveIntegerField(_("at most per member"), null=True, blank=True)
    low_water = models.PositiveIntegerField(_("tell when so few are left"), null=True, blank=True)
    starts_at = models.DateTimeField(_("from"), null=True, blank=True)
    ends_at = models.DateTimeField(_("until"), null=True, blank=True)
    weekdays = models.JSONField(_("days of the week"), default=list, blank=True)
    hours = models.JSONField(_("hours"), null=True, blank=True)
    voucher = models.JSONField(_("voucher"), null=True, blank=True)
    code_pool = models.ForeignKey(CodePool, models.PROTECT, null=True, blank=True, verbose_name=_("pool of codes"))
    withdrawn_at = models.DateTimeField(_("withdrawn"), null=True, blank=True, editable=False)

    class Meta:
        verbose_name = _("reward")
        verbose_name_plural = _("rewards")
        ordering = ["points", "code"]
        constraints = [
            models.CheckConstraint(condition=Q(money__gte=0), name="reward_money_not_negative"),
            models.CheckConstraint(condition=~Q(kind="voucher") | Q(voucher__isnull=False), name="reward_voucher_says_what"),
            models.CheckConstraint(condition=~Q(kind="code") | Q(code_pool__isnull=False), name="reward_code_has_a_pool"),
            models.CheckConstraint(
                condition=Q(starts_at=None) | Q(ends_at=None) | Q(ends_at__gt=F("starts_at")), name="reward_ends_after_its_start"
            ),
        ]

    def __str__(self) -> str:
        return self.title


class RewardPrice(models.Model):
    """Another price for a tier, a window of time, or the month of a birthday; the member gets the best that holds.

    `translations` holds `{language: {"name": …}}`.
    """

    reward = models.ForeignKey(Reward, models.CASCADE, related_name="prices", verbose_name=_("reward"))
    name = models.CharField(_("name"), max_length=80, blank=True)
    points = models.PositiveBigIntegerField(_("points"))
    money = models.DecimalField(_("money to pay"), max_digits=12, decimal_places=3, default=0, db_default=0)
    tier = models.CharField(_("only for the tier"), max_length=40, blank=True)
    starts_at = models.DateTimeField(_("from"), null=True, blank=True)
    ends_at = models.DateTimeField(_("until"), null=True, blank=True)
    weekdays = models.JSONField(_("days of the week"), default=list, blank=True)
    hours = models.JSONField(_("hours"), null=True, blank=True)
    birthday_month = models.BooleanField(_("only in the month of the birthday"), default=False, db_default=False)
    translations = models.JSONField(_("translations"), default=dict, db_default=Value({}, models.JSONField()), blank=True)

    class Meta:
        verbose_name = _("price")
        verbose_name_plural = _("prices")
        ordering = ["points"]
        constraints = [models.CheckConstraint(condition=Q(money__gte=0), name="price_money_not_negative")]

    def __str__(self) -> str:
        return self.name or str(self.points)


class Stock(models.Model):
    """How many are left, in all (no store) or in one store. Without a row as many as wanted.

    `low_since`: whoever keeps the catalogue was told that it fell to the reward's `low_water`, and it has been there since.
    """

    reward = models.ForeignKey(Reward, models.CASCADE, related_name="stock", verbose_name=_("reward"))
    store = models.ForeignKey("loyalty.Store", models.PROTECT, null=True, blank=True, verbose_name=_("shop"))
    left = models.PositiveIntegerField(_("left"))
    low_since = models.DateTimeField(_("low since"), null=True, editable=False)

    class Meta:
        verbose_name = _("stock")
        verbose_name_plural = _("stock")
        constraints = [
            models.UniqueConstraint(fields=["reward", "store"], nulls_distinct=False, name="stock_once"),
            models.CheckConstraint(condition=Q(left__gte=0), name="stock_not_negative"),
        ]

    def __str__(self) -> str:
        return str(self.left)


class Waiting(models.Model):
    """A member who wants to be told when a reward is back."""

    reward = models.ForeignKey(Reward, models.CASCADE, related_name="waiting", verbose_name=_("reward"))
    member = models.ForeignKey(Member, models.CASCADE, verbose_name=_("member"))
    since = models.DateTimeField(_("since"), db_default=Now())
    told_at = models.DateTimeField(_("told"), null=True, editable=False)

    class Meta:
        verbose_name = _("place on a waiting list")
        verbose_name_plural = _("waiting list")
        constraints = [
            models.UniqueConstraint(fields=["reward", "member"], condition=Q(told_at=None), name="waiting_once"),
        ]

    def __str__(self) -> str:
        return str(self.since)
