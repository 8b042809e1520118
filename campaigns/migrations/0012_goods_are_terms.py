"""To exclude goods is a term: drafted, approved by a second person, announced; the database refuses what breaks it."""

from django.db import migrations, models
from django.db.models import F, Q

KEPT_WORD = """
create function goods_keep_their_word() returns trigger language plpgsql as $$
begin
    if tg_op <> 'INSERT' and old.published_at is not null then
        if tg_op = 'DELETE' then
            raise exception 'excluded goods % are published', old.code using errcode = 'integrity_constraint_violation';
        end if;
        if old.until is not null or (to_jsonb(new) - 'until') <> (to_jsonb(old) - 'until') then
            raise exception 'of excluded goods % only the end can be written, once', old.code
                using errcode = 'integrity_constraint_violation';
        end if;
    end if;
    if tg_op = 'DELETE' then return old; end if;
    if new.published_at is not null and new.detriment and new.since < terms_notice_ends(new.published_at) then
        raise exception 'to exclude goods % is worse and starts before the notice ends', new.code
            using errcode = 'integrity_constraint_violation';
    end if;
    return new;
end $$;
create trigger kept_word before insert or update or delete on campaigns_excludedgoods
    for each row execute function goods_keep_their_word();
"""
UNDO = "drop trigger kept_word on campaigns_excludedgoods; drop function goods_keep_their_word"
# What stood before the rule was published as it was written.
PUBLISHED = "update campaigns_excludedgoods set published_at = least(since, now())"


def actor(name: str) -> "models.UUIDField[str | None, str | None]":
    return models.UUIDField(blank=True, editable=False, null=True, verbose_name=name)


class Migration(migrations.Migration):
    dependencies = [("campaigns", "0011_payments"), ("loyalty", "0006_terms")]

    operations = [
        migrations.AlterField(
            "excludedgoods", "since", models.DateTimeField(blank=True, null=True, verbose_name="excluded since")
        ),
        migrations.AddField("excludedgoods", "drafted_by", actor("drafted by")),
        migrations.AddField("excludedgoods", "published_by", actor("published by")),
        migrations.AddField("excludedgoods", "approved_by", actor("approved by")),
        migrations.AddField(
            "excludedgoods",
            "published_at",
            models.DateTimeField(blank=True, editable=False, null=True, verbose_name="published"),
        ),
        migrations.AddField(
            "excludedgoods",
            "detriment",
            models.BooleanField(db_default=False, default=False, editable=False, verbose_name="worse for members"),
        ),
        migrations.RunSQL(PUBLISHED, migrations.RunSQL.noop),
        migrations.AddConstraint(
            "excludedgoods",
            models.CheckConstraint(
                condition=Q(published_at=None) | Q(since__isnull=False, since__gte=F("published_at")),
                name="goods_start_after_publication",
            ),
        ),
        migrations.AddConstraint(
            "excludedgoods",
            models.CheckConstraint(condition=Q(until=None) | Q(published_at__isnull=False), name="goods_end_once_published"),
        ),
        migrations.AddConstraint(
            "excludedgoods",
            models.CheckConstraint(
                condition=Q(approved_by=None) | (~Q(approved_by=F("drafted_by")) & ~Q(approved_by=F("published_by"))),
                name="goods_approved_by_another",
            ),
        ),
        migrations.AddConstraint(
            "excludedgoods",
            models.CheckConstraint(
                condition=Q(detriment=False) | Q(approved_by__isnull=False), name="goods_detriment_is_approved"
            ),
        ),
        migrations.RunSQL(KEPT_WORD, UNDO),
    ]
