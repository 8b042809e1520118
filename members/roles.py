"""What each role of staff may do in the admin: Django's permissions, kept as one group a role.

`export`, `import`, `reveal` and `approve` are permissions beside Django's own four; they stand here and nowhere else.
Who may approve may not approve what they wrote or asked for themselves (members.approving).
"""

from django.contrib.auth.models import Group, Permission
from django.contrib.contenttypes.models import ContentType
from django.db import transaction

from members.models import StaffProfile, User

Role = StaffProfile.Role
type Rights = dict[str, tuple[str, ...]]

PEOPLE = ("members.member", "members.card", "members.consent")
PURCHASES = ("campaigns.purchase", "campaigns.purchaseline", "campaigns.award", "campaigns.event")
RULES = ("campaigns.earnrule", "campaigns.ruleversion", "campaigns.segment", "loyalty.termsversion")
GOODS = "campaigns.excludedgoods"
BOOKS = ("loyalty.posting", "loyalty.journalentry", "loyalty.wallet", "loyalty.lot")
STAFF = ("members.staffprofile", "members.user", "members.apikey")
RECORDS = ("loyalty.auditrecord", "loyalty.outboxevent", "members.approvalrequest")
# What marketers write; of rules all but the base rates, which are terms.
OFFERS = ("campaigns.ruleversion", "campaigns.segment")
# What is announced and approved before it holds.
CONTRACT = ("loyalty.termsversion", "campaigns.ruleversion")
EVERYTHING = (*PEOPLE, "members.message", *PURCHASES, *RULES, GOODS, *BOOKS, "loyalty.store", *STAFF, *RECORDS)

RIGHTS: dict[str, Rights] = {
    Role.OWNER: {
        # Mail shows sign-in codes, so the mailbox is for whoever may see those.
        "view": (*EVERYTHING, "members.codeattempt"),
        "add": (
            "members.member",
            "members.staffprofile",
            "members.apikey",
            "loyalty.store",
            GOODS,
            "campaigns.segment",
            *CONTRACT,
        ),
        "change": ("members.member", *STAFF, "loyalty.store", GOODS, "campaigns.segment", *CONTRACT),
        "approve": CONTRACT,
        "export": EVERYTHING,
        "import": ("members.member",),
        "reveal": ("members.member",),
    },
    Role.MANAGER: {
        "view": (*PEOPLE, *PURCHASES, *RULES, GOODS, "loyalty.posting", "loyalty.journalentry", "loyalty.lot", "loyalty.store"),
        "add": ("members.member",),
        "change": ("members.member",),
        "export": (*PURCHASES, "loyalty.posting"),
        "reveal": ("members.member",),
    },
    Role.MARKETER: {
        "view": (*PEOPLE, "members.message", *PURCHASES, *RULES, GOODS, "loyalty.posting", "loyalty.lot", "loyalty.store"),
        "add": (GOODS, *OFFERS),
        "change": (GOODS, *OFFERS),
        "export": (*PURCHASES, GOODS, "campaigns.earnrule", *OFFERS),
    },
    Role.FINANCE: {
        "view": (*PURCHASES, *RULES, GOODS, *BOOKS, "loyalty.store", "loyalty.auditrecord", "members.approvalrequest"),
        "approve": CONTRACT,
        "export": (*PURCHASES, *RULES, GOODS, *BOOKS, "loyalty.store", "loyalty.auditrecord"),
    },
    Role.SUPPORT: {
        "view": (*PEOPLE, "members.message", *PURCHASES, *RULES, GOODS, *BOOKS, "loyalty.store"),
        "add": ("members.member",),
        "change": ("members.member",),
        "reveal": ("members.member",),
    },
    Role.CASHIER: {},
}


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
