"""The fences around the ledger, and the first terms. What writes it comes with the last migration that changed that."""

from pathlib import Path

from django.conf import settings
from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps

SQL = Path(__file__).parent.parent / "sql"
UNDO = """
drop trigger frozen on loyalty_termsversion;
drop function terms_are_frozen, ledger_refuse cascade;
"""


def first_terms(apps: StateApps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """A new installation's terms: points worth 0.01, usable at once, until the end of the month twelve months later."""
    apps.get_model("loyalty", "TermsVersion").objects.create(
        version=1,
        currency=settings.REGULARS_CURRENCY,
        timezone=settings.REGULARS_TIMEZONE,
        point_value="0.01",
        expiry="months",
        expiry_months=12,
        expiry_round_up="month",
        starts_at="1970-01-01T00:00:00Z",
        published_at="1970-01-01T00:00:00Z",
    )


class Migration(migrations.Migration):
    dependencies = [("loyalty", "0001_initial")]

    operations = [
        migrations.RunPython(first_terms, migrations.RunPython.noop),
        migrations.RunSQL((SQL / "append_only.sql").read_text(), UNDO),
    ]
