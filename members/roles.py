"""What each role of staff may do in the admin: Django's permissions, kept as one group a role.

`export`, `import`, `reveal`, `approve`, `post`, `fulfil` and `cancel` are permissions beside Django's own four; they stand here
and nowhere else.
Who may `add` an adjustment asks for it; who may `post` it does so alone, within the limits.
Who may approve may not approve what they wrote or asked for themselves (members.approving).
"""

from django.contrib.auth.models import Group, Permission
from django.contrib.contenttypes.models import ContentType
from django.db import transaction

from members.models import StaffProfile, User

Role = StaffProfile.Role
type Rights = dict[str, tuple[str, ...]]

PEOPLE = ("members.member", "members.card", "members.consent")
PURCHASES = (
    "campaigns.purchase", "campaigns.purchaseline", "campaigns.award", "campaigns.event", "campaigns.purchasereturn",
    "campaigns.purchasereturnline", "campaigns.clawback",
)  # fmt: skip
TIERS = ("members.tiertable", "members.tier", "members.tiermembership")
RULES = ("campaigns.earnrule", "campaigns.ruleversion", "campaigns.segment", "loyalty.termsversion", *TIERS)
GOODS = "campaigns.excludedgoods"
# What points buy, as it is kept, and what became of it.
KEPT = ("catalog.reward", "catalog.category", "catalog.codepool")
REDEEMED = ("catalog.redemption", "catalog.voucher")
CATALOGUE = (*KEPT, *REDEEMED, "catalog.code")
BY_HAND = "members.tieroverride"
BOOKS = ("loyalty.posting", "loyalty.journalentry", "loyalty.wallet", "loyalty.lot")
STAFF = ("members.staffprofile", "members.user", "members.apikey")
RECORDS = ("loyalty.auditrecord", "loyalty.outboxevent", "members.approvalrequest")
TILLS = ("members.device", "members.tilllimits")
# What marketers write; of rules all but the base rates, which are terms.
OFFERS = ("campaigns.ruleversion", "campaigns.segment")
CORRECTIONS = ("members.adjustment",)
# What one person may not do alone.
FOUR_EYES = (*CORRECTIONS, "members.apikey", "loyalty.grantlimits")
# What is announced and approved before it holds.
CONTRACT = ("loyalty.termsversion", "campaigns.ruleversion", "members.tiertable", GOODS)
EVERYTHING = (
    *PEOPLE, *CATALOGUE, BY_HAND,
    "members.message", *CORRECTIONS, "loyalty.grantlimits", *PURCHASES, *RULES, GOODS, *BOOKS, "loyalty.store",
    *TILLS, *STAFF, *RECORDS,
)  # fmt: skip

RIGHTS: dict[str, Rights] = {
    Role.OWNER: {
        # Mail shows sign-in codes, so the mailbox is for whoever may see those.
        "view": (*EVERYTHING, "members.codeattempt"),
        "add": (
            "members.member", BY_HAND, *CORRECTIONS, "members.staffprofile", "members.apikey", "loyalty.store",
            "loyalty.grantlimits", "campaigns.segment", *TILLS, *CONTRACT, *KEPT,
        ),
        "change": (
            "members.member", *STAFF, "loyalty.store", *TILLS, "members.pin", "campaigns.segment", *CONTRACT, *KEPT,
        ),
        "fulfil": ("catalog.redemption",),
        "cancel": ("catalog.redemption",),
        "post": CORRECTIONS,
        "approve": (*CONTRACT, *FOUR_EYES, BY_HAND),
        "export": EVERYTHING,
        "import": ("members.member",),
        "reveal": ("members.member",),
    },
    Role.MANAGER: {
        "view": (
            *PEOPLE, BY_HAND, *CORRECTIONS, *PURCHASES, *RULES, GOODS, "loyalty.posting", "loyalty.journalentry",
            "loyalty.lot", "loyalty.store", *TILLS, *KEPT, *REDEEMED,
        ),
        "add": ("members.member", BY_HAND, *CORRECTIONS, "members.device"),
        "fulfil": ("catalog.redemption",),
        "cancel": ("catalog.redemption",),
        "post": CORRECTIONS,
        "change": ("members.member", "members.device", "members.pin"),
        "approve": (BY_HAND,),
        "export": (*PURCHASES, "loyalty.posting"),
        "reveal": ("members.member",),
    },
    Role.MARKETER: {
        "view": (
            *PEOPLE, "members.message", *PURCHASES, *RULES, GOODS, "loyalty.posting", "loyalty.lot", "loyalty.store", *CATALOGUE,
        ),
        "add": (*OFFERS, *KEPT),
        "change": (*OFFERS, *KEPT),
        "export": (*PURCHASES, GOODS, "campaigns.earnrule", *OFFERS, *KEPT, *REDEEMED),
    },
    Role.FINANCE: {
        "view": (
            *CORRECTIONS, *PURCHASES, *RULES, GOODS, *BOOKS, "loyalty.store", "loyalty.grantlimits", "loyalty.auditrecord",
            "members.approvalrequest", *KEPT, *REDEEMED,
        ),
        "approve": (*CONTRACT, *FOUR_EYES),
        "export": (*PURCHASES, *RULES, GOODS, *BOOKS, "loyalty.store", "loyalty.auditrecord", *KEPT, *REDEEMED),
    },
    Role.SUPPORT: {
        "view": (
            *PEOPLE, BY_HAND, "members.message", *CORRECTIONS, *PURCHASES, *RULES, GOODS, *BOOKS, "loyalty.store", *KEPT,
            *REDEEMED,
        ),
        "add": ("members.member", BY_HAND, *CORRECTIONS),
        "change": ("members.member",),
        "reveal": ("members.member",),
    },
    Role.CASHIER: {"change": ("members.pin",)},
}  # fmt: skip


def sync_roles() -> None:
    """Give each role's group exactly its permissions. Safe to repeat."""
    wanted = {role: {(verb, model) for verb, models in rights.items() for model in models} for role, rights in RIGHTS.items()}
    with transaction.atomic():
        known = _permissions({right for rights in wanted.values() for right in rights})
        for role, rights in wanted.items():
            Group.objects.get_or_create(name=role)[0].permissions.set([known[right] for right in rights])


def assign(user: User, role: str) -> None:
    """Let this login work in `role` and no other."""
    user.groups.set(Group.objects.filter(name=role))


def _permissions(rights: set[tuple[str, str]]) -> dict[tuple[str, str], int]:
    """The permission of each (verb, model), made if it is none of Django's own."""
    kinds = {f"{kind.app_label}.{kind.model}": kind for kind in ContentType.objects.all()}
    named = {(kinds[model].pk, f"{verb}_{kinds[model].model}"): (verb, model) for verb, model in rights}
    Permission.objects.bulk_create(
        [Permission(content_type_id=kind, codename=name, name=name.replace("_", " ")) for kind, name in named],
        ignore_conflicts=True,
    )
    rows = Permission.objects.filter(codename__in=[name for _kind, name in named]).values_list("content_type", "codename", "pk")
    return {named[kind, name]: pk for kind, name, pk in rows if (kind, name) in named}
