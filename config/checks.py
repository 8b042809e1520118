"""System checks: what must not be wrong when the product answers to the world."""

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error
from django.core.checks import Warning as Caution
from django.db import connection

LEDGER = (
    "loyalty_journalentry", "loyalty_posting", "loyalty_lotuse", "loyalty_documentguard", "loyalty_auditrecord",
    "loyalty_checkpoint",
)  # fmt: skip


def application_role_cannot_change_the_ledger(app_configs: Any, databases: Any = None, **kwargs: Any) -> list[CheckMessage]:
    """The role of DATABASE_URL may add to the ledger and read it, never change it."""
    if not databases:
        return []
    with connection.cursor() as cursor:
        cursor.execute(
            "select t, p from unnest(%s::text[]) t, unnest(array['UPDATE', 'DELETE', 'TRUNCATE']) p "
            "where to_regclass(t) is not null and has_table_privilege(t, p)",
            [list(LEDGER)],
        )
        rights = [f"{privilege} on {table}" for table, privilege in cursor.fetchall()]
    if not rights:
        return []
    hint = "Let DATABASE_URL name the role regulars_app, made as docs/operations.md shows."
    return [Error(f"The application's database role may change the ledger: {', '.join(rights)}.", hint=hint, id="regulars.E001")]


def programme_is_reachable_safely(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    found: list[CheckMessage] = []
    if not settings.SECURE:
        hint = "Set REGULARS_ORIGIN to the https address that members use."
        found.append(Error("Members' pages would go over plain http.", hint=hint, id="regulars.E002"))
    if settings.MAIL_DIR:
        hint = "Unset REGULARS_MAIL_DIR and set SMTP_HOST."
        found.append(Caution("Mail goes to a folder, not to members.", hint=hint, id="regulars.W001"))
    return found
