from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("campaigns", "0004_notice"),
    ]

    operations = [
        migrations.AddField(
            model_name="purchase",
            name="points_spent",
            field=models.BigIntegerField(db_default=0, default=0, verbose_name="paid in points"),
        ),
        migrations.AddField(
            model_name="purchase",
            name="qualifying_entry",
            field=models.UUIDField(null=True, verbose_name="journal entry of the tier's points"),
        ),
        migrations.AddField(
            model_name="purchase",
            name="returned_at",
            field=models.DateTimeField(null=True, verbose_name="wholly returned"),
        ),
        migrations.AddField(
            model_name="purchase",
            name="tender_amount",
            field=models.DecimalField(
                db_default=0, decimal_places=3, default=0, max_digits=14, verbose_name="worth of the points"
            ),
        ),
        migrations.AddField(
            model_name="purchase",
            name="tender_entry",
            field=models.UUIDField(null=True, verbose_name="journal entry of the points"),
        ),
        migrations.AddField(
            model_name="purchase",
            name="visit",
            field=models.PositiveIntegerField(db_default=1, default=1, verbose_name="visit"),
        ),
        migrations.AddField(
            model_name="purchaseline",
            name="excluded",
            field=models.BooleanField(db_default=False, default=False, verbose_name="earns nothing"),
        ),
        migrations.AddField(
            model_name="purchaseline",
            name="tender_amount",
            field=models.DecimalField(
                db_default=0, decimal_places=3, default=0, max_digits=14, verbose_name="worth of the points"
            ),
        ),
        migrations.AddField(
            model_name="purchaseline",
            name="tender_points",
            field=models.BigIntegerField(db_default=0, default=0, verbose_name="paid in points"),
        ),
        migrations.CreateModel(
            name="CapCounter",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.CharField(max_length=250)),
                ("day", models.DateField()),
                ("used", models.DecimalField(db_default=0, decimal_places=6, default=0, max_digits=24)),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("name", "day"), name="cap_counter_once"),
                    models.CheckConstraint(condition=models.Q(("used__gte", 0)), name="cap_counter_not_negative"),
                ],
            },
        ),
    ]
