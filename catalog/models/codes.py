"""Partners' codes: one row a code, handed out once."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from loyalty.validators import CODE


class CodePool(models.Model):
    """Codes of one partner. At `low_water` the shop is told that the pool runs dry; `low_since`: it was, and has been since."""

    code = models.CharField(_("code"), max_length=40, unique=True, validators=[CODE])
    name = models.CharField(_("name"), max_length=120)
    low_water = models.PositiveIntegerField(_("tell when so few are left"), default=20, db_default=20)
    low_since = models.DateTimeField(_("low since"), null=True, editable=False)

    class Meta:
        verbose_name = _("pool of codes")
        verbose_name_plural = _("pools of codes")
        ordering = ["code"]

    def __str__(self) -> str:
        return self.name


class Code(models.Model):
    """Unique across pools. `taken_at`: set aside for a redemption; `shown_at`: somebody saw it, so it never comes back."""

    pool = models.ForeignKey(CodePool, models.PROTECT, related_name="codes", verbose_name=_("pool"))
    text = models.CharField(_("code"), max_length=120, unique=True)
    redemption = models.ForeignKey(
        "catalog.Redemption", models.PROTECT, null=True, related_name="codes", editable=False, verbose_name=_("redemption")
    )
    taken_at = models.DateTimeField(_("taken"), null=True, editable=False)
    shown_at = models.DateTimeField(_("shown"), null=True, editable=False)

    class Meta:
        verbose_name = _("code")
        verbose_name_plural = _("codes")
        indexes = [models.Index(fields=["pool", "id"], condition=models.Q(redemption=None), name="code_free")]

    def __str__(self) -> str:
        return f"…{self.text[-4:]}"
