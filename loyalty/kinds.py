"""Words of the ledger that other rooms use too: what an entry is, and where its points come from or go to."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class Kind(models.TextChoices):
    EARN = "earn", _("earned")
    BONUS = "bonus", _("bonus")
    BURN = "burn", _("spent")
    EXPIRE = "expire", _("expired")
    RETURN = "return", _("returned goods")
    RESTORE = "restore", _("given back")
    REVERSE = "reverse", _("undone")
    ADJUST = "adjust", _("adjusted")
    TRANSFER = "transfer", _("transferred")
    EXCHANGE_IN = "exchange_in", _("exchanged in")
    EXCHANGE_OUT = "exchange_out", _("exchanged out")
    MERGE = "merge", _("merged")
    IMPORT = "import", _("brought along")
    FORGIVE = "forgive", _("forgiven")


class Contra(models.TextChoices):
    """The programme's side of a posting: where its points come from or go to."""

    ISSUED = "issued", _("issued")
    OPENING = "opening", _("opening")
    BURNED = "burned", _("burned")
    EXPIRED = "expired", _("expired")
    RETURNED = "returned", _("returned")
    ADJUSTED = "adjusted", _("adjusted")
    FORGIVEN = "forgiven", _("forgiven")
    CLEARING = "clearing", _("clearing")
    PARTNER = "partner", _("partner")
