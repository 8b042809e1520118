"""Events beside receipts; an award is for one of the two."""

import django.db.models.deletion
import django.db.models.functions.uuid
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("campaigns", "0007_rules"),
        ("loyalty", "0006_terms"),
        ("members", "0003_approvals"),
    ]

    operations = [
        migrations.AlterField(
            model_name="award",
            name="purchase",
            field=models.ForeignKey(
                db_constraint=False,
                null=True,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="awards",
                to="campaigns.purchase",
                verbose_name="purchase",
            ),
        ),
        migrations.CreateModel(
            name="Event",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        db_default=django.db.models.functions.uuid.UUID7(), editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("source", models.CharField(max_length=60, verbose_name="source")),
                ("number", models.CharField(max_length=120, verbose_name="event number")),
                ("type", models.CharField(max_length=48, verbose_name="type")),
                ("occurred_at", models.DateTimeField(verbose_name="happened")),
                ("recorded_at", models.DateTimeField(verbose_name="recorded")),
                ("day", models.DateField(verbose_name="day")),
                ("points_earned", models.BigIntegerField(verbose_name="points earned")),
                ("once", models.CharField(blank=True, max_length=160, verbose_name="counts once as")),
                ("streak", models.PositiveIntegerField(verbose_name="days in a row")),
                ("trace", models.JSONField(verbose_name="trace")),
                ("data", models.JSONField(verbose_name="details")),
                (
                    "member",
                    models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, to="members.member", verbose_name="member"),
                ),
                (
                    "store",
                    models.ForeignKey(
                        null=True, on_delete=django.db.models.deletion.PROTECT, to="loyalty.store", verbose_name="store"
                    ),
                ),
            ],
            options={
                "verbose_name": "event",
                "verbose_name_plural": "events",
            },
        ),
        migrations.AddField(
            model_name="award",
            name="event",
            field=models.ForeignKey(
                db_constraint=False,
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="awards",
                to="campaigns.event",
                verbose_name="event",
            ),
        ),
        migrations.AddIndex(
            model_name="award",
            index=models.Index(condition=models.Q(("event__isnull", False)), fields=["event"], name="award_of_event"),
        ),
        migrations.AddConstraint(
            model_name="award",
            constraint=models.CheckConstraint(
                condition=models.Q(("purchase", None), ("event", None), _connector="XOR"), name="award_for_one_thing"
            ),
        ),
        migrations.AddIndex(
            model_name="event",
            index=models.Index(condition=models.Q(("streak__gt", 0)), fields=["member", "type", "day"], name="event_days"),
        ),
        migrations.AddIndex(
            model_name="event",
            index=models.Index(fields=["number"], name="event_number"),
        ),
        migrations.AddIndex(
            model_name="event",
            index=models.Index(fields=["-occurred_at", "-id"], name="event_time"),
        ),
        migrations.AddConstraint(
            model_name="event",
            constraint=models.UniqueConstraint(
                condition=models.Q(("once", ""), _negated=True), fields=("member", "once"), name="event_counts_once"
            ),
        ),
    ]
