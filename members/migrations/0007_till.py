"""Tills: browsers bound to a shop, PINs, shifts, what was done, offline limits; members by the end of a phone number."""

import django.db.models.deletion
import django.db.models.functions.datetime
import django.db.models.functions.text
import django.db.models.functions.uuid
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("loyalty", "0009_limits"),
        ("members", "0006_reward_messages"),
    ]

    operations = [
        migrations.CreateModel(
            name="Device",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        db_default=django.db.models.functions.uuid.UUID7(), editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("name", models.CharField(help_text="Where it stands, such as Counter 1.", max_length=60, verbose_name="name")),
                ("secret", models.BinaryField(null=True, unique=True)),
                ("code", models.BinaryField(null=True, unique=True)),
                ("code_until", models.DateTimeField(editable=False, null=True, verbose_name="code valid until")),
                ("made_by", models.UUIDField(editable=False, null=True, verbose_name="made by")),
                (
                    "made_at",
                    models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(), editable=False, verbose_name="made"
                    ),
                ),
                ("registered_at", models.DateTimeField(editable=False, null=True, verbose_name="registered")),
                ("seen_at", models.DateTimeField(editable=False, null=True, verbose_name="last seen")),
                ("revoked_at", models.DateTimeField(editable=False, null=True, verbose_name="revoked")),
            ],
            options={
                "verbose_name": "till",
                "verbose_name_plural": "tills",
                "ordering": ["name"],
            },
        ),
        migrations.CreateModel(
            name="Pin",
            fields=[
                (
                    "staff",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        serialize=False,
                        to="members.staffprofile",
                        verbose_name="staff member",
                    ),
                ),
                ("digest", models.CharField(editable=False, max_length=200)),
                ("set_by", models.UUIDField(editable=False, verbose_name="set by")),
                ("set_at", models.DateTimeField(editable=False, verbose_name="set")),
                ("tries", models.PositiveSmallIntegerField(db_default=0, default=0, editable=False)),
                ("tried_at", models.DateTimeField(editable=False, null=True)),
            ],
            options={
                "verbose_name": "PIN",
                "verbose_name_plural": "PINs",
            },
        ),
        migrations.CreateModel(
            name="Shift",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        db_default=django.db.models.functions.uuid.UUID7(), editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("started_at", models.DateTimeField(verbose_name="began")),
                ("seen_at", models.DateTimeField(verbose_name="last seen")),
                ("ended_at", models.DateTimeField(null=True, verbose_name="ended")),
            ],
            options={
                "verbose_name": "shift",
                "verbose_name_plural": "shifts",
            },
        ),
        migrations.CreateModel(
            name="TillAct",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        db_default=django.db.models.functions.uuid.UUID7(), editable=False, primary_key=True, serialize=False
                    ),
                ),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("sale", "points given"),
                            ("voucher", "voucher accepted"),
                            ("redemption", "points used"),
                            ("enrolment", "card made"),
                            ("return", "refund"),
                        ],
                        max_length=12,
                        verbose_name="act",
                    ),
                ),
                ("thing", models.UUIDField()),
                ("number", models.CharField(max_length=120, verbose_name="number")),
                ("points", models.BigIntegerField(db_default=0, default=0, verbose_name="points")),
                ("amount", models.DecimalField(decimal_places=3, max_digits=14, null=True, verbose_name="amount")),
                ("title", models.CharField(blank=True, max_length=120, verbose_name="title")),
                ("at", models.DateTimeField(verbose_name="when")),
                ("offline", models.BooleanField(db_default=False, default=False, verbose_name="sent later")),
                ("undone_at", models.DateTimeField(null=True, verbose_name="undone")),
                ("undone_by", models.UUIDField(null=True, verbose_name="undone by")),
            ],
            options={
                "verbose_name": "act at a till",
                "verbose_name_plural": "acts at tills",
            },
        ),
        migrations.CreateModel(
            name="TillLimits",
            fields=[
                (
                    "store",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        primary_key=True,
                        serialize=False,
                        to="loyalty.store",
                        verbose_name="shop",
                    ),
                ),
                ("receipts", models.PositiveIntegerField(db_default=100, default=100, verbose_name="receipts a day")),
                (
                    "amount",
                    models.DecimalField(
                        db_default=200, decimal_places=3, default=200, max_digits=12, verbose_name="largest receipt"
                    ),
                ),
            ],
            options={
                "verbose_name": "offline limits of a till",
                "verbose_name_plural": "offline limits of tills",
            },
        ),
        migrations.AddIndex(
            model_name="member",
            index=models.Index(
                django.db.models.functions.text.Right("phone", 4),
                condition=models.Q(("phone", ""), _negated=True),
                name="member_phone_ending",
            ),
        ),
        migrations.AddField(
            model_name="device",
            name="store",
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, to="loyalty.store", verbose_name="shop"),
        ),
        migrations.AddField(
            model_name="shift",
            name="device",
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, to="members.device", verbose_name="till"),
        ),
        migrations.AddField(
            model_name="shift",
            name="staff",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, to="members.staffprofile", verbose_name="staff member"
            ),
        ),
        migrations.AddField(
            model_name="tillact",
            name="member",
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, to="members.member", verbose_name="member"),
        ),
        migrations.AddField(
            model_name="tillact",
            name="shift",
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, to="members.shift", verbose_name="shift"),
        ),
        migrations.AddField(
            model_name="tillact",
            name="shop",
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, to="loyalty.store", verbose_name="shop"),
        ),
        migrations.AddConstraint(
            model_name="tilllimits",
            constraint=models.CheckConstraint(condition=models.Q(("amount__gte", 0)), name="till_limit_not_negative"),
        ),
        migrations.AddIndex(
            model_name="shift",
            index=models.Index(fields=["staff", "-started_at"], name="shift_of_staff"),
        ),
        migrations.AddConstraint(
            model_name="shift",
            constraint=models.UniqueConstraint(
                condition=models.Q(("ended_at", None)), fields=("device",), name="shift_one_at_a_till"
            ),
        ),
        migrations.AddIndex(
            model_name="tillact",
            index=models.Index(fields=["shift", "-id"], name="till_act_of_shift"),
        ),
        migrations.AddIndex(
            model_name="tillact",
            index=models.Index(fields=["shop", "-at"], name="till_act_of_shop"),
        ),
        migrations.AddIndex(
            model_name="tillact",
            index=models.Index(fields=["member", "-at"], name="till_act_of_member"),
        ),
        migrations.AddConstraint(
            model_name="tillact",
            constraint=models.UniqueConstraint(fields=("shop", "number", "kind"), name="till_act_once"),
        ),
    ]
