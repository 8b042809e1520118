"""Codes that members read out at a till before their points are used, how many may be used without one, and who vouches."""

import django.db.models.deletion
import django.db.models.functions.datetime
import django.db.models.functions.uuid
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("loyalty", "0009_limits"),
        ("members", "0008_staff_messages"),
    ]

    operations = [
        migrations.AddField(
            model_name="tillact",
            name="unproved",
            field=models.BigIntegerField(db_default=0, default=0, editable=False),
        ),
        migrations.AddField(
            model_name="tillact",
            name="vouched_by",
            field=models.UUIDField(editable=False, null=True, verbose_name="vouched for by"),
        ),
        migrations.AddField(
            model_name="tilllimits",
            name="points",
            field=models.PositiveIntegerField(
                db_default=200,
                default=200,
                help_text="What staff may use of a member’s points in 24 hours without a code that is sent to the member.",
                verbose_name="points without a code",
            ),
        ),
        migrations.AlterField(
            model_name="message",
            name="kind",
            field=models.CharField(
                choices=[
                    ("welcome", "welcome"),
                    ("expiry_reminder", "expiry reminder"),
                    ("points_expired", "points expired"),
                    ("birthday", "birthday"),
                    ("terms_change", "change of the rules"),
                    ("tier_up", "tier reached"),
                    ("tier_at_risk", "tier at risk"),
                    ("redemption", "reward redeemed"),
                    ("redemption_cancelled", "redemption cancelled"),
                    ("voucher_expiring", "voucher about to expire"),
                    ("back_in_stock", "reward back in stock"),
                    ("low_stock", "stock runs low"),
                    ("till_code", "code for the till"),
                ],
                max_length=20,
                verbose_name="kind",
            ),
        ),
        migrations.CreateModel(
            name="SpendCode",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        db_default=django.db.models.functions.uuid.UUID7(), editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("points", models.BigIntegerField(verbose_name="points")),
                ("sent_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ("until", models.DateTimeField(verbose_name="valid until")),
                ("tries", models.PositiveSmallIntegerField(db_default=0, default=0)),
                ("used_at", models.DateTimeField(null=True)),
                (
                    "member",
                    models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, to="members.member", verbose_name="member"),
                ),
                (
                    "shift",
                    models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, to="members.shift", verbose_name="shift"),
                ),
                ("shop", models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, to="loyalty.store", verbose_name="shop")),
            ],
            options={
                "verbose_name": "code for using points",
                "verbose_name_plural": "codes for using points",
                "indexes": [models.Index(fields=["member", "-id"], name="spend_code_of_member")],
            },
        ),
    ]
