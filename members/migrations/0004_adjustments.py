"""Corrections by hand that may wait for a second person; whose grants those of the keys are that stand already."""

import django.db.models.deletion
import django.db.models.functions.uuid
from django.db import migrations, models

# A key that nobody made comes from the server's shell.
KEYS = """
insert into loyalty_grantdeputy (actor, person) select id, made_by from members_apikey where made_by is not null;
insert into loyalty_grantexemption (actor, since) select id, now() from members_apikey where made_by is null;
"""


class Migration(migrations.Migration):
    dependencies = [
        ("loyalty", "0009_limits"),
        ("members", "0003_approvals"),
    ]

    operations = [
        migrations.AddField(
            model_name="approvalrequest",
            name="note",
            field=models.CharField(blank=True, max_length=200, verbose_name="why"),
        ),
        migrations.CreateModel(
            name="Adjustment",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        db_default=django.db.models.functions.uuid.UUID7(), editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("points", models.BigIntegerField(verbose_name="points")),
                (
                    "reason",
                    models.CharField(
                        choices=[
                            ("goodwill", "goodwill"),
                            ("unrecorded_purchase", "a purchase that was not recorded"),
                            ("booking_error", "an error in the booking"),
                            ("complaint", "a complaint"),
                            ("misuse", "misuse"),
                            ("other", "another reason"),
                        ],
                        max_length=20,
                        verbose_name="reason",
                    ),
                ),
                ("words", models.CharField(blank=True, max_length=200, verbose_name="in other words")),
                ("note", models.CharField(blank=True, max_length=200, verbose_name="note")),
                ("receipt", models.CharField(blank=True, max_length=60, verbose_name="receipt")),
                ("expires_at", models.DateTimeField(blank=True, null=True, verbose_name="points end")),
                ("requested_by", models.UUIDField(editable=False, verbose_name="asked by")),
                ("requested_at", models.DateTimeField(editable=False, verbose_name="asked")),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("awaiting_approval", "waiting for a second person"),
                            ("posted", "posted"),
                            ("refused", "refused"),
                        ],
                        default="awaiting_approval",
                        editable=False,
                        max_length=20,
                        verbose_name="state",
                    ),
                ),
                ("entry", models.UUIDField(editable=False, null=True, unique=True, verbose_name="entry")),
                ("decided_by", models.UUIDField(editable=False, null=True, verbose_name="decided by")),
                ("decided_at", models.DateTimeField(editable=False, null=True, verbose_name="decided")),
                (
                    "member",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="adjustments",
                        to="members.member",
                        verbose_name="member",
                    ),
                ),
                (
                    "store",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        to="loyalty.store",
                        verbose_name="store",
                    ),
                ),
            ],
            options={
                "verbose_name": "adjustment",
                "verbose_name_plural": "adjustments",
                "ordering": ["-id"],
                "indexes": [models.Index(fields=["-requested_at"], name="adjustment_time")],
                "constraints": [
                    models.CheckConstraint(condition=models.Q(("points", 0), _negated=True), name="adjustment_moves"),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("entry__isnull", False), ("status", "posted")),
                            models.Q(models.Q(("status", "posted"), _negated=True), ("entry", None)),
                            _connector="OR",
                        ),
                        name="adjustment_posted_whole",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("decided_by", None),
                            models.Q(("decided_by", models.F("requested_by")), _negated=True),
                            _connector="OR",
                        ),
                        name="adjustment_by_another_person",
                    ),
                ],
            },
        ),
        migrations.RunSQL(KEYS, migrations.RunSQL.noop),
    ]
