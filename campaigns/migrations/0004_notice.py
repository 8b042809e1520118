"""Base rates are terms wherever they are edited: drafts, notice, a second person; the database refuses what breaks it."""

from django.db import migrations, models
from django.db.models import F, Q

KEPT_WORD = """
create function rates_keep_their_word() returns trigger language plpgsql as $$
declare before campaigns_ruleversion;
begin
    if new.published_at is null or new.kind <> 'base' then return new; end if;
    select * into before from campaigns_ruleversion
     where rule_id = new.rule_id and published_at is not null and id <> new.id order by version desc limit 1;
    if not found then return new; end if;
    if new.version < before.version or new.starts_at < before.starts_at then
        raise exception 'version % of this rule would start or count before version %', new.version, before.version
            using errcode = 'integrity_constraint_violation';
    end if;
    if new.value < before.value and not new.detriment and exists (select from loyalty_wallet) then
        raise exception 'version % of this rule is worse and does not say so', new.version
            using errcode = 'integrity_constraint_violation';
    end if;
    if new.detriment and new.starts_at < terms_notice_ends(new.published_at) then
        raise exception 'version % of this rule is worse and starts before the notice ends', new.version
            using errcode = 'integrity_constraint_violation';
    end if;
    return new;
end $$;
create trigger kept_word before insert or update on campaigns_ruleversion for each row execute function rates_keep_their_word();
"""
UNDO = "drop trigger kept_word on campaigns_ruleversion; drop function rates_keep_their_word"


def actor(name: str) -> "models.UUIDField[str | None, str | None]":
    return models.UUIDField(blank=True, editable=False, null=True, verbose_name=name)


class Migration(migrations.Migration):
    dependencies = [("campaigns", "0003_first_rule"), ("loyalty", "0006_terms")]

    operations = [
        migrations.AddField("ruleversion", "drafted_by", actor("drafted by")),
        migrations.AddField("ruleversion", "published_by", actor("published by")),
        migrations.AddField("ruleversion", "approved_by", actor("approved by")),
        migrations.AddField(
            "ruleversion",
            "detriment",
            models.BooleanField(db_default=False, default=False, editable=False, verbose_name="worse for members"),
        ),
        migrations.AlterField("ruleversion", "starts_at", models.DateTimeField(blank=True, null=True, verbose_name="starts")),
        migrations.AlterField(
            "ruleversion", "published_at", models.DateTimeField(blank=True, editable=False, null=True, verbose_name="published")
        ),
        migrations.AddConstraint(
            "ruleversion",
            models.CheckConstraint(
                condition=Q(published_at=None) | Q(starts_at__gte=F("published_at")), name="rule_start_after_publication"
            ),
        ),
        migrations.AddConstraint(
            "ruleversion",
            models.CheckConstraint(
                condition=Q(approved_by=None) | (~Q(approved_by=F("drafted_by")) & ~Q(approved_by=F("published_by"))),
                name="rule_approved_by_another",
            ),
        ),
        migrations.AddConstraint(
            "ruleversion",
            models.CheckConstraint(
                condition=Q(detriment=False) | Q(approved_by__isnull=False), name="rule_detriment_is_approved"
            ),
        ),
        migrations.RunSQL(KEPT_WORD, UNDO),
    ]
