"""Grants and burns decided in the database; stores looked at once a batch in the place of a foreign key's look for each row."""

from pathlib import Path

import django.db.models.deletion
from django.db import migrations, models

SQL = Path(__file__).parent.parent / "sql"
STORE = {"null": True, "on_delete": django.db.models.deletion.DO_NOTHING, "to": "loyalty.store", "verbose_name": "store"}
# What a foreign key promised: no store that postings name goes away.
STORES_STAY = """
create trigger append_only before delete on loyalty_store for each statement execute function ledger_refuse();
create trigger append_only_truncate before truncate on loyalty_store for each statement execute function ledger_refuse();
revoke delete, truncate on loyalty_store from regulars_app;
"""
STORES_MAY_GO = """
drop trigger append_only on loyalty_store;
drop trigger append_only_truncate on loyalty_store;
grant delete on loyalty_store to regulars_app;
"""
# The drops that ledger.sql begins with.
UNDO = (SQL / "ledger.sql").read_text().partition("-- A line:")[0]


class Migration(migrations.Migration):
    dependencies = [("loyalty", "0004_proof")]

    operations = [
        migrations.AlterField("posting", "store", models.ForeignKey(db_constraint=False, db_index=False, **STORE)),
        migrations.AlterField("lot", "store", models.ForeignKey(db_constraint=False, **STORE)),
        migrations.RunSQL(STORES_STAY, STORES_MAY_GO),
        migrations.RunSQL((SQL / "ledger.sql").read_text(), UNDO),
        migrations.RunSQL((SQL / "deciding.sql").read_text(), migrations.RunSQL.noop),
    ]
