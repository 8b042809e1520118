"""What each role of staff may do in the admin: Django's permissions, kept as one group a role.

`export`, `import` and `reveal` are permissions beside Django's own four; they stand here and nowhere else.
"""

from django.contrib.auth.models import Group, Permission
from django.contrib.contenttypes.models import ContentType
from django.db import transaction

from members.models import StaffProfile, User

Role = StaffProfile.Role
type Rights = dict[str, tuple[str, ...]]

PEOPLE = ("members.member", "members.card", "members.consent")
PURCHASES = ("campaigns.purchase", "campaigns.purchaseline", "campaigns.award")
RULES = ("campaigns.earnrule", "campaigns.ruleversion", "loyalty.termsversion")
BOOKS = ("loyalty.posting", "loyalty.journalentry", "loyalty.wallet", "loyalty.lot")
STAFF = ("members.staffprofile", "members.user", "members.apikey")
RECORDS = ("loyalty.auditrecord", "loyalty.outboxevent")
EVERYTHING = (*PEOPLE, "members.message", *PURCHASES, *RULES, *BOOKS, "loyalty.store", *STAFF, *RECORDS)

RIGHTS: dict[str, Rights] = {
    Role.OWNER: {
        # Mail shows sign-in codes, so the mailbox is for whoever may see those.
        "view": (*EVERYTHING, "members.codeattempt"),
        "add": ("members.member", "members.staffprofile", "members.apikey", "loyalty.store"),
        "change": ("members.member", *STAFF, "loyalty.store"),
        "export": EVERYTHING,
        "import": ("members.member",),
        "reveal": ("members.member",),
    },
    Role.MANAGER: {
        "view": (*PEOPLE, *PURCHASES, *RULES, "loyalty.posting", "loyalty.journalentry", "loyalty.lot", "loyalty.store"),
        "add": ("members.member",),
        "change": ("members.member",),
        "export": (*PURCHASES, "loyalty.posting"),
        "reveal": ("members.member",),
    },
    Role.MARKETER: {
        "view": (*PEOPLE, "members.message", *PURCHASES, *RULES, "loyalty.posting", "loyalty.lot", "loyalty.store"),
        "export": PURCHASES,
    },
    Role.FINANCE: {
        "view": (*PURCHASES, *RULES, *BOOKS, "loyalty.store", "loyalty.auditrecord"),
        "export": (*PURCHASES, *RULES, *BOOKS, "loyalty.store", "loyalty.auditrecord"),
    },
    Role.SUPPORT: {
        "view": (*PEOPLE, "members.message", *PURCHASES, *RULES, *BOOKS, "loyalty.store"),
        "add": ("members.member",),
        "change": ("members.member",),
        "reveal": ("members.member",),
    },
    Role.CASHIER: {},
}


def sync_roles() -> None:
    """Give each role's group exactly its permissions. Safe to repeat."""
    with transaction.atomic():
        wanted = {role: [_permission(verb, model) for verb, models in rights.items() for model in models] for role, rights in RIGHTS.items()}
        for role, permissions in wanted.items():
            Group.objects.get_or_create(name=role)[0].permissions.set(permissions)


def assign(user: User, role: str) -> None:
    """Let this login work in `role` and no other."""
    user.groups.set(Group.objects.filter(name=role))


def _permission(verb: str, model: str) -> Permission:
    app, name = model.split(".")
    made, _new = Permission.objects.get_or_create(
        content_type=ContentType.objects.get_by_natural_key(app, name), codename=f"{verb}_{name}", defaults={"name": f"{verb} {name}"}
    )
    return made
