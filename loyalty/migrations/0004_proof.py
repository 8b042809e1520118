"""Checkpoints, and what every column of the ledger needs to be sealed: the idle date a posting gave, numbers of audit records."""

from pathlib import Path

from django.db import migrations, models

SQL = Path(__file__).parent.parent / "sql"


class Migration(migrations.Migration):
    dependencies = [("loyalty", "0003_idle_and_undoes")]

    operations = [
        migrations.RunSQL(
            "create sequence loyalty_auditrecord_number_seq as bigint", "drop sequence loyalty_auditrecord_number_seq"
        ),
        migrations.AddField(
            "auditrecord",
            "number",
            models.BigIntegerField(
                db_default=models.Func(
                    models.Value("loyalty_auditrecord_number_seq"), function="nextval", output_field=models.BigIntegerField()
                ),
                editable=False,
                unique=True,
                verbose_name="number",
            ),
        ),
        migrations.AddField("posting", "idle_until", models.DateTimeField(null=True, verbose_name="keeps the wallet until")),
        migrations.CreateModel(
            name="Checkpoint",
            fields=[
                ("number", models.BigIntegerField(primary_key=True, serialize=False, verbose_name="number")),
                ("at", models.DateTimeField(verbose_name="sealed")),
                ("previous", models.CharField(max_length=64, verbose_name="digest of the one before")),
                ("digest", models.CharField(max_length=64, verbose_name="digest of the file")),
                ("wallets", models.BigIntegerField(verbose_name="wallets")),
                ("heads", models.BigIntegerField(verbose_name="changed heads")),
                ("rows", models.JSONField(verbose_name="rows sealed")),
                ("sums", models.JSONField(verbose_name="points by contra account")),
                ("posting_id", models.BigIntegerField(verbose_name="highest posting")),
                ("root", models.CharField(max_length=64, verbose_name="root")),
                ("signature", models.CharField(max_length=128, verbose_name="signature")),
            ],
            options={"verbose_name": "checkpoint", "verbose_name_plural": "checkpoints", "ordering": ["-number"]},
        ),
        migrations.RunSQL((SQL / "checkpoints.sql").read_text(), migrations.RunSQL.noop),
    ]
