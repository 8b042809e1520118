"""What no statement needs taken from the way of grants and burns, which the database decides since then.

Stores are looked at once a batch in the place of a foreign key's look for each row; indexes that repeat others go.
"""

from django.db import migrations, models
from django.db.models import DO_NOTHING

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
# Balances and lots are changed in place: room on their pages keeps that off their indexes.
ROOM = "alter table loyalty_wallet set (fillfactor = 70); alter table loyalty_lot set (fillfactor = 85)"
NO_ROOM = "alter table loyalty_wallet reset (fillfactor); alter table loyalty_lot reset (fillfactor)"
# The unique index of the largest table stays as it is and changes its name; the one for LIKE goes.
KEY_ONCE = """
alter table loyalty_journalentry rename constraint loyalty_journalentry_key_key to entry_key_once;
drop index loyalty_journalentry_key_e9583243_like;
"""


class Migration(migrations.Migration):
    dependencies = [("loyalty", "0004_proof")]

    operations = [
        migrations.SeparateDatabaseAndState(
            [migrations.RunSQL(KEY_ONCE)],
            [
                migrations.AlterField("journalentry", "key", models.CharField(max_length=255, verbose_name="key")),
                migrations.AddConstraint("journalentry", models.UniqueConstraint(fields=["key"], name="entry_key_once")),
            ],
        ),
        migrations.AlterField(
            "journalentry",
            "terms",
            models.ForeignKey(
                "loyalty.termsversion", DO_NOTHING, null=True, db_constraint=False, db_index=False, verbose_name="terms"
            ),
        ),
        migrations.AlterField(
            "lot",
            "wallet",
            models.ForeignKey("loyalty.wallet", DO_NOTHING, db_constraint=False, db_index=False, verbose_name="wallet"),
        ),
        migrations.AlterField(
            "lotuse", "wallet", models.ForeignKey("loyalty.wallet", DO_NOTHING, db_constraint=False, db_index=False)
        ),
        migrations.AlterField(
            "lot",
            "store",
            models.ForeignKey("loyalty.store", DO_NOTHING, null=True, db_constraint=False, verbose_name="store"),
        ),
        migrations.AlterField(
            "posting",
            "store",
            models.ForeignKey("loyalty.store", DO_NOTHING, null=True, db_constraint=False, db_index=False, verbose_name="store"),
        ),
        migrations.RemoveIndex("lot", "lot_expiry"),
        migrations.AddIndex("lot", models.Index(fields=["expires_at"], condition=models.Q(open=True), name="lot_expiry")),
        migrations.RunSQL(STORES_STAY, STORES_MAY_GO),
        migrations.RunSQL(ROOM, NO_ROOM),
    ]
