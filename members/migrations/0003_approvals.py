"""Requests that wait for a second person; who made a key; messages about changed rules."""

import django.db.models.functions.uuid
from django.db import migrations, models

# Keys that staff made in the admin: the audit trail knows who.
MAKERS = """
update members_apikey k set made_by = a.actor from loyalty_auditrecord a
 where a.object_type = 'members.apikey' and a.verb = 'apikey.added' and a.object_id = k.id::text
"""


class Migration(migrations.Migration):
    dependencies = [
        ("members", "0002_codes_sent"),
    ]

    operations = [
        migrations.AddField(
            model_name="apikey",
            name="made_by",
            field=models.UUIDField(editable=False, null=True, verbose_name="made by"),
        ),
        migrations.RunSQL(MAKERS, migrations.RunSQL.noop),
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
                ],
                max_length=20,
                verbose_name="kind",
            ),
        ),
        migrations.CreateModel(
            name="ApprovalRequest",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        db_default=django.db.models.functions.uuid.UUID7(), editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("verb", models.CharField(max_length=60, verbose_name="act")),
                ("object_type", models.CharField(max_length=40, verbose_name="to")),
                ("object_id", models.CharField(max_length=64, verbose_name="object")),
                ("fingerprint", models.CharField(max_length=64, verbose_name="fingerprint")),
                ("requested_by", models.UUIDField(verbose_name="asked by")),
                ("requested_at", models.DateTimeField(verbose_name="asked")),
                ("decided_by", models.UUIDField(null=True, verbose_name="decided by")),
                ("decided_at", models.DateTimeField(null=True, verbose_name="decided")),
                (
                    "decision",
                    models.CharField(
                        blank=True,
                        choices=[("approved", "approved"), ("refused", "refused")],
                        max_length=8,
                        verbose_name="decision",
                    ),
                ),
            ],
            options={
                "verbose_name": "approval",
                "verbose_name_plural": "approvals",
                "ordering": ["-id"],
                "indexes": [models.Index(condition=models.Q(("decision", "")), fields=["-id"], name="approval_waiting")],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            ("decided_by", None),
                            models.Q(("decided_by", models.F("requested_by")), _negated=True),
                            _connector="OR",
                        ),
                        name="approval_by_another_person",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("decided_at", None), ("decided_by", None), ("decision", "")),
                            models.Q(
                                models.Q(("decision", ""), _negated=True),
                                ("decided_at__isnull", False),
                                ("decided_by__isnull", False),
                            ),
                            _connector="OR",
                        ),
                        name="approval_decided_whole",
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("decision__in", ["", "approved"])),
                        fields=("verb", "object_type", "object_id", "fingerprint"),
                        name="approval_asked_once",
                    ),
                ],
            },
        ),
    ]
