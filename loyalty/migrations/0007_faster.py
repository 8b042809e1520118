"""What writes the ledger, with fewer parts to set up for each call (sql/ledger.sql and sql/deciding.sql).

Not reversible: the functions that stood before are not kept; restore a backup of before.
"""

from pathlib import Path

from django.db import migrations

SQL = Path(__file__).parent.parent / "sql"


class Migration(migrations.Migration):
    dependencies = [("loyalty", "0006_terms")]

    operations = [
        migrations.RunSQL((SQL / "ledger.sql").read_text()),
        migrations.RunSQL((SQL / "deciding.sql").read_text()),
    ]
