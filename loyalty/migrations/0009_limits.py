"""How many points one person may grant alone: the limits, what counts against them, and the function that counts."""

from pathlib import Path

from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps
from django.utils import timezone

SQL = Path(__file__).parent.parent / "sql"
UNDO = """
drop trigger kept on loyalty_grantlimits;
drop function grants_limits_keep, grants_allowed, grants_day, grants_person;
"""


def first_limits(apps: StateApps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """What a new installation starts with."""
    now = timezone.now()
    apps.get_model("loyalty", "GrantLimits").objects.create(
        single_points=5_000, day_points=20_000, month_points=100_000, set_at=now, in_force_at=now
    )


class Migration(migrations.Migration):
    dependencies = [
        ("loyalty", "0008_tender"),
    ]

    operations = [
        migrations.CreateModel(
            name="GrantCount",
            fields=[
                ("person", models.UUIDField(primary_key=True, serialize=False)),
                ("days", models.JSONField(default=dict)),
            ],
            options={
                "verbose_name": "points granted",
                "verbose_name_plural": "points granted",
            },
        ),
        migrations.CreateModel(
            name="GrantDeputy",
            fields=[
                ("actor", models.UUIDField(primary_key=True, serialize=False)),
                ("person", models.UUIDField()),
            ],
            options={
                "verbose_name": "granting for another",
                "verbose_name_plural": "granting for others",
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("actor", models.F("person")), _negated=True), name="deputy_of_another"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="GrantExemption",
            fields=[
                ("actor", models.UUIDField(primary_key=True, serialize=False)),
                ("since", models.DateTimeField()),
                ("made_by", models.UUIDField(null=True)),
                ("approved_by", models.UUIDField(null=True)),
            ],
            options={
                "verbose_name": "exempt machine",
                "verbose_name_plural": "exempt machines",
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("approved_by", None), ("made_by", None)),
                            models.Q(
                                ("approved_by__isnull", False),
                                ("made_by__isnull", False),
                                models.Q(("made_by", models.F("approved_by")), _negated=True),
                            ),
                            _connector="OR",
                        ),
                        name="exempt_by_two",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="GrantLimits",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("single_points", models.PositiveIntegerField(verbose_name="for one act")),
                ("day_points", models.PositiveIntegerField(verbose_name="in a day")),
                ("month_points", models.PositiveIntegerField(verbose_name="in 30 days")),
                ("set_by", models.UUIDField(editable=False, null=True, verbose_name="set by")),
                ("set_at", models.DateTimeField(editable=False, verbose_name="set")),
                ("approved_by", models.UUIDField(editable=False, null=True, verbose_name="approved by")),
                ("in_force_at", models.DateTimeField(editable=False, null=True, verbose_name="in force since")),
            ],
            options={
                "verbose_name": "limits for granting points",
                "verbose_name_plural": "limits for granting points",
                "ordering": ["-id"],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            ("day_points__gte", models.F("single_points")),
                            ("month_points__gte", models.F("day_points")),
                            ("single_points__gt", 0),
                        ),
                        name="limits_in_order",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("approved_by", None),
                            models.Q(
                                ("approved_by__isnull", False),
                                ("set_by__isnull", False),
                                models.Q(("approved_by", models.F("set_by")), _negated=True),
                            ),
                            _connector="OR",
                        ),
                        name="limits_approved_by_another",
                    ),
                ],
            },
        ),
        migrations.RunPython(first_limits, migrations.RunPython.noop),
        migrations.RunSQL((SQL / "limits.sql").read_text(), UNDO),
    ]
