"""Terms that do not move under members' feet: drafts, notice, a second person; the database refuses what breaks it."""

from pathlib import Path

from django.db import migrations, models
from django.db.models import F, Q

SQL = Path(__file__).parent.parent / "sql"
UNDO = """
drop trigger kept_word on loyalty_termsversion;
drop function terms_keep_their_word, terms_notice_ends;
"""


def actor(name: str) -> "models.UUIDField[str | None, str | None]":
    return models.UUIDField(blank=True, editable=False, null=True, verbose_name=name)


class Migration(migrations.Migration):
    dependencies = [("loyalty", "0005_deciding")]

    operations = [
        migrations.AddField(
            "termsversion",
            "notice_days",
            models.PositiveSmallIntegerField(db_default=60, default=60, verbose_name="days of notice"),
        ),
        migrations.AddField("termsversion", "drafted_by", actor("drafted by")),
        migrations.AddField("termsversion", "approved_by", actor("approved by")),
        migrations.AddField(
            "termsversion",
            "detriment",
            models.BooleanField(db_default=False, default=False, editable=False, verbose_name="worse for members"),
        ),
        migrations.AlterField("termsversion", "starts_at", models.DateTimeField(blank=True, null=True, verbose_name="starts")),
        migrations.AlterField(
            "termsversion", "published_at", models.DateTimeField(blank=True, editable=False, null=True, verbose_name="published")
        ),
        migrations.AlterField("termsversion", "published_by", actor("published by")),
        migrations.AddConstraint(
            "termsversion",
            models.CheckConstraint(
                condition=Q(published_at=None) | Q(starts_at__gte=F("published_at")), name="terms_start_after_publication"
            ),
        ),
        migrations.AddConstraint(
            "termsversion",
            models.CheckConstraint(
                condition=Q(approved_by=None) | (~Q(approved_by=F("drafted_by")) & ~Q(approved_by=F("published_by"))),
                name="terms_approved_by_another",
            ),
        ),
        migrations.AddConstraint(
            "termsversion",
            models.CheckConstraint(
                condition=Q(detriment=False) | Q(approved_by__isnull=False), name="terms_detriment_is_approved"
            ),
        ),
        migrations.RunSQL((SQL / "terms.sql").read_text(), UNDO),
    ]
